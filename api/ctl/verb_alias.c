#include "api/ctl/client.h"
#include "api/ctl/verbs.h"

static const struct column columns[] = {
    { "Alias", "address", COLUMN_TEXT }, { "Members", "members", COLUMN_TEXT }, { "Made", "created_at", COLUMN_TIME },
};

static const char *path(struct call *c)
{
    return arena_printf(&c->arena, "/api/v1/aliases/%s", escape(c, c->args[0])).p;
}

static struct json_object *members(struct call *c)
{
    struct json_object *body = js_object(), *list = js_array();

    for (size_t i = 1; i < c->n_args; i++)
        js_push(list, js_str(str_c(c->args[i])));
    js_set(body, "members", list);
    return body;
}

static enum outcome done(struct call *c, enum outcome out, struct json_object *answer, const char *what)
{
    if (out == DONE)
        print_done(c, answer, "address", what);
    js_free(answer);
    return out;
}

enum outcome verb_alias_add(struct call *c)
{
    struct json_object *answer = NULL;
    enum outcome out = client_create(c, path(c), members(c), &answer);

    return done(c, out, answer, t("added"));
}

enum outcome verb_alias_list(struct call *c)
{
    static const char *const filters[] = { "domain", "member", "q" };

    return client_list(c, "/api/v1/aliases", query_of(c, filters, ARRAY_LEN(filters)), columns, 2, "address");
}

enum outcome verb_alias_show(struct call *c)
{
    struct json_object *answer = NULL;
    enum outcome out = client_call(c, "GET", path(c), NULL, "", &answer);

    if (out == DONE)
        print_object(c, answer, columns, ARRAY_LEN(columns), "address");
    js_free(answer);
    return out;
}

enum outcome verb_alias_set(struct call *c)
{
    struct json_object *answer = NULL;
    enum outcome out = client_call(c, "PATCH", path(c), members(c), "", &answer);

    return done(c, out, answer, t("changed"));
}

enum outcome verb_alias_remove(struct call *c)
{
    return done(c, client_call(c, "DELETE", path(c), NULL, "", NULL), NULL, t("removed"));
}
