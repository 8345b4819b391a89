/* relay/worker.c - one worker: a slot of a destination, a connection, and the jobs that are due there. */
#include "base/encode.h"
#include "base/log.h"
#include "relay/content.h"
#include "relay/relay_internal.h"
#include "store/body.h"

#include <stdlib.h>

#define MAX_BATCHES 25             /* then another destination has its turn */
#define MAX_TRANSACTIONS 100       /* over one connection */
#define TARGET_MS (30 * 1000)      /* for so long a route is believed */
#define DEAD_MS (5 * 1000)

int64_t worker_now(const struct worker *w)
{
    return w->batch.now + (loop_now() - w->claimed_at) * 1000;
}

/* ---- destinations that did not answer ---- */

static struct str copy_into(char *to, size_t size, struct str s)
{
    size_t n = MIN(s.len, size);

    memcpy(to, s.p, n);
    return str_of(to, n);
}

static void remember_dead(struct worker *w, const struct verdict *why)
{
    struct relay *relay = w->relay;
    struct dead_destination *d = &relay->dead[relay->next_dead++ % RELAY_DEAD];

    if (w->destination.len >= sizeof(d->name))
        return;
    memcpy(d->name, w->destination.p, w->destination.len);
    d->name[w->destination.len] = '\0';
    d->until = deadline_in(DEAD_MS);
    d->verdict = *why;
    d->verdict.enhanced = STR_NULL;
    d->verdict.text = copy_into(d->text, sizeof(d->text), why->text);
}

static const struct dead_destination *find_dead(const struct worker *w)
{
    for (size_t i = 0; i < RELAY_DEAD; i++) {
        const struct dead_destination *d = &w->relay->dead[i];

        if (d->until > loop_now() && str_eq(str_c(d->name), w->destination))
            return d;
    }
    return NULL;
}

/* ---- sending ---- */

/* A job group: the jobs of the batch that belong to one message. */
struct group {
    struct queue_job *jobs;
    size_t n;
    struct verdict *verdicts;
};

static void judge_group(struct group *g, const struct verdict *verdict)
{
    for (size_t i = 0; i < g->n; i++)
        g->verdicts[i] = *verdict;
}

static bool connection_ready(const struct worker *w)
{
    return w->connection.open && w->connection.client.usable && w->connection.client.transactions < MAX_TRANSACTIONS;
}

/* A usable connection, the one we have or a new one. */
static enum result connect_group(struct worker *w, struct group *g)
{
    struct verdict why;

    if (connection_ready(w))
        return RES_OK;
    connection_close(&w->connection);
    if (connection_open(&w->connection, &w->target, w->relay->tls, &w->dialogue, &w->batch_arena, &why) == RES_OK)
        return RES_OK;
    judge_group(g, &why);
    if (!coroutine_cancelled())
        remember_dead(w, &why);
    return RES_CLOSED;
}

static enum result next_piece(void *arg, struct str *ret_piece)
{
    return body_next(arg, ret_piece);
}

static void transact(struct worker *w, struct group *g)
{
    const struct queue_envelope *m = g->jobs[0].message;
    struct client_recipient *r = arena_array(&w->batch_arena, struct client_recipient, g->n);
    struct body_cursor cursor = {
        .source = { .db = w->relay->service->db, .id = m->id,
                    .shape = { (uint64_t)m->size, (uint64_t)m->header_size, (unsigned)m->frames } },
        .end = (uint64_t)m->size };
    struct client_message message = { .reverse_path = m->reverse_path, .envid = m->envid, .ret = m->ret, .size = m->size,
                                      .next = next_piece, .arg = &cursor };

    content_needs(&cursor.source, m, g->jobs, g->n, &w->connection.client.ehlo, &message);
    for (size_t i = 0; i < g->n; i++)
        r[i] = (struct client_recipient){ .address = g->jobs[i].recipient, .orcpt = g->jobs[i].orcpt,
                                          .notify = g->jobs[i].notify };
    client_send(&w->connection.client, &message, r, g->n, &w->batch_arena);
    body_cursor_release(&cursor);
    for (size_t i = 0; i < g->n; i++)
        g->verdicts[i] = r[i].verdict;
}

/* A connection that was used before may have been closed meanwhile; then the message has not been tried yet. */
static bool was_stale(const struct worker *w, const struct group *g, bool reused)
{
    return reused && !w->connection.client.usable && g->verdicts[0].kind == VERDICT_LATER &&
           g->verdicts[0].phase == PHASE_MAIL && (g->verdicts[0].code == 0 || g->verdicts[0].code == 421);
}

static void send_group(struct worker *w, struct group *g)
{
    bool reused = connection_ready(w);

    dialogue_begin(&w->dialogue, mono_ms());
    if (connect_group(w, g) != RES_OK)
        return;
    transact(w, g);
    if (!was_stale(w, g, reused) || coroutine_cancelled())
        return;
    dialogue_begin(&w->dialogue, mono_ms());
    if (connect_group(w, g) == RES_OK)
        transact(w, g);
}

/* Puts the group off when nobody there answered a moment ago. */
static bool judge_dead(struct worker *w, struct group *g)
{
    const struct dead_destination *dead = find_dead(w);
    struct verdict verdict;

    if (dead == NULL)
        return false;
    verdict = dead->verdict;
    verdict.text = arena_str(&w->batch_arena, verdict.text); /* the place is used again */
    judge_group(g, &verdict);
    return true;
}

/* ---- a group ---- */

static enum result know_target(struct worker *w, struct verdict *ret_why)
{
    enum result r;

    if (w->target_until > loop_now())
        return RES_OK;
    arena_reset(&w->target_arena);
    r = target_resolve(w->relay->service, w->destination, &w->target_arena, &w->target, ret_why);
    w->target_until = r == RES_OK ? deadline_in(TARGET_MS) : 0;
    if (r != RES_OK)
        ret_why->text = arena_str(&w->batch_arena, ret_why->text);
    return r;
}

static void deliver_here(struct worker *w, struct group *g)
{
    for (size_t i = 0; i < g->n && !w->relay->stopping; i++) {
        int64_t start = loop_now();

        if (local_deliver(w, &g->jobs[i], &g->verdicts[i]) == RES_INVALID)
            settle_jobs(w, &g->jobs[i], &g->verdicts[i], 1, true, (int)(loop_now() - start));
    }
}

/* Jobs that a shutdown interrupted have not been tried: they are given back. */
static size_t drop_interrupted(struct group *g)
{
    size_t kept = 0;

    for (size_t i = 0; i < g->n; i++) {
        if (g->verdicts[i].kind == VERDICT_LATER && !g->verdicts[i].remote)
            continue;
        g->jobs[kept] = g->jobs[i];
        g->verdicts[kept++] = g->verdicts[i];
    }
    return kept;
}

static void run_group(struct worker *w, struct group *g)
{
    static const struct verdict bounced = { .kind = VERDICT_NEVER, .phase = PHASE_DNS, .reason = REASON_BOUNCED, .code = 550,
                                            .enhanced = STR("5.0.0"),
                                            .text = STR("returned by an administrator of this server") };
    int64_t start = loop_now();
    struct verdict why;

    dialogue_begin(&w->dialogue, mono_ms());
    if (g->jobs[0].message->bounce) {
        judge_group(g, &bounced);
        settle_jobs(w, g->jobs, g->verdicts, g->n, false, 0);
        return;
    }
    if (know_target(w, &why) != RES_OK) {
        judge_group(g, &why);
    } else if (w->target.local) {
        deliver_here(w, g);
        return;
    } else if (!judge_dead(w, g)) {
        send_group(w, g);
    }
    if (coroutine_cancelled())
        g->n = drop_interrupted(g);
    if (g->n > 0)
        settle_jobs(w, g->jobs, g->verdicts, g->n, true, (int)(loop_now() - start));
}

/* The next group of the batch. */
static struct group group_at(struct worker *w, size_t at)
{
    struct group g = { .jobs = &w->batch.jobs[at], .n = 1 };

    while (at + g.n < w->batch.n && w->batch.jobs[at + g.n].message == w->batch.jobs[at].message)
        g.n++;
    g.verdicts = arena_array(&w->batch_arena, struct verdict, g.n);
    return g;
}

static void run_batch(struct worker *w)
{
    size_t at = 0;

    w->items = arena_array(&w->batch_arena, struct finish_item *, w->batch.n);
    w->n_items = 0;
    w->claimed_at = loop_now();
    while (at < w->batch.n && !w->relay->stopping) {
        struct group g = group_at(w, at);

        at += g.n;
        run_group(w, &g);
    }
    for (size_t i = 0; i < w->n_items; i++)
        finisher_wait(w->relay->finisher, w->items[i]);
    if (w->relay->stopping && w->batch.n > 0 && queue_give_back(w->relay->service->db, w->batch.lease) != RES_OK)
        log_warn("relay-give-back", F_STR("destination", w->destination)); /* they fall due when the lease ends */
}

static enum result claim_more(struct worker *w)
{
    struct queue_batch batch;
    struct str lease;
    enum result r;

    arena_reset(&w->batch_arena);
    w->batch = (struct queue_batch){ 0 };
    lease = relay_lease(w->relay, &w->batch_arena);
    r = queue_claim_more(w->relay->service->db, w->destination, lease, QUEUE_MAX_BATCH, &w->batch_arena, &batch);
    if (r == RES_OK)
        w->batch = batch;
    return r;
}

static void worker_free(struct worker *w)
{
    struct relay *relay = w->relay;

    *(w->prev != NULL ? &w->prev->next : &relay->workers) = w->next;
    if (w->next != NULL)
        w->next->prev = w->prev;
    relay->n_workers--;
    dialogue_release(&w->dialogue);
    arena_reset(&w->batch_arena);
    arena_reset(&w->target_arena);
    arena_reset(&w->arena);
    free(w);
    relay_wake(relay);
}

static void run(void *arg)
{
    struct worker *w = arg;

    w->coroutine = coroutine_self();
    run_batch(w);
    for (int i = 1; i < MAX_BATCHES && !w->relay->stopping && claim_more(w) == RES_OK; i++)
        run_batch(w);
    w->batch = (struct queue_batch){ 0 }; /* nothing to renew any more */
    if (queue_release(w->relay->service->db, w->destination) != RES_OK)
        log_warn("relay-release", F_STR("destination", w->destination)); /* queue_heal puts it right */
    connection_close(&w->connection);
    worker_free(w);
}

bool worker_start(struct relay *relay, const struct queue_batch *batch, struct arena *a)
{
    struct worker *w = calloc(1, sizeof(*w));

    if (w == NULL)
        abort();
    *w = (struct worker){ .relay = relay, .batch_arena = *a, .batch = *batch, .next = relay->workers };
    w->destination = arena_str(&w->arena, batch->destination);
    if (coroutine_spawn("relay-worker", run, w) == NULL) {
        arena_reset(&w->arena);
        free(w);
        return false;
    }
    *a = (struct arena){ 0 };
    if (relay->workers != NULL)
        relay->workers->prev = w;
    relay->workers = w;
    relay->n_workers++;
    return true;
}
