/* store/pop3.h - the exclusive access to a maildrop that POP3 wants (RFC 1939, 3), and QUIT's deletions.
 *
 * The lock is a row with a holder and an end, 60 s ahead; the process that holds it renews it.  A session that lost it
 * (its process was cut off from the database for a minute) deletes nothing. */
#pragma once
#include "base/arena.h"
#include "base/result.h"
#include "base/str.h"
#include "db/db.h"
#include "store/principal.h"

#define POP3_RENEW_MS 20000

/* RES_EXISTS: another session has the maildrop. */
enum result pop3_lock(struct db *db, const struct principal *who, struct str holder) SUSPENDS NODISCARD;
enum result pop3_unlock(struct db *db, const struct principal *who, struct str holder) SUSPENDS NODISCARD;
/* All locks whose holder begins with `prefix`: one statement a process. */
enum result pop3_renew(struct db *db, struct str prefix) SUSPENDS NODISCARD;

/* QUIT: removes the messages and the lock in one transaction.  RES_CONFLICT: the lock is not ours any more; nothing was
 * removed.  uids ascending; n may be 0. */
enum result pop3_quit(struct db *db, const struct principal *who, struct str holder, int64_t mailbox_id,
                      const int64_t *uids, size_t n, struct arena *a) SUSPENDS NODISCARD;

struct pop3_message {
    uint32_t uid;
    bool deleted;
    uint64_t size;
};
/* The messages of INBOX, ascending by UID; malloc'ed.  RES_NOTFOUND: there is no INBOX. */
enum result pop3_list(struct db *db, const struct principal *who, int64_t *ret_mailbox_id, int64_t *ret_uidvalidity,
                      struct pop3_message **ret_v, size_t *ret_n) SUSPENDS NODISCARD;

/* Reading ahead: clients take one message after the other.  Of these UIDs (ascending) the messages of one frame, whole:
 * one statement for all.  A row: pop3_small_get. */
enum result pop3_read_small(struct db *db, const struct principal *who, int64_t mailbox_id, const int64_t *uids, size_t n,
                            struct arena *a, struct db_rows *ret_rows) SUSPENDS NODISCARD;
struct pop3_small {
    uint32_t uid;
    uint64_t size;
    struct str frame; /* packed (store/body.h); a view of the rows */
};
struct pop3_small pop3_small_get(const struct db_rows *rows, size_t row);
