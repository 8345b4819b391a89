#include "api/record.h"
#include "api/problem.h"

bool match_version(struct request *r, bool required, int64_t *ret_version)
{
    struct str tag = request_header(r, STR("If-Match"));
    uint64_t version;

    if (tag.p == NULL) {
        *ret_version = VERSION_ANY;
        if (required)
            problem(r, PROBLEM_PRECONDITION_REQUIRED, NULL);
        return !required;
    }
    tag = str_trim(tag);
    if (str_eq(tag, STR("*")))
        *ret_version = VERSION_ANY;
    else if (tag.len > 2 && tag.p[0] == '"' && str_ends(tag, STR("\"")) && str_u64(str_sub(tag, 1, tag.len - 2), INT64_MAX, &version))
        *ret_version = (int64_t)version;
    else
        *ret_version = VERSION_NONE;
    return true;
}

bool match_create_only(const struct request *r)
{
    return str_eq(str_trim(request_header(r, STR("If-None-Match"))), STR("*"));
}

static struct str actor_json(struct request *r)
{
    static const char *const kinds[] = { "nobody", "session", "token", "local" };
    static const char *const doors[] = { "http", "https", "socket" };
    struct json_object *actor = js_object();
    struct str text;

    js_set(actor, "kind", js_str(str_c(kinds[r->caller.via])));
    js_set(actor, "name", js_str(r->caller.actor));
    js_set(actor, "via", js_str(str_c(doors[r->door.kind])));
    if (r->door.kind == DOOR_SOCKET)
        js_set(actor, "uid", js_int(r->door.uid));
    else
        js_set(actor, "ip", js_str(r->ip));
    text = js_text(actor, &r->arena);
    js_free(actor);
    return text;
}

static struct str text_of(struct request *r, struct json_object *v)
{
    struct str text = v == NULL ? STR_NULL : js_text(v, &r->arena);

    js_free(v);
    return text;
}

const struct audit *record(struct request *r, const char *action, struct str object, struct json_object *before,
                           struct json_object *after)
{
    struct audit *audit = arena_new(&r->arena, struct audit);
    struct str *objects = arena_new(&r->arena, struct str);

    *objects = object;
    *audit = (struct audit){ .actor = actor_json(r),
                             .action = str_c(action),
                             .objects = objects,
                             .n_objects = object.p != NULL ? 1 : 0,
                             .before = text_of(r, before),
                             .after = text_of(r, after),
                             .request_id = r->id };
    return audit;
}
