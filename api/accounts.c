/* /accounts and /accounts/{address} */
#include "api/accounts.h"
#include "api/account_change.h"
#include "api/events.h"
#include "api/fields.h"
#include "api/handlers.h"
#include "api/limits.h"
#include "api/names.h"
#include "api/path.h"
#include "api/problem.h"
#include "api/query.h"
#include "api/record.h"
#include "api/words.h"
#include "config/settings.h"

const char *const account_role_names[ACCOUNT_ROLES] = { "account", "domain_admin", "system_admin" };
const char *const account_state_names[ACCOUNT_STATES] = { "invited", "active", "frozen", "suspended", "deleted" };

static struct json_object *by_whom(int64_t at_us, struct str by, struct str reason)
{
    struct json_object *o = js_object();

    js_set(o, "at", js_time(at_us));
    js_set(o, "by", js_str(by.p != NULL ? by : STR("local")));
    js_set(o, "reason", js_str(reason));
    return o;
}

static struct json_object *suspension(const struct account *a)
{
    if (a->state != ACCOUNT_SUSPENDED)
        return NULL;
    return by_whom(a->state_us != DB_NO_TIME ? a->state_us : a->created_us, a->state_by, a->state_reason);
}

static struct json_object *freeze(const struct account *a)
{
    return a->frozen_us == DB_NO_TIME ? NULL : by_whom(a->frozen_us, a->frozen_by, a->frozen_reason);
}

static struct json_object *deletion(const struct account *a)
{
    struct json_object *o;

    if (a->deleted_us == DB_NO_TIME)
        return NULL;
    o = js_object();
    js_set(o, "at", js_time(a->deleted_us));
    js_set(o, "until", js_time(a->deleted_us + settings_get()->keep_deleted_s * 1000000));
    return o;
}

static struct json_object *sign_in(const struct account *a)
{
    struct json_object *o;

    if (a->sign_in_us == DB_NO_TIME)
        return NULL;
    o = js_object();
    js_set(o, "at", js_time(a->sign_in_us));
    js_set(o, "protocol", js_str(str_eq(a->sign_in_protocol, STR("http")) ? STR("page") : a->sign_in_protocol));
    js_set(o, "ip", js_str(a->sign_in_ip));
    return o;
}

static struct json_object *quota_json(const struct account *a)
{
    struct json_object *quota = js_object();

    js_set(quota, "limit", a->quota_bytes > 0 ? js_int(a->quota_bytes) : NULL);
    js_set(quota, "message_limit", a->quota_messages > 0 ? js_int(a->quota_messages) : NULL);
    js_set(quota, "used", js_int(a->used_bytes));
    js_set(quota, "messages", js_int(a->used_messages));
    return quota;
}

static struct json_object *sent_json(int64_t hour, int64_t day)
{
    struct json_object *o = js_object();

    js_set(o, "last_hour", js_int(hour));
    js_set(o, "last_day", js_int(day));
    return o;
}

struct json_object *account_json(const struct account *a)
{
    struct json_object *o = js_object();

    js_set(o, "id", js_id('a', a->id));
    js_set(o, "address", js_str(a->address));
    js_set(o, "name", js_str(a->name));
    js_set(o, "role", js_str(str_c(account_role_names[a->role])));
    js_set(o, "state", js_str(str_c(account_state_names[a->state])));
    js_set(o, "suspended", suspension(a));
    js_set(o, "frozen", freeze(a));
    js_set(o, "deleted", deletion(a));
    js_set(o, "language", js_str(a->language));
    js_set(o, "quota", quota_json(a));
    js_set(o, "delivery", js_str(a->delivery));
    js_set(o, "delivery_user", js_str(a->delivery_user));
    js_set(o, "forward", js_strs(a->forward, a->n_forward));
    js_set(o, "forward_keep", js_bool(a->forward_keep));
    js_set(o, "limits", limits_json(&a->limits));
    js_set(o, "sent", sent_json(a->sent_hour, a->sent_day));
    js_set(o, "last_sign_in", sign_in(a));
    js_set(o, "created_at", js_time(a->created_us));
    js_set(o, "version", js_int(a->version));
    return o;
}

void accounts_list(struct request *r)
{
    static const char *const singles[] = { "limit", "cursor", "count", "sort", "q" };
    static const char *const repeated[] = { "domain", "state", "role" };
    struct account_filter filter = { .visible = r->caller.visible };
    struct list_page page;
    struct account *v;
    struct json_object *data;
    int64_t count = -1;
    size_t n;
    bool more;
    enum result result;

    query_begin(r, singles, ARRAY_LEN(singles), repeated, ARRAY_LEN(repeated));
    filter.n_domains = query_lowered(r, "domain", 255, &filter.domains);
    filter.states = query_words(r, "state", account_state_names, ACCOUNT_STATES);
    filter.roles = query_words(r, "role", account_role_names, ACCOUNT_ROLES);
    filter.text = arena_lower(&r->arena, query_text(r, "q", 1, 320));
    if (!query_page(r, "address", true, &page) || errors_of_query(r))
        return;
    result = account_list(r->service->db, &filter, page.descending, page.after, page.limit, &r->arena, &v, &n, &more);
    if (result == RES_OK && page.count)
        result = account_count(r->service->db, &filter, COUNT_AT_MOST + 1, &count);
    if (result != RES_OK) {
        problem_of_result(r, result);
        return;
    }
    data = js_array();
    for (size_t i = 0; i < n; i++)
        js_push(data, account_json(&v[i]));
    reply_page(r, data, more ? v[n - 1].address : STR_NULL, count);
}

/* ---- one account ---- */

void account_answer(struct request *r, struct str address, int status)
{
    struct account a;
    enum result result = account_get(r->service->db, address, &r->caller.visible, &r->arena, &a);

    if (result != RES_OK) {
        problem_of_result(r, result);
        return;
    }
    if (status == 201)
        reply_header(r, "Location", arena_printf(&r->arena, "/api/v1/accounts/%.*s", STR_ARG(address)));
    reply_object(r, status, account_json(&a), a.version);
}

void account_refuse(struct request *r, enum result result, struct str address)
{
    struct account a;

    if (result == RES_CONFLICT) {
        result = account_get(r->service->db, address, &r->caller.visible, &r->arena, &a);
        if (result == RES_OK) {
            problem_with(r, PROBLEM_STALE, "current", account_json(&a));
            return;
        }
    }
    problem_of_result(r, result);
}

/* Answers unless the account was found and the caller may change it. */
static bool may_take(struct request *r, enum result result, const struct account *ret)
{
    if (result != RES_OK)
        problem_of_result(r, result);
    else if (!caller_may_change(&r->caller, ret->role))
        problem(r, PROBLEM_INSUFFICIENT_SCOPE, "Only an administrator without limits may change another administrator.");
    else
        return true;
    return false;
}

/* The own account, whatever else the caller may see. */
static bool take_own(struct request *r, struct account *ret)
{
    static const struct visible all = { .limited = false };
    enum result result;

    if (r->caller.via != VIA_PAGE) {
        problem(r, PROBLEM_NOT_FOUND, NULL);
        return false;
    }
    if (r->caller.must_set_password) {
        problem(r, PROBLEM_PASSWORD_REQUIRED, NULL);
        return false;
    }
    result = account_get(r->service->db, r->caller.address, &all, &r->arena, ret);
    if (result != RES_OK)
        problem_of_result(r, result);
    return result == RES_OK;
}

bool account_of_path(struct request *r, struct account *ret, struct str *ret_rest)
{
    bool own = str_starts(str_c(r->route->path), STR("/api/v1/me/"));

    if (ret_rest != NULL)
        *ret_rest = r->params[own ? 0 : 1];
    return own ? take_own(r, ret) : account_take(r, ret);
}

bool account_take(struct request *r, struct account *ret)
{
    struct str address;

    return path_address(r, false, &address) &&
           may_take(r, account_get(r->service->db, address, &r->caller.visible, &r->arena, ret), ret);
}

bool account_take_deleted(struct request *r, struct account *ret)
{
    struct str address;

    return path_address(r, false, &address) &&
           may_take(r, account_get_deleted(r->service->db, address, &r->caller.visible, &r->arena, ret), ret);
}

void accounts_get(struct request *r)
{
    struct account a;
    struct str address;
    enum result result;

    if (!path_address(r, false, &address))
        return;
    result = account_get(r->service->db, address, &r->caller.visible, &r->arena, &a);
    if (result == RES_NOTFOUND)
        result = account_get_deleted(r->service->db, address, &r->caller.visible, &r->arena, &a);
    if (result == RES_OK)
        reply_object(r, 200, account_json(&a), a.version);
    else
        problem_of_result(r, result);
}

static void do_change(struct request *r, struct account_change *c, int64_t version)
{
    enum result result = account_change_write(r, c, version);
    struct account deleted;

    if (result == RES_OK && c->password.p != NULL)
        result = account_change_password(r, c);
    if (result == RES_OK) {
        account_answer(r, c->w.address, c->there ? 200 : 201);
    } else if (result == RES_NOTFOUND && !c->there) {
        error_at(r, STR("address"), "unknown-domain", "\"%.*s\" is none of this server's local domains.",
                 STR_ARG(name_domain_of(c->w.address)));
        (void)errors_of_body(r);
    } else if (result == RES_EXISTS && !c->there &&
               account_get_deleted(r->service->db, c->w.address, &r->caller.visible, &r->arena, &deleted) == RES_OK) {
        problem(r, PROBLEM_EXISTS, ACCOUNT_IS_DELETED);
    } else {
        account_refuse(r, result, c->w.address);
    }
}

/* Creates or replaces (PUT), or changes (PATCH). */
static void write_account(struct request *r, bool patch)
{
    struct account_change c = { 0 };
    struct json_object *body;
    struct account old;
    struct str address;
    int64_t version;
    enum result result;

    if (!path_address(r, !patch, &address) || !match_version(r, false, &version) || (body = body_object(r, false)) == NULL)
        return;
    result = account_get(r->service->db, address, &r->caller.visible, &r->arena, &old);
    if (result != RES_OK && (result != RES_NOTFOUND || patch)) {
        problem_of_result(r, result);
        return;
    }
    account_change_begin(&c, address, result == RES_OK ? &old : NULL, patch);
    account_change_take(r, &c, body, patch ? ACCOUNT_PATCH : ACCOUNT_PUT);
    if (errors_of_body(r))
        return;
    if (!account_change_allowed(r, &c))
        problem(r, PROBLEM_INSUFFICIENT_SCOPE, ACCOUNT_CHANGE_DENIED);
    else if (account_change_wants_proof(&c) && !caller_fresh(r))
        return;
    else if (c.there && !patch && match_create_only(r))
        problem(r, PROBLEM_EXISTS, NULL);
    else if (!c.there && version != VERSION_ANY)
        problem(r, PROBLEM_STALE, "There is no such account.");
    else
        do_change(r, &c, version);
}

void accounts_put(struct request *r)
{
    write_account(r, false);
}

void accounts_patch(struct request *r)
{
    write_account(r, true);
}

void accounts_delete(struct request *r)
{
    static const char *const singles[] = { "purge" };
    struct str address;
    struct account old;
    int64_t version;
    bool purge;
    enum result result;

    query_begin(r, singles, ARRAY_LEN(singles), NULL, 0);
    purge = query_bool(r, "purge", false);
    if (errors_of_query(r) || !match_version(r, false, &version) || !path_address(r, false, &address))
        return;
    result = account_get(r->service->db, address, &r->caller.visible, &r->arena, &old);
    if (result == RES_NOTFOUND && purge)
        result = account_get_deleted(r->service->db, address, &r->caller.visible, &r->arena, &old);
    if (!may_take(r, result, &old) || !caller_fresh(r))
        return;
    result = account_delete(r->service->db, old.address, purge, version,
                            record(r, purge ? "account.purge" : "account.delete", old.address, account_json(&old), NULL));
    account_changed(r, old.id);
    if (result == RES_OK)
        reply_empty(r);
    else
        account_refuse(r, result, old.address);
}

void accounts_restore_post(struct request *r)
{
    struct json_object *body;
    struct account account;
    enum result result;

    if (!account_take_deleted(r, &account) || (body = body_object(r, true)) == NULL)
        return;
    fields_check(r, body, STR(""), NULL, 0, NULL);
    if (errors_of_body(r))
        return;
    result = account_restore(r->service->db, account.address, record(r, "account.restore", account.address, NULL, NULL));
    if (result == RES_OK)
        account_answer(r, account.address, 200);
    else
        problem_of_result(r, result);
}

void accounts_usage(struct request *r)
{
    struct account a;
    struct str address;
    struct json_object *o, *limits, *sent, *hours;
    struct sent_use use = { 0 };
    int64_t v[SENT_HOURS];
    enum result result;

    query_begin(r, NULL, 0, NULL, 0);
    if (errors_of_query(r) || !path_address(r, false, &address))
        return;
    result = account_get(r->service->db, address, &r->caller.visible, &r->arena, &a);
    if (result == RES_OK)
        result = sent_get(r->service->db, a.id, &use);
    if (result == RES_OK)
        result = sent_hours(r->service->db, a.id, v);
    if (result != RES_OK) {
        problem_of_result(r, result);
        return;
    }
    o = js_object();
    limits = js_object();
    hours = js_array();
    js_set(limits, "recipients_per_hour", use.limits.per_hour > 0 ? js_int(use.limits.per_hour) : NULL);
    js_set(limits, "recipients_per_day", use.limits.per_day > 0 ? js_int(use.limits.per_day) : NULL);
    for (size_t i = 0; i < SENT_HOURS; i++)
        js_push(hours, js_int(v[i]));
    sent = sent_json(use.hour, use.day);
    js_set(sent, "hours", hours);
    js_set(o, "quota", quota_json(&a));
    js_set(o, "limits", limits);
    js_set(o, "sent", sent);
    reply_json(r, 200, o);
}
