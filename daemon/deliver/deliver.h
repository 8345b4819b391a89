/* deliver/deliver.h - accepting is delivering: messages become rows of mailboxes and of the queue, many in one commit.
 *
 * While a COMMIT is under way, finished messages gather; when it returns, all go in the next one (at most 64 messages,
 * 4 MiB).  No timer.  One bad message never fails its neighbours: after an error of one, each is tried alone.  A commit
 * in doubt is settled by looking (storage.md, "A batch that fails").
 *
 * A message over 1 MiB goes in a transaction of its own, frame by frame from its file.  Order of locks: account_state
 * by account_id, then the queue. */
#pragma once
#include "base/arena.h"
#include "base/result.h"
#include "base/str.h"
#include "db/db.h"
#include "store/accept.h"
#include "store/trace_write.h"

struct deliver;

struct deliver *deliver_new(struct db *db);

/* A refusal that is to be traced (deliver/journal.h). */
void deliver_refused(struct deliver *d, const struct trace_note *note);
/* Writes the traces that wait; at the process's end. */
void deliver_flush(struct deliver *d) SUSPENDS;

/* A fresh message id.  RES_TEMPFAIL: database trouble. */
enum result deliver_id(struct deliver *d, int64_t *ret_id) SUSPENDS NODISCARD;

/* Delivers the message, and those that go `also` with it, to all targets and queues for the rest; returns when it is
 * committed.
 * RES_OK: everyone has it, or it waits in the queue for those whose mailbox could not take it; without m->envelope it
 * does not wait, and the result of each target tells.
 * RES_LIMIT: there are only mailbox targets and none could take it: nothing was stored.  With m->job also when some
 * could not.
 * RES_CONFLICT: the lease of m->job is lost: nothing was stored.
 * RES_INVALID: the database refuses this message for good.  RES_TEMPFAIL: nothing was stored; try again later. */
enum result deliver_submit(struct deliver *d, struct accept_message *m) SUSPENDS NODISCARD;
