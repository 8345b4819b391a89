/* /accounts and /accounts/{address} */
#include "api/accounts.h"
#include "api/delivery.h"
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

static const char *const roles[] = { "account", "domain_admin", "system_admin" };
static const char *const states[] = { "invited", "active", "frozen", "suspended", "deleted" };
static const char *const languages[] = { "en", "pt-BR" };

#define MAX_FORWARDS 20

static const struct field quota_members[] = {
    { .name = "limit", .type = FIELD_INT, .nullable = true, .min = 1048576, .max = INT64_C(1125899906842624) },
    { .name = "message_limit", .type = FIELD_INT, .nullable = true, .min = 1, .max = INT64_C(1000000000) },
    { .name = "used", .type = FIELD_KEPT },
    { .name = "messages", .type = FIELD_KEPT },
};
static const struct field members[] = {
    { .name = "name", .type = FIELD_STRING, .max = 200 },
    { .name = "role", .type = FIELD_WORD, .words = roles, .n_words = ARRAY_LEN(roles) },
    { .name = "language", .type = FIELD_WORD, .nullable = true, .words = languages, .n_words = ARRAY_LEN(languages) },
    { .name = "quota", .type = FIELD_OBJECT, .members = quota_members, .n_members = ARRAY_LEN(quota_members) },
    { .name = "delivery", .type = FIELD_STRING, .nullable = true, .min = 1, .max = 1000 },
    { .name = "delivery_user", .type = FIELD_STRING, .nullable = true, .min = 1, .max = 32 },
    { .name = "forward", .type = FIELD_STRINGS, .max = MAX_FORWARDS, .each = 320 },
    { .name = "forward_keep", .type = FIELD_BOOL },
    { .name = "limits", .type = FIELD_OBJECT, .members = limits_members, .n_members = LIMITS_MEMBERS },
    { .name = "sent", .type = FIELD_KEPT },
    { .name = "id", .type = FIELD_KEPT },
    { .name = "address", .type = FIELD_KEPT },
    { .name = "state", .type = FIELD_KEPT },
    { .name = "suspended", .type = FIELD_KEPT },
    { .name = "frozen", .type = FIELD_KEPT },
    { .name = "deleted", .type = FIELD_KEPT },
    { .name = "last_sign_in", .type = FIELD_KEPT },
    { .name = "created_at", .type = FIELD_KEPT },
    { .name = "version", .type = FIELD_KEPT },
    { .name = "password", .type = FIELD_STRING, .min = 1, .max = 256, .any_text = true }, /* PUT only: the last */
};
#define PATCH_MEMBERS (ARRAY_LEN(members) - 1)

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
    js_set(o, "role", js_str(str_c(roles[a->role])));
    js_set(o, "state", js_str(str_c(states[a->state])));
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
    filter.states = query_words(r, "state", states, ARRAY_LEN(states));
    filter.roles = query_words(r, "role", roles, ARRAY_LEN(roles));
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

/* Where the account's mail is sent on to. */
static void take_forward(struct request *r, const struct json_object *body, struct account_write *w)
{
    struct str *v;
    size_t n;

    w->forward_drop = !field_bool(body, "forward_keep", !w->forward_drop);
    if (!field_strs(r, body, "forward", &v, &n))
        return;
    for (size_t i = 0; i < n; i++) {
        struct str place = arena_printf(&r->arena, "/forward/%zu", i);

        if (name_address(v[i], &r->arena, &v[i]) != RES_OK)
            error_at(r, place, "syntax", "\"%.*s\" is not an address.", STR_ARG(word_clip(v[i], 100)));
        else if (str_eq(v[i], w->address))
            error_at(r, place, "self", "An account cannot forward to itself.");
    }
    w->forward = v;
    w->n_forward = n;
}

static void take_members(struct request *r, const struct json_object *body, struct account_write *w)
{
    w->name = field_str(body, "name", w->name);
    w->role = (enum account_role)field_word(body, "role", roles, ARRAY_LEN(roles), (int)w->role);
    w->language = field_str(body, "language", w->language);
    w->quota_bytes = field_int(js_get(body, "quota", NULL), "limit", 0, w->quota_bytes);
    w->delivery = field_str(body, "delivery", w->delivery);
    w->delivery_user = field_str(body, "delivery_user", w->delivery_user);
    w->quota_messages = field_int(js_get(body, "quota", NULL), "message_limit", 0, w->quota_messages);
    take_forward(r, body, w);
    limits_take(body, &w->limits);
    if (field_there(body, "password"))
        account_check_password(r, STR("/password"), field_str(body, "password", STR("")));
}

/* A domain administrator gives no more than the domain was given. */
static void check_limits(struct request *r, const struct account_write *w, const struct sent_limits *old)
{
    struct sent_limits above = sent_limits_of_all();
    struct domain d;

    if (domain_get(r->service->db, name_domain_of(w->address), &r->caller.visible, &r->arena, &d) == RES_OK)
        above = (struct sent_limits){ d.limits.per_hour != 0 ? d.limits.per_hour : above.per_hour,
                                      d.limits.per_day != 0 ? d.limits.per_day : above.per_day };
    limits_check(r, old, &w->limits, &above);
}

/* What the record keeps of a body. */
static struct json_object *without_password(struct request *r, const struct account_write *w)
{
    struct json_object *o = js_object(), *quota = js_object();

    (void)r;
    js_set(o, "name", js_str(w->name));
    js_set(o, "role", js_str(str_c(roles[w->role])));
    js_set(o, "language", js_str(w->language));
    js_set(quota, "limit", w->quota_bytes > 0 ? js_int(w->quota_bytes) : NULL);
    js_set(quota, "message_limit", w->quota_messages > 0 ? js_int(w->quota_messages) : NULL);
    js_set(o, "quota", quota);
    js_set(o, "delivery", js_str(w->delivery));
    js_set(o, "delivery_user", js_str(w->delivery_user));
    js_set(o, "forward", js_strs(w->forward, w->n_forward));
    js_set(o, "forward_keep", js_bool(!w->forward_drop));
    js_set(o, "limits", limits_json(&w->limits));
    return o;
}

static void create(struct request *r, const struct account_write *w, struct str password)
{
    struct account deleted;
    int64_t id;
    enum result result = account_create(r->service->db, w, record(r, "account.create", w->address, NULL, without_password(r, w)), &id);

    if (result == RES_NOTFOUND) {
        error_at(r, STR("address"), "unknown-domain", "\"%.*s\" is none of this server's local domains.",
                 STR_ARG(name_domain_of(w->address)));
        (void)errors_of_body(r);
        return;
    }
    if (result == RES_EXISTS &&
        account_get_deleted(r->service->db, w->address, &r->caller.visible, &r->arena, &deleted) == RES_OK) {
        problem(r, PROBLEM_EXISTS, "A deleted account has this address: restore it, or delete it with purge.");
        return;
    }
    if (result == RES_OK && password.p != NULL)
        result = account_set_password(r, id, password, STR_NULL);
    if (result == RES_OK)
        account_answer(r, w->address, 201);
    else
        account_refuse(r, result, w->address);
}

static void replace(struct request *r, const struct account_write *w, const struct account *old, int64_t version,
                    struct str password)
{
    enum result result = account_update(r->service->db, w, version,
                                        record(r, "account.update", w->address, account_json(old), without_password(r, w)));

    if (result == RES_OK && password.p != NULL) {
        result = account_set_password(r, old->id, password, r->caller.account_id == old->id ? r->caller.session_hash : STR_NULL);
        if (result == RES_OK)
            result = audit_write(r->service->db, record(r, "account.password", w->address, NULL, NULL));
    }
    if (result == RES_OK)
        account_answer(r, w->address, 200);
    else
        account_refuse(r, result, w->address);
}

/* Creates or replaces (PUT), or changes (PATCH). */
static void write_account(struct request *r, bool patch)
{
    struct account_write w = { .name = STR(""), .role = ROLE_ACCOUNT, .language = STR_NULL };
    struct json_object *body, *present = NULL;
    struct account old;
    int64_t version;
    enum result result;

    if (!path_address(r, !patch, &w.address) || !match_version(r, false, &version) ||
        (body = body_object(r, false)) == NULL)
        return;
    result = account_get(r->service->db, w.address, &r->caller.visible, &r->arena, &old);
    if (result != RES_OK && (result != RES_NOTFOUND || patch)) {
        problem_of_result(r, result);
        return;
    }
    if (result == RES_OK) {
        present = request_keep(r, account_json(&old));
        if (patch)
            w = (struct account_write){ w.address, old.name, old.role, old.language, old.quota_bytes, old.quota_messages,
                                        old.delivery, old.delivery_user, old.forward, old.n_forward, !old.forward_keep, old.limits };
    }
    fields_check(r, body, STR(""), members, patch ? PATCH_MEMBERS : ARRAY_LEN(members), present);
    if (r->errors == NULL)
        take_members(r, body, &w);
    if (r->errors == NULL)
        delivery_check(r, w.delivery, w.delivery_user, false,
                       !str_eq(w.delivery, present != NULL ? old.delivery : STR_NULL) ||
                           !str_eq(w.delivery_user, present != NULL ? old.delivery_user : STR_NULL));
    if (r->errors == NULL && r->caller.visible.limited)
        check_limits(r, &w, present != NULL ? &old.limits : &(struct sent_limits){ 0 });
    if (present == NULL && !caller_sees(&r->caller, name_domain_of(w.address)))
        error_at(r, STR("address"), "unknown-domain", "\"%.*s\" is none of your domains.", STR_ARG(name_domain_of(w.address)));
    if (errors_of_body(r))
        return;
    if (!caller_may_change(&r->caller, w.role) || (present != NULL && !caller_may_change(&r->caller, old.role)))
        problem(r, PROBLEM_INSUFFICIENT_SCOPE, "Only an administrator without limits may make or change administrators.");
    else if (w.role != (present != NULL ? old.role : ROLE_ACCOUNT) && !caller_fresh(r))
        return;
    else if (present != NULL && !patch && match_create_only(r))
        problem(r, PROBLEM_EXISTS, NULL);
    else if (present == NULL && version != VERSION_ANY)
        problem(r, PROBLEM_STALE, "There is no such account.");
    else if (present == NULL)
        create(r, &w, field_str(body, "password", STR_NULL));
    else
        replace(r, &w, &old, version, field_str(body, "password", STR_NULL));
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
