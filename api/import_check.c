#include "api/import_check.h"
#include "api/accounts.h"
#include "api/fields.h"
#include "api/names.h"
#include "api/problem.h"
#include "api/words.h"
#include "store/account_address.h"

#include <stdlib.h>

const char *const import_outcome_names[IMPORT_OUTCOMES] = { "created", "updated", "unchanged", "failed" };

/* What is known of all the addresses of some lines. */
struct known {
    struct account *accounts; /* by address */
    struct account_addresses *have; /* their further ones */
    size_t n_accounts;
    struct str *addresses;
    struct address_use *uses; /* of addresses */
    size_t n, cap;
    struct limits_above above;
};

static void add(struct request *r, struct known *k, struct str address)
{
    k->addresses = arena_grow(&r->arena, k->addresses, k->n, &k->cap, sizeof(*k->addresses));
    k->addresses[k->n++] = address;
}

/* The addresses that a line names, in the stored form.  What is none is noted. */
static void take_addresses(struct request *r, struct import_item *item)
{
    struct str text = js_get_str(js_get(item->body, "address", NULL)), *v;
    struct json_object *list = js_get(item->body, "addresses", NULL);

    item->change.w.address = STR_NULL;
    if (text.p == NULL) {
        error_at(r, STR("/address"), "required", "The account's address is missing.");
        return;
    }
    if (!account_address_check(r, STR("/address"), text, &item->change.w.address)) {
        item->change.w.address = STR_NULL;
        return;
    }
    if (js_kind_of(list) != JS_ARRAY) /* absent, or found wrong by the check of the members */
        return;
    v = arena_array(&r->arena, struct str, js_len(list) + 1);
    for (size_t i = 0; i < js_len(list); i++) {
        struct str place = arena_printf(&r->arena, "/addresses/%zu", i), one = js_get_str(js_at(list, i));

        if (one.p == NULL || !account_address_check(r, place, one, &v[item->n_further]))
            continue;
        if (str_eq(v[item->n_further], item->change.w.address))
            error_at(r, place, "duplicate", "It is the account's own address.");
        else
            item->n_further++;
    }
    item->further = v;
}

static int by_address(const void *x, const void *y)
{
    return str_cmp(((const struct account *)x)->address, ((const struct account *)y)->address);
}

/* Its place among them; n_accounts: there is none. */
static size_t find_account(const struct known *k, struct str address)
{
    const struct account key = { .address = address };
    const struct account *found = k->n_accounts == 0 ? NULL
                                                     : bsearch(&key, k->accounts, k->n_accounts, sizeof(*k->accounts), by_address);

    return found == NULL ? k->n_accounts : (size_t)(found - k->accounts);
}

static bool is_among(struct str s, const struct str *v, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (str_eq(s, v[i]))
            return true;
    }
    return false;
}

/* Whether an address can be the account's (id 0: of a new one). */
static void check_use(struct request *r, struct str place, struct str address, const struct address_use *use, int64_t id)
{
    if (use->account_id != 0 && use->account_id == id)
        return;
    if (!account_address_allowed(r, place, address))
        return;
    if (!use->local)
        error_at(r, place, "unknown-domain", "\"%.*s\" is none of this server's local domains.", STR_ARG(name_domain_of(address)));
    else if (use->alias)
        error_at(r, place, "exists", "\"%.*s\" is an alias.", STR_ARG(address));
    else if (use->account_id != 0)
        error_at(r, place, "exists", "\"%.*s\" is another account's address.", STR_ARG(address));
}

/* What the account has too much, and too little.  Addresses of domains that the caller does not see stay. */
static void compare_addresses(struct request *r, struct import_item *item, const struct account_addresses *have)
{
    item->give = arena_array(&r->arena, struct str, item->n_further + 1);
    item->withdraw = arena_array(&r->arena, struct str, have->n + 1);
    for (size_t i = 0; i < item->n_further; i++) {
        if (!is_among(item->further[i], have->v, have->n))
            item->give[item->n_give++] = item->further[i];
    }
    for (size_t i = 0; i < have->n; i++) {
        if (!is_among(have->v[i], item->further, item->n_further) && caller_sees(&r->caller, name_domain_of(have->v[i])))
            item->withdraw[item->n_withdraw++] = have->v[i];
    }
}

/* Frozen and suspended accounts come back so; what else a line says of the state is the password's business. */
static void take_state(const struct request *r, struct import_item *item)
{
    enum account_state state = (enum account_state)field_word(item->body, "state", account_state_names, ACCOUNT_STATES, ACCOUNT_INVITED);

    item->change.w.state = state == ACCOUNT_FROZEN || state == ACCOUNT_SUSPENDED ? state : ACCOUNT_INVITED;
    item->change.w.by = r->caller.actor;
    item->change.w.further = item->further;
    item->change.w.n_further = item->n_further;
}

static bool is_there(struct request *r, const struct account *old, bool updates)
{
    if (old == NULL)
        return false;
    if (old->state == ACCOUNT_DELETED)
        error_at(r, STR("/address"), "deleted", ACCOUNT_IS_DELETED);
    else if (!updates)
        error_at(r, STR("/address"), "exists", "There is an account with this address; only an import that updates changes it.");
    return true;
}

static enum import_outcome outcome_of(const struct import_item *item)
{
    const struct account_change *c = &item->change;

    if (!c->there)
        return IMPORT_CREATED;
    return account_change_differs(c) || item->n_give + item->n_withdraw > 0 || c->password.p != NULL ? IMPORT_UPDATED : IMPORT_UNCHANGED;
}

/* One line, whose addresses are known.  uses: of its own address, then of the further ones. */
static void check_item(struct request *r, struct import_item *item, struct known *k, const struct address_use *uses, bool updates)
{
    struct account_change *c = &item->change;
    struct str address = c->w.address;
    size_t at = find_account(k, address);
    const struct account *old = at < k->n_accounts ? &k->accounts[at] : NULL;
    bool visible = caller_sees(&r->caller, name_domain_of(address)), there = visible && is_there(r, old, updates);

    account_change_begin(c, address, there ? old : NULL, true);
    c->above = &k->above;
    account_change_take(r, c, item->body, ACCOUNT_IMPORT);
    c->above = NULL; /* k ends with the check */
    if (visible && !there)
        check_use(r, STR("/address"), address, &uses[0], 0);
    for (size_t i = 0; i < item->n_further; i++)
        check_use(r, arena_printf(&r->arena, "/addresses/%zu", i), item->further[i], &uses[i + 1], there ? old->id : 0);
    if (r->errors == NULL && !account_change_allowed(r, c))
        error_at(r, STR(""), "not-allowed", ACCOUNT_CHANGE_DENIED);
    if (r->errors != NULL)
        return;
    if (!there)
        take_state(r, item);
    else if (field_there(item->body, "addresses"))
        compare_addresses(r, item, &k->have[at]);
    item->outcome = outcome_of(item);
}

static enum result look_up(struct request *r, struct known *k, struct str *mains, size_t n_mains)
{
    struct db *db = r->service->db;
    enum result result = account_find(db, mains, n_mains, &r->arena, &k->accounts, &k->n_accounts);
    int64_t *ids;

    if (result != RES_OK)
        return result;
    if (k->n_accounts > 1)
        qsort(k->accounts, k->n_accounts, sizeof(*k->accounts), by_address);
    ids = arena_array(&r->arena, int64_t, k->n_accounts + 1);
    for (size_t i = 0; i < k->n_accounts; i++)
        ids[i] = k->accounts[i].id;
    k->have = arena_array(&r->arena, struct account_addresses, k->n_accounts + 1);
    k->uses = arena_array(&r->arena, struct address_use, k->n + 1);
    result = account_address_further(db, ids, k->n_accounts, &r->arena, k->have);
    return result == RES_OK ? address_uses(db, k->addresses, k->n, &r->arena, k->uses) : result;
}

/* The errors of the request become the line's. */
static void keep_errors(struct request *r, struct import_item *item)
{
    item->errors = r->errors;
    r->errors = NULL;
}

enum result import_check(struct request *r, struct import_item *v, size_t n, bool updates)
{
    struct str *mains = arena_array(&r->arena, struct str, n + 1);
    struct known k = { 0 };
    size_t n_mains = 0, at = 0;
    enum result result;

    for (size_t i = 0; i < n; i++) {
        take_addresses(r, &v[i]);
        keep_errors(r, &v[i]);
        if (v[i].change.w.address.p == NULL)
            continue;
        mains[n_mains++] = v[i].change.w.address;
        add(r, &k, v[i].change.w.address);
        for (size_t j = 0; j < v[i].n_further; j++)
            add(r, &k, v[i].further[j]);
    }
    result = look_up(r, &k, mains, n_mains);
    for (size_t i = 0; i < n && result == RES_OK; i++) {
        if (v[i].change.w.address.p == NULL)
            continue;
        r->errors = v[i].errors;
        check_item(r, &v[i], &k, &k.uses[at], updates);
        keep_errors(r, &v[i]);
        at += v[i].n_further + 1;
    }
    return result;
}
