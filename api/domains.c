/* /domains and /domains/{domain} */
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
#include "route/relay_route.h"

#include <string.h>

static const char *const kinds[] = { "local", "relay", "alias" };
static const char *const states[] = { "active", "disabled", "deleted" };
#define WRITTEN_STATES 2 /* a domain is deleted by DELETE */
static const char *const languages[] = { "en", "pt-BR" };

static const struct field quota_members[] = {
    { .name = "limit", .type = FIELD_INT, .nullable = true, .min = 1048576, .max = INT64_C(1125899906842624) },
    { .name = "used", .type = FIELD_KEPT },
};
static const struct field members[] = {
    { .name = "kind", .type = FIELD_WORD, .words = kinds, .n_words = ARRAY_LEN(kinds) },
    { .name = "route", .type = FIELD_STRING, .nullable = true, .min = 1, .max = 300 },
    { .name = "state", .type = FIELD_WORD, .words = states, .n_words = WRITTEN_STATES },
    { .name = "language", .type = FIELD_WORD, .nullable = true, .words = languages, .n_words = ARRAY_LEN(languages) },
    { .name = "alias_of", .type = FIELD_STRING, .nullable = true, .min = 1, .max = 255 },
    { .name = "catch_all", .type = FIELD_STRING, .nullable = true, .min = 3, .max = 320 },
    { .name = "subaddress", .type = FIELD_STRING, .max = 1 },
    { .name = "delivery", .type = FIELD_STRING, .min = 1, .max = 1000 },
    { .name = "delivery_user", .type = FIELD_STRING, .nullable = true, .min = 1, .max = 32 },
    { .name = "quota", .type = FIELD_OBJECT, .members = quota_members, .n_members = ARRAY_LEN(quota_members) },
    { .name = "limits", .type = FIELD_OBJECT, .members = limits_members, .n_members = LIMITS_MEMBERS },
    { .name = "id", .type = FIELD_KEPT },
    { .name = "name", .type = FIELD_KEPT },
    { .name = "accounts", .type = FIELD_KEPT },
    { .name = "aliases", .type = FIELD_KEPT },
    { .name = "deleted", .type = FIELD_KEPT },
    { .name = "created_at", .type = FIELD_KEPT },
    { .name = "version", .type = FIELD_KEPT },
};

static struct json_object *deletion(const struct domain *d)
{
    struct json_object *o;

    if (d->deleted_us == DB_NO_TIME)
        return NULL;
    o = js_object();
    js_set(o, "at", js_time(d->deleted_us));
    js_set(o, "until", js_time(d->deleted_us + settings_get()->keep_deleted_s * 1000000));
    return o;
}

static struct json_object *to_json(const struct domain *d)
{
    struct json_object *o = js_object(), *quota = js_object();

    js_set(quota, "limit", d->quota_bytes > 0 ? js_int(d->quota_bytes) : NULL);
    js_set(quota, "used", d->quota_bytes > 0 ? js_int(d->used_bytes) : NULL);
    js_set(o, "id", js_id('d', d->id));
    js_set(o, "name", js_str(d->name));
    js_set(o, "kind", js_str(str_c(kinds[d->kind])));
    js_set(o, "route", js_str(d->route));
    js_set(o, "state", js_str(str_c(states[d->deleted_us != DB_NO_TIME ? 2 : d->disabled])));
    js_set(o, "deleted", deletion(d));
    js_set(o, "language", js_str(d->language));
    js_set(o, "alias_of", js_str(d->alias_of));
    js_set(o, "catch_all", js_str(d->catch_all));
    js_set(o, "subaddress", js_str(d->subaddress));
    js_set(o, "delivery", js_str(d->delivery));
    js_set(o, "delivery_user", js_str(d->delivery_user));
    js_set(o, "quota", quota);
    js_set(o, "limits", limits_json(&d->limits));
    js_set(o, "accounts", js_int(d->accounts));
    js_set(o, "aliases", js_int(d->aliases));
    js_set(o, "created_at", js_time(d->created_us));
    js_set(o, "version", js_int(d->version));
    return o;
}

void domains_list(struct request *r)
{
    static const char *const singles[] = { "limit", "cursor", "count", "sort", "q" };
    static const char *const repeated[] = { "kind", "state" };
    struct domain_filter filter = { .visible = r->caller.visible };
    struct list_page page;
    struct domain *v;
    struct json_object *data;
    int64_t count = -1;
    size_t n;
    bool more;
    enum result result;

    query_begin(r, singles, ARRAY_LEN(singles), repeated, ARRAY_LEN(repeated));
    filter.kinds = query_words(r, "kind", kinds, ARRAY_LEN(kinds));
    filter.states = query_words(r, "state", states, ARRAY_LEN(states));
    filter.text = arena_lower(&r->arena, query_text(r, "q", 1, 255));
    if (!query_page(r, "name", true, &page) || errors_of_query(r))
        return;
    result = domain_list(r->service->db, &filter, page.descending, page.after, page.limit, &r->arena, &v, &n, &more);
    if (result == RES_OK && page.count)
        result = domain_count(r->service->db, &filter, COUNT_AT_MOST + 1, &count);
    if (result != RES_OK) {
        problem_of_result(r, result);
        return;
    }
    data = js_array();
    for (size_t i = 0; i < n; i++)
        js_push(data, to_json(&v[i]));
    reply_page(r, data, more ? v[n - 1].name : STR_NULL, count);
}

/* Answers with the domain as it is now. */
static void answer(struct request *r, struct str name, int status)
{
    struct domain d;
    enum result result = domain_get(r->service->db, name, &r->caller.visible, &r->arena, &d);

    if (result != RES_OK) {
        problem_of_result(r, result);
        return;
    }
    if (status == 201)
        reply_header(r, "Location", arena_printf(&r->arena, "/api/v1/domains/%.*s", STR_ARG(name)));
    reply_object(r, status, to_json(&d), d.version);
}

void domains_get(struct request *r)
{
    struct domain d;
    struct str name;
    enum result result;

    if (!path_domain(r, false, &name))
        return;
    result = domain_get(r->service->db, name, &r->caller.visible, &r->arena, &d);
    if (result == RES_NOTFOUND)
        result = domain_get_deleted(r->service->db, name, &r->caller.visible, &r->arena, &d);
    if (result == RES_OK)
        reply_object(r, 200, to_json(&d), d.version);
    else
        problem_of_result(r, result);
}

/* A domain that stands for another one, who gets what nobody else does, and where a sub-address begins. */
static void take_addressing(struct request *r, const struct json_object *body, struct domain_write *w)
{
    w->alias_of = field_str(body, "alias_of", w->alias_of);
    w->catch_all = field_str(body, "catch_all", w->catch_all);
    w->subaddress = field_str(body, "subaddress", w->subaddress);
    if (w->kind != DOMAIN_ALIAS && field_there(body, "alias_of") && w->alias_of.p != NULL)
        error_at(r, STR("/alias_of"), "syntax", "Only a domain of kind alias stands for another one.");
    else if (w->kind != DOMAIN_ALIAS)
        w->alias_of = STR_NULL;
    else if (w->alias_of.p == NULL)
        error_at(r, STR("/alias_of"), "required", "A domain of kind alias stands for a local domain.");
    else if (name_domain(w->alias_of, &r->arena, &w->alias_of) != RES_OK || str_eq(w->alias_of, w->name))
        error_at(r, STR("/alias_of"), "unknown-domain", "This is none of this server's local domains.");
    if (w->catch_all.p != NULL && name_address(w->catch_all, &r->arena, &w->catch_all) != RES_OK)
        error_at(r, STR("/catch_all"), "syntax", "This is not an address.");
    if (w->subaddress.len > 0 && strchr("+-._=#", w->subaddress.p[0]) == NULL)
        error_at(r, STR("/subaddress"), "syntax", "It is one of + - . _ = #, or empty.");
}

/* Takes the members over into *w, which holds what stands for those that are absent. */
static void take_members(struct request *r, const struct json_object *body, struct domain_write *w)
{
    struct relay_route route;
    struct str error;

    w->kind = (enum domain_kind)field_word(body, "kind", kinds, ARRAY_LEN(kinds), (int)w->kind);
    w->route = field_str(body, "route", w->route);
    w->disabled = field_word(body, "state", states, WRITTEN_STATES, w->disabled) != 0;
    w->language = field_str(body, "language", w->language);
    w->delivery = field_str(body, "delivery", w->delivery);
    w->delivery_user = field_str(body, "delivery_user", w->delivery_user);
    w->quota_bytes = field_int(js_get(body, "quota", NULL), "limit", 0, w->quota_bytes);
    limits_take(body, &w->limits);
    take_addressing(r, body, w);
    if (w->kind != DOMAIN_LOCAL && w->quota_bytes > 0)
        error_at(r, STR("/quota/limit"), "syntax", "Only a domain with mailboxes here has a quota.");
    if (w->kind != DOMAIN_RELAY) {
        if (field_there(body, "route") && w->route.p != NULL)
            error_at(r, STR("/route"), "syntax", "Only a relay domain has a route.");
        w->route = STR_NULL;
    } else if (w->route.p != NULL && relay_route_parse_target(w->route, &r->arena, &route, &error) != RES_OK) {
        error_at(r, STR("/route"), "syntax", "%.*s", STR_ARG(error));
    }
}

static void answer_refusal(struct request *r, enum result result, struct str name)
{
    struct domain d;

    if (result == RES_INVALID) {
        error_at(r, STR("/alias_of"), "unknown-domain", "This is none of this server's local domains.");
        (void)errors_of_body(r);
        return;
    }
    if (result == RES_CONFLICT || result == RES_LIMIT) {
        enum result found = domain_get(r->service->db, name, &r->caller.visible, &r->arena, &d);

        if (found != RES_OK) {
            problem_of_result(r, found);
        } else if (result == RES_CONFLICT) {
            problem_with(r, PROBLEM_STALE, "current", to_json(&d));
        } else {
            problem_not_empty(r, d.accounts, d.aliases);
        }
        return;
    }
    problem_of_result(r, result);
}

/* Creates or replaces (PUT), or changes (PATCH). */
static void write_domain(struct request *r, bool patch)
{
    struct json_object *body, *present = NULL;
    struct domain_write w = { .kind = DOMAIN_LOCAL, .route = STR_NULL, .delivery = STR("store") };
    struct domain old;
    int64_t version;
    enum result result;

    if (!path_domain(r, !patch, &w.name) || !match_version(r, false, &version) || (body = body_object(r, false)) == NULL)
        return;
    result = domain_get(r->service->db, w.name, &r->caller.visible, &r->arena, &old);
    if (result != RES_OK && (result != RES_NOTFOUND || patch)) {
        problem_of_result(r, result);
        return;
    }
    if (result == RES_OK) {
        present = request_keep(r, to_json(&old));
        if (patch)
            w = (struct domain_write){ w.name, old.kind, old.route, old.disabled, old.language, old.delivery,
                                       old.delivery_user, old.quota_bytes, old.alias_of, old.catch_all, old.subaddress, old.limits };
    } else if (r->caller.visible.limited) { /* makes no domain that it could not see afterwards */
        problem(r, PROBLEM_INSUFFICIENT_SCOPE, NULL);
        return;
    }
    if (present != NULL && !patch && match_create_only(r)) {
        problem(r, PROBLEM_EXISTS, NULL);
        return;
    }
    fields_check(r, body, STR(""), members, ARRAY_LEN(members), present);
    if (r->errors == NULL)
        take_members(r, body, &w);
    if (r->errors == NULL)
        delivery_check(r, w.delivery, w.delivery_user, true,
                       !str_eq(w.delivery, present != NULL ? old.delivery : STR("store")) ||
                           !str_eq(w.delivery_user, present != NULL ? old.delivery_user : STR_NULL));
    if (errors_of_body(r))
        return;
    if (present == NULL && version != VERSION_ANY) {
        problem(r, PROBLEM_STALE, "There is no such domain.");
        return;
    }
    result = present == NULL
                 ? domain_create(r->service->db, &w, record(r, "domain.create", w.name, NULL, js_share(body)))
                 : domain_update(r->service->db, &w, version, record(r, "domain.update", w.name, js_share(present), js_share(body)));
    account_changed(r, 0);
    if (result == RES_OK)
        answer(r, w.name, present == NULL ? 201 : 200);
    else if (result == RES_EXISTS && domain_get_deleted(r->service->db, w.name, &r->caller.visible, &r->arena, &old) == RES_OK)
        problem(r, PROBLEM_EXISTS, "It is deleted: restore it, or delete it with purge.");
    else
        answer_refusal(r, result, w.name);
}

void domains_put(struct request *r)
{
    write_domain(r, false);
}

void domains_patch(struct request *r)
{
    write_domain(r, true);
}

void domains_delete(struct request *r)
{
    static const char *const singles[] = { "force", "purge" };
    struct str name;
    struct domain old;
    int64_t version;
    bool force, purge;
    enum result result;

    query_begin(r, singles, ARRAY_LEN(singles), NULL, 0);
    force = query_bool(r, "force", false);
    purge = query_bool(r, "purge", false);
    if (errors_of_query(r) || !path_domain(r, false, &name) || !match_version(r, false, &version))
        return;
    result = domain_get(r->service->db, name, &r->caller.visible, &r->arena, &old);
    if (result == RES_NOTFOUND && purge) {
        result = domain_get_deleted(r->service->db, name, &r->caller.visible, &r->arena, &old);
        force = true; /* what it holds was deleted with it */
    }
    if (result == RES_OK && !caller_fresh(r))
        return;
    if (result == RES_OK)
        result = domain_delete(r->service->db, name, force, purge, version,
                               record(r, purge ? "domain.purge" : "domain.delete", name, to_json(&old), NULL));
    account_changed(r, 0);
    if (result == RES_OK)
        reply_empty(r);
    else
        answer_refusal(r, result, name);
}

void domains_restore_post(struct request *r)
{
    struct json_object *body;
    struct domain old;
    struct str name;
    enum result result;

    if (!path_domain(r, false, &name) || (body = body_object(r, true)) == NULL)
        return;
    fields_check(r, body, STR(""), NULL, 0, NULL);
    if (errors_of_body(r))
        return;
    result = domain_get_deleted(r->service->db, name, &r->caller.visible, &r->arena, &old);
    if (result == RES_OK)
        result = domain_restore(r->service->db, name, record(r, "domain.restore", name, NULL, NULL));
    if (result == RES_OK)
        answer(r, name, 200);
    else
        problem_of_result(r, result);
}
