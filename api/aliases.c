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

#include <stdlib.h>

#define MAX_MEMBERS 1000

static const struct field members[] = {
    { .name = "members", .type = FIELD_STRINGS, .min = 1, .max = MAX_MEMBERS, .each = 320, .required = true },
    { .name = "address", .type = FIELD_KEPT },
    { .name = "created_at", .type = FIELD_KEPT },
    { .name = "version", .type = FIELD_KEPT },
};

static struct json_object *to_json(const struct alias *a)
{
    struct json_object *o = js_object();

    js_set(o, "address", js_str(a->address));
    js_set(o, "members", js_strs(a->members, a->n_members));
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

/* The body's members in stored form; what is wrong with them is noted. */
static enum result take_members(struct request *r, struct str address, const struct json_object *body, struct str **ret_v,
                                size_t *ret_n)
{
    enum alias_member_kind *kinds;
    struct str *v;
    size_t n;
    enum result result;

    if (!field_strs(r, body, "members", &v, &n))
        return RES_INVALID;
    for (size_t i = 0; i < n; i++) {
        struct str place = arena_printf(&r->arena, "/members/%zu", i);

        if (name_address(v[i], &r->arena, &v[i]) != RES_OK)
            error_at(r, place, "syntax", "\"%.*s\" is not an address.", STR_ARG(word_clip(v[i], 100)));
        else if (str_eq(v[i], address))
            error_at(r, place, "self", "An alias cannot be its own member.");
    }
    if (r->errors != NULL)
        return RES_INVALID;
    kinds = arena_array(&r->arena, enum alias_member_kind, n);
    result = alias_check_members(r->service->db, v, n, &r->arena, kinds);
    if (result != RES_OK)
        return result;
    for (size_t i = 0; i < n; i++) {
        struct str place = arena_printf(&r->arena, "/members/%zu", i);

        if (kinds[i] == MEMBER_ALIAS)
            error_at(r, place, "is-alias", "\"%.*s\" is an alias; name its members.", STR_ARG(v[i]));
        else if (kinds[i] == MEMBER_UNKNOWN)
            error_at(r, place, "unknown-address", "Nobody here has the address \"%.*s\".", STR_ARG(v[i]));
    }
    qsort(v, n, sizeof(*v), by_text);
    for (size_t i = 1; i < n; i++) {
        if (str_eq(v[i], v[i - 1]))
            error_at(r, STR("/members"), "duplicate", "\"%.*s\" stands twice.", STR_ARG(v[i]));
    }
    *ret_v = v;
    *ret_n = n;
    return RES_OK;
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
    if (result == RES_CONFLICT && created) {
        error_at(r, STR("address"), "is-alias", "It is a member of another alias.");
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

/* Creates or replaces (PUT), or changes (PATCH). */
static void write_alias(struct request *r, bool patch)
{
    struct field fields[ARRAY_LEN(members)];
    struct json_object *body, *present = NULL;
    struct str address, *v;
    struct alias old;
    int64_t version;
    size_t n = 0;
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
    memcpy(fields, members, sizeof(members));
    fields[0].required = !patch;
    fields_check(r, body, STR(""), fields, ARRAY_LEN(fields), present);
    if (present == NULL && !caller_sees(&r->caller, name_domain_of(address)))
        error_at(r, STR("address"), "unknown-domain", "\"%.*s\" is none of your domains.", STR_ARG(name_domain_of(address)));
    v = old.members;
    n = old.n_members;
    result = RES_OK;
    if (r->errors == NULL && field_there(body, "members"))
        result = take_members(r, address, body, &v, &n);
    if (errors_of_body(r))
        return;
    if (result != RES_OK)
        problem_of_result(r, result);
    else if (present != NULL && !patch && match_create_only(r))
        problem(r, PROBLEM_EXISTS, NULL);
    else if (present == NULL && version != VERSION_ANY)
        problem(r, PROBLEM_STALE, "There is no such alias.");
    else {
        result = alias_put(r->service->db, address, v, n, present == NULL, version,
                           record(r, present == NULL ? "alias.create" : "alias.update", address, js_share(present), js_strs(v, n)));
        if (result == RES_OK)
            answer(r, address, present == NULL ? 201 : 200);
        else
            refuse(r, result, address, present == NULL);
    }
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
