/* queue/finisher.h - many workers' outcomes in one commit: while one is under way, the others gather for the next. */
#pragma once
#include "store/queue.h"

struct finisher;

struct finish_item { /* some outcomes; stays where it is until finisher_wait returns */
    const struct queue_outcome *v;
    size_t n; /* at most FINISHER_MAX */
    bool done;
    struct coroutine *worker;
    struct finish_item *next;
};
#define FINISHER_MAX 500 /* outcomes of one transaction */

struct finisher *finisher_new(struct db *db);
/* Hands outcomes over; they are being committed while the caller goes on. */
void finisher_add(struct finisher *f, struct finish_item *item);
/* Returns when the item is committed, however long the database is away; after finisher_stop at the latest
 * FINISHER_GRACE_MS later.  What could not be written falls due again when its lease ends. */
void finisher_wait(struct finisher *f, struct finish_item *item) SUSPENDS;
#define FINISHER_GRACE_MS 5000
/* No more waiting for a database that is away. */
void finisher_stop(struct finisher *f);
