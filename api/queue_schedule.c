/* /queue/schedule: three settings as one thing, and the times that come of them */
#include "queue/schedule.h"
#include "api/fields.h"
#include "api/handlers.h"
#include "api/problem.h"
#include "api/record.h"
#include "config/settings.h"
#include "store/setting.h"

#define TIMES_MAX 100

enum { RETRIES, EXPIRE, NOTICE, MEMBERS };
static const char *const keys[MEMBERS] = { "queue.retry_schedule", "queue.expire", "queue.delay_notice" };

struct now { /* as the settings are */
    struct str values[MEMBERS];
    int64_t versions[MEMBERS];
    bool fixed[MEMBERS];
    int64_t version; /* of all three: another one whenever one of them is */
};

static enum result read_now(struct request *r, struct now *ret)
{
    struct setting_row *rows;
    size_t n;
    uint64_t hash = UINT64_C(14695981039346656037); /* FNV-1a */
    enum result result = setting_list(r->service->db, &r->arena, &rows, &n);

    if (result != RES_OK)
        return result;
    *ret = (struct now){ 0 };
    for (size_t k = 0; k < MEMBERS; k++) {
        struct str value = str_c(setting_def_find(str_c(keys[k]))->default_value), fixed, source, error;

        for (size_t i = 0; i < n; i++) {
            if (str_eq(rows[i].key, str_c(keys[k]))) {
                value = rows[i].value;
                ret->versions[k] = rows[i].version;
            }
        }
        ret->fixed[k] = config_fixed_setting(r->service->config, str_c(keys[k]), &r->arena, &fixed, &source) == RES_OK;
        if (ret->fixed[k] && setting_check(str_c(keys[k]), fixed, &r->arena, &value, &error) != RES_OK)
            value = str_c(setting_def_find(str_c(keys[k]))->default_value);
        ret->values[k] = value;
        for (size_t i = 0; i <= value.len; i++)
            hash = (hash ^ (i < value.len ? (unsigned char)value.p[i] : 0)) * UINT64_C(1099511628211);
        hash = (hash ^ (uint64_t)ret->versions[k]) * UINT64_C(1099511628211);
    }
    ret->version = (int64_t)(hash >> 12); /* exact in a double, for clients in JavaScript */
    return RES_OK;
}

/* The times are computed by the function that the queue asks. */
static struct json_object *to_json(struct arena *a, const struct now *now)
{
    struct json_object *o = js_object(), *times = js_array();
    struct str key_strs[MEMBERS];
    struct settings *s = arena_new(a, struct settings);
    int64_t v[TIMES_MAX];
    size_t n;

    for (size_t k = 0; k < MEMBERS; k++)
        key_strs[k] = str_c(keys[k]);
    settings_build(a, key_strs, now->values, MEMBERS, s);
    n = schedule_times(&(struct schedule_policy){ s->retry_s, s->retries, s->delay_notice_s }, s->expire_s, v, TIMES_MAX);
    for (size_t i = 0; i < MIN(n, (size_t)TIMES_MAX); i++)
        js_push(times, js_int(v[i]));
    js_set(o, "retry_schedule", js_str(now->values[RETRIES]));
    js_set(o, "expire", js_str(now->values[EXPIRE]));
    js_set(o, "delay_notice", js_str(now->values[NOTICE]));
    js_set(o, "editable", js_bool(!now->fixed[RETRIES] && !now->fixed[EXPIRE] && !now->fixed[NOTICE]));
    js_set(o, "attempts", js_int((int64_t)n));
    js_set(o, "attempt_seconds", times);
    js_set(o, "delay_notice_seconds", s->delay_notice_s > 0 && s->delay_notice_s < s->expire_s ? js_int(s->delay_notice_s) : NULL);
    js_set(o, "expire_seconds", js_int(s->expire_s));
    js_set(o, "version", js_int(now->version));
    return o;
}

static void answer(struct request *r)
{
    struct now now;
    enum result result = read_now(r, &now);

    if (result == RES_OK)
        reply_object(r, 200, to_json(&r->arena, &now), now.version);
    else
        problem_of_result(r, result);
}

void queue_schedule_get(struct request *r)
{
    answer(r);
}

/* The members as values of the settings, checked. */
static void take(struct request *r, struct json_object *body, struct str *values)
{
    static const char *const places[MEMBERS] = { "/retry_schedule", "/expire", "/delay_notice" };
    struct str error;

    values[RETRIES] = field_str(body, "retry_schedule", STR(""));
    values[EXPIRE] = field_str(body, "expire", STR(""));
    values[NOTICE] = field_str(body, "delay_notice", STR(""));
    for (size_t k = 0; k < MEMBERS; k++) {
        if (setting_check(str_c(keys[k]), values[k], &r->arena, &values[k], &error) != RES_OK)
            error_at(r, str_c(places[k]), "syntax", "%.*s", STR_ARG(error));
    }
}

void queue_schedule_put(struct request *r)
{
    static const struct field members[] = {
        { .name = "retry_schedule", .type = FIELD_STRING, .required = true, .min = 1, .max = 1000 },
        { .name = "expire", .type = FIELD_STRING, .required = true, .min = 1, .max = 20 },
        { .name = "delay_notice", .type = FIELD_STRING, .required = true, .min = 1, .max = 20 },
        { .name = "editable", .type = FIELD_KEPT },        { .name = "attempts", .type = FIELD_KEPT },
        { .name = "attempt_seconds", .type = FIELD_KEPT }, { .name = "delay_notice_seconds", .type = FIELD_KEPT },
        { .name = "expire_seconds", .type = FIELD_KEPT },  { .name = "version", .type = FIELD_KEPT },
    };
    struct setting_write writes[MEMBERS];
    struct json_object *body, *present;
    struct str values[MEMBERS];
    struct now now;
    int64_t version;
    size_t n = 0;
    enum result result;

    if (!match_version(r, true, &version) || (body = body_object(r, false)) == NULL)
        return;
    result = read_now(r, &now);
    if (result != RES_OK) {
        problem_of_result(r, result);
        return;
    }
    present = request_keep(r, to_json(&r->arena, &now));
    fields_check(r, body, STR(""), members, ARRAY_LEN(members), present);
    if (r->errors == NULL)
        take(r, body, values);
    if (errors_of_body(r))
        return;
    if (version != VERSION_ANY && version != now.version) {
        problem_with(r, PROBLEM_STALE, "current", js_share(present));
        return;
    }
    for (size_t k = 0; k < MEMBERS; k++) {
        if (str_eq(values[k], now.values[k]))
            continue;
        if (now.fixed[k]) {
            problem(r, PROBLEM_READ_ONLY, NULL);
            return;
        }
        writes[n++] = (struct setting_write){ str_c(keys[k]), values[k], now.versions[k] };
    }
    if (n > 0)
        result = setting_put_all(r->service->db, writes, n, r->caller.actor,
                                 record(r, "queue.schedule", STR_NULL, js_share(present), js_share(body)));
    if (result == RES_OK)
        answer(r);
    else if (result == RES_CONFLICT)
        problem(r, PROBLEM_STALE, NULL);
    else
        problem_of_result(r, result);
}
