/* relay/worker.c - one worker: a slot of a destination, a connection, and the jobs that are due there. */
#include "base/encode.h"
#include "relay/content.h"
#include "relay/relay_internal.h"
#include "store/body.h"

#define MAX_BATCHES 25             /* then another destination has its turn */
#define MAX_TRANSACTIONS 100       /* over one connection */
#define TARGET_MS (30 * 1000)      /* for so long a route is believed */
#define DEAD_MS (5 * 1000)

/* ---- destinations that did not answer ---- */

static struct str copy_into(char *to, size_t size, struct str s)
{
    size_t n = MIN(s.len, size);

    memcpy(to, s.p, n);
    return str_of(to, n);
}

static void remember_dead(struct worker *w, const struct verdict *why)
{
    struct relay *relay = worker_relay(w);
    struct dead_destination *d = &relay->dead[relay->next_dead++ % RELAY_DEAD];

    if (w->crew.destination.len >= sizeof(d->name))
        return;
    memcpy(d->name, w->crew.destination.p, w->crew.destination.len);
    d->name[w->crew.destination.len] = '\0';
    d->until = deadline_in(DEAD_MS);
    d->verdict = *why;
    d->verdict.enhanced = STR_NULL;
    d->verdict.text = copy_into(d->text, sizeof(d->text), why->text);
}

static const struct dead_destination *find_dead(const struct worker *w)
{
    for (size_t i = 0; i < RELAY_DEAD; i++) {
        const struct dead_destination *d = &worker_relay(w)->dead[i];

        if (d->until > loop_now() && str_eq(str_c(d->name), w->crew.destination))
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
    if (connection_open(&w->connection, &w->target, worker_relay(w)->tls, &w->dialogue, &w->crew.batch_arena, &why) == RES_OK)
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

/* NOTIFY for a server that does not know by which time its sender wants to be told of a delay (RFC 2852, 4.1.4.2). */
static unsigned notify_with_delay(unsigned notify)
{
    if (notify == 0)
        return QUEUE_NOTIFY_FAILURE | QUEUE_NOTIFY_DELAY;
    return (notify & QUEUE_NOTIFY_NEVER) != 0 ? notify : notify | QUEUE_NOTIFY_DELAY;
}

static void transact(struct worker *w, struct group *g)
{
    const struct queue_envelope *m = g->jobs[0].message;
    struct client_recipient *r = arena_array(&w->crew.batch_arena, struct client_recipient, g->n);
    struct body_cursor cursor = {
        .source = { .db = worker_relay(w)->service->db, .id = m->id,
                    .shape = { (uint64_t)m->size, (uint64_t)m->header_size, (unsigned)m->frames } },
        .end = (uint64_t)m->size };
    struct client_message message = { .reverse_path = m->reverse_path, .envid = m->envid, .ret = m->ret, .size = m->size,
                                      .by = m->by, .by_left_s = deliver_by_left(&m->by, crew_now(&w->crew)),
                                      .next = next_piece, .arg = &cursor };
    bool asks_delay = m->by.at_us != 0 && !m->by.give_back && !w->connection.client.ehlo.deliverby;

    content_needs(&cursor.source, m, g->jobs, g->n, &w->connection.client.ehlo, &message);
    for (size_t i = 0; i < g->n; i++)
        r[i] = (struct client_recipient){ .address = g->jobs[i].recipient, .orcpt = g->jobs[i].orcpt,
                                          .notify = asks_delay ? notify_with_delay(g->jobs[i].notify) : g->jobs[i].notify };
    client_send(&w->connection.client, &message, r, g->n, &w->crew.batch_arena);
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
    verdict.text = arena_str(&w->crew.batch_arena, verdict.text); /* the place is used again */
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
    r = target_resolve(worker_relay(w)->service, w->crew.destination, &w->target_arena, &w->target, ret_why);
    w->target_until = r == RES_OK ? deadline_in(TARGET_MS) : 0;
    if (r != RES_OK)
        ret_why->text = arena_str(&w->crew.batch_arena, ret_why->text);
    return r;
}

static void settle_group(struct worker *w, const struct group *g, int64_t start)
{
    const struct connection *c = &w->connection;
    const struct settle_attempt attempt = {
        .made = true, .told_dsn = c->client.ehlo.dsn, .told_by = c->client.ehlo.deliverby,
        .host = c->host, .address = c->address, .tls = c->tls,
        .session = c->session, .dialogue = strbuf_str(&w->dialogue.text), .milliseconds = (int)(loop_now() - start)
    };

    settle_jobs(&w->crew, g->jobs, g->verdicts, g->n, &attempt);
}

static void deliver_here(struct worker *w, struct group *g)
{
    for (size_t i = 0; i < g->n && !w->crew.crew->stopping; i++) {
        struct group one = { .jobs = &g->jobs[i], .n = 1, .verdicts = &g->verdicts[i] };
        int64_t start = loop_now();

        if (local_deliver(w, &g->jobs[i], &g->verdicts[i]) == RES_INVALID)
            settle_group(w, &one, start);
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

static void run(struct crew_worker *crew, struct queue_job *jobs, size_t n)
{
    struct worker *w = (struct worker *)crew;
    struct group g = { .jobs = jobs, .n = n, .verdicts = arena_array(&crew->batch_arena, struct verdict, n) };
    int64_t start = loop_now();
    struct verdict why;

    dialogue_begin(&w->dialogue, mono_ms());
    if (know_target(w, &why) != RES_OK) {
        judge_group(&g, &why);
    } else if (w->target.local) {
        deliver_here(w, &g);
        return;
    } else if (!judge_dead(w, &g)) {
        send_group(w, &g);
    }
    if (coroutine_cancelled())
        g.n = drop_interrupted(&g);
    if (g.n > 0)
        settle_group(w, &g, start);
}

static void end(struct crew_worker *crew)
{
    struct worker *w = (struct worker *)crew;

    connection_close(&w->connection);
    dialogue_release(&w->dialogue);
    arena_reset(&w->target_arena);
}

const struct crew_kind relay_crew = { .name = "relay", .claim = queue_claim, .limit = QUEUE_MAX_BATCH,
                                      .max_batches = MAX_BATCHES, .max_workers = RELAY_MAX_WORKERS,
                                      .worker_size = sizeof(struct worker), .run = run, .end = end };
