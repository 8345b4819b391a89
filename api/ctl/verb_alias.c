#include "api/ctl/client.h"
#include "api/ctl/verbs.h"

#include <string.h>

static const struct column columns[] = {
    { "Alias", "address", COLUMN_TEXT }, { "Members", "members", COLUMN_TEXT }, { "State", "state", COLUMN_TEXT },
    { "Who may send", "who_may_send", COLUMN_TEXT }, { "Allowed senders", "allowed_senders", COLUMN_TEXT },
    { "Send as", "send_as", COLUMN_TEXT }, { "Until", "expires_at", COLUMN_TIME }, { "Made", "created_at", COLUMN_TIME },
};

#define LIST_COLUMNS 3

static const char *path(struct call *c)
{
    return arena_printf(&c->arena, "/api/v1/aliases/%s", escape(c, c->args[0])).p;
}

/* The members that arguments and options name. */
static struct json_object *body_of(struct call *c)
{
    const char *from = option(c, "from"), *send_as = option(c, "send-as"), *expires = option(c, "expires"), *state = option(c, "state");
    struct json_object *body = js_object(), *list = js_array();
    bool words = from != NULL && strchr(from, '@') == NULL;

    for (size_t i = 1; i < c->n_args; i++)
        js_push(list, js_str(str_c(c->args[i])));
    if (c->n_args > 1)
        js_set(body, "members", list);
    else
        js_free(list);
    if (from != NULL)
        js_set(body, "who_may_send", js_str(words ? str_c(from) : STR("list")));
    if (from != NULL && !words)
        js_set(body, "allowed_senders", list_of(from));
    if (send_as != NULL)
        js_set(body, "send_as", strcmp(send_as, "members") == 0 ? NULL : list_of(send_as));
    if (expires != NULL)
        js_set(body, "expires_at", strcmp(expires, "never") == 0 ? NULL : js_str(str_c(expires)));
    if (state != NULL)
        js_set(body, "state", js_str(str_c(state)));
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
    enum outcome out = client_create(c, path(c), body_of(c), &answer);

    return done(c, out, answer, t("added"));
}

enum outcome verb_alias_list(struct call *c)
{
    static const char *const filters[] = { "domain", "member", "q" };

    return client_list(c, "/api/v1/aliases", query_of(c, filters, ARRAY_LEN(filters)), columns, LIST_COLUMNS, "address");
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
    enum outcome out = client_call(c, "PATCH", path(c), body_of(c), "", &answer);

    return done(c, out, answer, t("changed"));
}

enum outcome verb_alias_remove(struct call *c)
{
    return done(c, client_call(c, "DELETE", path(c), NULL, "", NULL), NULL, t("removed"));
}

enum outcome verb_alias_expand(struct call *c)
{
    static const struct column steps[] = { { "Step", "step", COLUMN_TEXT }, { "Address", "address", COLUMN_TEXT }, { "To", "to", COLUMN_TEXT } };
    static const struct column recipients[] = { { "Recipient", "address", COLUMN_TEXT }, { "Kind", "kind", COLUMN_TEXT }, { "Program", "program", COLUMN_TEXT } };
    const char *from = option(c, "from");
    struct json_object *answer = NULL;
    struct str query = from == NULL ? STR("") : arena_printf(&c->arena, "?from=%s", escape(c, from));
    enum outcome out = client_call(c, "GET", arena_printf(&c->arena, "%s/expansion%.*s", path(c), STR_ARG(query)).p, NULL, "", &answer);

    if (out == DONE && c->json) {
        print_object(c, answer, steps, 0, "result");
    } else if (out == DONE) {
        if (!c->quiet)
            print_rows(c, js_get(answer, "steps", NULL), steps, ARRAY_LEN(steps), "address", true);
        print_rows(c, js_get(answer, "recipients", NULL), recipients, ARRAY_LEN(recipients), "address", true);
    }
    js_free(answer);
    return out;
}
