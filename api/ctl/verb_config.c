#include "api/ctl/client.h"
#include "api/ctl/verbs.h"

static const struct column columns[] = {
    { "Setting", "key", COLUMN_TEXT },       { "Value", "value", COLUMN_TEXT },   { "Source", "source", COLUMN_TEXT },
    { "Default", "default", COLUMN_TEXT },   { "Applies", "applies", COLUMN_TEXT }, { "Changed", "changed.at", COLUMN_TIME },
    { "Changed by", "changed.by", COLUMN_TEXT },
};

static const char *path(struct call *c)
{
    return arena_printf(&c->arena, "/api/v1/settings/%s", escape(c, c->args[0])).p;
}

enum outcome verb_config_list(struct call *c)
{
    struct json_object *answer = NULL, *rows = js_array(), *data;
    bool changed = option(c, "changed") != NULL;
    enum outcome out = client_call(c, "GET", "/api/v1/settings", NULL, "", &answer);

    data = js_get(answer, "data", NULL);
    for (size_t i = 0; out == DONE && i < js_len(data); i++) {
        if (!changed || !str_eq(js_get_str(js_get(js_at(data, i), "source", NULL)), STR("default")))
            js_push(rows, js_share(js_at(data, i)));
    }
    if (out == DONE)
        print_rows(c, rows, columns, 4, "key", true);
    js_free(rows);
    js_free(answer);
    return out;
}

enum outcome verb_config_get(struct call *c)
{
    struct json_object *answer = NULL;
    enum outcome out = client_call(c, "GET", path(c), NULL, "", &answer);

    if (out == DONE)
        print_object(c, answer, columns, ARRAY_LEN(columns), "value");
    js_free(answer);
    return out;
}

/* The version that is there is the one to change: nobody types it. */
static enum outcome change(struct call *c, const char *method, struct json_object *body)
{
    struct json_object *answer = NULL;
    enum outcome out = client_call(c, "GET", path(c), NULL, "", &answer);
    const char *version = "";

    if (out == DONE)
        version = arena_printf(&c->arena, "\"%lld\"", (long long)js_get_int(js_get(answer, "version", NULL))).p;
    js_free(answer);
    if (out != DONE) {
        js_free(body);
        return out;
    }
    answer = NULL;
    out = client_call(c, method, path(c), body, version, &answer);
    if (out == DONE)
        print_done(c, answer, "value", arena_cstr(&c->arena, js_get_str(js_get(answer, "value", NULL))));
    js_free(answer);
    return out;
}

enum outcome verb_config_set(struct call *c)
{
    struct json_object *body = js_object();

    js_set(body, "value", js_str(str_c(c->args[1])));
    return change(c, "PUT", body);
}

enum outcome verb_config_unset(struct call *c)
{
    return change(c, "DELETE", NULL);
}
