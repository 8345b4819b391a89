/* store/accept.h - the transaction that accepts mail: mailbox entries and queue rows of many messages in one commit.
 *
 * Order of locks: account_state by account_id, then the queue (store/queue.h). */
#pragma once
#include "base/arena.h"
#include "base/result.h"
#include "base/str.h"
#include "db/db.h"
#include "mail/digest.h"
#include "store/body.h"
#include "store/filter.h"
#include "store/queue.h"

struct accept_target { /* a mailbox here */
    int64_t account_id, mailbox_id;
    int flags;            /* bits of message.flags */
    const int32_t *keywords;
    size_t n_keywords;
    struct str folder;    /* filters have run: the mailbox's name, for the queue when it has to wait; STR_NULL: they have not */
    struct str rule;      /* the filter's that chose it, for the trace; STR_NULL: none */
    struct str recipient; /* the address as it was given, for the queue when it has to wait */
    struct str orcpt;
    unsigned notify;
    int warning; /* not 0: the server's own word that the mailbox is so full (percent), once; no quota refuses it */
    enum result result; /* out: RES_OK; RES_LIMIT: over quota, or the mailbox is gone */
};
struct accept_message {
    int64_t id;             /* deliver_id(): the one of "queued as" */
    struct str message;     /* all of it, trace fields included, Return-Path first; lives until deliver_submit returns */
    size_t return_path_len; /* of the Return-Path field at its start, which the queue's copy does not get */
    struct accept_target *targets;
    size_t n_targets;
    struct queue_new *queue; /* remote recipients: envelope and recipients; id, sizes and frames are filled in here; NULL: none */
    const struct queue_new *envelope; /* for targets that have to wait: as `queue`, without recipients; NULL: they do not */
    const struct queue_new *trace;    /* who sent it, as in `envelope`, for its trace when it never is in the queue; NULL: none */
    const struct queue_outcome *job;  /* relay: the queue row that this delivery ends, in the same transaction; NULL */
    const struct sieve_mark_row *marks; /* to be set in the same transaction */
    size_t n_marks;
    int64_t sent_by;        /* the account that submitted it, whose recipients are counted (store/sent.h); 0: nobody's */
    size_t sent_to;         /* recipients that it gave */
    struct accept_message *also; /* a further message of the same transaction; NULL: none */
};

#define ACCEPT_LARGE ((size_t)1 << 20) /* from here on a message has a transaction of its own, frame by frame */

struct accept_item { /* a message, and what was made of it */
    struct accept_message *m;
    struct arena arena;
    struct mail_digest digest;
    struct body_shape shape;
    struct str *frames; /* packed; none when large */
    size_t n_frames;
    int64_t *email_ids; /* one a target */
    bool large;         /* written frame by frame, in a transaction without other messages */
    bool queued;        /* out: its queue rows and marks are committed */
    enum result result; /* out */
};

/* Messages with a job, and what goes `also` with them, are alone in their transaction.
 *
 * Runs the messages in one transaction and sets the result of each, with two exceptions, in which not all is stored and
 * `result` says so: RES_CANCELLED: an account was busy (never when `alone`), run it again: its targets that were served
 * are left out then; and when it returns other than RES_OK: somebody failed, try each alone.  A commit in doubt is
 * settled by looking. */
enum result accept_commit(struct db *db, struct accept_item **v, size_t n, bool alone) SUSPENDS;
