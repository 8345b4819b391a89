/* store/message_write.h - changing the messages of a mailbox: flags, expunge, copy, move, append.
 *
 * Every function is one or more transactions of its own unless it takes a tx; each locks the account's row first, gives
 * what it changes one new MODSEQ (RFC 7162, 3.1), keeps the counters of mailbox and account, and tells the news behind
 * its commit (store/notify.h).  All SUSPEND; RES_TEMPFAIL is database trouble, already logged. */
#pragma once
#include "base/arena.h"
#include "base/result.h"
#include "base/str.h"
#include "db/db.h"
#include "mail/digest.h"
#include "store/message.h"
#include "store/principal.h"

#define STORE_MAX 2000 /* UIDs of one transaction of message_store and message_expunge */

struct message_change {
    int clear, set; /* bits of flags: first cleared, then set */
    bool keywords;  /* whether keywords change at all; if so: */
    bool keywords_replace;
    const int32_t *keywords_add, *keywords_remove; /* with keywords_replace `add` are all of them */
    size_t nadd, nremove;
    int64_t unchanged_since; /* RFC 7162, 3.1.3; -1: any */
};

/* One message after message_store. */
struct message_stored {
    struct message_state state;
    bool changed; /* this call gave it a new MODSEQ */
    bool failed;  /* its MODSEQ was above unchanged_since: nothing was done to it */
    int flags_before;
    const int64_t *keywords_before; /* ascending */
    size_t nkeywords_before;
};
struct message_stored_list {
    struct message_stored *v; /* ascending by UID; UIDs that are gone are missing */
    size_t n;
    int64_t modseq_before, modseq; /* the mailbox's around the change; both 0 when nothing changed */
    bool scripted;                 /* a script runs on changes of the mailbox (RFC 6785) */
};
/* STORE: at most STORE_MAX uids. */
enum result message_store(struct db *db, const struct principal *who, int64_t mailbox_id, const int64_t *uids,
                          size_t n, const struct message_change *change, struct arena *a,
                          struct message_stored_list *ret) SUSPENDS NODISCARD;

struct message_removed {
    int64_t *uids; /* what went, ascending */
    size_t n;
    int64_t modseq_before, modseq; /* the mailbox's around it; both 0 when nothing went */
};
/* EXPUNGE: those of the uids (at most STORE_MAX) that are \Deleted. */
enum result message_expunge(struct db *db, const struct principal *who, int64_t mailbox_id, const int64_t *uids,
                            size_t n, struct arena *a, struct message_removed *ret) SUSPENDS NODISCARD;

/* Where copied messages are now: from[i] became to[i], both ascending. */
struct message_copied {
    int64_t *from, *to;
    size_t n;
    int64_t uidvalidity, to_modseq;
    struct message_removed removed; /* MOVE: from where they were */
    bool scripted;                  /* as in message_stored_list, of where they are */
};
/* COPY, all or nothing.  RES_NOTFOUND: no such mailbox; RES_LIMIT: quota; RES_OK with n 0: all uids are gone. */
enum result message_copy(struct db *db, const struct principal *who, int64_t mailbox_id, const int64_t *uids, size_t n,
                         int64_t to_mailbox_id, struct arena *a, struct message_copied *ret) SUSPENDS NODISCARD;
/* MOVE (RFC 6851), all or nothing; also within one mailbox. */
enum result message_move(struct db *db, const struct principal *who, int64_t mailbox_id, const int64_t *uids, size_t n,
                         int64_t to_mailbox_id, struct arena *a, struct message_copied *ret) SUSPENDS NODISCARD;

/* For store/mailbox_write.c, which holds the lock: everything moves, everything goes. */
enum result message_move_all(struct tx *tx, const struct principal *who, int64_t mailbox_id, int64_t to_mailbox_id)
    SUSPENDS NODISCARD;
enum result message_remove_all(struct tx *tx, const struct principal *who, int64_t mailbox_id) SUSPENDS NODISCARD;

/* For store/pop3.c, which holds the lock: these go, whatever their flags are. */
enum result message_remove(struct tx *tx, const struct principal *who, int64_t mailbox_id, const int64_t *uids,
                           size_t n, struct arena *a) SUSPENDS;

struct message_append {
    struct str mailbox;        /* its name, as mailbox_name_check gives it */
    struct str message;        /* as it will be served */
    const struct mail_digest *digest;
    int64_t internaldate_us;
    int flags;
    const int32_t *keywords;
    size_t nkeywords;
};
struct message_appended {
    int64_t mailbox_id;
    int64_t uidvalidity, uid; /* uid 0: the connection broke at COMMIT, and meanwhile it was moved */
    int64_t modseq_before, modseq; /* the mailbox's around it */
    bool scripted;                 /* as in message_stored_list */
};
/* APPEND.  While a commit is under way, messages gather, and all go in the next one (at most 64 messages, 4 MiB); one
 * that fails does not fail the others.  A message over 1 MiB has a transaction of its own: it is packed on the thread
 * pool, and its frames are sent to the database piece by piece.  RES_NOTFOUND: no such mailbox; RES_LIMIT: quota. */
enum result message_append(struct db *db, const struct principal *who, const struct message_append *m,
                           struct message_appended *ret) SUSPENDS NODISCARD;
