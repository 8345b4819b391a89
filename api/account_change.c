#include "api/account_change.h"
#include "api/accounts.h"
#include "api/delivery.h"
#include "api/fields.h"
#include "api/limits.h"
#include "api/names.h"
#include "api/problem.h"
#include "api/record.h"
#include "api/words.h"
#include "store/account_address.h"

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
    { .name = "role", .type = FIELD_WORD, .words = account_role_names, .n_words = ACCOUNT_ROLES },
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
static const struct field import_members[] = {
    { .name = "address", .type = FIELD_STRING, .required = true, .min = 1, .max = 320 },
    { .name = "addresses", .type = FIELD_STRINGS, .max = ACCOUNT_ADDRESSES_MOST - 1, .each = 320 },
    { .name = "state", .type = FIELD_WORD, .words = account_state_names, .n_words = ACCOUNT_STATES - 1 }, /* none is deleted */
};

/* The members of a line: those that can be written. */
static void check_line(struct request *r, struct json_object *body)
{
    struct field all[ARRAY_LEN(members) + ARRAY_LEN(import_members)];
    size_t n = 0;

    for (size_t i = 0; i < ARRAY_LEN(import_members); i++)
        all[n++] = import_members[i];
    for (size_t i = 0; i < ARRAY_LEN(members); i++) {
        if (members[i].type != FIELD_KEPT)
            all[n++] = members[i];
    }
    fields_check(r, body, STR(""), all, n, NULL);
}

static void check_members(struct request *r, const struct account_change *c, struct json_object *body, enum account_members which)
{
    if (which == ACCOUNT_IMPORT)
        check_line(r, body);
    else
        fields_check(r, body, STR(""), members, which == ACCOUNT_PATCH ? PATCH_MEMBERS : ARRAY_LEN(members),
                     c->there ? request_keep(r, account_json(&c->old)) : NULL);
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
    w->role = (enum account_role)field_word(body, "role", account_role_names, ACCOUNT_ROLES, (int)w->role);
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

static bool same_limits(const struct sent_limits *x, const struct sent_limits *y)
{
    return x->per_hour == y->per_hour && x->per_day == y->per_day;
}

static void find_above(struct request *r, struct str domain, struct limits_above *ret)
{
    struct sent_limits all = sent_limits_of_all();
    struct domain d;

    if (ret->domain.p != NULL && str_eq(ret->domain, domain))
        return;
    *ret = (struct limits_above){ domain, all };
    if (domain_get(r->service->db, domain, &r->caller.visible, &r->arena, &d) == RES_OK)
        ret->limits = (struct sent_limits){ d.limits.per_hour != 0 ? d.limits.per_hour : all.per_hour,
                                            d.limits.per_day != 0 ? d.limits.per_day : all.per_day };
}

/* A domain administrator gives no more than the domain was given. */
static void check_limits(struct request *r, const struct account_change *c)
{
    const struct sent_limits none = { 0 }, *old = c->there ? &c->old.limits : &none;
    struct limits_above own = { 0 }, *above = c->above != NULL ? c->above : &own;

    if (!r->caller.visible.limited || same_limits(old, &c->w.limits))
        return;
    find_above(r, name_domain_of(c->w.address), above);
    limits_check(r, old, &c->w.limits, &above->limits);
}

void account_change_begin(struct account_change *c, struct str address, const struct account *old, bool keep)
{
    *c = (struct account_change){ .w = { .address = address, .name = STR(""), .role = ROLE_ACCOUNT }, .there = old != NULL };
    if (old != NULL)
        c->old = *old;
    if (old != NULL && keep)
        c->w = (struct account_write){ .address = address, .name = old->name, .role = old->role, .language = old->language,
                                       .quota_bytes = old->quota_bytes, .quota_messages = old->quota_messages,
                                       .delivery = old->delivery, .delivery_user = old->delivery_user, .forward = old->forward,
                                       .n_forward = old->n_forward, .forward_drop = !old->forward_keep, .limits = old->limits };
}

void account_change_take(struct request *r, struct account_change *c, struct json_object *body, enum account_members which)
{
    check_members(r, c, body, which);
    if (r->errors == NULL)
        take_members(r, body, &c->w);
    if (r->errors == NULL)
        delivery_check(r, c->w.delivery, c->w.delivery_user, false,
                       !str_eq(c->w.delivery, c->there ? c->old.delivery : STR_NULL) ||
                           !str_eq(c->w.delivery_user, c->there ? c->old.delivery_user : STR_NULL));
    if (r->errors == NULL)
        check_limits(r, c);
    if (!c->there && !caller_sees(&r->caller, name_domain_of(c->w.address)))
        error_at(r, STR("address"), "unknown-domain", "\"%.*s\" is none of your domains.", STR_ARG(name_domain_of(c->w.address)));
    if (r->errors == NULL)
        c->password = field_str(body, "password", STR_NULL);
}

bool account_change_allowed(const struct request *r, const struct account_change *c)
{
    return caller_may_change(&r->caller, c->w.role) && (!c->there || caller_may_change(&r->caller, c->old.role));
}

bool account_change_wants_proof(const struct account_change *c)
{
    return c->w.role != (c->there ? c->old.role : ROLE_ACCOUNT);
}

bool account_change_differs(const struct account_change *c)
{
    const struct account_write *w = &c->w;
    const struct account *old = &c->old;
    bool same = c->there && str_eq(w->name, old->name) && w->role == old->role && str_eq(w->language, old->language) &&
                w->quota_bytes == old->quota_bytes && w->quota_messages == old->quota_messages && str_eq(w->delivery, old->delivery) &&
                str_eq(w->delivery_user, old->delivery_user) && w->forward_drop == !old->forward_keep &&
                w->n_forward == old->n_forward && same_limits(&w->limits, &old->limits);

    for (size_t i = 0; same && i < w->n_forward; i++)
        same = str_eq(w->forward[i], old->forward[i]);
    return !same;
}

/* What the record keeps: everything but the password. */
static struct json_object *recorded(const struct account_write *w)
{
    struct json_object *o = js_object(), *quota = js_object();

    js_set(o, "name", js_str(w->name));
    js_set(o, "role", js_str(str_c(account_role_names[w->role])));
    js_set(o, "language", js_str(w->language));
    js_set(quota, "limit", w->quota_bytes > 0 ? js_int(w->quota_bytes) : NULL);
    js_set(quota, "message_limit", w->quota_messages > 0 ? js_int(w->quota_messages) : NULL);
    js_set(o, "quota", quota);
    js_set(o, "delivery", js_str(w->delivery));
    js_set(o, "delivery_user", js_str(w->delivery_user));
    js_set(o, "forward", js_strs(w->forward, w->n_forward));
    js_set(o, "forward_keep", js_bool(!w->forward_drop));
    js_set(o, "limits", limits_json(&w->limits));
    if (w->n_further > 0)
        js_set(o, "addresses", js_strs(w->further, w->n_further));
    if (w->state != ACCOUNT_INVITED)
        js_set(o, "state", js_str(str_c(account_state_names[w->state])));
    return o;
}

enum result account_change_write(struct request *r, struct account_change *c, int64_t version)
{
    if (c->there)
        return account_update(r->service->db, &c->w, version,
                              record(r, "account.update", c->w.address, account_json(&c->old), recorded(&c->w)));
    return account_create(r->service->db, &c->w, record(r, "account.create", c->w.address, NULL, recorded(&c->w)), &c->old.id);
}

enum result account_change_password(struct request *r, const struct account_change *c)
{
    enum result result = account_set_password(r, c->old.id, c->password,
                                              r->caller.account_id == c->old.id ? r->caller.session_hash : STR_NULL);

    return result == RES_OK && c->there ? audit_write(r->service->db, record(r, "account.password", c->w.address, NULL, NULL)) : result;
}
