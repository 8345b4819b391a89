/* relay/relay.c - dispatcher, keeper, drain.
 *
 *   dispatcher   claims a destination with its first jobs, starts a worker, again until nothing is due; then waits for a
 *                NOTIFY "queue", a worker's end, or a second
 *   sweeper      each minute, removes the bodies of mail that was expunged a week ago
 *   keeper       renews the leases of all workers each 30 s; heals the queue each minute; partitions and sweep each hour
 *   worker       worker.c */
#include "base/encode.h"
#include "base/log.h"
#include "io/tls.h"
#include "relay/relay_internal.h"
#include "store/sweep.h"
#include "store/trace.h"

#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>

#define POLL_MS 1000
#define MAX_IN_VAIN 5 /* claims of destinations whose jobs others hold; then a pause */
#define IN_VAIN_MS 50
#define RENEW_MS (QUEUE_LEASE_S * 1000 / 2)
#define HEAL_MS (60 * 1000)
#define MAINTAIN_MS (60 * 60 * 1000)
#define SWEEP_BATCH 500

static struct relay *the_relay;

struct str relay_lease(struct relay *relay, struct arena *a)
{
    return arena_printf(a, "%.*s/%" PRIu64, STR_ARG(relay->lease_prefix), ++relay->claims);
}

void relay_wake(struct relay *relay)
{
    relay->woken = true;
    if (relay->dispatcher != NULL)
        coroutine_wake(relay->dispatcher);
}

/* ---- dispatcher ---- */

/* Claims and starts one worker.  RES_NOTFOUND: nothing is due.  RES_CONFLICT: a destination was due, but somebody else
 * has its jobs. */
static enum result dispatch_one(struct relay *relay)
{
    CLEANUP(arena_releasep) struct arena a = { 0 };
    struct queue_batch batch;
    enum result r = queue_claim(relay->service->db, relay_lease(relay, &a), QUEUE_MAX_BATCH, &a, &batch);

    if (r != RES_OK)
        return r;
    if (batch.n > 0 && worker_start(relay, &batch, &a))
        return RES_OK;
    r = batch.n > 0 ? RES_LIMIT : RES_CONFLICT;
    if ((batch.n > 0 && queue_give_back(relay->service->db, batch.lease) != RES_OK) ||
        queue_release(relay->service->db, batch.destination) != RES_OK)
        log_warn("relay-give-back", F_STR("destination", batch.destination));
    return r;
}

static void dispatch(void *arg)
{
    struct relay *relay = arg;
    unsigned in_vain = 0;

    while (!relay->stopping) {
        enum result r = RES_LIMIT;

        relay->woken = false;
        if (relay->n_workers < RELAY_MAX_WORKERS)
            r = dispatch_one(relay);
        in_vain = r == RES_CONFLICT ? in_vain + 1 : 0;
        if (r == RES_OK || (r == RES_CONFLICT && in_vain < MAX_IN_VAIN))
            continue;
        if (!relay->woken && !relay->stopping)
            coroutine_wait(deadline_in(in_vain > 0 ? IN_VAIN_MS : POLL_MS), false);
    }
    relay->dispatcher = NULL;
}

static void on_queue(void *arg, struct str payload)
{
    (void)payload;
    relay_wake(arg);
}

/* ---- keeper ---- */

static void renew(struct relay *relay)
{
    CLEANUP(arena_releasep) struct arena a = { 0 };
    struct str *leases = arena_array(&a, struct str, relay->n_workers);
    size_t n = 0;

    for (struct worker *w = relay->workers; w != NULL; w = w->next) {
        if (w->batch.n > 0)
            leases[n++] = arena_str(&a, w->batch.lease);
    }
    if (queue_renew(relay->service->db, leases, n) != RES_OK)
        log_warn("relay-renew", F_INT("leases", n));
}

static bool is_due(int64_t *at, int64_t every_ms)
{
    if (loop_now() < *at)
        return false;
    *at = deadline_in(every_ms);
    return true;
}

static void keep(void *arg)
{
    struct relay *relay = arg;
    struct db *db = relay->service->db;
    int64_t renew_at = deadline_in(RENEW_MS), heal_at = 0, maintain_at = 0;

    while (!relay->stopping || relay->n_workers > 0) {
        if (is_due(&renew_at, RENEW_MS))
            renew(relay);
        if (!relay->stopping && is_due(&heal_at, HEAL_MS) && queue_heal(db) != RES_OK)
            heal_at = deadline_in(POLL_MS);
        if (!relay->stopping && is_due(&maintain_at, MAINTAIN_MS) &&
            (trace_maintain(db) != RES_OK || queue_sweep(db) != RES_OK))
            maintain_at = deadline_in(HEAL_MS);
        coroutine_wait(deadline_in(POLL_MS), false);
    }
    relay->keeper = NULL;
}

/* ---- sweeper ---- */

static bool is_stopping(void *arg)
{
    return ((struct relay *)arg)->stopping;
}

/* A coroutine of its own: a large account's sweep must not keep leases waiting. */
static void sweep(void *arg)
{
    struct relay *relay = arg;

    while (!relay->stopping) {
        int64_t swept = 0, wait_until = deadline_in(HEAL_MS);

        if (sweep_mail(relay->service->db, SWEEP_BATCH, is_stopping, relay, &swept) == RES_OK && swept > 0)
            log_info("relay-swept", F_INT("records", swept));
        while (!relay->stopping && loop_now() < wait_until)
            coroutine_wait(deadline_in(POLL_MS), false);
    }
}

/* ---- start and drain ---- */

/* What a predecessor of the same name left is due again, and only then new work is claimed under that name. */
static void start(void *arg)
{
    struct relay *relay = arg;
    struct str prefix = str_sub(relay->lease_prefix, 0, str_rchr(relay->lease_prefix, '/') + 1);
    int64_t freed = 0;

    while (queue_free_predecessor(relay->service->db, prefix, &freed) != RES_OK) {
        if (relay->stopping)
            return;
        coroutine_wait(deadline_in(POLL_MS), false);
    }
    if (freed > 0)
        log_info("relay-freed", F_INT("jobs", freed));
    if (relay->stopping)
        return;
    relay->dispatcher = coroutine_spawn("relay-dispatcher", dispatch, relay);
    relay->keeper = coroutine_spawn("relay-keeper", keep, relay);
    assert(relay->dispatcher != NULL && relay->keeper != NULL);
    if (coroutine_spawn("relay-sweeper", sweep, relay) == NULL)
        abort(); /* at the start there are stacks */
}

void relay_run(struct service *service)
{
    struct relay *relay = calloc(1, sizeof(*relay));

    if (relay == NULL)
        abort();
    assert(the_relay == NULL);
    the_relay = relay;
    relay->service = service;
    relay->tls = tls_client_new(NULL);
    relay->finisher = finisher_new(service->db);
    relay->lease_prefix = arena_printf(&relay->arena, "%.*s/%s/%.*s", STR_ARG(service->config->node), service->name,
                                       STR_ARG(random_id(&relay->arena)));
    db_listen(service->db, "queue", on_queue, relay);
    if (coroutine_spawn("relay-start", start, relay) == NULL)
        abort(); /* at the start there are stacks */
}

/* Waits for the workers, and in the end cuts their waits. */
static void drain(void *arg)
{
    struct relay *relay = arg;
    int64_t until = deadline_in(RELAY_GRACE_MS);

    while (relay->n_workers > 0 && loop_now() < until)
        coroutine_wait(deadline_in(100), false);
    finisher_stop(relay->finisher);
    for (struct worker *w = relay->workers; w != NULL; w = w->next) {
        if (w->coroutine != NULL)
            coroutine_cancel(w->coroutine);
    }
    log_info("relay-drained", F_INT("cut", relay->n_workers));
}

void relay_stop(void)
{
    struct relay *relay = the_relay;

    if (relay == NULL || relay->stopping)
        return;
    relay->stopping = true;
    relay_wake(relay);
    if (relay->keeper != NULL)
        coroutine_wake(relay->keeper);
    if (coroutine_spawn("relay-drain", drain, relay) == NULL)
        finisher_stop(relay->finisher);
}

unsigned relay_workers(void)
{
    return the_relay != NULL ? the_relay->n_workers : 0;
}
