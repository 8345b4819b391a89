#include "api/queue_groups.h"
#include "api/query.h"
#include "base/encode.h"
#include "base/log.h"

#define WAIT_MS 9000   /* for the first one */
#define KEEP_MS 2000
#define QUICK_MS 100   /* what takes less is waited for */
#define PAUSE_FACTOR 20 /* it rests so many times as long as it took, up to KEEP_MS */
#define LOOK_MS (5 * 60 * 1000)
#define RETRY_MS 1000 /* while there is none yet */

static struct service *service;
static struct view {
    struct arena arena; /* of what was seen */
    struct queue_groups_seen seen;
    bool there, working;
    int64_t fresh_until, took_ms;
    struct waitlist waiters;
} views[3];

static void compute(void *arg)
{
    static const struct queue_filter all;
    struct view *view = arg;
    struct arena a = { 0 };
    struct queue_group *v;
    size_t n;
    int64_t begin = loop_now();

    if (queue_groups(service->db, &all, (enum queue_group_by)(view - views), LIST_MAX_LIMIT, &a, &v, &n) == RES_OK) {
        arena_reset(&view->arena);
        view->arena = a;
        a = (struct arena){ 0 };
        view->seen = (struct queue_groups_seen){ v, n, wall_us() };
        view->there = true;
        view->took_ms = loop_now() - begin;
        view->fresh_until = loop_now() + MIN(view->took_ms * PAUSE_FACTOR, KEEP_MS);
    }
    arena_reset(&a);
    view->working = false;
    waitlist_wake_all(&view->waiters);
}

/* Whether it is due; then it is the caller's to compute. */
static bool take(struct view *view)
{
    bool due = !view->working && loop_now() >= view->fresh_until;

    view->working = view->working || due;
    return due;
}

static void look(void *arg)
{
    bool all;

    (void)arg;
    do {
        all = true;
        for (size_t i = 0; i < ARRAY_LEN(views); i++) {
            if (take(&views[i]))
                compute(&views[i]);
            all = all && views[i].there;
        }
    } while (coroutine_sleep(all ? LOOK_MS : RETRY_MS) == RES_OK);
}

void queue_groups_start(struct service *s)
{
    service = s;
    if (coroutine_spawn("queue-groups", look, NULL) == NULL)
        log_error("queue-groups", F_C("error", "no coroutine"));
}

enum result queue_groups_whole(enum queue_group_by by, struct queue_groups_seen *ret)
{
    struct view *view = &views[by];
    int64_t asked_at = wall_us();

    if (take(view) && coroutine_spawn("queue-groups", compute, view) == NULL)
        compute(view);
    if (view->working && (!view->there || view->took_ms <= QUICK_MS) &&
        waitlist_wait(&view->waiters, deadline_in(WAIT_MS), false) != RES_OK)
        return RES_TEMPFAIL;
    if (!view->there || (view->took_ms <= QUICK_MS && view->seen.measured_us < asked_at - KEEP_MS * 1000))
        return RES_TEMPFAIL; /* the database is away: nothing old is shown as new */
    *ret = view->seen;
    return RES_OK;
}
