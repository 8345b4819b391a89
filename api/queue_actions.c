/* POST /queue/actions, DELETE /queue/messages/{id}, /queue/undo */
#include "api/fields.h"
#include "api/handlers.h"
#include "api/operations.h"
#include "api/problem.h"
#include "api/query.h"
#include "api/queue.h"
#include "api/record.h"
#include "base/encode.h"
#include "store/operation.h"

#define MAX_IDS 1000
#define MAX_MATCHES 1000000

const char *const queue_action_names[QUEUE_ACTIONS] = { "retry", "hold", "release", "bounce", "delete", "reschedule", "reroute" }; /* as enum queue_action */

static const struct field select_members[] = {
    { .name = "ids", .type = FIELD_STRINGS, .min = 1, .max = MAX_IDS, .each = 40 },
    { .name = "filter", .type = FIELD_ANY },
    { .name = "all", .type = FIELD_TRUE },
};
static const struct field members[] = {
    { .name = "action", .type = FIELD_WORD, .required = true, .words = queue_action_names, .n_words = QUEUE_ACTIONS },
    { .name = "select", .type = FIELD_OBJECT, .required = true, .members = select_members, .n_members = ARRAY_LEN(select_members) },
    { .name = "max", .type = FIELD_INT, .min = 1, .max = MAX_MATCHES },
    { .name = "reason", .type = FIELD_STRING, .nullable = true, .max = 200 },
    { .name = "at", .type = FIELD_STRING, .min = 1, .max = 40 },
    { .name = "route", .type = FIELD_STRING, .nullable = true, .min = 1, .max = 300 },
};

static void skip(struct json_object *skipped, struct str id, const char *type)
{
    struct json_object *o;

    if (js_len(skipped) >= QUEUE_MAX_SKIPPED)
        return;
    o = js_object();
    js_set(o, "id", js_str(id));
    js_set(o, "type", js_str(str_c(type)));
    js_push(skipped, o);
}

/* Ids of a body.  What cannot be a queue id is not in the queue: it is skipped at once. */
static void take_ids(struct request *r, const struct json_object *select, struct queue_filter *f, struct json_object *skipped,
                     int64_t *skipped_count)
{
    struct str *v;
    size_t n;
    int64_t *ids;

    if (!field_strs(r, select, "ids", &v, &n))
        return;
    ids = arena_array(&r->arena, int64_t, n);
    f->domains = queue_visible(r);
    f->ids = ids;
    for (size_t i = 0; i < n; i++) {
        if (queue_id(v[i], &ids[f->nids])) {
            f->nids++;
        } else {
            skip(skipped, v[i], "/problems/not-found");
            (*skipped_count)++;
        }
    }
}

/* Which messages: ids, a filter, or all.  Errors are noted. */
static void take_selection(struct request *r, const struct json_object *body, struct queue_filter *f)
{
    const struct json_object *select = js_get(body, "select", NULL);
    struct json_object *filter = js_get(select, "filter", NULL);
    bool by_ids = field_there(select, "ids"), by_filter = field_there(select, "filter"), all = field_there(select, "all");

    if (by_ids + by_filter + all != 1)
        error_at(r, STR("/select"), by_ids + by_filter + all == 0 ? "required" : "syntax", "It needs one of ids, filter and all.");
    if (by_filter && js_kind_of(filter) != JS_OBJECT)
        error_at(r, STR("/select/filter"), "type", "It is not an object.");
    else if (by_filter)
        queue_filter_of_body(r, filter, STR("/select/filter"), f);
    if (by_ids && field_there(body, "max"))
        error_at(r, STR("/max"), "syntax", "It goes with a filter or all, not with ids.");
    else if (!by_ids && !field_there(body, "max"))
        error_at(r, STR("/max"), "required", "A filter or all needs it: nothing happens that you did not see.");
}

/* A member that belongs to one action. */
static bool has_own(struct request *r, const struct json_object *body, const char *name, bool wanted)
{
    bool there = field_there(body, name);

    if (there && !wanted)
        error_at(r, arena_printf(&r->arena, "/%s", name), "syntax", "It does not belong to this action.");
    else if (!there && wanted)
        error_at(r, arena_printf(&r->arena, "/%s", name), "required", "This action needs it.");
    return there && wanted;
}

static void take_action(struct request *r, const struct json_object *body, struct queue_request *q)
{
    int action = field_word(body, "action", queue_action_names, QUEUE_ACTIONS, 0);

    q->action = (enum queue_action)action;
    q->reason = field_str(body, "reason", STR_NULL);
    q->max = field_int(body, "max", 0, 0);
    if (has_own(r, body, "at", q->action == QUEUE_RESCHEDULE))
        (void)queue_take_time(r, STR("/at"), field_str(body, "at", STR("")), &q->at);
    if (has_own(r, body, "route", q->action == QUEUE_REROUTE))
        (void)queue_take_route(r, STR("/route"), field_str(body, "route", STR_NULL), &q->route);
}

struct json_object *queue_undo_json(int64_t id, int64_t until)
{
    struct json_object *undo;

    if (id == 0)
        return NULL;
    undo = js_object();
    js_set(undo, "id", js_id('u', id));
    js_set(undo, "until", js_time(until));
    return undo;
}

static void answer(struct request *r, const struct queue_answer *a, struct json_object *skipped, int64_t skipped_count)
{
    struct json_object *o = js_object();


    for (size_t i = 0; i < a->nbusy; i++)
        skip(skipped, queue_id_text(&r->arena, a->busy[i]), "/problems/busy");
    for (size_t i = 0; i < a->ngone; i++)
        skip(skipped, queue_id_text(&r->arena, a->gone[i]), "/problems/not-found");
    js_set(o, "matched", js_int(a->matched));
    js_set(o, "changed", js_int(a->changed));
    js_set(o, "skipped_count", js_int(skipped_count + a->skipped + a->missing));
    js_set(o, "skipped", js_share(skipped));
    js_set(o, "undo", queue_undo_json(a->undo_id, a->undo_until));
    reply_json(r, 200, o);
}

/* Finds them, and acts: at once, or as an operation when they are many.  RES_EXISTS: answered (202). */
static enum result find_and_act(struct request *r, const struct queue_request *q, struct json_object *body, struct queue_answer *done)
{
    const struct audit *audit = record(r, arena_printf(&r->arena, "queue.%s", queue_action_names[q->action]).p, STR_NULL, NULL,
                                       js_share(body));
    int64_t *ids, operation;
    size_t n;
    enum result result = queue_find(r->service->db, q, &r->arena, &ids, &n, done);

    if (result == RES_OK && n <= QUEUE_ACT_MAX)
        return queue_act_on(r->service->db, q, ids, n, audit, done);
    if (result == RES_OK)
        result = operation_begin(r->service->db, q, ids, n, audit, &operation);
    if (result != RES_OK)
        return result;
    operations_wake();
    operation_answer(r, operation, 202);
    return RES_EXISTS;
}

void queue_actions_post(struct request *r)
{
    struct json_object *body = body_object(r, false), *skipped;
    struct queue_filter filter = { .domains = queue_visible(r) };
    struct queue_request request = { .filter = &filter, .actor = r->caller.actor };
    struct queue_answer done = { 0 };
    int64_t skipped_count = 0;
    enum result result = RES_OK;
    bool by_ids;

    if (body == NULL)
        return;
    fields_check(r, body, STR(""), members, ARRAY_LEN(members), NULL);
    if (js_kind_of(js_get(body, "select", NULL)) == JS_OBJECT)
        take_selection(r, body, &filter);
    if (r->errors == NULL)
        take_action(r, body, &request);
    if (errors_of_body(r) || (request.action == QUEUE_REROUTE && !queue_may_route(r)))
        return;
    skipped = request_keep(r, js_array());
    by_ids = field_there(js_get(body, "select", NULL), "ids");
    take_ids(r, js_get(body, "select", NULL), &filter, skipped, &skipped_count);
    if (!by_ids || filter.nids > 0) /* without ids the filter would match all */
        result = find_and_act(r, &request, body, &done);
    if (result == RES_LIMIT)
        problem_with(r, PROBLEM_SELECTION_CHANGED, "matched", js_int(done.matched));
    else if (result == RES_OK)
        answer(r, &done, skipped, skipped_count);
    else if (result != RES_EXISTS)
        problem_of_result(r, result);
}

/* The action delete for one message. */
void queue_message_delete(struct request *r)
{
    int64_t id, version;
    struct queue_filter filter = { .ids = &id, .nids = 1, .domains = queue_visible(r) };
    struct queue_request request = { .action = QUEUE_DELETE, .filter = &filter, .actor = r->caller.actor };
    struct queue_answer done = { 0 };
    struct queue_message *now;
    enum result result;

    if (!match_version(r, false, &version))
        return;
    result = queue_id(r->params[0], &id) ? queue_get(r->service->db, id, queue_visible(r), &r->arena, &now) : RES_NOTFOUND;
    if (result == RES_OK && version != VERSION_ANY && version != now->version)
        result = RES_CONFLICT;
    if (result == RES_OK) {
        request.version = version == VERSION_ANY ? 0 : version;
        result = queue_act(r->service->db, &request, &r->arena, &done);
    }
    if (result == RES_OK && done.missing > 0)
        result = RES_NOTFOUND;
    if (result == RES_CONFLICT) {
        problem(r, PROBLEM_STALE, NULL);
        return;
    }
    if (result == RES_OK && done.skipped > 0) {
        problem(r, PROBLEM_BUSY, NULL);
        return;
    }
    if (result == RES_OK)
        result = audit_write(r->service->db, record(r, "queue.delete", queue_id_text(&r->arena, id), NULL, NULL));
    if (result == RES_OK)
        answer(r, &done, request_keep(r, js_array()), 0);
    else
        problem_of_result(r, result);
}

/* ---- undo ---- */

/* Who does not see the whole queue takes back only what he did himself. */
static struct str undo_actor(const struct request *r)
{
    return r->caller.visible.limited ? r->caller.actor : STR_NULL;
}

void queue_undo_list_get(struct request *r)
{
    struct queue_undo *v;
    struct json_object *body, *data;
    size_t n;
    enum result result;

    query_begin(r, NULL, 0, NULL, 0);
    if (errors_of_query(r))
        return;
    result = queue_undo_list(r->service->db, undo_actor(r), &r->arena, &v, &n);
    if (result != RES_OK) {
        problem_of_result(r, result);
        return;
    }
    data = js_array();
    for (size_t i = 0; i < n; i++) {
        struct json_object *o = js_object();

        js_set(o, "id", js_id('u', v[i].id));
        js_set(o, "action", js_str(v[i].action));
        js_set(o, "by", js_str(v[i].actor));
        js_set(o, "at", js_time(v[i].at));
        js_set(o, "until", js_time(v[i].until));
        js_set(o, "changed", js_int(v[i].changed));
        js_push(data, o);
    }
    body = js_object();
    js_set(body, "data", data);
    js_set(body, "next", NULL);
    reply_json(r, 200, body);
}

void queue_undo_post(struct request *r)
{
    static const struct field undo_members[] = {
        { .name = "undo", .type = FIELD_STRING, .required = true, .min = 1, .max = 40 },
    };
    struct json_object *body = body_object(r, false), *o;
    struct str id_text;
    int64_t id, restored, changed;
    enum result result;

    if (body == NULL)
        return;
    fields_check(r, body, STR(""), undo_members, ARRAY_LEN(undo_members), NULL);
    if (errors_of_body(r))
        return;
    id_text = field_str(body, "undo", STR(""));
    result = id_decode('u', id_text, &id)
                 ? queue_undo(r->service->db, id, undo_actor(r), r->caller.actor, &restored, &changed)
                 : RES_NOTFOUND;
    if (result == RES_NOTFOUND) {
        problem(r, PROBLEM_UNDO_EXPIRED, NULL);
        return;
    }
    if (result == RES_OK) {
        o = js_object();
        js_set(o, "restored", js_int(restored));
        js_set(o, "skipped", js_int(MAX(changed - restored, 0)));
        result = audit_write(r->service->db, record(r, "queue.undo", id_text, NULL, js_share(o)));
        request_keep(r, o);
    }
    if (result == RES_OK)
        reply_json(r, 200, js_share(o));
    else
        problem_of_result(r, result);
}
