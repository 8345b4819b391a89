/* store/mailbox.h - mailboxes of an account: looking up, listing, creating, deleting, renaming, subscribing.
 *
 * Names are UTF-8 with '/' between levels; INBOX is always spelt so (mailbox_name_check sees to it), and nobody else is
 * called INBOX in another case.  A level may have no mailbox of its own: a/b does not need an a.  What is returned
 * lives in the arena given.
 *
 * All functions that take a db SUSPEND, and return RES_TEMPFAIL for database trouble, already logged. */
#pragma once
#include "base/arena.h"
#include "base/result.h"
#include "base/str.h"
#include "db/db.h"
#include "store/principal.h"

#define MAILBOX_NAME_MAX  1000  /* bytes of a name */
#define MAILBOX_LEVEL_MAX 255   /* bytes of one level */
#define MAILBOX_COUNT_MAX 10000 /* of one account */

/* mailbox.special_use (RFC 6154, 2). */
enum special_use {
    SPECIAL_NONE, SPECIAL_ARCHIVE, SPECIAL_DRAFTS, SPECIAL_JUNK, SPECIAL_SENT, SPECIAL_TRASH, SPECIAL_ALL,
    SPECIAL_FLAGGED, SPECIAL_USES
};

struct mailbox {
    int64_t id;
    struct str name;
    int64_t uidvalidity, uidnext, first_recent;
    int64_t highestmodseq, vanished_from; /* RFC 7162; expunges up to vanished_from are no longer on record */
    int64_t messages, unseen, deleted, bytes;
    enum special_use special_use;
    bool subscribed;
};

/* The name as it is stored: INBOX in upper case, one '/' at the end taken off.  RES_INVALID: empty, over the limits,
 * not UTF-8, with control characters, '%', '*', or an empty level. */
enum result mailbox_name_check(struct arena *a, struct str name, struct str *ret_name) NODISCARD;

/* RES_NOTFOUND: no such mailbox. */
enum result mailbox_find(struct db *db, const struct principal *who, struct str name, struct arena *a,
                         struct mailbox *ret) SUSPENDS NODISCARD;
enum result mailbox_get(struct db *db, const struct principal *who, int64_t id, struct arena *a,
                        struct mailbox *ret) SUSPENDS NODISCARD;

/* All mailboxes, and the names that are subscribed and no mailbox; both in byte order of their names. */
enum result mailbox_list(struct db *db, const struct principal *who, struct arena *a, struct mailbox **ret_list,
                         size_t *ret_n) SUSPENDS NODISCARD;
enum result mailbox_subscribed_names(struct db *db, const struct principal *who, struct arena *a,
                                     struct str **ret_names, size_t *ret_n) SUSPENDS NODISCARD;

/* RES_EXISTS; RES_LIMIT: the account has MAILBOX_COUNT_MAX.  It is subscribed when the name already was. */
enum result mailbox_create(struct db *db, const struct principal *who, struct str name, enum special_use use,
                           int64_t *ret_id) SUSPENDS NODISCARD;

/* Removes the mailbox; its messages become expunged ones, its subscription stays as a name (RFC 3501, 6.3.6).
 * RES_NOTFOUND; RES_DENIED: INBOX. */
enum result mailbox_delete(struct db *db, const struct principal *who, struct str name) SUSPENDS NODISCARD;

/* Renames the mailbox and what is below it (RFC 3501, 6.3.5); a level without mailbox may be renamed too.  INBOX keeps
 * its name: its messages move to the new mailbox.  RES_NOTFOUND; RES_EXISTS; RES_LIMIT: a name would be too long;
 * RES_INVALID: into itself. */
enum result mailbox_rename(struct db *db, const struct principal *who, struct str from, struct str to)
    SUSPENDS NODISCARD;

/* Subscribing wants a mailbox (RES_NOTFOUND); the end of a subscription is always RES_OK. */
enum result mailbox_subscribe(struct db *db, const struct principal *who, struct str name) SUSPENDS NODISCARD;
enum result mailbox_unsubscribe(struct db *db, const struct principal *who, struct str name) SUSPENDS NODISCARD;

/* \Recent (RFC 3501, 2.3.2): messages from first_recent on.  Makes `below` the new first_recent unless it is already
 * larger; *ret_first is what it was: the caller has [*ret_first, below) to itself. */
enum result mailbox_claim_recent(struct db *db, const struct principal *who, int64_t id, int64_t below,
                                 int64_t *ret_first) SUSPENDS NODISCARD;
enum result mailbox_count_recent(struct db *db, const struct principal *who, const struct mailbox *box,
                                 int64_t *ret_count) SUSPENDS NODISCARD;
/* The sizes of the messages that are \Deleted, together. */
enum result mailbox_deleted_bytes(struct db *db, const struct principal *who, const struct mailbox *box,
                                  int64_t *ret_bytes) SUSPENDS NODISCARD;

/* For the rest of store/: the columns of a mailbox and how to read them from column `column` on. */
#define MAILBOX_COLUMNS                                                                                            \
    "id, name, uidvalidity, uidnext, first_recent, highestmodseq, vanished_from, messages, unseen, deleted, bytes, " \
    "special_use, subscribed"
void mailbox_from_row(const struct db_rows *rows, size_t row, int column, struct arena *a, struct mailbox *ret);
/* The statement that every transaction which writes to an account's mail begins with. */
extern const struct db_stmt account_lock_stmt;
