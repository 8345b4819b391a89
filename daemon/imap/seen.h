/* imap/seen.h - \Seen that FETCH BODY[...] sets by itself (RFC 3501, 6.4.5): in the view at once, in the database a
 * little later, many in one transaction (docs/adr/0007).
 *
 * It is written before any command that reads or changes flags in the database, before news is read, when the session
 * leaves the mailbox, and after SEEN_MS.  Sessions that know CONDSTORE write it at once: they are told the MODSEQ. */
#pragma once
#include "imap/session.h"

#define SEEN_MAX 400 /* messages that wait */
#define SEEN_MS  500

/* The message of the view becomes \Seen. */
void seen_add(struct imap_session *s, size_t index) SUSPENDS;
/* Writes what waits.  A failure, already logged, does not keep anybody from reading: the messages stay unseen. */
void seen_write(struct imap_session *s) SUSPENDS;
/* When seen_write has to be called; NO_DEADLINE: nothing waits. */
int64_t seen_deadline(const struct imap_session *s);
