/* /queue/holds and /queue/holds/{id}: rules that hold new mail */
#include "api/fields.h"
#include "api/handlers.h"
#include "api/names.h"
#include "api/problem.h"
#include "api/query.h"
#include "api/queue.h"
#include "api/record.h"
#include "base/encode.h"
#include "store/hold_rule.h"

static const struct field members[] = {
    { .name = "sender", .type = FIELD_STRING, .min = 1, .max = 320 },
    { .name = "sender_domain", .type = FIELD_STRING, .min = 1, .max = 255 },
    { .name = "destination", .type = FIELD_STRING, .min = 1, .max = 300 },
    { .name = "until", .type = FIELD_STRING, .nullable = true, .min = 1, .max = 40 },
    { .name = "reason", .type = FIELD_STRING, .nullable = true, .max = 200 },
};

static struct json_object *to_json(const struct hold_rule *v)
{
    struct json_object *o = js_object();

    js_set(o, "id", js_id('h', v->id));
    js_set(o, "sender", js_str(v->sender));
    js_set(o, "sender_domain", js_str(v->sender_domain));
    js_set(o, "destination", js_str(v->destination));
    js_set(o, "until", js_time(v->until));
    js_set(o, "reason", js_str(v->reason));
    js_set(o, "created_at", js_time(v->created_at));
    js_set(o, "created_by", js_str(v->created_by));
    return o;
}

void queue_holds_list(struct request *r)
{
    static const char *const singles[] = { "limit", "cursor" };
    struct list_page page;
    struct hold_rule *v;
    struct json_object *data;
    int64_t after = 0;
    size_t n;
    bool more;
    enum result result;

    query_begin(r, singles, ARRAY_LEN(singles), NULL, 0);
    if (!query_page(r, NULL, false, &page) || errors_of_query(r))
        return;
    if (page.after.p != NULL && !id_decode('h', page.after, &after)) {
        problem(r, PROBLEM_INVALID_CURSOR, NULL);
        return;
    }
    result = hold_rule_list(r->service->db, after, queue_visible(r), page.limit, &r->arena, &v, &n, &more);
    if (result != RES_OK) {
        problem_of_result(r, result);
        return;
    }
    data = js_array();
    for (size_t i = 0; i < n; i++)
        js_push(data, to_json(&v[i]));
    reply_page(r, data, more ? id_encode(&r->arena, 'h', v[n - 1].id) : STR_NULL, -1);
}

/* Who sees only some domains holds only what they send. */
static void check_domain(struct request *r, const char *place, struct str domain)
{
    if (!caller_sees(&r->caller, domain))
        error_at(r, str_c(place), "unknown-domain", "There is no domain %.*s here.", STR_ARG(domain));
}

static void take(struct request *r, struct json_object *body, struct hold_rule *v)
{
    struct str sender = field_str(body, "sender", STR_NULL), domain = field_str(body, "sender_domain", STR_NULL);
    struct str destination = field_str(body, "destination", STR_NULL), until = field_str(body, "until", STR_NULL);

    if ((sender.p != NULL) + (domain.p != NULL) + (destination.p != NULL) != 1)
        error_at(r, STR(""), "either-or", "It needs one of sender, sender_domain and destination.");
    if (sender.p != NULL) {
        if (name_address(sender, &r->arena, &v->sender) != RES_OK)
            error_at(r, STR("/sender"), "syntax", "It is not an address.");
        else
            check_domain(r, "/sender", name_domain_of(v->sender));
    }
    if (domain.p != NULL) {
        if (name_domain(domain, &r->arena, &v->sender_domain) != RES_OK)
            error_at(r, STR("/sender_domain"), "syntax", "It is not a domain.");
        else
            check_domain(r, "/sender_domain", v->sender_domain);
    }
    if (destination.p != NULL && !queue_take_destination(r, destination, &v->destination))
        error_at(r, STR("/destination"), "syntax", "It is not a destination.");
    if (until.p != NULL)
        (void)queue_take_time(r, STR("/until"), until, &v->until);
    v->reason = field_str(body, "reason", STR_NULL);
}

void queue_holds_post(struct request *r)
{
    struct json_object *body = body_object(r, false);
    struct hold_rule v = { .until = DB_NO_TIME, .created_by = r->caller.actor };
    int64_t id;
    enum result result;

    if (body == NULL)
        return;
    fields_check(r, body, STR(""), members, ARRAY_LEN(members), NULL);
    if (r->errors == NULL)
        take(r, body, &v);
    if (errors_of_body(r))
        return;
    if (v.destination.p != NULL && r->caller.visible.limited) {
        problem(r, PROBLEM_INSUFFICIENT_SCOPE, "Destinations belong to the whole server.");
        return;
    }
    result = hold_rule_add(r->service->db, &v, record(r, "queue.hold-rule.add", STR_NULL, NULL, js_share(body)), &id);
    if (result == RES_LIMIT) {
        error_at(r, STR(""), "too-many", "There are %d rules.", HOLD_RULES_MAX);
        (void)errors_of_body(r);
        return;
    }
    if (result == RES_OK)
        result = hold_rule_get(r->service->db, id, queue_visible(r), &r->arena, &v);
    if (result != RES_OK) {
        problem_of_result(r, result);
        return;
    }
    reply_json(r, 201, to_json(&v));
    reply_header(r, "Location", arena_printf(&r->arena, "/api/v1/queue/holds/%.*s", STR_ARG(id_encode(&r->arena, 'h', id))));
}

void queue_holds_get(struct request *r)
{
    struct hold_rule v;
    int64_t id;
    enum result result = id_decode('h', r->params[0], &id)
                             ? hold_rule_get(r->service->db, id, queue_visible(r), &r->arena, &v) : RES_NOTFOUND;

    if (result == RES_OK)
        reply_json(r, 200, to_json(&v));
    else
        problem_of_result(r, result);
}

void queue_holds_delete(struct request *r)
{
    struct hold_rule v;
    int64_t id;
    enum result result = id_decode('h', r->params[0], &id)
                             ? hold_rule_get(r->service->db, id, queue_visible(r), &r->arena, &v) : RES_NOTFOUND;

    if (result == RES_OK)
        result = hold_rule_remove(r->service->db, id, queue_visible(r),
                                  record(r, "queue.hold-rule.remove", r->params[0], to_json(&v), NULL));
    if (result == RES_OK)
        reply_empty(r);
    else
        problem_of_result(r, result);
}
