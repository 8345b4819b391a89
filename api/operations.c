/* /operations/{id}, and the coroutine that does their pieces. */
#include "api/operations.h"
#include "api/handlers.h"
#include "api/problem.h"
#include "api/queue.h"
#include "api/record.h"
#include "base/encode.h"
#include "base/log.h"
#include "store/operation.h"

#define LOOK_MS 2000 /* for those that another process began and cannot go on with */

static struct {
    struct service *service;
    struct coroutine *worker;
    bool woken, draining;
} self;

static void work(void *arg)
{
    (void)arg;
    while (!self.draining) {
        self.woken = false;
        if (operation_work(self.service->db) == RES_OK)
            continue;
        if (!self.woken && !self.draining)
            coroutine_wait(deadline_in(LOOK_MS), false);
    }
    self.worker = NULL;
}

void operations_start(struct service *service)
{
    self.service = service;
    self.worker = coroutine_spawn("operations", work, NULL);
    if (self.worker == NULL)
        log_error("operations", F_C("error", "no coroutine"));
}

void operations_wake(void)
{
    self.woken = true;
    if (self.worker != NULL)
        coroutine_wake(self.worker);
}

void operations_drain(void)
{
    self.draining = true;
    if (self.worker != NULL)
        coroutine_wake(self.worker);
}

struct str operation_owner(const struct request *r)
{
    return r->caller.visible.limited ? r->caller.actor : STR_NULL;
}

/* Finds one that the caller may see, or change: the kind of its work says which scope that takes.  False: answered. */
static bool take(struct request *r, int64_t id, bool to_change, struct operation *ret)
{
    enum result result = operation_get(r->service->db, id, operation_owner(r), &r->arena, ret);
    enum scope scope = result == RES_OK && ret->is_import ? SCOPE_ACCOUNTS_READ : SCOPE_QUEUE_READ;

    if (result == RES_OK && caller_has(&r->caller, to_change ? scope + 1 : scope))
        return true;
    if (result == RES_OK)
        problem(r, PROBLEM_INSUFFICIENT_SCOPE, "This needs %s.", scope_names[to_change ? scope + 1 : scope]);
    else
        problem_of_result(r, result);
    return false;
}

static struct json_object *import_json(const struct operation *v)
{
    struct json_object *o;

    if (!v->is_import)
        return NULL;
    o = js_object();
    js_set(o, "created", js_int(v->import.created));
    js_set(o, "updated", js_int(v->import.updated));
    js_set(o, "unchanged", js_int(v->import.unchanged));
    js_set(o, "failed", js_int(v->import.failed));
    return o;
}

void operation_answer(struct request *r, int64_t id, int status)
{
    static const char *const states[] = { "running", "done", "cancelled" };
    struct operation v;
    struct json_object *o;
    struct str text;

    if (!take(r, id, false, &v))
        return;
    o = js_object();
    text = id_encode(&r->arena, 'o', id);
    js_set(o, "id", js_str(text));
    js_set(o, "action", js_str(v.is_import ? STR("import") : str_c(queue_action_names[v.action])));
    js_set(o, "by", js_str(v.actor));
    js_set(o, "state", js_str(str_c(states[v.state])));
    js_set(o, "total", js_int(v.total));
    js_set(o, "done", js_int(v.done));
    js_set(o, "changed", js_int(v.changed));
    js_set(o, "skipped", js_int(v.skipped));
    js_set(o, "created_at", js_time(v.created_at));
    js_set(o, "finished_at", js_time(v.finished_at));
    js_set(o, "import", import_json(&v));
    js_set(o, "undo", queue_undo_json(v.undo_id, v.undo_until));
    reply_json(r, status, o);
    if (status == 202)
        reply_header(r, "Location", arena_printf(&r->arena, "/api/v1/operations/%.*s", STR_ARG(text)));
}

void operation_get_one(struct request *r)
{
    int64_t id;

    if (id_decode('o', r->params[0], &id))
        operation_answer(r, id, 200);
    else
        problem(r, PROBLEM_NOT_FOUND, NULL);
}

void operation_delete(struct request *r)
{
    struct operation v;
    int64_t id;
    enum result result;

    if (!id_decode('o', r->params[0], &id)) {
        problem(r, PROBLEM_NOT_FOUND, NULL);
        return;
    }
    if (!take(r, id, true, &v))
        return;
    result = operation_cancel(r->service->db, id, operation_owner(r), record(r, "operation.cancel", r->params[0], NULL, NULL));
    if (result == RES_OK)
        reply_empty(r);
    else
        problem_of_result(r, result);
}
