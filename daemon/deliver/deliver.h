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
#include "store/queue.h"

struct deliver;

struct deliver_target { /* a mailbox here */
    int64_t account_id, mailbox_id;
    int flags;            /* bits of message.flags */
    struct str recipient; /* the address as it was given, for the queue when it has to wait */
    struct str orcpt;
    unsigned notify;
    enum result result; /* out: RES_OK; RES_LIMIT: over quota, or the mailbox is gone */
};

struct deliver_message {
    int64_t id;             /* deliver_id(): the one of "queued as" */
    struct str message;     /* all of it, trace fields included, Return-Path first; lives until deliver_submit returns */
    size_t return_path_len; /* of the Return-Path field at its start, which the queue's copy does not get */
    struct deliver_target *targets;
    size_t n_targets;
    struct queue_new *queue; /* remote recipients: envelope and recipients; id, sizes and frames are filled in here; NULL: none */
    const struct queue_new *envelope; /* for targets that have to wait: as `queue`, without recipients */
    const struct queue_outcome *job;  /* relay: the queue row that this delivery ends, in the same transaction; NULL */
};

struct deliver *deliver_new(struct db *db);

/* A fresh message id.  RES_TEMPFAIL: database trouble. */
enum result deliver_id(struct deliver *d, int64_t *ret_id) SUSPENDS NODISCARD;

/* Delivers to all targets and queues for the rest; returns when it is committed.
 * RES_OK: everyone has it, or it waits in the queue for those whose mailbox could not take it.
 * RES_LIMIT: there are only mailbox targets and none could take it: nothing was stored.
 * RES_CONFLICT: the lease of m->job is lost: nothing was stored.
 * RES_INVALID: the database refuses this message for good.  RES_TEMPFAIL: nothing was stored; try again later. */
enum result deliver_submit(struct deliver *d, struct deliver_message *m) SUSPENDS NODISCARD;
