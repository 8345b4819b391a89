/* /tokens and /tokens/{id} */
#include "store/token.h"
#include "api/events.h"
#include "api/fields.h"
#include "api/handlers.h"
#include "api/names.h"
#include "api/problem.h"
#include "api/query.h"
#include "api/record.h"
#include "api/words.h"
#include "base/encode.h"

#define DAY_US (INT64_C(86400) * 1000000)
#define DAYS_DEFAULT 365
#define DAYS_MOST 3650

static const char *const roles[] = { "domain_admin", "system_admin" };
static const struct field members[] = {
    { .name = "name", .type = FIELD_STRING, .required = true, .min = 1, .max = 100 },
    { .name = "role", .type = FIELD_WORD, .words = roles, .n_words = ARRAY_LEN(roles) },
    { .name = "scopes", .type = FIELD_STRINGS, .required = true, .min = 1, .max = SCOPES, .each = 40 },
    { .name = "domains", .type = FIELD_STRINGS, .nullable = true, .min = 1, .max = 100, .each = 255 },
    { .name = "cidrs", .type = FIELD_STRINGS, .nullable = true, .min = 1, .max = 100, .each = 60 },
    { .name = "expires_at", .type = FIELD_STRING, .min = 1, .max = 40 },
};

static struct json_object *to_json(const struct token *t)
{
    struct json_object *o = js_object();

    js_set(o, "id", js_id('t', t->id));
    js_set(o, "name", js_str(t->name));
    js_set(o, "role", js_str(str_c(roles[t->role == ROLE_SYSTEM_ADMIN])));
    js_set(o, "scopes", js_strs(t->scopes, t->n_scopes));
    js_set(o, "domains", t->domains != NULL ? js_strs(t->domains, t->n_domains) : NULL);
    js_set(o, "cidrs", t->networks != NULL ? js_strs(t->networks, t->n_networks) : NULL);
    js_set(o, "created_at", js_time(t->created_us));
    js_set(o, "created_by", js_str(t->created_by.p != NULL ? t->created_by : STR("local")));
    js_set(o, "expires_at", js_time(t->expires_us));
    js_set(o, "last_used_at", js_time(t->last_used_us));
    return o;
}

void tokens_list(struct request *r)
{
    static const char *const singles[] = { "limit", "cursor" };
    struct list_page page;
    struct token *v;
    struct json_object *data;
    int64_t after = 0;
    size_t n;
    bool more;
    enum result result;

    query_begin(r, singles, ARRAY_LEN(singles), NULL, 0);
    if (!query_page(r, NULL, false, &page) || errors_of_query(r))
        return;
    if (page.after.p != NULL && !id_decode('t', page.after, &after)) {
        problem(r, PROBLEM_INVALID_CURSOR, NULL);
        return;
    }
    result = token_list(r->service->db, after, page.limit, &r->arena, &v, &n, &more);
    if (result != RES_OK) {
        problem_of_result(r, result);
        return;
    }
    data = js_array();
    for (size_t i = 0; i < n; i++)
        js_push(data, to_json(&v[i]));
    reply_page(r, data, more ? id_encode(&r->arena, 't', v[n - 1].id) : STR_NULL, -1);
}

static bool take(struct request *r, struct token *ret)
{
    int64_t id;
    enum result result = id_decode('t', r->params[0], &id) ? token_get(r->service->db, id, &r->arena, ret) : RES_NOTFOUND;

    if (result != RES_OK)
        problem_of_result(r, result);
    return result == RES_OK;
}

void tokens_get(struct request *r)
{
    struct token t;

    if (take(r, &t))
        reply_json(r, 200, to_json(&t));
}

void tokens_delete(struct request *r)
{
    struct token t;
    enum result result;

    if (!take(r, &t))
        return;
    result = token_revoke(r->service->db, t.id, record(r, "token.revoke", id_encode(&r->arena, 't', t.id), to_json(&t), NULL));
    events_recheck();
    if (result == RES_OK)
        reply_empty(r);
    else
        problem_of_result(r, result);
}

static void check_lists(struct request *r, struct token *t)
{
    for (size_t i = 0; i < t->n_scopes; i++) {
        struct str shown = word_clip(t->scopes[i], 40);

        if (scope_of_name(t->scopes[i]) == SCOPES)
            error_at(r, arena_printf(&r->arena, "/scopes/%zu", i), "unknown-scope", "\"%.*s\" is not a scope.%.*s",
                     STR_ARG(shown), STR_ARG(word_hint(&r->arena, shown, scope_names, SCOPES)));
    }
    for (size_t i = 0; i < t->n_domains; i++) {
        struct domain d;
        struct str place = arena_printf(&r->arena, "/domains/%zu", i), shown = word_clip(t->domains[i], 100);

        if (name_domain(t->domains[i], &r->arena, &t->domains[i]) != RES_OK)
            error_at(r, place, "syntax", "\"%.*s\" is not a domain name.", STR_ARG(shown));
        else if (domain_get(r->service->db, t->domains[i], &r->caller.visible, &r->arena, &d) != RES_OK)
            error_at(r, place, "unknown-domain", "\"%.*s\" is no domain of this server.", STR_ARG(shown));
    }
    for (size_t i = 0; i < t->n_networks; i++) {
        struct network net;

        if (network_parse(t->networks[i], &net) != RES_OK)
            error_at(r, arena_printf(&r->arena, "/cidrs/%zu", i), "syntax", "\"%.*s\" is not a network such as 192.0.2.0/24.",
                     STR_ARG(word_clip(t->networks[i], 60)));
    }
    if (t->role == ROLE_DOMAIN_ADMIN && t->domains == NULL)
        error_at(r, STR("/domains"), "required", "A domain administrator's token names its domains.");
}

static void check_expiry(struct request *r, const struct json_object *body, struct token *t)
{
    struct str text = field_str(body, "expires_at", STR_NULL);
    int64_t now = wall_us();

    t->expires_us = now + DAYS_DEFAULT * DAY_US;
    if (text.p == NULL)
        return;
    if (time_parse(text, &t->expires_us) != RES_OK)
        error_at(r, STR("/expires_at"), "syntax", "It is not a time such as 2027-11-23T00:00:00Z.");
    else if (t->expires_us <= now)
        error_at(r, STR("/expires_at"), "in-past", "It is in the past.");
    else if (t->expires_us > now + DAYS_MOST * DAY_US)
        error_at(r, STR("/expires_at"), "maximum", "It is more than %d days from now.", DAYS_MOST);
}

/* A token never can more than its maker. */
static bool within_caller(const struct caller *c, const struct token *t)
{
    if (t->role > c->role || (c->visible.limited && t->domains == NULL))
        return false;
    for (size_t i = 0; i < t->n_scopes; i++) {
        if (!caller_has(c, scope_of_name(t->scopes[i])))
            return false;
    }
    for (size_t i = 0; i < t->n_domains; i++) {
        if (!caller_sees(c, t->domains[i]))
            return false;
    }
    return true;
}

void tokens_post(struct request *r)
{
    struct json_object *body = body_object(r, false), *made;
    struct token t = { .account_id = r->caller.account_id, .created_us = wall_us(), .last_used_us = DB_NO_TIME };
    struct str secret, hash;
    enum result result;

    if (body == NULL || !caller_fresh(r))
        return;
    fields_check(r, body, STR(""), members, ARRAY_LEN(members), NULL);
    if (errors_of_body(r))
        return;
    t.name = field_str(body, "name", STR(""));
    t.role = field_word(body, "role", roles, ARRAY_LEN(roles), 1) == 1 ? ROLE_SYSTEM_ADMIN : ROLE_DOMAIN_ADMIN;
    (void)field_strs(r, body, "scopes", &t.scopes, &t.n_scopes);
    (void)field_strs(r, body, "domains", &t.domains, &t.n_domains);
    (void)field_strs(r, body, "cidrs", &t.networks, &t.n_networks);
    check_lists(r, &t);
    check_expiry(r, body, &t);
    if (errors_of_body(r))
        return;
    if (!within_caller(&r->caller, &t)) {
        problem(r, PROBLEM_INSUFFICIENT_SCOPE, "A token cannot do more than its maker.");
        return;
    }
    result = token_id(r->service->db, &t.id);
    if (result == RES_OK) {
        secret = token_make(&r->arena, t.id, &hash);
        result = token_create(r->service->db, &t, hash,
                              record(r, "token.create", id_encode(&r->arena, 't', t.id), NULL, to_json(&t)));
    }
    if (result == RES_OK)
        result = token_get(r->service->db, t.id, &r->arena, &t);
    if (result != RES_OK) {
        problem_of_result(r, result);
        return;
    }
    made = to_json(&t);
    js_set(made, "token", js_str(secret));
    reply_header(r, "Location", arena_printf(&r->arena, "/api/v1/tokens/%.*s", STR_ARG(id_encode(&r->arena, 't', t.id))));
    reply_json(r, 201, made);
}
