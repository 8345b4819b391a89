/* /events: one coroutine gathers what changed, at most four times a second, and tells every stream what it may see. */
#include "api/events.h"
#include "api/handlers.h"
#include "api/problem.h"
#include "api/query.h"
#include "api/queue.h"
#include "api/status.h"
#include "api/streams.h"
#include "api/words.h"
#include "base/encode.h"
#include "base/log.h"
#include "store/audit_read.h"
#include "store/trace.h"

#include <stdio.h>
#include <stdlib.h>

#define MAX_STREAMS 64
#define MAX_OF_CALLER 6
#define GATHER_MS 250
#define STATUS_MS 2000
#define AUDIT_MS 1000
#define KEEP_MS 15000
#define RIGHTS_MS 60000
#define MAX_IDS 50        /* of one round: with more, everybody fetches all */
#define RING 1024
#define RING_US (INT64_C(600) * 1000000)

enum topic { TOPIC_QUEUE, TOPIC_STATUS, TOPIC_TRACE, TOPIC_AUDIT, TOPICS };
#define BIT(topic) (1u << (topic))
#define MESSAGES (BIT(TOPIC_QUEUE) | BIT(TOPIC_TRACE))

static const char *const topic_names[TOPICS] = { "queue", "status", "trace", "audit" };
static const enum scope topic_scopes[TOPICS] = { SCOPE_QUEUE_READ, SCOPE_QUEUE_READ, SCOPE_TRACE_READ, SCOPE_AUDIT_READ };

struct client {
    struct event_stream *stream; /* NULL: gone, to be freed by the gatherer */
    struct request *request;     /* the one that opened it: who it is, from where */
    unsigned topics;             /* bits */
    int64_t told_waiting, told_held, told_sending, told_problems;
    int64_t told_audit; /* the id of the last row that it knows of */
    int64_t rights_at;  /* when they are looked at again */
    struct client *next;
};

/* One change of a message, for those of the topics; or a reset. */
struct event {
    int64_t number, id, at_us;
    unsigned topics;
    const char *state; /* TOPIC_QUEUE: queue state or outcome; TOPIC_TRACE: outcome */
    bool reset;
};

/* Messages of one round. */
struct ids {
    int64_t v[MAX_IDS];
    size_t n;
    bool too_many;
};

static struct {
    struct service *service;
    struct coroutine *gatherer;
    struct client *clients;
    unsigned n;
    struct ids queued, traced; /* traced: those that never were in the queue */
    bool accepted, changed, draining;
    int64_t last_queue_id, keep_at, status_at, audit_at;
    struct event ring[RING];
    int64_t next_number;          /* of the next event; the ring holds those before it */
    int64_t listened_from[TOPICS]; /* the number since when somebody has listened to it without a break */
    struct str boot;     /* events of another run of this process have another one */
    struct arena arena;
} self;

unsigned events_clients(void)
{
    return self.n;
}

static void wake(void)
{
    self.changed = true;
    if (self.gatherer != NULL)
        coroutine_wake(self.gatherer);
}

/* The topics that somebody listens to. */
static unsigned wanted(void)
{
    unsigned topics = 0;

    for (const struct client *c = self.clients; c != NULL; c = c->next)
        topics |= c->stream != NULL ? c->topics : 0;
    return topics;
}

/* ---- what the database says ---- */

static void note_id(struct ids *ids, int64_t id)
{
    for (size_t i = 0; i < ids->n; i++) {
        if (ids->v[i] == id)
            return;
    }
    if (ids->n == MAX_IDS)
        ids->too_many = true;
    else
        ids->v[ids->n++] = id;
}

static void note_all(struct ids *ids, struct str payload)
{
    struct str one;
    uint64_t id;

    if (payload.len == 0)
        ids->too_many = true;
    while (str_split(&payload, ',', &one)) {
        if (str_u64(one, INT64_MAX, &id))
            note_id(ids, (int64_t)id);
    }
    wake();
}

static void on_changed(void *arg, struct str payload)
{
    (void)arg;
    if ((wanted() & MESSAGES) != 0)
        note_all(&self.queued, payload);
}

static void on_traced(void *arg, struct str payload)
{
    (void)arg;
    if ((wanted() & BIT(TOPIC_TRACE)) != 0)
        note_all(&self.traced, payload);
}

static void on_queue(void *arg, struct str payload)
{
    (void)arg;
    (void)payload;
    if ((wanted() & MESSAGES) == 0)
        return;
    self.accepted = true;
    wake();
}

/* ---- telling ---- */

static void tell(struct client *c, struct str text)
{
    if (c->stream != NULL)
        event_stream_write(c->stream, text);
}

static void tell_event(struct client *c, struct arena *a, const struct event *e)
{
    struct str head = arena_printf(a, "id: %.*s-%lld\n", STR_ARG(self.boot), (long long)e->number), id = queue_id_text(a, e->id);

    if (e->reset)
        tell(c, arena_printf(a, "event: reset\n%.*sdata: {}\n\n", STR_ARG(head)));
    else if ((e->topics & BIT(TOPIC_QUEUE)) != 0)
        tell(c, arena_printf(a, "event: queue.changed\n%.*sdata: {\"id\":\"%.*s\",\"state\":\"%s\"}\n\n", STR_ARG(head), STR_ARG(id),
                             e->state));
    else
        tell(c, arena_printf(a, "event: trace.changed\n%.*sdata: {\"id\":\"%.*s\",\"outcome\":\"%s\"}\n\n", STR_ARG(head), STR_ARG(id),
                             e->state));
}

/* Tells one client those of the events that are for it.  Which messages it may see is asked of their traces. */
static void tell_events(struct client *c, struct arena *a, const struct event *v, size_t n)
{
    int64_t *ids = arena_array(a, int64_t, n + 1);
    int *seen = arena_array(a, int, n + 1);

    if (c->stream == NULL || (c->topics & MESSAGES) == 0)
        return;
    for (size_t i = 0; i < n; i++)
        ids[i] = v[i].id;
    if (c->request->caller.visible.limited && trace_outcomes(self.service->db, ids, n, queue_visible(c->request), seen) != RES_OK) {
        const struct event reset = { .number = n > 0 ? v[n - 1].number : 0, .reset = true };

        tell_event(c, a, &reset);
        return;
    }
    for (size_t i = 0; i < n; i++) {
        if ((v[i].topics & c->topics) != 0 && (v[i].reset || !c->request->caller.visible.limited || seen[i] >= 0))
            tell_event(c, a, &v[i]);
    }
}

static struct event *new_event(unsigned topics)
{
    struct event *e = &self.ring[self.next_number % RING];

    *e = (struct event){ .number = self.next_number++, .at_us = wall_us(), .topics = topics };
    return e;
}

static const char *outcome_name(enum trace_outcome outcome)
{
    static const char *const names[] = { "waiting", "delivered", "relayed", "bounced", "bounced", "removed", "refused" };

    return names[outcome];
}

/* New messages have the highest ids. */
static void gather_accepted(struct arena *a)
{
    const struct queue_filter all = { 0 };
    struct queue_row *v;
    size_t n;
    bool more;

    self.accepted = false;
    if (queue_list(self.service->db, &all, false, self.last_queue_id, MAX_IDS, a, &v, &n, &more) != RES_OK)
        return;
    for (size_t i = 0; i < n; i++)
        note_id(&self.queued, v[i].id);
    if (n > 0)
        self.last_queue_id = v[n - 1].id;
    self.queued.too_many = self.queued.too_many || more;
    if (more)
        self.accepted = true;
}

/* What the messages of a round are like now. */
struct round {
    int64_t ids[2 * MAX_IDS]; /* those of the queue first */
    size_t n_queued, n;
    int outcomes[2 * MAX_IDS];
    struct queue_row *rows; /* of those that are in the queue */
    size_t n_rows;
};

/* Takes what was noted; gives the topics for which it is too much. */
static unsigned take_noted(struct round *r)
{
    unsigned reset = self.queued.too_many ? MESSAGES : self.traced.too_many ? BIT(TOPIC_TRACE) : 0;
    struct ids all = self.queued;

    all.n = self.queued.too_many ? 0 : all.n;
    *r = (struct round){ .n_queued = all.n, .n = all.n };
    memcpy(r->ids, all.v, all.n * sizeof(all.v[0]));
    for (size_t i = 0; i < self.traced.n && reset == 0; i++) {
        bool queued = false;

        for (size_t k = 0; k < all.n; k++)
            queued = queued || all.v[k] == self.traced.v[i];
        if (!queued)
            r->ids[r->n++] = self.traced.v[i];
    }
    self.queued.n = self.traced.n = 0;
    self.queued.too_many = self.traced.too_many = false;
    return reset;
}

static enum result look(struct round *r, struct arena *a)
{
    const struct queue_filter filter = { .ids = r->ids, .nids = r->n_queued };
    bool more;
    enum result result = trace_outcomes(self.service->db, r->ids, r->n, (struct str_list){ 0 }, r->outcomes);

    if (result == RES_OK && r->n_queued > 0)
        result = queue_list(self.service->db, &filter, false, 0, MAX_IDS, a, &r->rows, &r->n_rows, &more);
    return result;
}

/* Its state in the queue, else what became of it; NULL: nobody knows it any more. */
static const char *state_of(const struct round *r, size_t i)
{
    for (size_t k = 0; k < r->n_rows; k++) {
        if (r->rows[k].id == r->ids[i])
            return queue_state_names[r->rows[k].state];
    }
    return r->outcomes[i] >= 0 ? outcome_name((enum trace_outcome)r->outcomes[i]) : NULL;
}

static void gather_messages(struct arena *a)
{
    struct round r;
    struct event *v = arena_array(a, struct event, 4 * MAX_IDS + 1), *e;
    size_t n = 0;
    unsigned reset;

    if (self.accepted)
        gather_accepted(a);
    reset = take_noted(&r);
    if (r.n > 0 && look(&r, a) != RES_OK) {
        reset = MESSAGES;
        r.n = r.n_queued = 0;
    }
    if (reset != 0) {
        e = new_event(reset);
        e->reset = true;
        v[n++] = *e;
    }
    for (size_t i = 0; i < r.n; i++) {
        const char *state = i < r.n_queued ? state_of(&r, i) : NULL;

        if (state != NULL) {
            e = new_event(BIT(TOPIC_QUEUE));
            e->id = r.ids[i];
            e->state = state;
            v[n++] = *e;
        }
        if (r.outcomes[i] >= 0 && (wanted() & BIT(TOPIC_TRACE)) != 0) {
            e = new_event(BIT(TOPIC_TRACE));
            e->id = r.ids[i];
            e->state = outcome_name((enum trace_outcome)r.outcomes[i]);
            v[n++] = *e;
        }
    }
    for (struct client *c = self.clients; c != NULL && n > 0; c = c->next)
        tell_events(c, a, v, n);
}

/* The log itself knows what a client has not been told. */
static void gather_audit(struct arena *a)
{
    int64_t from = INT64_MAX;
    struct audit_news *v;
    size_t n;

    for (struct client *c = self.clients; c != NULL; c = c->next) {
        if (c->stream != NULL && (c->topics & BIT(TOPIC_AUDIT)) != 0)
            from = MIN(from, c->told_audit);
    }
    if (from == INT64_MAX || audit_news(self.service->db, from, MAX_IDS, a, &v, &n) != RES_OK)
        return;
    for (struct client *c = self.clients; c != NULL; c = c->next) {
        for (size_t i = 0; i < n && (c->topics & BIT(TOPIC_AUDIT)) != 0; i++) {
            if (v[i].id <= c->told_audit)
                continue;
            c->told_audit = v[i].id;
            tell(c, arena_printf(a, "event: audit.added\ndata: {\"id\":\"%.*s\",\"action\":\"%.*s\"}\n\n",
                                 STR_ARG(id_encode(a, 'e', v[i].id)), STR_ARG(v[i].action)));
        }
    }
    if (n == MAX_IDS)
        self.audit_at = loop_now();
}

static void tell_status(struct client *c, struct arena *a, const struct status *s, bool always)
{
    if (c->request->caller.visible.limited || !s->database_up)
        return; /* figures of the whole server are not theirs */
    if (!always && c->told_waiting == s->sums.waiting && c->told_held == s->sums.held && c->told_sending == s->sums.sending &&
        c->told_problems == s->problems)
        return;
    c->told_waiting = s->sums.waiting;
    c->told_held = s->sums.held;
    c->told_sending = s->sums.sending;
    c->told_problems = s->problems;
    tell(c, arena_printf(a, "event: status\ndata: {\"waiting\":%lld,\"held\":%lld,\"sending\":%lld,\"problems\":%u}\n\n",
                         (long long)s->sums.waiting, (long long)s->sums.held, (long long)s->sums.sending, s->problems));
}

static void gather_status(struct arena *a)
{
    const struct status *s;
    bool any = false;

    for (struct client *c = self.clients; c != NULL; c = c->next)
        any = any || (c->topics & BIT(TOPIC_STATUS)) != 0;
    if (!any)
        return;
    s = status_now();
    for (struct client *c = self.clients; c != NULL; c = c->next) {
        if ((c->topics & BIT(TOPIC_STATUS)) != 0)
            tell_status(c, a, s, false);
    }
}

/* ---- the clients ---- */

static void on_gone(void *arg)
{
    struct client *c = arg;

    c->stream = NULL;
    wake();
}

static bool may_have(const struct caller *caller, unsigned topics)
{
    for (size_t i = 0; i < TOPICS; i++) {
        if ((topics & BIT(i)) != 0 && !caller_has(caller, topic_scopes[i]))
            return false;
    }
    return true;
}

/* Frees those that are gone; looks again at the rights of the others, now and then. */
static void keep_clients(void)
{
    struct client **p = &self.clients;

    while (*p != NULL) {
        struct client *c = *p;

        if (c->stream != NULL && loop_now() >= c->rights_at) {
            bool may;

            c->rights_at = loop_now() + RIGHTS_MS;
            c->request->caller = (struct caller){ 0 };
            may = caller_identify(c->request) && may_have(&c->request->caller, c->topics);
            if (!may && c->stream != NULL)
                event_stream_end(c->stream);
            p = &self.clients; /* we waited: the list may have changed */
            continue;
        }
        if (c->stream != NULL) {
            p = &c->next;
            continue;
        }
        *p = c->next;
        request_unref(c->request);
        free(c);
        self.n--;
    }
}

static void gather_run(void *arg)
{
    (void)arg;
    while (!coroutine_cancelled()) {
        CLEANUP(arena_releasep) struct arena a = { 0 };
        int64_t until = self.clients == NULL ? NO_DEADLINE : MIN(self.status_at, self.keep_at);

        if ((wanted() & BIT(TOPIC_AUDIT)) != 0)
            until = MIN(until, self.audit_at);

        while (!self.changed && loop_now() < until) {
            if (coroutine_wait(until, true) == RES_CANCELLED)
                return;
        }
        self.changed = false;
        keep_clients();
        if (self.clients == NULL) {
            self.queued = self.traced = (struct ids){ .n = 0 };
            self.accepted = false;
            continue;
        }
        if (self.queued.n > 0 || self.traced.n > 0 || self.accepted || self.queued.too_many || self.traced.too_many)
            gather_messages(&a);
        if (loop_now() >= self.audit_at) {
            self.audit_at = loop_now() + AUDIT_MS;
            gather_audit(&a);
        }
        if (loop_now() >= self.status_at) {
            self.status_at = loop_now() + STATUS_MS;
            gather_status(&a);
        }
        if (loop_now() >= self.keep_at) {
            self.keep_at = loop_now() + KEEP_MS;
            for (struct client *c = self.clients; c != NULL; c = c->next)
                tell(c, STR(": keep\n\n"));
        }
        if (coroutine_sleep(GATHER_MS) != RES_OK)
            return;
    }
}

void events_start(struct service *service)
{
    self.service = service;
    self.boot = random_id(&self.arena);
    db_listen(service->db, "queue_changed", on_changed, NULL);
    db_listen(service->db, "queue", on_queue, NULL);
    db_listen(service->db, "traced", on_traced, NULL);
    self.gatherer = coroutine_spawn("api-events", gather_run, NULL);
}

void events_recheck(void)
{
    for (struct client *c = self.clients; c != NULL; c = c->next)
        c->rights_at = 0;
    wake();
}

void events_drain(void)
{
    self.draining = true;
    for (struct client *c = self.clients; c != NULL; c = c->next) {
        if (c->stream != NULL)
            event_stream_end(c->stream);
    }
}

/* ---- a new stream ---- */

/* Can what a client missed behind event `number` still be told?  Rows of the log have no number, so those cannot. */
static bool is_kept(unsigned topics, int64_t number)
{
    if ((topics & BIT(TOPIC_AUDIT)) != 0 || ((topics & BIT(TOPIC_QUEUE)) != 0 && number < self.listened_from[TOPIC_QUEUE]) ||
        ((topics & BIT(TOPIC_TRACE)) != 0 && number < self.listened_from[TOPIC_TRACE]))
        return false;
    return number < self.next_number && self.next_number - number <= RING && wall_us() - self.ring[number % RING].at_us <= RING_US;
}

/* What a client missed, when it says how far it came; a reset when that is not known any more. */
static void resume(struct client *c, struct arena *a, struct str last)
{
    const struct event reset = { .number = self.next_number - 1, .reset = true };
    size_t dash = str_chr(last, '-');
    uint64_t given;
    bool known;

    if (last.p == NULL)
        return;
    known = dash != SIZE_MAX && str_eq(str_sub(last, 0, dash), self.boot) && str_u64(str_from(last, dash + 1), INT64_MAX - 1, &given);
    while (known && (int64_t)given + 1 != self.next_number) { /* while some are told more may come */
        size_t n = (size_t)(self.next_number - 1 - (int64_t)given);
        struct event *v;

        known = is_kept(c->topics, (int64_t)given);
        if (!known)
            break;
        v = arena_array(a, struct event, n);
        for (size_t i = 0; i < n; i++)
            v[i] = self.ring[((int64_t)given + 1 + (int64_t)i) % RING];
        given += n;
        tell_events(c, a, v, n);
    }
    if (!known || !is_kept(c->topics, (int64_t)given))
        tell_event(c, a, &reset);
}

/* Room for one more stream of this caller: those whose client has gone are ended, then the caller's oldest (the last in
 * the list) when there are too many.  False: the server has too many. */
static bool make_room(const struct caller *caller)
{
    struct client *oldest = NULL;
    unsigned all = 0, own = 0;

    for (struct client *c = self.clients; c != NULL; c = c->next) {
        if (c->stream != NULL && event_stream_abandoned(c->stream))
            event_stream_end(c->stream);
        if (c->stream == NULL)
            continue;
        all++;
        if (str_eq(c->request->caller.actor, caller->actor)) {
            own++;
            oldest = c;
        }
    }
    if (own >= MAX_OF_CALLER) {
        event_stream_end(oldest->stream);
        all--;
    }
    return all < MAX_STREAMS && self.n < 2 * MAX_STREAMS; /* n: with those that the gatherer has yet to free */
}

/* topics=queue,status */
static bool take_topics(struct request *r, unsigned *ret)
{
    static const char *const singles[] = { "topics" };
    struct str rest, one;

    query_begin(r, singles, ARRAY_LEN(singles), NULL, 0);
    rest = query_text(r, "topics", 1, 100);
    if (rest.p == NULL && r->errors == NULL)
        error_at(r, STR("topics"), "required", "It is missing.");
    *ret = 0;
    while (str_split(&rest, ',', &one)) {
        size_t i = 0;

        while (i < TOPICS && !str_eq(one, str_c(topic_names[i])))
            i++;
        if (i < TOPICS)
            *ret |= BIT(i);
        else
            error_at(r, STR("topics"), "enum", "\"%.*s\" is not a topic.%.*s", STR_ARG(one),
                     STR_ARG(word_hint(&r->arena, one, topic_names, TOPICS)));
    }
    return !errors_of_query(r);
}

/* From where on a new listener is told.  RES_TEMPFAIL: logged. */
static enum result find_start(struct request *r, unsigned topics, int64_t *ret_audit)
{
    const struct queue_filter all = { 0 };
    struct queue_row *v;
    size_t n;
    bool more;
    enum result result = RES_OK;

    *ret_audit = 0;
    if ((topics & BIT(TOPIC_AUDIT)) != 0)
        result = audit_newest(r->service->db, ret_audit);
    if (result == RES_OK && (topics & MESSAGES) != 0 && (wanted() & MESSAGES) == 0 &&
        queue_list(r->service->db, &all, true, 0, 1, &r->arena, &v, &n, &more) == RES_OK && n > 0)
        self.last_queue_id = v[0].id;
    for (size_t i = 0; i < TOPICS; i++) {
        if ((topics & ~wanted() & BIT(i)) != 0)
            self.listened_from[i] = self.next_number;
    }
    return result;
}

void events_get(struct request *r)
{
    struct client *c;
    struct event_stream *stream;
    unsigned topics;
    int64_t audit;
    enum result result;

    if (!take_topics(r, &topics))
        return;
    if (r->caller.must_set_password) { /* whoever came by a link has the rights, and may not use them yet */
        problem(r, PROBLEM_PASSWORD_REQUIRED, NULL);
        return;
    }
    if (!may_have(&r->caller, topics)) {
        problem(r, PROBLEM_INSUFFICIENT_SCOPE, "The topics queue and status need queue:read, trace needs trace:read, audit needs audit:read.");
        return;
    }
    if (!make_room(&r->caller)) {
        problem(r, PROBLEM_RATE_LIMITED, NULL);
        return;
    }
    result = find_start(r, topics, &audit);
    if (result != RES_OK) {
        problem_of_result(r, result);
        return;
    }
    if ((topics & BIT(TOPIC_STATUS)) != 0)
        (void)status_now();
    c = calloc(1, sizeof(*c));
    if (c == NULL)
        abort();
    *c = (struct client){ .request = r, .topics = topics, .told_audit = audit, .rights_at = loop_now() + RIGHTS_MS };
    c->stream = stream = event_stream_new(on_gone, c);
    tell(c, STR("retry: 3000\n\n"));
    if ((topics & BIT(TOPIC_STATUS)) != 0)
        tell_status(c, &r->arena, status_last(), true);
    if (topics != BIT(TOPIC_STATUS))
        resume(c, &r->arena, request_header(r, STR("Last-Event-ID")));
    r->refs++;
    c->next = self.clients; /* only now: what is in the list may be freed while we wait */
    self.clients = c;
    self.n++;
    self.status_at = MIN(self.status_at, loop_now() + STATUS_MS);
    if (self.keep_at < loop_now())
        self.keep_at = loop_now() + KEEP_MS;
    wake();
    r->answer.stream = stream;
    r->answer.status = 200;
    r->answer.type = STR("text/event-stream");
    reply_header(r, "X-Accel-Buffering", STR("no"));
    if (self.draining)
        event_stream_end(stream);
}
