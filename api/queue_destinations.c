/* /queue/destinations and /queue/destinations/{name} */
#include "api/explain.h"
#include "api/fields.h"
#include "api/handlers.h"
#include "api/names.h"
#include "api/problem.h"
#include "api/query.h"
#include "api/queue.h"
#include "api/record.h"
#include "route/relay_route.h"
#include "store/destination.h"
#include "store/queue.h"

#define MAX_IN_FLIGHT 200

static const struct field pause_members[] = {
    { .name = "until", .type = FIELD_STRING, .nullable = true, .min = 1, .max = 40 },
    { .name = "reason", .type = FIELD_STRING, .nullable = true, .max = 200 },
    { .name = "at", .type = FIELD_KEPT },
    { .name = "by", .type = FIELD_KEPT },
};
static const struct field members[] = {
    { .name = "paused", .type = FIELD_OBJECT, .nullable = true, .members = pause_members, .n_members = ARRAY_LEN(pause_members) },
    { .name = "max_in_flight", .type = FIELD_INT, .min = 1, .max = MAX_IN_FLIGHT },
    { .name = "name", .type = FIELD_KEPT },        { .name = "state", .type = FIELD_KEPT },
    { .name = "waiting", .type = FIELD_KEPT },     { .name = "failing", .type = FIELD_KEPT },
    { .name = "held", .type = FIELD_KEPT },        { .name = "next_attempt_at", .type = FIELD_KEPT },
    { .name = "explanation", .type = FIELD_KEPT }, { .name = "reply", .type = FIELD_KEPT },
    { .name = "in_flight", .type = FIELD_KEPT },   { .name = "version", .type = FIELD_KEPT },
};

/* They are everybody's: only who sees the whole server sees them.  False: answered. */
static bool sees_all(struct request *r)
{
    if (r->caller.visible.limited)
        problem(r, PROBLEM_INSUFFICIENT_SCOPE, "Destinations belong to the whole server.");
    return !r->caller.visible.limited;
}

static struct json_object *to_json(struct arena *a, const struct destination *d)
{
    struct json_object *o = js_object(), *paused = NULL;

    if (d->paused) {
        paused = js_object();
        js_set(paused, "at", js_time(d->paused_at));
        js_set(paused, "until", js_time(d->paused_until));
        js_set(paused, "by", js_str(d->paused_by));
        js_set(paused, "reason", js_str(d->paused_reason));
    }
    js_set(o, "name", js_str(d->name));
    js_set(o, "state", js_str(d->paused ? STR("paused") : d->failing > 0 ? STR("failing") : STR("active")));
    js_set(o, "waiting", js_int(d->waiting));
    js_set(o, "failing", js_int(d->failing));
    js_set(o, "held", js_int(d->held));
    js_set(o, "next_attempt_at", js_time(d->oldest_due_at));
    js_set(o, "explanation", explanation_json(a, d->reason, d->name));
    js_set(o, "reply", reply_line_json(d->reply));
    js_set(o, "in_flight", js_int(d->in_flight));
    js_set(o, "max_in_flight", js_int(d->max_in_flight));
    js_set(o, "paused", paused);
    js_set(o, "version", js_int(d->version));
    return o;
}

void queue_destinations_list(struct request *r)
{
    static const char *const singles[] = { "limit", "cursor", "q", "paused" };
    struct list_page page;
    struct destination *v;
    struct json_object *data;
    struct str prefix;
    size_t n;
    bool more, only_paused;
    enum result result;

    query_begin(r, singles, ARRAY_LEN(singles), NULL, 0);
    prefix = query_text(r, "q", 1, 255);
    only_paused = query_bool(r, "paused", false);
    if (!query_page(r, NULL, false, &page) || errors_of_query(r) || !sees_all(r))
        return;
    result = destination_list(r->service->db, page.after, prefix.p != NULL ? arena_lower(&r->arena, prefix) : STR_NULL, only_paused,
                              page.limit, &r->arena, &v, &n, &more);
    if (result != RES_OK) {
        problem_of_result(r, result);
        return;
    }
    data = js_array();
    for (size_t i = 0; i < n; i++)
        js_push(data, to_json(&r->arena, &v[i]));
    reply_page(r, data, more ? v[n - 1].name : STR_NULL, -1);
}

bool queue_take_destination(struct request *r, struct str given, struct str *ret)
{
    struct str text = arena_lower(&r->arena, given), error;
    struct relay_route route;

    *ret = text;
    if (str_eq(text, QUEUE_LOCAL) || str_eq(text, QUEUE_MDA))
        return true;
    if (relay_route_is(text))
        return text.len <= 300 && str_chr(text, ',') == SIZE_MAX && relay_route_parse_target(text, &r->arena, &route, &error) == RES_OK;
    return text.len <= 255 && ((str_starts(text, STR("[")) && str_ends(text, STR("]"))) || name_domain(text, &r->arena, ret) == RES_OK);
}

static void answer(struct request *r, struct str name)
{
    struct destination d;
    enum result result = destination_get(r->service->db, name, &r->arena, &d);

    if (result == RES_OK)
        reply_object(r, 200, to_json(&r->arena, &d), d.version);
    else
        problem_of_result(r, result);
}

void queue_destination_get(struct request *r)
{
    struct str name;

    if (!sees_all(r))
        return;
    if (queue_take_destination(r, r->params[0], &name))
        answer(r, name);
    else
        problem(r, PROBLEM_NOT_FOUND, NULL);
}

static void take_members(struct request *r, struct json_object *body, const struct destination *old, struct destination_write *w)
{
    struct json_object *paused = js_get(body, "paused", NULL);
    struct str until = field_str(paused, "until", STR_NULL);

    *w = (struct destination_write){ .name = old->name, .paused = old->paused, .paused_until = old->paused_until,
                                     .actor = old->paused ? old->paused_by : r->caller.actor, .reason = old->paused_reason,
                                     .max_in_flight = (int)field_int(body, "max_in_flight", 0, old->max_in_flight) };
    if (!field_there(body, "paused"))
        return;
    w->paused = paused != NULL;
    w->actor = r->caller.actor;
    w->reason = field_str(paused, "reason", STR_NULL);
    w->paused_until = DB_NO_TIME;
    if (until.p != NULL)
        (void)queue_take_time(r, STR("/paused/until"), until, &w->paused_until);
}

void queue_destination_patch(struct request *r)
{
    struct destination old = { .max_in_flight = DESTINATION_MAX_IN_FLIGHT, .oldest_due_at = DB_NO_TIME, .paused_until = DB_NO_TIME };
    struct destination_write w;
    struct json_object *body, *present;
    struct str name;
    int64_t version;
    enum result result;

    if (!sees_all(r) || !match_version(r, false, &version) || (body = body_object(r, false)) == NULL)
        return;
    result = queue_take_destination(r, r->params[0], &name) ? destination_get(r->service->db, name, &r->arena, &old) : RES_INVALID;
    if (result == RES_INVALID)
        result = RES_NOTFOUND;
    else if (result == RES_NOTFOUND) /* it may be paused before there is mail for it */
        result = RES_OK;
    if (result != RES_OK) {
        problem_of_result(r, result);
        return;
    }
    old.name = name;
    present = request_keep(r, to_json(&r->arena, &old));
    fields_check(r, body, STR(""), members, ARRAY_LEN(members), present);
    if (r->errors == NULL)
        take_members(r, body, &old, &w);
    if (errors_of_body(r))
        return;
    result = destination_put(r->service->db, &w, version == VERSION_NONE ? INT64_MAX : version,
                             record(r, "queue.destination", name, js_share(present), js_share(body)));
    if (result == RES_CONFLICT)
        problem_with(r, PROBLEM_STALE, "current", js_share(present));
    else if (result == RES_OK)
        answer(r, name);
    else
        problem_of_result(r, result);
}
