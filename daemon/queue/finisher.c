/* queue/finisher.c - the one coroutine that commits what became of jobs. */
#include "queue/finisher.h"

#include "base/log.h"

#include <assert.h>
#include <stdlib.h>

#define RETRY_MIN_MS 100
#define RETRY_MAX_MS 2000

struct finisher {
    struct db *db;
    struct finish_item *first, **last;
    bool running; /* the committing coroutine exists */
    int64_t give_up_at;
};

static bool gives_up(const struct finisher *f)
{
    return loop_now() >= f->give_up_at;
}

/* One outcome that the database refuses by itself: without what came from outside it must work. */
static enum result write_bare(struct finisher *f, const struct queue_outcome *o)
{
    struct queue_outcome bare = *o;
    size_t lost;

    log_error("queue-outcome-refused", F_QUEUE_ID("queue", o->job->message->id), F_INT("recipient", o->job->n));
    bare.log = (struct queue_attempt_log){ .reason = STR("temporary"), .code = o->log.code,
                                           .milliseconds = o->log.milliseconds };
    bare.notice = NULL;
    return queue_finish(f->db, &bare, 1, &lost);
}

/* Until it is written or there is no sense in trying. */
static void write_all(struct finisher *f, const struct queue_outcome *v, size_t n)
{
    int64_t pause = RETRY_MIN_MS;

    for (;;) {
        size_t lost = 0;
        enum result r = queue_finish(f->db, v, n, &lost);

        if (lost > 0)
            log_warn("queue-leases-lost", F_INT("jobs", lost));
        if (r == RES_OK)
            return;
        if (r != RES_TEMPFAIL && n > 1) { /* one of them is guilty: in halves, until it stands alone */
            write_all(f, v, n / 2);
            write_all(f, v + n / 2, n - n / 2);
            return;
        }
        if (r != RES_TEMPFAIL && write_bare(f, v) != RES_TEMPFAIL)
            return; /* written, or refused even so: then the job falls due again when its lease ends */
        if (gives_up(f)) {
            log_error("queue-outcomes-unwritten", F_INT("jobs", n));
            return;
        }
        coroutine_wait(deadline_in(pause), false);
        pause = MIN(pause * 2, RETRY_MAX_MS);
    }
}

/* The items that go together; their outcomes in one array. */
static struct finish_item *gather(struct finisher *f, struct queue_outcome *v, size_t *ret_n)
{
    struct finish_item *first = f->first, **end = &f->first;
    size_t n = 0;

    while (*end != NULL && (n == 0 || n + (*end)->n <= FINISHER_MAX)) {
        memcpy(v + n, (*end)->v, (*end)->n * sizeof(*v));
        n += (*end)->n;
        end = &(*end)->next;
    }
    f->first = *end;
    *end = NULL;
    if (f->first == NULL)
        f->last = &f->first;
    *ret_n = n;
    return first;
}

static void run(void *arg)
{
    struct finisher *f = arg;
    struct queue_outcome *v = calloc(FINISHER_MAX, sizeof(*v));

    if (v == NULL)
        abort();
    while (f->first != NULL) {
        size_t n;
        struct finish_item *item = gather(f, v, &n);

        write_all(f, v, n);
        while (item != NULL) {
            struct finish_item *next = item->next;

            item->done = true;
            coroutine_wake(item->worker);
            item = next;
        }
    }
    free(v);
    f->running = false;
}

struct finisher *finisher_new(struct db *db)
{
    struct finisher *f = calloc(1, sizeof(*f));

    if (f == NULL)
        abort();
    *f = (struct finisher){ .db = db, .last = &f->first, .give_up_at = NO_DEADLINE };
    return f;
}

void finisher_add(struct finisher *f, struct finish_item *item)
{
    assert(item->n > 0 && item->n <= FINISHER_MAX);
    item->worker = coroutine_self();
    item->next = NULL;
    item->done = false;
    *f->last = item;
    f->last = &item->next;
    if (!f->running)
        f->running = coroutine_spawn("queue-finisher", run, f) != NULL;
}

void finisher_wait(struct finisher *f, struct finish_item *item)
{
    while (!item->done) {
        if (!f->running) /* there was no stack for it */
            f->running = coroutine_spawn("queue-finisher", run, f) != NULL;
        coroutine_wait(f->running ? NO_DEADLINE : deadline_in(RETRY_MIN_MS), false);
    }
}

void finisher_stop(struct finisher *f)
{
    f->give_up_at = deadline_in(FINISHER_GRACE_MS);
}
