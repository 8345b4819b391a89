#include "api/ctl/client.h"
#include "api/ctl/verbs.h"

enum outcome verb_audit_list(struct call *c)
{
    static const char *const filters[] = { "actor", "action", "object", "since", "until" };
    static const struct column columns[] = {
        { "Id", "id", COLUMN_TEXT },         { "When", "at", COLUMN_TIME },         { "Who", "actor.name", COLUMN_TEXT },
        { "Door", "actor.via", COLUMN_TEXT }, { "From", "actor.ip", COLUMN_TEXT },   { "What", "action", COLUMN_TEXT },
        { "Object", "objects", COLUMN_TEXT },
    };

    return client_list(c, "/api/v1/audit", query_of(c, filters, ARRAY_LEN(filters)), columns, ARRAY_LEN(columns), "id");
}

/* Goes on until all rows were looked at, or one is wrong. */
enum outcome verb_audit_verify(struct call *c)
{
    struct json_object *proof = NULL;
    struct str last = STR(""), hash = STR(""), wrong = STR_NULL;
    int64_t rows = 0;
    bool more = true;

    while (more && wrong.p == NULL) {
        enum outcome out = client_call(c, "GET", arena_printf(&c->arena, "/api/v1/audit/verify%s%.*s", last.len > 0 ? "?after=" : "",
                                                              STR_ARG(last)).p, NULL, "", &proof);

        if (out != DONE)
            return out;
        rows += js_get_int(js_get(proof, "rows", NULL));
        if (js_get(proof, "last", NULL) != NULL) {
            last = arena_str(&c->arena, js_get_str(js_get(proof, "last", NULL)));
            hash = arena_str(&c->arena, js_get_str(js_get(proof, "hash", NULL)));
        }
        wrong = arena_str(&c->arena, js_get_str(js_get(proof, "wrong", NULL)));
        more = js_get_bool(js_get(proof, "more", NULL));
        if (c->json)
            print_object(c, proof, NULL, 0, "last");
        js_free(proof);
    }
    if (wrong.p != NULL) {
        say(t("The log is not as it was written: %.*s was changed, or what stood before it is gone."), STR_ARG(wrong));
        return PROBLEMS_FOUND;
    }
    if (!c->json)
        say(t("%lld entries follow from each other. The last is %.*s with the hash %.*s."), (long long)rows, STR_ARG(last),
            STR_ARG(hash));
    return DONE;
}
