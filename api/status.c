/* /status */
#include "api/status.h"
#include "api/certificate.h"
#include "api/explain.h"
#include "api/handlers.h"
#include "api/problem.h"
#include "base/encode.h"
#include "base/log.h"
#include "store/durability.h"

#include <sys/statvfs.h>

#define WAIT_MS 4000 /* for one measurement */
#define FRESH_MS 2000
#define HOUR_MS 30000       /* the series are looked at so often */
#define TROUBLE_US (INT64_C(15) * 60 * 1000000) /* mail waits so long before it is a problem */
#define OLD_US (INT64_C(24) * 3600 * 1000000)
#define CERTIFICATE_US (INT64_C(14) * 86400 * 1000000)
#define WAITING_SAMPLES 60

static struct {
    struct service *service;
    struct arena arena; /* of `now` */
    struct status now;
    int64_t fresh_until, hour_until, started_us;
    bool working;
    struct waitlist waiters;
    int64_t waiting[WAITING_SAMPLES]; /* one a minute, the latest last */
    size_t n_waiting;
    int64_t sampled_minute;
} self;

void status_start(struct service *service)
{
    self.service = service;
    self.started_us = wall_us();
}

const struct status *status_last(void)
{
    return &self.now;
}

/* ---- taking it ---- */

static void take_disk(struct status *s)
{
    struct statvfs v;
    CLEANUP(arena_releasep) struct arena a = { 0 };

    if (self.service->config->database_url.p != NULL || statvfs(arena_cstr(&a, self.service->config->home), &v) != 0)
        return;
    s->disk_total = (int64_t)(v.f_blocks * v.f_frsize);
    s->disk_used = s->disk_total - (int64_t)(v.f_bavail * v.f_frsize);
}

/* A sample of the queue for each whole minute, for the chart. */
static void sample(const struct status *s)
{
    int64_t minute = s->measured_us / 60000000;

    if (minute == self.sampled_minute)
        return;
    if (self.n_waiting == WAITING_SAMPLES || (self.n_waiting > 0 && minute != self.sampled_minute + 1)) {
        bool gap = minute != self.sampled_minute + 1;

        if (gap)
            self.n_waiting = 0;
        else
            memmove(self.waiting, self.waiting + 1, (--self.n_waiting) * sizeof(self.waiting[0]));
    }
    self.waiting[self.n_waiting++] = s->sums.waiting;
    self.sampled_minute = minute;
}

static enum result take_database(struct status *s, struct arena *a)
{
    struct db *db = self.service->db;
    const struct queue_filter deferred = { .states = 1u << QUEUE_DEFERRED };
    enum result r = queue_sum(db, &s->sums);

    if (r == RES_OK)
        r = queue_groups(db, &deferred, QUEUE_BY_DESTINATION, STATUS_MAX_DESTINATIONS, a, &s->destinations, &s->n_destinations);
    if (r == RES_OK)
        r = durability_check(db, &s->unsafe);
    if (r == RES_OK)
        r = figures_get(db, a, &s->figures);
    if (r == RES_OK && loop_now() >= self.hour_until) {
        r = figures_hour(db, &s->hour);
        self.hour_until = loop_now() + HOUR_MS;
    }
    return r;
}

static bool in_trouble(const struct status *s, const struct queue_group *g)
{
    return s->measured_us - g->oldest_accepted_at > TROUBLE_US;
}

static unsigned count_problems(const struct status *s)
{
    unsigned n = !s->database_up || s->unsafe != NULL;

    for (size_t i = 0; i < s->n_destinations; i++)
        n += in_trouble(s, &s->destinations[i]);
    if (s->certificate_until_us > 0 && s->certificate_until_us < s->measured_us + CERTIFICATE_US)
        n++;
    if (s->disk_total > 0 && s->disk_used > s->disk_total / 100 * 95)
        n++;
    return n;
}

static void measure(void *arg)
{
    struct arena a = { 0 };
    struct status fresh = { .hour = self.now.hour, .measured_us = wall_us() };

    (void)arg;
    fresh.database_up = take_database(&fresh, &a) == RES_OK;
    if (!fresh.database_up) {
        arena_reset(&a);
        fresh = (struct status){ .measured_us = fresh.measured_us };
    }
    if (certificate_about(self.service->tls, &fresh.certificate_until_us, &fresh.self_signed) != RES_OK)
        fresh.certificate_until_us = 0;
    take_disk(&fresh);
    fresh.problems = count_problems(&fresh);
    if (fresh.database_up)
        sample(&fresh);
    arena_reset(&self.arena);
    self.arena = a;
    self.now = fresh;
    self.fresh_until = loop_now() + FRESH_MS;
    self.working = false;
    waitlist_wake_all(&self.waiters);
}

/* A database that is slow to fail holds nobody up who only asks how it is. */
const struct status *status_now(void)
{
    static struct status away;

    if (!self.working && loop_now() >= self.fresh_until) {
        self.working = true;
        if (coroutine_spawn("status", measure, NULL) == NULL)
            measure(NULL);
    }
    if (self.working && waitlist_wait(&self.waiters, deadline_in(WAIT_MS), false) != RES_OK) {
        away = (struct status){ .measured_us = wall_us(), .problems = 1 };
        return &away;
    }
    return &self.now;
}

/* ---- as an answer ---- */

static struct json_object *new_problem(const char *id, const char *severity, int64_t since)
{
    struct json_object *o = js_object();

    js_set(o, "id", js_str(str_c(id)));
    js_set(o, "severity", js_str(str_c(severity)));
    js_set(o, "since", js_time(since));
    return o;
}

static void add_destination_problems(struct json_object *problems, struct arena *a, const struct status *s)
{
    for (size_t i = 0; i < s->n_destinations; i++) {
        const struct queue_group *g = &s->destinations[i];
        struct json_object *o;

        if (!in_trouble(s, g))
            continue;
        o = new_problem("destination-failing", "warning", g->oldest_accepted_at);
        js_set(o, "destination", js_str(g->key));
        js_set(o, "waiting", js_int(g->messages));
        js_set(o, "next_attempt_at", js_time(g->next_attempt_at));
        js_set(o, "explanation", explanation_json(a, g->reason, g->key));
        js_push(problems, o);
    }
}

/* "fsync is off in PostgreSQL: ..." names its setting first. */
static struct json_object *unsafe_problem(const struct status *s)
{
    struct json_object *o = new_problem("database-unsafe", "error", DB_NO_TIME), *settings = js_array();
    struct str why = str_c(s->unsafe);

    js_push(settings, js_str(str_sub(why, 0, str_chr(why, ' '))));
    js_set(o, "settings", settings);
    return o;
}

static struct json_object *problems_json(struct arena *a, const struct status *s, bool whole)
{
    struct json_object *problems = js_array(), *o;

    if (whole && s->unsafe != NULL)
        js_push(problems, unsafe_problem(s));
    if (whole && s->certificate_until_us > 0 && s->certificate_until_us < s->measured_us + CERTIFICATE_US) {
        bool over = s->certificate_until_us <= s->measured_us;

        o = new_problem(over ? "certificate-expired" : "certificate-expiring", over ? "error" : "warning", DB_NO_TIME);
        js_set(o, "until", js_time(s->certificate_until_us));
        js_push(problems, o);
    }
    if (whole && s->disk_total > 0 && s->disk_used > s->disk_total / 100 * 95)
        js_push(problems, new_problem("disk-full", "error", DB_NO_TIME));
    add_destination_problems(problems, a, s);
    if (js_len(problems) == 0 && s->sums.waiting > 0 && s->sums.oldest_accepted_at != DB_NO_TIME &&
        s->measured_us - s->sums.oldest_accepted_at > OLD_US)
        js_push(problems, new_problem("queue-old", "warning", s->sums.oldest_accepted_at));
    return problems;
}

static struct json_object *destinations_json(struct arena *a, const struct queue_group *v, size_t n)
{
    struct json_object *array = js_array();

    for (size_t i = 0; i < n; i++) {
        struct json_object *o = js_object();

        js_set(o, "destination", js_str(v[i].key));
        js_set(o, "messages", js_int(v[i].messages));
        js_set(o, "next_attempt_at", js_time(v[i].next_attempt_at));
        js_set(o, "explanation", explanation_json(a, v[i].reason, v[i].key));
        js_set(o, "reply", reply_line_json(v[i].reply));
        js_push(array, o);
    }
    return array;
}

static struct json_object *sums_json(const struct queue_sums *q)
{
    struct json_object *o = js_object();

    js_set(o, "messages", js_int(q->messages));
    js_set(o, "waiting", js_int(q->waiting));
    js_set(o, "held", js_int(q->held));
    js_set(o, "sending", js_int(q->sending));
    js_set(o, "oldest_accepted_at", js_time(q->oldest_accepted_at));
    return o;
}

static void add_rates(struct json_object *o, const struct status *s)
{
    struct json_object *rates = js_object(), *series = js_object();

    js_set(rates, "deferred", js_int(s->hour.deferred[FIGURES_MINUTES - 1]));
    js_set(rates, "bounced", js_int(s->hour.bounced[FIGURES_MINUTES - 1]));
    js_set(o, "rates", rates);
    js_set(series, "step_seconds", js_int(60));
    js_set(series, "until", js_time(s->hour.until_us));
    js_set(series, "deferred", js_ints(s->hour.deferred, FIGURES_MINUTES));
    if (self.n_waiting > 1)
        js_set(series, "waiting", js_ints(self.waiting, self.n_waiting));
    js_set(o, "series", series);
}

static void add_step(struct json_object *list, const char *id, bool done, struct str domain)
{
    struct json_object *o = js_object();

    js_set(o, "id", js_str(str_c(id)));
    js_set(o, "done", js_bool(done));
    if (domain.p != NULL)
        js_set(o, "domain", js_str(domain));
    js_push(list, o);
}

static struct json_object *checklist_json(const struct status *s)
{
    struct json_object *list = js_array();
    struct str domain = s->figures.first_domain;

    add_step(list, "hostname", str_chr(settings_get()->hostname, '.') != SIZE_MAX, STR_NULL);
    add_step(list, "domain", domain.p != NULL, domain);
    add_step(list, "dns", s->figures.first_domain_right, domain);
    add_step(list, "account", s->figures.has_account, STR_NULL);
    add_step(list, "certificate", s->certificate_until_us > 0 && !s->self_signed, STR_NULL);
    add_step(list, "message", s->figures.has_mail, STR_NULL);
    return list;
}

/* What only those see who see the whole server. */
static void add_server(struct json_object *o, const struct status *s)
{
    struct json_object *database = js_object(), *certificate, *disk;

    js_set(database, "state", js_str(s->unsafe != NULL ? STR("unsafe") : STR("durable")));
    js_set(database, "version", js_str(s->figures.database_version));
    js_set(o, "database", database);
    add_rates(o, s);
    if (s->certificate_until_us > 0) {
        certificate = js_object();
        js_set(certificate, "not_after", js_time(s->certificate_until_us));
        js_set(certificate, "self_signed", js_bool(s->self_signed));
        js_set(o, "certificate", certificate);
    }
    if (s->disk_total > 0) {
        disk = js_object();
        js_set(disk, "used", js_int(s->disk_used));
        js_set(disk, "total", js_int(s->disk_total));
        js_set(o, "disk", disk);
    }
    js_set(o, "checklist", checklist_json(s));
    js_set(o, "checklist_shown", js_bool(settings_get()->first_steps));
}

/* The queue and the destinations of a caller who sees only some domains. */
static enum result narrow(struct request *r, struct status *s)
{
    struct db *db = r->service->db;
    struct queue_filter f = { .domains = { r->caller.visible.domains, r->caller.visible.n } };
    static const struct str nothing = STR("");
    struct queue_row *oldest;
    int64_t open = 0;
    size_t n = 0;
    bool more;
    enum result result;

    if (f.domains.n == 0)
        f.domains = (struct str_list){ &nothing, 1 };
    s->sums = (struct queue_sums){ .oldest_accepted_at = DB_NO_TIME };
    result = queue_count(db, &f, INT32_MAX, &s->sums.messages);
    f.states = 1u << QUEUE_SENDING;
    if (result == RES_OK)
        result = queue_count(db, &f, INT32_MAX, &s->sums.sending);
    f.states |= 1u << QUEUE_DEFERRED | 1u << QUEUE_SCHEDULED;
    if (result == RES_OK)
        result = queue_count(db, &f, INT32_MAX, &open);
    s->sums.held = MAX(s->sums.messages - open, 0);
    s->sums.waiting = MAX(open - s->sums.sending, 0);
    f.states = 1u << QUEUE_DEFERRED | 1u << QUEUE_SCHEDULED;
    if (result == RES_OK)
        result = queue_list(db, &f, false, 0, 1, &r->arena, &oldest, &n, &more);
    if (result == RES_OK && n > 0)
        s->sums.oldest_accepted_at = oldest[0].accepted_at;
    f.states = 1u << QUEUE_DEFERRED;
    if (result == RES_OK)
        result = queue_groups(db, &f, QUEUE_BY_DESTINATION, STATUS_MAX_DESTINATIONS, &r->arena, &s->destinations, &s->n_destinations);
    return result;
}

void status_get(struct request *r)
{
    bool whole = !r->caller.visible.limited;
    struct status s = *status_now();
    struct json_object *o, *problems;
    enum result result = RES_OK;

    if (!s.database_up) {
        problem(r, PROBLEM_DATABASE_UNAVAILABLE, NULL);
        return;
    }
    if (!whole) /* suspends: s keeps no pointer into the shared state that is used below */
        result = narrow(r, &s);
    if (result != RES_OK) {
        problem_of_result(r, result);
        return;
    }
    o = js_object();
    problems = problems_json(&r->arena, &s, whole);
    js_set(o, "verdict", js_str(s.unsafe != NULL ? STR("down") : js_len(problems) > 0 ? STR("attention") : STR("ok")));
    js_set(o, "hostname", js_str(settings_get()->hostname));
    js_set(o, "version", js_str(STR(CORREIO_VERSION)));
    js_set(o, "measured_at", js_time(s.measured_us));
    js_set(o, "started_at", js_time(self.started_us));
    js_set(o, "problems", problems);
    js_set(o, "queue", sums_json(&s.sums));
    js_set(o, "destinations", destinations_json(&r->arena, s.destinations, s.n_destinations));
    if (whole)
        add_server(o, &s);
    reply_json(r, 200, o);
}
