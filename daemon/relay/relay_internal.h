/* relay/relay_internal.h - what the relay, its workers and the delivery here share. */
#pragma once
#include "queue/settle.h"
#include "relay/connect.h"
#include "relay/relay.h"
#include "relay/target.h"

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
    struct crew *crew;
    struct dead_destination dead[RELAY_DEAD];
    size_t next_dead;
};

struct worker {
    struct crew_worker crew; /* first */
    struct target target;    /* in target_arena */
    struct arena target_arena;
    int64_t target_until;    /* loop time; 0: not known */
    struct connection connection;
    struct dialogue dialogue;
};
extern const struct crew_kind relay_crew;

static inline struct relay *worker_relay(const struct worker *w)
{
    return w->crew.crew->owner;
}

/* One job of QUEUE_LOCAL, or of a domain that is ours: into the mailbox, in the transaction that ends the job.
 * RES_OK: done, committed.  RES_CONFLICT: the lease was lost.  RES_INVALID: *ret says what comes of it. */
enum result local_deliver(struct worker *w, const struct queue_job *job, struct verdict *ret) SUSPENDS NODISCARD;
