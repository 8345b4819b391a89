/* queue/crew.c - dispatcher, keeper, workers' loop, drain.
 *
 *   dispatcher   claims a destination with its first jobs, starts a worker, again until nothing is due; then waits for
 * a NOTIFY "queue", a worker's end, or a second keeper       renews the leases of all workers each 30 s worker the jobs
 * of its batch, message by message; more batches of the destination; gives the slot back */
#include "queue/crew.h"

#include "base/encode.h"
#include "base/log.h"
#include "queue/settle.h"

#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>

#define POLL_MS 1000
#define MAX_IN_VAIN 5 /* claims of destinations whose jobs others hold; then a pause */
#define IN_VAIN_MS 50
#define RENEW_MS (QUEUE_LEASE_S * 1000 / 2)

static struct str new_lease(struct crew *crew, struct arena *a)
{
    return arena_printf(a, "%.*s/%" PRIu64, STR_ARG(crew->lease_prefix), ++crew->claims);
}

static void wake(struct crew *crew)
{
    crew->woken = true;
    if (crew->dispatcher != NULL)
        coroutine_wake(crew->dispatcher);
}

int64_t crew_now(const struct crew_worker *w)
{
    return w->batch.now + (loop_now() - w->claimed_at) * 1000;
}

void crew_finish(struct crew_worker *w, const struct queue_outcome *v, size_t n)
{
    struct finish_item *item = arena_new(&w->batch_arena, struct finish_item);

    *item = (struct finish_item){ .v = v, .n = n };
    finisher_add(w->crew->finisher, item);
    assert(w->n_items < w->cap_items);
    w->items[w->n_items++] = item;
}

/* ---- a worker ---- */

static void run_batch(struct crew_worker *w)
{
    struct crew *crew = w->crew;
    size_t at = 0;

    w->cap_items = w->batch.n; /* each settles one job at least */
    w->items = arena_array(&w->batch_arena, struct finish_item *, w->cap_items);
    w->n_items = 0;
    w->claimed_at = loop_now();
    while (at < w->batch.n && !crew->stopping) {
        size_t n = 1;

        while (at + n < w->batch.n && w->batch.jobs[at + n].message == w->batch.jobs[at].message)
            n++;
        if (!settle_untried(w, &w->batch.jobs[at], n))
            crew->kind->run(w, &w->batch.jobs[at], n);
        at += n;
    }
    for (size_t i = 0; i < w->n_items; i++)
        finisher_wait(crew->finisher, w->items[i]);
    if (crew->stopping && w->batch.n > 0 && queue_give_back(crew->db, w->batch.lease) != RES_OK)
        log_warn("queue-give-back", F_STR("destination", w->destination)); /* they fall due when the lease ends */
}

static enum result claim_more(struct crew_worker *w)
{
    struct crew *crew = w->crew;
    struct queue_batch batch;
    struct str lease;
    enum result r;

    arena_reset(&w->batch_arena);
    w->batch = (struct queue_batch){ 0 };
    lease = new_lease(crew, &w->batch_arena);
    r = queue_claim_more(crew->db, w->destination, lease, crew->kind->limit, &w->batch_arena, &batch);
    if (r == RES_OK)
        w->batch = batch;
    return r;
}

static void worker_free(struct crew_worker *w)
{
    struct crew *crew = w->crew;

    *(w->prev != NULL ? &w->prev->next : &crew->workers) = w->next;
    if (w->next != NULL)
        w->next->prev = w->prev;
    crew->n_workers--;
    arena_reset(&w->batch_arena);
    arena_reset(&w->arena);
    free(w);
    wake(crew);
}

static void run(void *arg)
{
    struct crew_worker *w = arg;
    struct crew *crew = w->crew;

    w->coroutine = coroutine_self();
    run_batch(w);
    for (int i = 1; i < crew->kind->max_batches && !crew->stopping && claim_more(w) == RES_OK; i++)
        run_batch(w);
    w->batch = (struct queue_batch){ 0 }; /* nothing to renew any more */
    if (queue_release(crew->db, w->destination) != RES_OK)
        log_warn("queue-release", F_STR("destination", w->destination)); /* queue_heal puts it right */
    crew->kind->end(w);
    worker_free(w);
}

/* Runs a worker for a batch that was claimed; takes over what is in *a.  false: there is no stack for it. */
static bool worker_start(struct crew *crew, const struct queue_batch *batch, struct arena *a)
{
    struct crew_worker *w = calloc(1, crew->kind->worker_size);

    if (w == NULL)
        abort();
    *w = (struct crew_worker){ .crew = crew, .batch_arena = *a, .batch = *batch, .next = crew->workers };
    w->destination = arena_str(&w->arena, batch->destination);
    if (coroutine_spawn(crew->kind->name, run, w) == NULL) {
        arena_reset(&w->arena);
        free(w);
        return false;
    }
    *a = (struct arena){ 0 };
    if (crew->workers != NULL)
        crew->workers->prev = w;
    crew->workers = w;
    crew->n_workers++;
    return true;
}

/* ---- dispatcher ---- */

/* Claims and starts one worker.  RES_NOTFOUND: nothing is due.  RES_CONFLICT: a destination was due, but somebody else
 * has its jobs. */
static enum result dispatch_one(struct crew *crew)
{
    CLEANUP(arena_releasep) struct arena a = { 0 };
    struct queue_batch batch;
    enum result r = crew->kind->claim(crew->db, new_lease(crew, &a), crew->kind->limit, &a, &batch);

    if (r != RES_OK)
        return r;
    if (batch.n > 0 && worker_start(crew, &batch, &a))
        return RES_OK;
    r = batch.n > 0 ? RES_LIMIT : RES_CONFLICT;
    if ((batch.n > 0 && queue_give_back(crew->db, batch.lease) != RES_OK) ||
        queue_release(crew->db, batch.destination) != RES_OK)
        log_warn("queue-give-back", F_STR("destination", batch.destination));
    return r;
}

static void dispatch(void *arg)
{
    struct crew *crew = arg;
    unsigned in_vain = 0;

    while (!crew->stopping) {
        enum result r = RES_LIMIT;

        crew->woken = false;
        if (crew->n_workers < crew->kind->max_workers)
            r = dispatch_one(crew);
        in_vain = r == RES_CONFLICT ? in_vain + 1 : 0;
        if (r == RES_OK || (r == RES_CONFLICT && in_vain < MAX_IN_VAIN))
            continue;
        if (!crew->woken && !crew->stopping)
            coroutine_wait(deadline_in(in_vain > 0 ? IN_VAIN_MS : POLL_MS), false);
    }
    crew->dispatcher = NULL;
}

static void on_queue(void *arg, struct str payload)
{
    (void)payload;
    wake(arg);
}

/* ---- keeper ---- */

static void renew(struct crew *crew)
{
    CLEANUP(arena_releasep) struct arena a = { 0 };
    struct str *leases = arena_array(&a, struct str, crew->n_workers);
    size_t n = 0;

    for (struct crew_worker *w = crew->workers; w != NULL; w = w->next) {
        if (w->batch.n > 0)
            leases[n++] = arena_str(&a, w->batch.lease);
    }
    if (queue_renew(crew->db, leases, n) != RES_OK)
        log_warn("queue-renew", F_INT("leases", n));
}

static void keep(void *arg)
{
    struct crew *crew = arg;
    int64_t renew_at = deadline_in(RENEW_MS);

    while (!crew->stopping || crew->n_workers > 0) {
        if (loop_now() >= renew_at) {
            renew_at = deadline_in(RENEW_MS);
            renew(crew);
        }
        coroutine_wait(deadline_in(POLL_MS), false);
    }
    crew->keeper = NULL;
}

/* ---- start and drain ---- */

/* What a predecessor of the same name left is due again, and only then new work is claimed under that name. */
static void start(void *arg)
{
    struct crew *crew = arg;
    struct str prefix = str_sub(crew->lease_prefix, 0, str_rchr(crew->lease_prefix, '/') + 1);
    int64_t freed = 0;

    while (queue_free_predecessor(crew->db, prefix, &freed) != RES_OK) {
        if (crew->stopping)
            return;
        coroutine_wait(deadline_in(POLL_MS), false);
    }
    if (freed > 0)
        log_info("queue-freed", F_INT("jobs", freed));
    if (crew->stopping)
        return;
    crew->dispatcher = coroutine_spawn(crew->kind->name, dispatch, crew);
    crew->keeper = coroutine_spawn(crew->kind->name, keep, crew);
    assert(crew->dispatcher != NULL && crew->keeper != NULL);
    if (crew->started != NULL)
        crew->started(crew);
}

struct crew *crew_new(const struct crew_kind *kind, struct db *db, struct str node, const char *name, void *owner,
                      void (*started)(struct crew *crew))
{
    struct crew *crew = calloc(1, sizeof(*crew));

    if (crew == NULL)
        abort();
    *crew = (struct crew){ .kind = kind, .db = db, .owner = owner, .finisher = finisher_new(db), .started = started };
    crew->lease_prefix =
        arena_printf(&crew->arena, "%.*s/%s/%.*s", STR_ARG(node), name, STR_ARG(random_id(&crew->arena)));
    db_listen(db, "queue", on_queue, crew);
    if (coroutine_spawn(kind->name, start, crew) == NULL)
        abort(); /* at the start there are stacks */
    return crew;
}

/* Waits for the workers, and in the end cuts their waits. */
static void drain(void *arg)
{
    struct crew *crew = arg;
    int64_t until = deadline_in(CREW_GRACE_MS);

    while (crew->n_workers > 0 && loop_now() < until)
        coroutine_wait(deadline_in(100), false);
    finisher_stop(crew->finisher);
    for (struct crew_worker *w = crew->workers; w != NULL; w = w->next) {
        if (w->coroutine != NULL)
            coroutine_cancel(w->coroutine);
    }
    log_info("queue-drained", F_INT("cut", crew->n_workers));
}

void crew_stop(struct crew *crew)
{
    if (crew->stopping)
        return;
    crew->stopping = true;
    wake(crew);
    if (crew->keeper != NULL)
        coroutine_wake(crew->keeper);
    if (coroutine_spawn(crew->kind->name, drain, crew) == NULL)
        finisher_stop(crew->finisher);
}
