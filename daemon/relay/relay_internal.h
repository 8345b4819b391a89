/* relay/relay_internal.h - what the dispatcher, its workers and the delivery here share. */
#pragma once
#include "relay/connect.h"
#include "relay/finisher.h"
#include "relay/relay.h"
#include "relay/target.h"
#include "store/queue.h"

#define RELAY_MAX_WORKERS 200
#define RELAY_DEAD 64 /* destinations that did not answer a moment ago */

struct dead_destination { /* nobody there answered: until then its jobs are put off without a try */
    char name[256];
    int64_t until;
    char text[256];
    struct verdict verdict; /* text and enhanced point into this struct */
};

struct relay {
    struct service *service;
    struct tls_context *tls;
    struct finisher *finisher;
    struct coroutine *dispatcher, *keeper;
    struct worker *workers;
    unsigned n_workers;
    bool stopping, woken;
    struct str lease_prefix; /* "node/relay-1/k3v...", then "/" and a number: unique for each claim */
    uint64_t claims;
    struct dead_destination dead[RELAY_DEAD];
    size_t next_dead;
    struct arena arena;
};

/* Makes the dispatcher look again. */
void relay_wake(struct relay *relay);
/* A new lease name, in the arena. */
struct str relay_lease(struct relay *relay, struct arena *a);

struct worker {
    struct relay *relay;
    struct worker *prev, *next;
    struct coroutine *coroutine;
    struct arena arena, batch_arena; /* of the worker, and of what is being worked on */
    struct str destination;
    struct queue_batch batch;        /* in batch_arena */
    int64_t claimed_at;              /* loop time of batch.now */
    struct target target;            /* in target_arena */
    struct arena target_arena;
    int64_t target_until;            /* loop time; 0: not known */
    struct connection connection;
    struct dialogue dialogue;
    struct finish_item **items;      /* handed to the finisher in this batch */
    size_t n_items;
};

/* Runs a worker for a batch that was claimed; takes over what is in *a.  false: there is no stack for it. */
bool worker_start(struct relay *relay, const struct queue_batch *batch, struct arena *a);

/* PostgreSQL's time now, in microseconds. */
int64_t worker_now(const struct worker *w);

/* One job of QUEUE_LOCAL, or of a domain that is ours: into the mailbox, in the transaction that ends the job.
 * RES_OK: done, committed.  RES_CONFLICT: the lease was lost.  RES_INVALID: *ret says what comes of it. */
enum result local_deliver(struct worker *w, const struct queue_job *job, struct verdict *ret) SUSPENDS NODISCARD;

/* What comes of n jobs of one message (their verdicts): outcomes and notices, handed to the finisher. */
void settle_jobs(struct worker *w, const struct queue_job *jobs, const struct verdict *verdicts, size_t n,
                 bool attempted, int milliseconds) SUSPENDS;
/* The notice that a job in a mailbox asked for (NOTIFY=SUCCESS), else NULL. */
struct queue_new *settle_delivered_notice(struct worker *w, const struct queue_job *job) SUSPENDS;
