/* deliver/deliver_internal.h - a message on its way into a transaction. */
#pragma once
#include "deliver/deliver.h"
#include "mail/digest.h"
#include "store/body.h"

#define DELIVER_LARGE ((size_t)1 << 20) /* from here on a message has a transaction of its own, frame by frame */

struct pending {
    struct deliver_message *m;
    struct arena arena; /* what was made of the message */
    struct mail_digest digest;
    struct body_shape shape;
    struct str *frames; /* packed; none when large */
    size_t n_frames;
    int64_t *email_ids; /* one a target */
    bool large;
    bool queued; /* its queue rows are committed */
    unsigned tries;
    struct coroutine *waiter;
    enum result result;
    bool done;
    struct pending *next;
};

/* Runs the messages in one transaction and sets the result of each, with two exceptions, in which not all is stored and
 * `result` says so: RES_CANCELLED: an account was busy (never when `alone`), run it again: its targets that were served
 * are left out then; and when it returns other than RES_OK: somebody failed, try each alone. */
enum result deliver_commit(struct db *db, struct pending **v, size_t n, bool alone) SUSPENDS;
