#include "auth/presence.h"
#include "base/log.h"
#include "store/presence.h"

#include <stdlib.h>
#include <sys/socket.h>

#define GATHER_MS 1000  /* between a session's beginning or end and the write that tells of it */
#define BEAT_MS 30000   /* the process says that it lives */
#define CUT_MS 2000
#define RETRY_MS 2000   /* when the database was away */
#define BATCH 500
#define ENDED_MAX 10000 /* that wait to be written; with more, everything is written anew */

static struct {
    struct service *service;
    struct coroutine *co;
    struct presence *first, *last; /* ascending by n */
    int64_t next_n, id;            /* id 0: not registered */
    int64_t due_at, beat_at, cut_at;
    int64_t *ended;
    size_t n_ended;
} self = { .due_at = NO_DEADLINE, .beat_at = NO_DEADLINE, .cut_at = NO_DEADLINE };

static void due_in(int64_t ms)
{
    self.due_at = MIN(self.due_at, deadline_in(ms));
    if (self.co != NULL)
        coroutine_wake(self.co);
}

void presence_enter(struct presence *p, const struct auth_identity *who, const char *protocol, struct stream *stream)
{
    *p = (struct presence){ .prev = self.last, .n = ++self.next_n, .account_id = who->account_id,
                            .credential_id = who->credential_id, .began_us = who->signed_in_us, .cut_at = NO_DEADLINE,
                            .protocol = protocol, .stream = stream, .co = coroutine_self(), .unchecked = true,
                            .frozen = who->frozen };
    if (self.last != NULL)
        self.last->next = p;
    else
        self.first = p;
    self.last = p;
    due_in(GATHER_MS);
}

void presence_leave(struct presence *p)
{
    if (p->account_id == 0)
        return;
    if (p->prev != NULL)
        p->prev->next = p->next;
    else
        self.first = p->next;
    if (p->next != NULL)
        p->next->prev = p->prev;
    else
        self.last = p->prev;
    if (p->written && self.id != 0) {
        if (self.n_ended == ENDED_MAX)
            self.id = 0;
        else
            self.ended[self.n_ended++] = p->n;
        due_in(GATHER_MS);
    }
    *p = (struct presence){ .frozen = p->frozen, .over = p->over };
}

/* ---- telling the database ---- */

static struct presence_row row_of(const struct presence *p)
{
    struct str ip = stream_peer(p->stream)->sa_family == AF_UNIX ? STR("") : stream_peer_ip(p->stream);

    return (struct presence_row){ .n = p->n, .account_id = p->account_id, .credential_id = p->credential_id,
                                  .began_us = p->began_us, .protocol = str_c(p->protocol), .ip = ip };
}

static enum result ensure_registered(struct db *db)
{
    enum result r;

    if (self.id != 0)
        return RES_OK;
    self.n_ended = 0;
    for (struct presence *p = self.first; p != NULL; p = p->next)
        p->written = false;
    r = presence_register(db, self.service->config->node, str_c(self.service->name), &self.id);
    return r;
}

/* What has begun and ended, BATCH at a time. */
static enum result write_news(struct db *db, struct arena *a)
{
    bool more = true;
    enum result r = RES_OK;

    while (r == RES_OK && more) {
        struct presence_row *began = arena_array(a, struct presence_row, BATCH);
        int64_t *ended = arena_array(a, int64_t, BATCH);
        size_t n_began = 0, n_ended = MIN(self.n_ended, (size_t)BATCH);

        for (struct presence *p = self.first; p != NULL && n_began < BATCH; p = p->next) {
            if (p->written)
                continue;
            began[n_began] = row_of(p);
            began[n_began].ip = arena_str(a, began[n_began].ip); /* the session may go while this waits */
            n_began++;
            p->written = true;
        }
        self.n_ended -= n_ended;
        memcpy(ended, self.ended + self.n_ended, n_ended * sizeof(ended[0]));
        more = n_began == BATCH || self.n_ended > 0;
        r = presence_write(db, self.id, began, n_began, ended, n_ended);
        if (r != RES_OK)
            self.id = 0; /* what was in this batch is not lost: all is written anew */
    }
    return r == RES_NOTFOUND ? RES_TEMPFAIL : r;
}

/* ---- following it ---- */

static void end(struct presence *p)
{
    if (p->over)
        return;
    p->over = true;
    p->cut_at = deadline_in(CUT_MS);
    self.cut_at = MIN(self.cut_at, p->cut_at);
    log_info("session-ended", F_C("protocol", p->protocol), F_INT("account", p->account_id), F_STR("ip", stream_peer_ip(p->stream)));
    coroutine_cancel(p->co);
}

static void apply(const struct presence_row *v, const enum presence_verdict *verdicts, size_t n)
{
    size_t i = 0;

    for (struct presence *p = self.first; p != NULL && i < n; p = p->next) {
        while (i < n && v[i].n < p->n)
            i++; /* it has gone meanwhile */
        if (i == n || v[i].n != p->n)
            continue;
        p->frozen = verdicts[i] == PRESENCE_FROZEN;
        if (verdicts[i] == PRESENCE_OVER)
            end(p);
    }
}

static enum result check(struct db *db, struct arena *a)
{
    struct presence_row *v = arena_array(a, struct presence_row, BATCH);
    enum presence_verdict *verdicts = arena_array(a, enum presence_verdict, BATCH);
    size_t n;
    enum result r = RES_OK;

    do {
        n = 0;
        for (struct presence *p = self.first; p != NULL && n < BATCH; p = p->next) {
            if (!p->unchecked)
                continue;
            v[n++] = row_of(p);
            p->unchecked = false;
        }
        if (n > 0)
            r = presence_check(db, self.id, v, n, verdicts);
        if (n > 0 && r == RES_OK)
            apply(v, verdicts, n);
    } while (r == RES_OK && n == BATCH);
    return r;
}

static void check_all(void)
{
    for (struct presence *p = self.first; p != NULL; p = p->next)
        p->unchecked = true;
}

/* Those that did not end by themselves. */
static void cut_overdue(void)
{
    self.cut_at = NO_DEADLINE;
    for (struct presence *p = self.first; p != NULL; p = p->next) {
        if (p->cut_at <= loop_now()) {
            p->cut_at = NO_DEADLINE;
            shutdown(stream_fd(p->stream), SHUT_RDWR);
        }
        self.cut_at = MIN(self.cut_at, p->cut_at);
    }
}

static void work(void)
{
    CLEANUP(arena_releasep) struct arena a = { 0 };
    struct db *db = self.service->db;
    enum result r = ensure_registered(db);

    if (r == RES_OK)
        r = write_news(db, &a);
    if (r == RES_OK)
        r = check(db, &a);
    if (r != RES_OK) {
        check_all();
        due_in(RETRY_MS);
    }
    self.beat_at = self.first != NULL ? deadline_in(BEAT_MS) : NO_DEADLINE;
}

static void run(void *arg UNUSED)
{
    for (;;) {
        int64_t now = loop_now();

        if (now >= self.cut_at)
            cut_overdue();
        if (now >= self.beat_at) {
            check_all();
            self.due_at = now;
        }
        if (now >= self.due_at) {
            self.due_at = NO_DEADLINE;
            work();
        }
        coroutine_wait(MIN(MIN(self.due_at, self.beat_at), self.cut_at), false);
    }
}

/* NOTIFY "account": its id; empty or STR_NULL: any may be meant. */
static void heard(void *arg UNUSED, struct str payload)
{
    uint64_t id;

    if (!str_u64(payload, INT64_MAX, &id)) {
        check_all();
    } else {
        for (struct presence *p = self.first; p != NULL; p = p->next)
            p->unchecked = p->unchecked || p->account_id == (int64_t)id;
    }
    if (self.first != NULL)
        due_in(0);
}

void presence_init(struct service *service)
{
    self.service = service;
    self.ended = calloc(ENDED_MAX, sizeof(self.ended[0]));
    if (self.ended == NULL)
        abort();
    db_listen(service->db, "account", heard, NULL);
    self.co = coroutine_spawn("presence", run, NULL);
    if (self.co == NULL)
        abort();
}
