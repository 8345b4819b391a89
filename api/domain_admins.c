/* /domains/{domain}/admins and /domains/{domain}/admins/{account} */
#include "api/events.h"
#include "api/fields.h"
#include "api/handlers.h"
#include "api/names.h"
#include "api/path.h"
#include "api/problem.h"
#include "api/query.h"
#include "api/record.h"
#include "store/domain_admin.h"

static const char *const states[] = { "invited", "active", "frozen", "suspended" };

static struct json_object *to_json(struct str address, struct str name, enum account_state state)
{
    struct json_object *o = js_object();

    js_set(o, "address", js_str(address));
    js_set(o, "name", js_str(name));
    js_set(o, "state", js_str(str_c(states[state])));
    return o;
}

/* The domain of the path, which the caller may see.  False: answered. */
static bool take_domain(struct request *r, struct domain *ret)
{
    struct str name;
    enum result result;

    if (!path_domain(r, false, &name))
        return false;
    result = domain_get(r->service->db, name, &r->caller.visible, &r->arena, ret);
    if (result != RES_OK)
        problem_of_result(r, result);
    return result == RES_OK;
}

/* The same, and the account; only a caller without limits says who administers.  False: answered. */
static bool take_both(struct request *r, struct domain *ret_domain, struct account *ret_account)
{
    struct str address;
    enum result result;

    if (!take_domain(r, ret_domain))
        return false;
    result = name_address(r->params[1], &r->arena, &address) != RES_OK
                 ? RES_NOTFOUND
                 : account_get(r->service->db, address, &r->caller.visible, &r->arena, ret_account);
    if (r->caller.visible.limited)
        problem(r, PROBLEM_INSUFFICIENT_SCOPE, "Only an administrator without limits may say who administers a domain.");
    else if (result != RES_OK)
        problem_of_result(r, result);
    else
        return true;
    return false;
}

/* "office@example.org of example.net" */
static struct str object_of(struct request *r, const struct domain *domain, const struct account *account)
{
    return arena_printf(&r->arena, "%.*s of %.*s", STR_ARG(account->address), STR_ARG(domain->name));
}

void domain_admins_list(struct request *r)
{
    struct list_page page;
    struct domain domain;
    struct domain_admin *v;
    struct json_object *data;
    size_t n;
    bool more;
    enum result result;
    static const char *const singles[] = { "limit", "cursor" };

    query_begin(r, singles, ARRAY_LEN(singles), NULL, 0);
    if (!query_page(r, NULL, false, &page) || errors_of_query(r) || !take_domain(r, &domain))
        return;
    result = domain_admin_list(r->service->db, domain.name, &r->caller.visible, page.after, page.limit, &r->arena, &v, &n, &more);
    if (result != RES_OK) {
        problem_of_result(r, result);
        return;
    }
    data = js_array();
    for (size_t i = 0; i < n; i++)
        js_push(data, to_json(v[i].address, v[i].name, v[i].state));
    reply_page(r, data, more ? v[n - 1].address : STR_NULL, -1);
}

void domain_admins_put(struct request *r)
{
    struct json_object *body;
    struct domain domain;
    struct account account;
    bool made = false;
    enum result result;

    if (!take_both(r, &domain, &account) || (body = body_object(r, true)) == NULL)
        return;
    fields_check(r, body, STR(""), NULL, 0, NULL);
    if (errors_of_body(r))
        return;
    result = domain_admin_put(r->service->db, domain.name, account.address,
                              record(r, "domain.admin-add", object_of(r, &domain, &account), NULL, NULL), &made);
    events_recheck();
    if (result == RES_INVALID) {
        error_at(r, STR("account"), "system-admin", "A system administrator administers every domain.");
        (void)errors_of_body(r);
    } else if (result != RES_OK) {
        problem_of_result(r, result);
    } else {
        reply_json(r, made ? 201 : 200, to_json(account.address, account.name, account.state));
    }
}

void domain_admins_delete(struct request *r)
{
    struct domain domain;
    struct account account;
    enum result result;

    if (!take_both(r, &domain, &account))
        return;
    result = domain_admin_remove(r->service->db, domain.name, account.address,
                                 record(r, "domain.admin-remove", object_of(r, &domain, &account), NULL, NULL));
    events_recheck();
    if (result == RES_OK)
        reply_empty(r);
    else
        problem_of_result(r, result);
}
