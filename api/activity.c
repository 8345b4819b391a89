/* /accounts/{address}/activity, /me/activity: sign-ins, good and bad ones */
#include "store/activity.h"
#include "api/accounts.h"
#include "api/handlers.h"
#include "api/problem.h"
#include "api/query.h"

static const char *const results[] = { "ok", "wrong-password", "wrong-code", "code-missing" }; /* as enum activity_result */

static struct json_object *to_json(const struct activity *v)
{
    struct json_object *o = js_object();

    js_set(o, "at", js_time(v->last_us));
    js_set(o, "first_at", js_time(v->first_us));
    js_set(o, "count", js_int(v->count));
    js_set(o, "result", js_str(str_c(results[v->result])));
    js_set(o, "protocol", js_str(str_eq(v->protocol, STR("http")) ? STR("page") : v->protocol));
    js_set(o, "ip", js_str(v->network.p != NULL ? v->ip : STR_NULL));
    js_set(o, "network", js_str(v->network));
    js_set(o, "new_network", js_bool(v->new_network));
    return o;
}

void activity_get(struct request *r)
{
    static const char *const singles[] = { "limit", "cursor" };
    struct account account;
    struct list_page page;
    struct activity *v;
    struct json_object *data;
    uint64_t before = INT64_MAX;
    size_t n;
    bool more;
    enum result result;

    if (!account_of_path(r, &account, NULL))
        return;
    query_begin(r, singles, ARRAY_LEN(singles), NULL, 0);
    if (!query_page(r, NULL, false, &page) || errors_of_query(r))
        return;
    if (page.after.p != NULL && !str_u64(page.after, INT64_MAX, &before)) {
        problem(r, PROBLEM_INVALID_CURSOR, NULL);
        return;
    }
    result = activity_list(r->service->db, account.id, (int64_t)before, page.limit, &r->arena, &v, &n, &more);
    if (result != RES_OK) {
        problem_of_result(r, result);
        return;
    }
    data = js_array();
    for (size_t i = 0; i < n; i++)
        js_push(data, to_json(&v[i]));
    reply_page(r, data, more ? arena_printf(&r->arena, "%lld", (long long)v[n - 1].last_us) : STR_NULL, -1);
}
