#include "api/dry_run.h"
#include "api/problem.h"
#include "api/route.h"

/* Whether the parameter is there once, as "true" or "false"; it leaves the query. */
static bool take(struct request *r, bool *ret)
{
    size_t n = 0, found = 0;
    bool ok = true;

    *ret = false;
    for (size_t i = 0; i < r->n_query; i++) {
        if (!str_eq(r->query[i].name, STR("dry_run"))) {
            r->query[n++] = r->query[i];
            continue;
        }
        found++;
        *ret = str_eq(r->query[i].value, STR("true"));
        ok = ok && (*ret || str_eq(r->query[i].value, STR("false")));
    }
    r->n_query = n;
    return ok && found <= 1;
}

bool dry_run_begin(struct request *r)
{
    struct service *copy;
    enum result result;
    bool asked;

    if (str_eq(r->method, STR("GET")) || r->caller.via == VIA_NOBODY || str_starts(str_c(r->route->path), STR("/api/v1/session")))
        return true; /* there it is an unknown parameter */
    if (!take(r, &asked)) {
        error_at(r, STR("dry_run"), "syntax", "It is true or false.");
        return !errors_of_query(r);
    }
    if (!asked)
        return true;
    copy = arena_new(&r->arena, struct service);
    *copy = *r->service;
    result = db_rehearse(r->service->db, &copy->db);
    if (result != RES_OK) {
        problem_of_result(r, result);
        return false;
    }
    r->service = copy;
    r->dry_run = true;
    return true;
}

void dry_run_end(struct request *r)
{
    if (!r->dry_run)
        return;
    db_rehearse_end(r->service->db);
    reply_header(r, "Dry-Run", STR("true"));
}
