/* /events: one coroutine gathers what changed, at most four times a second, and tells every stream what it may see. */
#include "api/events.h"
#include "api/handlers.h"
#include "api/http.h"
#include "api/problem.h"
#include "api/query.h"
#include "api/queue.h"
#include "api/status.h"
#include "api/words.h"
#include "base/encode.h"
#include "base/log.h"
#include "store/trace.h"

#include <stdio.h>
#include <stdlib.h>

#define MAX_STREAMS 64
#define MAX_OF_CALLER 6
#define GATHER_MS 250
#define STATUS_MS 2000
#define KEEP_MS 15000
#define RIGHTS_MS 60000
#define MAX_IDS 50        /* of one round: with more, everybody fetches all */
#define RING 1024
#define RING_US (INT64_C(600) * 1000000)

struct client {
    struct event_stream *stream; /* NULL: gone, to be freed by the gatherer */
    struct request *request;     /* the one that opened it: who it is, from where */
    bool queue, status;
    int64_t told_waiting, told_held, told_sending, told_problems;
    int64_t rights_at; /* when they are looked at again */
    struct client *next;
};

/* One change of a message. */
struct event {
    int64_t number, id, at_us;
    const char *state;
    bool reset;
};

static struct {
    struct service *service;
    struct coroutine *gatherer;
    struct client *clients;
    unsigned n;
    int64_t ids[MAX_IDS];
    size_t n_ids;
    bool too_many, accepted, changed, draining;
    int64_t last_queue_id, keep_at, status_at;
    struct event ring[RING];
    int64_t next_number; /* of the next event; the ring holds those before it */
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

/* ---- what the database says ---- */

static void note_id(int64_t id)
{
    for (size_t i = 0; i < self.n_ids; i++) {
        if (self.ids[i] == id)
            return;
    }
    if (self.n_ids == MAX_IDS)
        self.too_many = true;
    else
        self.ids[self.n_ids++] = id;
}

static void on_changed(void *arg, struct str payload)
{
    struct str one;
    uint64_t id;

    (void)arg;
    if (self.clients == NULL)
        return;
    if (payload.len == 0)
        self.too_many = true;
    while (str_split(&payload, ',', &one)) {
        if (str_u64(one, INT64_MAX, &id))
            note_id((int64_t)id);
    }
    wake();
}

static void on_queue(void *arg, struct str payload)
{
    (void)arg;
    (void)payload;
    if (self.clients == NULL)
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
    if (e->reset)
        tell(c, arena_printf(a, "event: reset\nid: %.*s-%lld\ndata: {}\n\n", STR_ARG(self.boot), (long long)e->number));
    else
        tell(c, arena_printf(a, "event: queue.changed\nid: %.*s-%lld\ndata: {\"id\":\"%.*s\",\"state\":\"%s\"}\n\n",
                             STR_ARG(self.boot), (long long)e->number, STR_ARG(queue_id_text(a, e->id)), e->state));
}

/* May this client see the message?  Asked of the database: now in the queue, or in its trace. */
static bool may_see(struct client *c, struct arena *a, int64_t id)
{
    struct trace *t;

    return !c->request->caller.visible.limited ||
           trace_get(self.service->db, id, queue_visible(c->request), a, &t) == RES_OK;
}

static struct event *new_event(void)
{
    struct event *e = &self.ring[self.next_number % RING];

    *e = (struct event){ .number = self.next_number++, .at_us = wall_us() };
    return e;
}

static void tell_all(struct arena *a, const struct event *e)
{
    struct event copy = *e; /* the ring may turn while we wait */

    for (struct client *c = self.clients; c != NULL; c = c->next) {
        if (c->queue && (copy.reset || may_see(c, a, copy.id)))
            tell_event(c, a, &copy);
    }
}

static const char *outcome_name(enum trace_outcome outcome)
{
    static const char *const names[] = { "waiting", "delivered", "relayed", "bounced", "bounced", "removed", "refused" };

    return names[outcome];
}

/* The state that an id has now: in the queue, else of its trace. */
static const char *state_of(struct arena *a, int64_t id, const struct queue_row *rows, size_t n)
{
    struct trace *t;

    for (size_t i = 0; i < n; i++) {
        if (rows[i].id == id)
            return queue_state_names[rows[i].state];
    }
    return trace_get(self.service->db, id, (struct str_list){ 0 }, a, &t) == RES_OK ? outcome_name(t->row.outcome) : NULL;
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
        note_id(v[i].id);
    if (n > 0)
        self.last_queue_id = v[n - 1].id;
    self.too_many = self.too_many || more;
    if (more)
        self.accepted = true;
}

static void gather_queue(struct arena *a)
{
    int64_t ids[MAX_IDS];
    struct queue_filter filter = { .ids = ids };
    struct queue_row *v = NULL;
    size_t n = 0, n_ids;
    bool more, reset;

    if (self.accepted)
        gather_accepted(a);
    n_ids = self.n_ids;
    reset = self.too_many;
    memcpy(ids, self.ids, sizeof(ids));
    self.n_ids = 0;
    self.too_many = false;
    filter.nids = n_ids;
    if (!reset && n_ids > 0 && queue_list(self.service->db, &filter, false, 0, MAX_IDS, a, &v, &n, &more) != RES_OK)
        reset = true;
    if (reset) {
        struct event *e = new_event();

        e->reset = true;
        tell_all(a, e);
        return;
    }
    for (size_t i = 0; i < n_ids; i++) {
        const char *state = state_of(a, ids[i], v, n);
        struct event *e;

        if (state == NULL)
            continue;
        e = new_event();
        e->id = ids[i];
        e->state = state;
        tell_all(a, e);
    }
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
        any = any || c->status;
    if (!any)
        return;
    s = status_now();
    for (struct client *c = self.clients; c != NULL; c = c->next) {
        if (c->status)
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
            may = caller_identify(c->request) && caller_has(&c->request->caller, SCOPE_QUEUE_READ);
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

        while (!self.changed && loop_now() < until) {
            if (coroutine_wait(until, true) == RES_CANCELLED)
                return;
        }
        self.changed = false;
        keep_clients();
        if (self.clients == NULL) {
            self.n_ids = 0;
            self.accepted = self.too_many = false;
            continue;
        }
        if (self.n_ids > 0 || self.accepted || self.too_many)
            gather_queue(&a);
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

/* What a client missed, when it says how far it came; a reset when that is not known any more. */
static void resume(struct client *c, struct arena *a, struct str last)
{
    size_t dash = str_chr(last, '-');
    struct event reset = { .number = self.next_number - 1, .reset = true };
    uint64_t number;

    if (last.p == NULL)
        return;
    if (dash == SIZE_MAX || !str_eq(str_sub(last, 0, dash), self.boot) || !str_u64(str_from(last, dash + 1), INT64_MAX, &number) ||
        (int64_t)number >= self.next_number || self.next_number - (int64_t)number > RING ||
        wall_us() - self.ring[number % RING].at_us > RING_US) {
        tell_event(c, a, &reset);
        return;
    }
    for (int64_t i = (int64_t)number + 1; i < self.next_number; i++) {
        struct event e = self.ring[i % RING];

        if (e.number == i && (e.reset || may_see(c, a, e.id)))
            tell_event(c, a, &e);
    }
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
static bool take_topics(struct request *r, bool *ret_queue, bool *ret_status)
{
    static const char *const singles[] = { "topics" };
    static const char *const words[] = { "queue", "status" };
    struct str rest, one;

    query_begin(r, singles, ARRAY_LEN(singles), NULL, 0);
    rest = query_text(r, "topics", 1, 100);
    if (rest.p == NULL && r->errors == NULL)
        error_at(r, STR("topics"), "required", "It is missing.");
    *ret_queue = *ret_status = false;
    while (str_split(&rest, ',', &one)) {
        if (str_eq(one, STR("queue")))
            *ret_queue = true;
        else if (str_eq(one, STR("status")))
            *ret_status = true;
        else
            error_at(r, STR("topics"), "enum", "\"%.*s\" is not a topic.%.*s", STR_ARG(one),
                     STR_ARG(word_hint(&r->arena, one, words, ARRAY_LEN(words))));
    }
    return !errors_of_query(r);
}

void events_get(struct request *r)
{
    struct client *c;
    struct event_stream *stream;
    bool queue, status;
    const struct queue_filter all = { 0 };
    struct queue_row *v;
    size_t n;
    bool more;

    if (!take_topics(r, &queue, &status))
        return;
    if (!make_room(&r->caller)) {
        problem(r, PROBLEM_RATE_LIMITED, NULL);
        return;
    }
    if (self.clients == NULL && queue_list(r->service->db, &all, true, 0, 1, &r->arena, &v, &n, &more) == RES_OK && n > 0)
        self.last_queue_id = v[0].id;
    if (status)
        (void)status_now();
    c = calloc(1, sizeof(*c));
    if (c == NULL)
        abort();
    *c = (struct client){ .request = r, .queue = queue, .status = status, .rights_at = loop_now() + RIGHTS_MS };
    c->stream = stream = event_stream_new(on_gone, c);
    tell(c, STR("retry: 3000\n\n"));
    if (status)
        tell_status(c, &r->arena, status_last(), true);
    if (queue)
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
