/* /operations/{id}/lines and /links: what became of the lines of an import, and one-time links for those that need them. */
#include "api/accounts.h"
#include "api/fields.h"
#include "api/handlers.h"
#include "api/import_check.h"
#include "api/operations.h"
#include "api/problem.h"
#include "api/query.h"
#include "base/encode.h"

#define LINKS_AT_ONCE 100

static struct json_object *line_json(const struct import_line *line)
{
    struct json_object *o = js_object();

    js_set(o, "line", js_int(line->line));
    js_set(o, "address", js_str(line->address));
    js_set(o, "outcome", js_str(str_c(import_outcome_names[line->outcome])));
    js_set(o, "invited", js_bool(line->invited));
    js_set(o, "code", line->code.len > 0 ? js_str(line->code) : NULL);
    js_set(o, "detail", line->detail.len > 0 ? js_str(line->detail) : NULL);
    return o;
}

void operation_lines_list(struct request *r)
{
    static const char *const singles[] = { "limit", "cursor", "noted" };
    static const char *const repeated[] = { "outcome" };
    struct import_filter filter = { .actor = operation_owner(r) };
    struct list_page page;
    struct import_line *v;
    struct json_object *data;
    uint64_t after = 0;
    int64_t id;
    size_t n;
    bool more;
    enum result result = RES_NOTFOUND;

    query_begin(r, singles, ARRAY_LEN(singles), repeated, ARRAY_LEN(repeated));
    filter.outcomes = query_words(r, "outcome", import_outcome_names, IMPORT_OUTCOMES);
    filter.noted = query_bool(r, "noted", false);
    if (!query_page(r, NULL, false, &page) || errors_of_query(r))
        return;
    if (page.after.p != NULL && !str_u64(page.after, INT32_MAX, &after)) {
        problem(r, PROBLEM_INVALID_CURSOR, NULL);
        return;
    }
    if (id_decode('o', r->params[0], &id))
        result = import_lines(r->service->db, id, &filter, (unsigned)after, page.limit, &r->arena, &v, &n, &more);
    if (result != RES_OK) {
        problem_of_result(r, result);
        return;
    }
    data = js_array();
    for (size_t i = 0; i < n; i++)
        js_push(data, line_json(&v[i]));
    reply_page(r, data, more ? arena_printf(&r->arena, "%u", v[n - 1].line) : STR_NULL, -1);
}

/* Whether the account still waits for its first password, and the caller may give a link for it. */
static bool wants_link(struct request *r, const struct account *account)
{
    return (account->state == ACCOUNT_INVITED || account->state == ACCOUNT_FROZEN) && account->sign_in_us == DB_NO_TIME &&
           caller_may_change(&r->caller, account->role);
}

static enum result add_link(struct request *r, const struct import_line *line, struct json_object *data)
{
    struct account account;
    struct json_object *o;
    struct str url;
    int64_t expires;
    enum result result = account_get(r->service->db, line->address, &r->caller.visible, &r->arena, &account);

    if (result != RES_OK || !wants_link(r, &account))
        return result == RES_NOTFOUND ? RES_OK : result;
    result = account_make_link(r, &account, &url, &expires);
    if (result != RES_OK)
        return result;
    o = js_object();
    js_set(o, "line", js_int(line->line));
    js_set(o, "address", js_str(account.address));
    js_set(o, "name", js_str(account.name));
    js_set(o, "url", js_str(url));
    js_set(o, "expires_at", js_time(expires));
    js_push(data, o);
    return RES_OK;
}

void operation_links_post(struct request *r)
{
    static const struct field members[] = { { .name = "after", .type = FIELD_INT, .max = INT32_MAX } };
    const struct import_filter filter = { .invited = true, .actor = r->caller.actor };
    struct json_object *body, *data, *answer;
    struct import_line *v;
    int64_t id;
    size_t n;
    bool more;
    enum result result = RES_NOTFOUND;

    if ((body = body_object(r, true)) == NULL)
        return;
    fields_check(r, body, STR(""), members, ARRAY_LEN(members), NULL);
    if (errors_of_body(r))
        return;
    if (id_decode('o', r->params[0], &id))
        result = import_lines(r->service->db, id, &filter, (unsigned)field_int(body, "after", 0, 0), LINKS_AT_ONCE, &r->arena, &v, &n, &more);
    if (result != RES_OK) {
        problem_of_result(r, result);
        return;
    }
    data = request_keep(r, js_array());
    for (size_t i = 0; i < n && result == RES_OK; i++)
        result = add_link(r, &v[i], data);
    if (result != RES_OK) {
        problem_of_result(r, result);
        return;
    }
    answer = js_object();
    js_set(answer, "data", js_share(data));
    js_set(answer, "next", more ? js_int(v[n - 1].line) : NULL);
    reply_json(r, 200, answer);
}
