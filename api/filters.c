/* /accounts/{a}/filters, /me/filters, /domains/{d}/filters, /filters, and one script of them */
#include "api/filters.h"
#include "api/accounts.h"
#include "api/fields.h"
#include "api/handlers.h"
#include "api/path.h"
#include "api/problem.h"
#include "api/query.h"
#include "api/record.h"
#include "api/words.h"
#include "filter/compile.h"

const char *const filter_places[FILTER_PLACES] = { "personal", "before", "after", "global", "imap" };

static const struct field members[] = {
    { .name = "script", .type = FIELD_STRING, .required = true, .any_text = true, .min = 1, .max = SCRIPT_MAX_BYTES },
    { .name = "name", .type = FIELD_KEPT },
    { .name = "place", .type = FIELD_KEPT },
    { .name = "active", .type = FIELD_KEPT },
    { .name = "size", .type = FIELD_KEPT },
    { .name = "changed_at", .type = FIELD_KEPT },
    { .name = "version", .type = FIELD_KEPT },
};
static const struct field patch_members[] = {
    { .name = "name", .type = FIELD_STRING, .min = 1, .max = 512 },
    { .name = "active", .type = FIELD_BOOL },
    { .name = "script", .type = FIELD_KEPT },
    { .name = "place", .type = FIELD_KEPT },
    { .name = "size", .type = FIELD_KEPT },
    { .name = "changed_at", .type = FIELD_KEPT },
    { .name = "version", .type = FIELD_KEPT },
};

static struct json_object *to_json(const struct script *s, enum script_place place)
{
    struct json_object *o = js_object();

    js_set(o, "name", js_str(s->name));
    js_set(o, "place", js_str(str_c(filter_places[place])));
    js_set(o, "active", js_bool(s->active));
    js_set(o, "size", js_int(s->size));
    if (s->content.p != NULL)
        js_set(o, "script", js_str(s->content));
    js_set(o, "changed_at", js_time(s->changed_us));
    js_set(o, "version", js_int(s->version));
    return o;
}

/* ---- whose ---- */

static bool take_account(struct request *r, struct filter_path *p)
{
    struct account account;

    if (!account_take(r, &account))
        return false;
    p->owner = (struct script_owner){ .account_id = account.id };
    p->whom = account.address;
    p->name = r->params[1];
    return true;
}

static bool take_me(struct request *r, struct filter_path *p)
{
    if (r->caller.via != VIA_PAGE) {
        problem(r, PROBLEM_NOT_FOUND, NULL);
        return false;
    }
    p->owner = (struct script_owner){ .account_id = r->caller.account_id };
    p->whom = r->caller.address;
    p->name = r->params[0];
    return true;
}

/* Behind an administrator's path stand a place and a name, or nothing. */
static bool take_place(struct request *r, const struct str *params, struct filter_path *p)
{
    int place;

    p->name = params[1];
    if (params[0].p == NULL)
        return true;
    place = word_find(params[0], filter_places, FILTER_PLACES);
    if (place <= SCRIPT_PERSONAL) {
        problem(r, PROBLEM_NOT_FOUND, NULL);
        return false;
    }
    p->owner.place = (enum script_place)place;
    return true;
}

static bool take_domain(struct request *r, struct filter_path *p)
{
    struct domain domain;
    enum result result;

    if (!path_domain(r, false, &p->whom))
        return false;
    result = domain_get(r->service->db, p->whom, &r->caller.visible, &r->arena, &domain);
    if (result != RES_OK) {
        problem_of_result(r, result);
        return false;
    }
    p->owner = (struct script_owner){ .domain_id = domain.id };
    return take_place(r, r->params + 1, p);
}

bool filter_path_take(struct request *r, struct filter_path *ret)
{
    struct str path = str_c(r->route->path);

    *ret = (struct filter_path){ .whom = STR("") };
    if (str_starts(path, STR("/api/v1/accounts/")))
        return take_account(r, ret);
    if (str_starts(path, STR("/api/v1/me/")))
        return take_me(r, ret);
    if (str_starts(path, STR("/api/v1/domains/")))
        return take_domain(r, ret);
    return take_place(r, r->params, ret);
}

/* ---- lists ---- */

static enum result push_all(struct request *r, const struct script_owner *owner, struct json_object *data)
{
    struct script *v;
    size_t n;
    enum result result = script_list(r->service->db, owner, &r->arena, &v, &n);

    for (size_t i = 0; result == RES_OK && i < n; i++)
        js_push(data, to_json(&v[i], owner->place));
    return result;
}

void filters_list(struct request *r)
{
    struct filter_path p;
    struct json_object *body, *data = request_keep(r, js_array());
    enum result result;

    query_begin(r, NULL, 0, NULL, 0);
    if (errors_of_query(r) || !filter_path_take(r, &p))
        return;
    if (p.owner.account_id != 0) {
        result = push_all(r, &p.owner, data);
    } else {
        result = RES_OK;
        for (p.owner.place = SCRIPT_BEFORE; result == RES_OK && p.owner.place <= SCRIPT_IMAP; p.owner.place++)
            result = push_all(r, &p.owner, data);
    }
    if (result != RES_OK) {
        problem_of_result(r, result);
        return;
    }
    body = js_object();
    js_set(body, "data", js_share(data));
    js_set(body, "next", NULL);
    reply_json(r, 200, body);
}

/* ---- one ---- */

static void answer(struct request *r, const struct filter_path *p, int status)
{
    struct script s;
    enum result result = script_get(r->service->db, &p->owner, p->name, &r->arena, &s);

    if (result != RES_OK) {
        problem_of_result(r, result);
        return;
    }
    if (status == 201)
        reply_header(r, "Location", r->path);
    reply_object(r, status, to_json(&s, p->owner.place), s.version);
}

void filters_get(struct request *r)
{
    struct filter_path p;

    if (filter_path_take(r, &p))
        answer(r, &p, 200);
}

static void refuse(struct request *r, const struct filter_path *p, enum result result)
{
    struct script now;

    if (result == RES_CONFLICT) {
        result = script_get(r->service->db, &p->owner, p->name, &r->arena, &now);
        if (result == RES_OK) {
            problem_with(r, PROBLEM_STALE, "current", to_json(&now, p->owner.place));
            return;
        }
    }
    if (result == RES_LIMIT) {
        error_at(r, STR("name"), "too-many", "There are %d scripts already, and no more are allowed.",
                 SCRIPT_MAX_COUNT);
        (void)errors_of_body(r);
        return;
    }
    problem_of_result(r, result);
}

/* What the record says: everything but the text, which may be long. */
static const struct audit *note(struct request *r, const struct filter_path *p, const char *action,
                                const struct script *old, struct json_object *after)
{
    struct script before;
    struct str object = arena_printf(&r->arena, "%.*s%s%s/%.*s", STR_ARG(p->whom), p->whom.len > 0 ? "/" : "",
                                     filter_places[p->owner.place], STR_ARG(p->name));

    if (old == NULL)
        return record(r, action, object, NULL, after);
    before = *old;
    before.content = STR_NULL;
    return record(r, action, object, to_json(&before, p->owner.place), after);
}

void filter_check_text(struct request *r, struct str place, struct str text)
{
    struct sieve_script *script;
    struct sieve_error error;
    enum result result = filter_compile(text, &r->arena, &script, &error);

    if (result != RES_OK)
        error_in_text(r, place, result == RES_LIMIT ? "limit" : "syntax", error.line, error.column, error.text);
}

/* The preconditions (control-plane.md, 6: filters are not overwritten unseen).  False: answered. */
static bool may_put(struct request *r, const struct filter_path *p, const struct script *old)
{
    if (old != NULL && match_create_only(r))
        problem(r, PROBLEM_EXISTS, NULL);
    else if (old != NULL && request_header(r, STR("If-Match")).p == NULL)
        problem(r, PROBLEM_PRECONDITION_REQUIRED, NULL);
    else if (old == NULL && request_header(r, STR("If-Match")).p != NULL)
        problem(r, PROBLEM_STALE, "There is no such filter.");
    else if (old == NULL && !sieve_is_script_name(p->name)) {
        error_at(r, STR("name"), "syntax", "A name has at most 512 bytes and no control characters.");
        return !errors_of_body(r);
    } else
        return true;
    return false;
}

void filters_put(struct request *r)
{
    struct filter_path p;
    struct json_object *body, *present = NULL, *after;
    struct script old;
    struct str text;
    int64_t version;
    bool exists;
    enum result result;

    if (!match_version(r, false, &version) || (body = body_object(r, false)) == NULL || !filter_path_take(r, &p))
        return;
    result = script_get(r->service->db, &p.owner, p.name, &r->arena, &old);
    if (result != RES_OK && result != RES_NOTFOUND) {
        problem_of_result(r, result);
        return;
    }
    exists = result == RES_OK;
    if (exists)
        present = request_keep(r, to_json(&old, p.owner.place));
    if (!may_put(r, &p, exists ? &old : NULL))
        return;
    fields_check(r, body, STR(""), members, ARRAY_LEN(members), present);
    text = field_str(body, "script", STR(""));
    if (r->errors == NULL)
        filter_check_text(r, STR("/script"), text);
    if (errors_of_body(r))
        return;
    after = js_object();
    js_set(after, "size", js_int((int64_t)text.len));
    result = script_put(r->service->db, &p.owner, p.name, text,
                        !exists                  ? 0
                        : version == VERSION_ANY ? -1
                                                 : version,
                        note(r, &p, exists ? "filter.update" : "filter.create", exists ? &old : NULL, after));
    if (result == RES_OK)
        answer(r, &p, exists ? 200 : 201);
    else
        refuse(r, &p, result);
}

static void check_change(struct request *r, const struct filter_path *p, const struct script_change *change)
{
    if (change->name.p != NULL && !sieve_is_script_name(change->name))
        error_at(r, STR("/name"), "syntax", "A name has at most 512 bytes and no control characters.");
    if (change->active && (p->owner.place == SCRIPT_GLOBAL || p->owner.place == SCRIPT_IMAP))
        error_at(r, STR("/active"), "never-runs",
                 "A script of this place runs only where another one or a mailbox names it.");
}

void filters_patch(struct request *r)
{
    struct filter_path p;
    struct json_object *body, *present, *after;
    struct script old;
    struct script_change change = { .name = STR_NULL };
    int64_t version;
    enum result result;

    if (!match_version(r, true, &version) || (body = body_object(r, false)) == NULL || !filter_path_take(r, &p))
        return;
    result = script_get(r->service->db, &p.owner, p.name, &r->arena, &old);
    if (result != RES_OK) {
        problem_of_result(r, result);
        return;
    }
    present = request_keep(r, to_json(&old, p.owner.place));
    fields_check(r, body, STR(""), patch_members, ARRAY_LEN(patch_members), present);
    if (r->errors == NULL) {
        change = (struct script_change){ .name = field_str(body, "name", STR_NULL),
                                         .sets_active = field_there(body, "active"),
                                         .active = field_bool(body, "active", false) };
        check_change(r, &p, &change);
    }
    if (errors_of_body(r))
        return;
    after = js_object();
    js_set(after, "name", js_str(change.name.p != NULL ? change.name : old.name));
    js_set(after, "active", js_bool(field_bool(body, "active", old.active)));
    result = script_change(r->service->db, &p.owner, p.name, &change, version == VERSION_ANY ? -1 : version,
                           note(r, &p, "filter.change", &old, after));
    if (result != RES_OK) {
        refuse(r, &p, result);
        return;
    }
    if (change.name.p != NULL)
        p.name = change.name;
    answer(r, &p, 200);
}

void filters_delete(struct request *r)
{
    struct filter_path p;
    struct script old;
    int64_t version;
    enum result result;

    if (!match_version(r, true, &version) || !filter_path_take(r, &p))
        return;
    result = script_get(r->service->db, &p.owner, p.name, &r->arena, &old);
    if (result == RES_OK)
        result = script_delete(r->service->db, &p.owner, p.name, version == VERSION_ANY ? -1 : version, true,
                               note(r, &p, "filter.delete", &old, NULL));
    if (result == RES_OK)
        reply_empty(r);
    else
        refuse(r, &p, result);
}
