/* /accounts/{address}/addresses and /accounts/{address}/addresses/{further} */
#include "api/accounts.h"
#include "api/fields.h"
#include "api/handlers.h"
#include "api/names.h"
#include "api/path.h"
#include "api/problem.h"
#include "api/query.h"
#include "api/record.h"
#include "api/words.h"
#include "store/account_address.h"

static struct json_object *to_json(const struct account *account, struct str address)
{
    struct json_object *o = js_object();

    js_set(o, "address", js_str(address));
    js_set(o, "main", js_bool(str_eq(address, account->address)));
    return o;
}

enum result account_address_give(struct request *r, const struct account *account, struct str further, bool *ret_made)
{
    return account_address_add(r->service->db, account->id, further,
                               record(r, "account.address-add", account->address, NULL, to_json(account, further)), ret_made);
}

enum result account_address_withdraw(struct request *r, const struct account *account, struct str further)
{
    return account_address_remove(r->service->db, account->id, further,
                                  record(r, "account.address-remove", account->address, to_json(account, further), NULL));
}

bool account_address_check(struct request *r, struct str place, struct str text, struct str *ret_further)
{
    if (name_address(text, &r->arena, ret_further) != RES_OK || str_chr(*ret_further, '*') != SIZE_MAX) {
        error_at(r, place, "syntax", "\"%.*s\" is not an address.", STR_ARG(word_clip(text, 100)));
        return false;
    }
    return true;
}

bool account_address_allowed(struct request *r, struct str place, struct str further)
{
    if (caller_sees(&r->caller, name_domain_of(further)))
        return true;
    error_at(r, place, "unknown-domain", "\"%.*s\" is none of your domains.", STR_ARG(name_domain_of(further)));
    return false;
}

void account_addresses_list(struct request *r)
{
    struct account account;
    struct json_object *data;
    struct str address, *v;
    size_t n = 0;
    enum result result;

    query_begin(r, NULL, 0, NULL, 0);
    if (errors_of_query(r) || !path_address(r, false, &address))
        return;
    result = account_get(r->service->db, address, &r->caller.visible, &r->arena, &account);
    if (result == RES_OK)
        result = account_address_list(r->service->db, account.id, &r->arena, &v, &n);
    if (result != RES_OK) {
        problem_of_result(r, result);
        return;
    }
    data = js_array();
    for (size_t i = 0; i < n; i++)
        js_push(data, to_json(&account, v[i]));
    reply_page(r, data, STR_NULL, -1);
}

void account_addresses_put(struct request *r)
{
    struct json_object *body;
    struct account account;
    struct str further = r->params[1];
    bool made = false;
    enum result result;

    if (!account_take(r, &account) || (body = body_object(r, true)) == NULL)
        return;
    fields_check(r, body, STR(""), NULL, 0, NULL);
    if (account_address_check(r, STR("further"), r->params[1], &further))
        (void)account_address_allowed(r, STR("further"), further);
    if (errors_of_body(r))
        return;
    result = account_address_give(r, &account, further, &made);
    if (result == RES_NOTFOUND) {
        error_at(r, STR("further"), "unknown-domain", "\"%.*s\" is none of this server's local domains.",
                 STR_ARG(name_domain_of(further)));
        (void)errors_of_body(r);
    } else if (result == RES_LIMIT) {
        error_at(r, STR("further"), "too-many", "An account has at most %d addresses.", ACCOUNT_ADDRESSES_MOST);
        (void)errors_of_body(r);
    } else if (result != RES_OK) {
        problem_of_result(r, result);
    } else {
        reply_json(r, made ? 201 : 200, to_json(&account, further));
    }
}

void account_addresses_delete(struct request *r)
{
    struct account account;
    struct str further;
    enum result result;

    if (!account_take(r, &account))
        return;
    result = name_address(r->params[1], &r->arena, &further) != RES_OK || !caller_sees(&r->caller, name_domain_of(further))
                 ? RES_NOTFOUND
                 : account_address_withdraw(r, &account, further);
    if (result == RES_DENIED) {
        error_at(r, STR("further"), "main-address", "The account's own address goes with the account.");
        (void)errors_of_body(r);
    } else if (result != RES_OK) {
        problem_of_result(r, result);
    } else {
        reply_empty(r);
    }
}
