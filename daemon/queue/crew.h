/* queue/crew.h - those who empty the queue in one process: a dispatcher that claims destinations and starts a worker
 * for each, a keeper that renews their leases, and the drain.
 *
 * What a worker does with jobs is its kind's (relay/worker.c, mda/worker.c); what becomes of them goes through
 * queue/settle.h to the finisher, which commits for many workers at a time. */
#pragma once
#include "base/arena.h"
#include "io/coroutine.h"
#include "queue/finisher.h"
#include "store/queue.h"

struct crew;

/* A worker: a slot of a destination and the jobs that are due there.  It begins the kind's own struct. */
struct crew_worker {
    struct crew *crew;
    struct crew_worker *prev, *next;
    struct coroutine *coroutine;
    struct arena arena, batch_arena; /* of the worker, and of what is being worked on */
    struct str destination;
    struct queue_batch batch;        /* in batch_arena */
    int64_t claimed_at;              /* loop time of batch.now */
    struct finish_item **items;      /* handed to the finisher in this batch */
    size_t n_items, cap_items;
};

struct crew_kind {
    const char *name; /* of coroutines and log lines; lives as long as the program */
    enum result (*claim)(struct db *db, struct str lease, int limit, struct arena *a, struct queue_batch *ret);
    int limit;        /* jobs of one claim, at most QUEUE_MAX_BATCH */
    int max_batches;  /* then another destination has its turn */
    unsigned max_workers;
    size_t worker_size;
    /* Works on the jobs of one message and settles them; what it leaves while crew->stopping is given back. */
    void (*run)(struct crew_worker *w, struct queue_job *jobs, size_t n);
    /* Frees what the kind's worker holds beside the arenas. */
    void (*end)(struct crew_worker *w);
};

struct crew {
    const struct crew_kind *kind;
    struct db *db;
    void *owner;             /* the kind's own */
    struct finisher *finisher;
    struct coroutine *dispatcher, *keeper;
    struct crew_worker *workers;
    unsigned n_workers;
    bool stopping, woken;
    struct str lease_prefix; /* "node/relay-1/k3v...", then "/" and a number: unique for each claim */
    uint64_t claims;
    void (*started)(struct crew *crew);
    struct arena arena;
};

/* Starts: what a predecessor of the same name left falls due, then work is claimed.  node and name (of the process)
 * make the leases' names; `started` (NULL: nothing) is called before the first claim. */
struct crew *crew_new(const struct crew_kind *kind, struct db *db, struct str node, const char *name, void *owner,
                      void (*started)(struct crew *crew));
/* Begins the drain: nothing new is claimed, jobs under way are finished, after CREW_GRACE_MS the waits for peers are
 * cut, and leases are given back.  All coroutines have ended soon after. */
void crew_stop(struct crew *crew);
#define CREW_GRACE_MS 22000

/* PostgreSQL's time now, in microseconds. */
int64_t crew_now(const struct crew_worker *w);
/* Hands n outcomes over to the finisher; they live in w->batch_arena. */
void crew_finish(struct crew_worker *w, const struct queue_outcome *v, size_t n);
