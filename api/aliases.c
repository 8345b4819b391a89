/* /aliases and /aliases/{address} */
#include "store/alias.h"
#include "api/fields.h"
#include "api/handlers.h"
#include "api/names.h"
#include "api/path.h"
#include "api/problem.h"
#include "api/query.h"
#include "api/record.h"
#include "api/words.h"
#include "config/settings.h"
#include "route/delivery.h"
#include "route/expand.h"
#include "store/routing.h"

#include <stdlib.h>

#define MAX_MEMBERS 1000

static const char *const senders[] = { "anyone", "domain", "members", "list" };
static const char *const states[] = { "active", "disabled" };
static const struct field members[] = {
    { .name = "members", .type = FIELD_STRINGS, .min = 1, .max = MAX_MEMBERS, .each = 320, .required = true },
    { .name = "who_may_send", .type = FIELD_WORD, .words = senders, .n_words = ARRAY_LEN(senders) },
    { .name = "allowed_senders", .type = FIELD_STRINGS, .max = MAX_MEMBERS, .each = 320 },
    { .name = "send_as", .type = FIELD_STRINGS, .nullable = true, .max = MAX_MEMBERS, .each = 320 },
    { .name = "state", .type = FIELD_WORD, .words = states, .n_words = ARRAY_LEN(states) },
    { .name = "expires_at", .type = FIELD_STRING, .nullable = true, .max = 40 },
    { .name = "address", .type = FIELD_KEPT },
    { .name = "created_at", .type = FIELD_KEPT },
    { .name = "version", .type = FIELD_KEPT },
};

static struct json_object *to_json(const struct alias *a)
{
    struct json_object *o = js_object();

    js_set(o, "address", js_str(a->address));
    js_set(o, "members", js_strs(a->members, a->n_members));
    js_set(o, "who_may_send", js_str(a->who_may_send));
    js_set(o, "allowed_senders", js_strs(a->allowed_senders, a->n_allowed_senders));
    js_set(o, "send_as", a->has_send_as ? js_strs(a->send_as, a->n_send_as) : NULL);
    js_set(o, "state", js_str(str_c(states[a->disabled])));
    js_set(o, "expires_at", js_time(a->expires_us));
    js_set(o, "created_at", js_time(a->created_us));
    js_set(o, "version", js_int(a->version));
    return o;
}

void aliases_list(struct request *r)
{
    static const char *const singles[] = { "limit", "cursor", "count", "sort", "q" };
    static const char *const repeated[] = { "domain", "member" };
    struct alias_filter filter = { .visible = r->caller.visible };
    struct list_page page;
    struct alias *v;
    struct json_object *data;
    int64_t count = -1;
    size_t n;
    bool more;
    enum result result;

    query_begin(r, singles, ARRAY_LEN(singles), repeated, ARRAY_LEN(repeated));
    filter.n_domains = query_lowered(r, "domain", 255, &filter.domains);
    filter.n_members = query_lowered(r, "member", 320, &filter.members);
    filter.text = arena_lower(&r->arena, query_text(r, "q", 1, 320));
    if (!query_page(r, "address", true, &page) || errors_of_query(r))
        return;
    result = alias_list(r->service->db, &filter, page.descending, page.after, page.limit, &r->arena, &v, &n, &more);
    if (result == RES_OK && page.count)
        result = alias_count(r->service->db, &filter, COUNT_AT_MOST + 1, &count);
    if (result != RES_OK) {
        problem_of_result(r, result);
        return;
    }
    data = js_array();
    for (size_t i = 0; i < n; i++)
        js_push(data, to_json(&v[i]));
    reply_page(r, data, more ? v[n - 1].address : STR_NULL, count);
}

static void answer(struct request *r, struct str address, int status)
{
    struct alias a;
    enum result result = alias_get(r->service->db, address, &r->caller.visible, &r->arena, &a);

    if (result != RES_OK) {
        problem_of_result(r, result);
        return;
    }
    if (status == 201)
        reply_header(r, "Location", arena_printf(&r->arena, "/api/v1/aliases/%.*s", STR_ARG(address)));
    reply_object(r, status, to_json(&a), a.version);
}

void aliases_get(struct request *r)
{
    struct str address;

    if (path_address(r, false, &address))
        answer(r, address, 200);
}

static int by_text(const void *x, const void *y)
{
    return str_cmp(*(const struct str *)x, *(const struct str *)y);
}

static bool is_program(struct str member)
{
    return member.len > 1 && member.p[0] == '|';
}

static void check_program(struct request *r, struct str place, struct str name)
{
    if (r->caller.visible.limited)
        error_at(r, place, "not-allowed", "Only an administrator without limits may send mail to a program.");
    else if (program_find(&settings_get()->programs, name) == NULL)
        error_at(r, place, "unknown-program", "\"%.*s\" is no program that the setting mda.programs names.", STR_ARG(word_clip(name, 100)));
}

/* Sorted; those that stand twice are noted. */
static void sort_list(struct request *r, const char *pointer, struct str *v, size_t n)
{
    qsort(v, n, sizeof(*v), by_text);
    for (size_t i = 1; i < n; i++) {
        if (str_eq(v[i], v[i - 1]))
            error_at(r, str_c(pointer), "duplicate", "\"%.*s\" stands twice.", STR_ARG(v[i]));
    }
}

/* The members that are addresses of ours must lead to somebody. */
static enum result check_members(struct request *r, const struct alias *alias)
{
    enum alias_member_kind *kinds = arena_array(&r->arena, enum alias_member_kind, alias->n_members);
    enum result result = alias_check_members(r->service->db, alias->members, alias->n_members, &r->arena, kinds);

    if (result != RES_OK)
        return result;
    for (size_t i = 0; i < alias->n_members; i++) {
        if (kinds[i] == MEMBER_UNKNOWN)
            error_at(r, arena_printf(&r->arena, "/members/%zu", i), "unknown-address", "Nobody here has the address \"%.*s\".",
                     STR_ARG(alias->members[i]));
    }
    return RES_OK;
}

/* The body's members in stored form; what is wrong with them is noted. */
static enum result take_members(struct request *r, const struct json_object *body, struct alias *alias)
{
    struct str *v;
    size_t n;

    if (!field_strs(r, body, "members", &v, &n))
        return RES_OK;
    for (size_t i = 0; i < n; i++) {
        struct str place = arena_printf(&r->arena, "/members/%zu", i);

        if (is_program(v[i])) {
            check_program(r, place, str_from(v[i], 1));
        } else if (name_address(v[i], &r->arena, &v[i]) != RES_OK) {
            error_at(r, place, "syntax", "\"%.*s\" is not an address.", STR_ARG(word_clip(v[i], 100)));
        } else if (str_eq(v[i], alias->address)) {
            error_at(r, place, "self", "An alias cannot be its own member.");
        }
    }
    alias->members = v;
    alias->n_members = n;
    if (r->errors != NULL)
        return RES_OK;
    if (check_members(r, alias) != RES_OK)
        return RES_TEMPFAIL;
    sort_list(r, "/members", v, n);
    return RES_OK;
}

/* Addresses, with `domains` also "@domain", in stored form. */
static void take_addresses(struct request *r, const struct json_object *body, const char *name, bool domains, struct str **ret_v,
                           size_t *ret_n)
{
    struct str *v, domain;
    size_t n;

    if (!field_strs(r, body, name, &v, &n))
        return;
    for (size_t i = 0; i < n; i++) {
        bool whole = domains && v[i].len > 1 && v[i].p[0] == '@';

        if (whole && name_domain(str_from(v[i], 1), &r->arena, &domain) == RES_OK)
            v[i] = arena_printf(&r->arena, "@%.*s", STR_ARG(domain));
        else if (whole || name_address(v[i], &r->arena, &v[i]) != RES_OK)
            error_at(r, arena_printf(&r->arena, "/%s/%zu", name, i), "syntax", "\"%.*s\" is not an address.", STR_ARG(word_clip(v[i], 100)));
    }
    if (r->errors == NULL)
        sort_list(r, arena_printf(&r->arena, "/%s", name).p, v, n);
    *ret_v = v;
    *ret_n = n;
}

static void take_expiry(struct request *r, const struct json_object *body, struct alias *alias)
{
    struct str text = field_str(body, "expires_at", STR_NULL);

    if (!field_there(body, "expires_at"))
        return;
    alias->expires_us = DB_NO_TIME;
    if (text.p != NULL && time_parse(text, &alias->expires_us) != RES_OK)
        error_at(r, STR("/expires_at"), "syntax", "It is not a time such as 2027-11-23T00:00:00Z.");
}

static enum result take_body(struct request *r, const struct json_object *body, struct alias *alias)
{
    int who = word_find(alias->who_may_send, senders, ARRAY_LEN(senders));

    alias->who_may_send = str_c(senders[field_word(body, "who_may_send", senders, ARRAY_LEN(senders), who)]);
    alias->disabled = field_word(body, "state", states, ARRAY_LEN(states), alias->disabled) == 1;
    take_addresses(r, body, "allowed_senders", true, &alias->allowed_senders, &alias->n_allowed_senders);
    if (field_there(body, "send_as"))
        alias->has_send_as = js_get(body, "send_as", NULL) != NULL;
    take_addresses(r, body, "send_as", false, &alias->send_as, &alias->n_send_as);
    take_expiry(r, body, alias);
    return take_members(r, body, alias);
}

static void refuse(struct request *r, enum result result, struct str address, bool created)
{
    struct alias now;

    if (result == RES_NOTFOUND && created) {
        error_at(r, STR("address"), "unknown-domain", "\"%.*s\" is none of this server's local domains.",
                 STR_ARG(name_domain_of(address)));
        (void)errors_of_body(r);
        return;
    }
    if (result == RES_DENIED || result == RES_LIMIT) {
        error_at(r, STR("/members"), result == RES_DENIED ? "loop" : "too-deep",
                 result == RES_DENIED ? "The alias would lead to itself." : "There are more than %d aliases in a row.", ROUTE_MAX_DEPTH);
        (void)errors_of_body(r);
        return;
    }
    if (result == RES_CONFLICT) {
        result = alias_get(r->service->db, address, &r->caller.visible, &r->arena, &now);
        if (result == RES_OK) {
            problem_with(r, PROBLEM_STALE, "current", to_json(&now));
            return;
        }
    }
    problem_of_result(r, result);
}

static void save(struct request *r, const struct alias *alias, struct json_object *present, int64_t version)
{
    bool create = present == NULL;
    enum result result = alias_put(r->service->db, alias, create, version,
                                   record(r, create ? "alias.create" : "alias.update", alias->address, js_share(present), to_json(alias)));

    if (result == RES_OK)
        answer(r, alias->address, create ? 201 : 200);
    else
        refuse(r, result, alias->address, create);
}

/* Creates or replaces (PUT), or changes (PATCH). */
static void write_alias(struct request *r, bool patch)
{
    struct field fields[ARRAY_LEN(members)];
    struct json_object *body, *present = NULL;
    struct alias old, alias;
    struct str address;
    int64_t version;
    enum result result;

    if (!path_address(r, !patch, &address) || !match_version(r, false, &version) || (body = body_object(r, false)) == NULL)
        return;
    result = alias_get(r->service->db, address, &r->caller.visible, &r->arena, &old);
    if (result != RES_OK && (result != RES_NOTFOUND || patch)) {
        problem_of_result(r, result);
        return;
    }
    if (result == RES_OK)
        present = request_keep(r, to_json(&old));
    alias = patch ? old : (struct alias){ .address = address, .who_may_send = STR("anyone"), .expires_us = DB_NO_TIME };
    memcpy(fields, members, sizeof(members));
    fields[0].required = !patch;
    fields_check(r, body, STR(""), fields, ARRAY_LEN(fields), present);
    if (present == NULL && !caller_sees(&r->caller, name_domain_of(address)))
        error_at(r, STR("address"), "unknown-domain", "\"%.*s\" is none of your domains.", STR_ARG(name_domain_of(address)));
    result = r->errors == NULL ? take_body(r, body, &alias) : RES_OK;
    if (errors_of_body(r))
        return;
    if (result != RES_OK)
        problem_of_result(r, result);
    else if (present != NULL && !patch && match_create_only(r))
        problem(r, PROBLEM_EXISTS, NULL);
    else if (present == NULL && version != VERSION_ANY)
        problem(r, PROBLEM_STALE, "There is no such alias.");
    else
        save(r, &alias, present, version);
}

void aliases_put(struct request *r)
{
    write_alias(r, false);
}

void aliases_patch(struct request *r)
{
    write_alias(r, true);
}

void aliases_delete(struct request *r)
{
    struct str address;
    struct alias old;
    int64_t version;
    enum result result;

    if (!path_address(r, false, &address) || !match_version(r, false, &version))
        return;
    result = alias_get(r->service->db, address, &r->caller.visible, &r->arena, &old);
    if (result == RES_OK)
        result = alias_delete(r->service->db, address, version, record(r, "alias.delete", address, to_json(&old), NULL));
    if (result == RES_OK)
        reply_empty(r);
    else
        refuse(r, result, address, false);
}

/* ---- expansion ---- */

static enum result look_up(void *data, struct str local, struct str domain, struct arena *a, struct route_facts *ret)
{
    const struct request *r = data;

    if (!caller_sees(&r->caller, domain)) { /* what becomes of it there is not the caller's to know */
        *ret = (struct route_facts){ .kind = FACT_REMOTE };
        return RES_OK;
    }
    return routing_find(r->service->db, local, domain, a, ret);
}

static struct json_object *step_json(const struct route_step *step)
{
    struct json_object *o = js_object();

    js_set(o, "step", js_str(str_c(route_step_name(step->kind))));
    js_set(o, "depth", js_int(step->depth));
    js_set(o, "address", js_str(step->address));
    js_set(o, "to", js_str(step->to));
    return o;
}

static struct json_object *recipient_json(const struct route_recipient *recipient)
{
    static const char *const kinds[] = { [ROUTE_MAILBOX] = "mailbox", [ROUTE_REMOTE] = "remote", [ROUTE_RELAY] = "relay",
                                         [ROUTE_PROGRAM] = "program" };
    struct json_object *o = js_object();

    js_set(o, "kind", js_str(str_c(kinds[recipient->kind])));
    js_set(o, "address", js_str(recipient->kind == ROUTE_MAILBOX ? recipient->facts.address : recipient->address));
    js_set(o, "program", js_str(recipient->program));
    return o;
}

/* Who gets mail for an address of ours that "from" sends: by the very function that routes. */
void aliases_expansion(struct request *r)
{
    static const char *const singles[] = { "from" };
    static const char *const verdicts[] = { [ROUTE_FOUND] = "found", [ROUTE_UNKNOWN] = "unknown", [ROUTE_DISABLED] = "disabled",
                                            [ROUTE_DENIED] = "denied", [ROUTE_LOOP] = "loop", [ROUTE_TOO_MANY] = "too-many" };
    struct route_sender sender = { .trusted = true };
    struct route_result route;
    struct json_object *o, *steps, *recipients;
    struct str address;

    query_begin(r, singles, ARRAY_LEN(singles), NULL, 0);
    sender.address = query_text(r, "from", 3, 320);
    if (sender.address.p == NULL)
        sender.address = STR("");
    if (errors_of_query(r) || !path_address(r, false, &address))
        return;
    if (!caller_sees(&r->caller, name_domain_of(address))) {
        problem_of_result(r, RES_NOTFOUND);
        return;
    }
    route_expand(address, &sender, look_up, r, &r->arena, &route);
    if (route.verdict == ROUTE_TROUBLE) {
        problem_of_result(r, RES_TEMPFAIL);
        return;
    }
    o = js_object();
    steps = js_array();
    recipients = js_array();
    for (size_t i = 0; i < route.n_steps; i++)
        js_push(steps, step_json(&route.steps[i]));
    for (size_t i = 0; i < route.n_recipients; i++)
        js_push(recipients, recipient_json(&route.recipients[i]));
    js_set(o, "result", js_str(str_c(verdicts[route.verdict])));
    js_set(o, "recipients", recipients);
    js_set(o, "steps", steps);
    reply_json(r, 200, o);
}
