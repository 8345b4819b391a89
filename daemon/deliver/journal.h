/* deliver/journal.h - traces of mail that was delivered or refused at once, written a moment later, many in one statement.
 *
 * They tell what happened; they are no part of the mail's transaction and cost its sender no time.  What waits is bounded: when
 * the database is away for long, or refusals come faster than JOURNAL_REFUSALS_A_SECOND, the rest is counted and dropped.  A
 * crash forgets what came in the last moment. */
#pragma once
#include "store/trace_write.h"

#define JOURNAL_REFUSALS_A_SECOND 100
#define JOURNAL_REFUSALS_OF_A_NETWORK 10 /* a second; the rest is counted, and told by one note */

struct journal;

struct journal *journal_new(struct db *db);
/* Takes a copy. */
void journal_add(struct journal *j, const struct trace_note *note);
/* The same for a refusal, whose id may be 0: it gets one. */
void journal_refuse(struct journal *j, const struct trace_note *note);
/* Writes what waits; at the process's end. */
void journal_flush(struct journal *j) SUSPENDS;
