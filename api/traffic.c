/* The writing of traffic, and /status/history */
#include "api/traffic.h"
#include "api/handlers.h"
#include "api/metrics.h"
#include "api/problem.h"
#include "api/query.h"
#include "base/encode.h"
#include "base/log.h"
#include "store/traffic.h"

#define MINUTE_US INT64_C(60000000)
#define FRESH_MS 5000
#define WAIT_MS 8000

static const char *const range_names[TRAFFIC_RANGES] = { "1h", "24h", "7d", "30d" };
static const char *const kind_names[COUNTERS_MAIL] = { "accepted", "delivered", "deferred", "refused" };

/* What was read last, for all who ask. */
struct reading {
    struct traffic_history history;
    enum result result;
    int64_t fresh_until;
    bool working;
    struct waitlist waiters;
};

static struct {
    struct service *service;
    struct coroutine *writer;
    bool draining;
    struct reading readings[TRAFFIC_RANGES];
} self;

/* ---- writing ---- */

/* Told before it is written and taken back when it was not: a process that is killed in between tells nothing twice. */
static void write_down(int64_t minute)
{
    uint64_t now[COUNTERS_MAIL];
    int64_t n[COUNTERS_MAIL], sum = 0;

    metrics_mail(now);
    for (int i = 0; i < COUNTERS_MAIL; i++) {
        n[i] = (int64_t)counters_take(&counters->mail_told[i], now[i]);
        sum += n[i];
    }
    if (sum == 0 || traffic_add(self.service->db, minute * MINUTE_US, n) == RES_OK)
        return;
    for (int i = 0; i < COUNTERS_MAIL; i++)
        counters->mail_told[i] -= (uint64_t)n[i];
}

static void run(void *arg)
{
    int64_t minute = wall_us() / MINUTE_US;

    (void)arg;
    while (!self.draining) {
        int64_t left_us = (minute + 1) * MINUTE_US - wall_us();

        if (left_us > 0 && left_us <= MINUTE_US) {
            coroutine_wait(deadline_in(left_us / 1000 + 1), false);
            continue;
        }
        write_down(minute);
        minute = wall_us() / MINUTE_US;
    }
    write_down(minute);
    self.writer = NULL;
}

void traffic_start(struct service *service)
{
    self.service = service;
    self.writer = coroutine_spawn("traffic", run, NULL);
    if (self.writer == NULL)
        log_error("traffic", F_C("error", "no coroutine"));
}

void traffic_drain(void)
{
    self.draining = true;
    if (self.writer != NULL)
        coroutine_wake(self.writer);
}

bool traffic_active(void)
{
    return self.writer != NULL;
}

/* ---- reading ---- */

/* RES_OK: what self.readings holds is fresh.  Nobody waits for a slow database more than once. */
static enum result read_history(enum traffic_range range)
{
    struct reading *v = &self.readings[range];
    int64_t deadline = deadline_in(WAIT_MS);

    while (v->working) {
        if (waitlist_wait(&v->waiters, deadline, false) != RES_OK)
            return RES_TEMPFAIL;
    }
    if (loop_now() < v->fresh_until)
        return v->result;
    v->working = true;
    v->result = traffic_get(self.service->db, range, &v->history);
    v->working = false;
    v->fresh_until = deadline_in(FRESH_MS);
    waitlist_wake_all(&v->waiters);
    return v->result;
}

void status_history_get(struct request *r)
{
    static const char *const singles[] = { "range" };
    const struct traffic_history *h;
    struct json_object *o;
    enum result result;
    int range;

    query_begin(r, singles, ARRAY_LEN(singles), NULL, 0);
    range = query_word(r, "range", range_names, TRAFFIC_RANGES, TRAFFIC_DAY);
    if (errors_of_query(r))
        return;
    if (r->caller.visible.limited) {
        problem(r, PROBLEM_INSUFFICIENT_SCOPE, "These figures are of the whole server.");
        return;
    }
    result = read_history((enum traffic_range)range);
    if (result != RES_OK) {
        problem_of_result(r, result);
        return;
    }
    h = &self.readings[range].history;
    o = js_object();
    js_set(o, "range", js_str(str_c(range_names[range])));
    js_set(o, "step_seconds", js_int(h->step_s));
    js_set(o, "from", js_time(h->until_us - (int64_t)h->points * h->step_s * 1000000));
    js_set(o, "until", js_time(h->until_us));
    for (int kind = 0; kind < COUNTERS_MAIL; kind++)
        js_set(o, kind_names[kind], js_ints(h->n[kind], h->points));
    reply_json(r, 200, o);
}
