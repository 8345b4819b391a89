#include "api/ctl/client.h"
#include "api/ctl/verbs.h"

static const struct column columns[] = {
    { "Id", "id", COLUMN_TEXT },         { "Name", "name", COLUMN_TEXT },      { "Role", "role", COLUMN_TEXT },
    { "Scopes", "scopes", COLUMN_TEXT }, { "Until", "expires_at", COLUMN_TIME }, { "Last used", "last_used_at", COLUMN_TIME },
    { "Token", "token", COLUMN_TEXT },
};
#define LIST_COLUMNS 6

enum outcome verb_token_create(struct call *c)
{
    static const struct { const char *option, *member; } lists[] = { { "scope", "scopes" }, { "domain", "domains" }, { "cidr", "cidrs" } };
    static const struct { const char *option, *member; } texts[] = { { "role", "role" }, { "expires", "expires_at" } };
    struct json_object *body, *answer = NULL;
    enum outcome out;

    if (option(c, "scope") == NULL) {
        say("%s", t("--scope says what it may do, for instance queue:read,domains:read"));
        return USAGE;
    }
    body = js_object();
    js_set(body, "name", js_str(str_c(c->args[0])));
    for (size_t i = 0; i < ARRAY_LEN(lists); i++) {
        if (option(c, lists[i].option) != NULL)
            js_set(body, lists[i].member, list_of(option(c, lists[i].option)));
    }
    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        if (option(c, texts[i].option) != NULL)
            js_set(body, texts[i].member, js_str(str_c(option(c, texts[i].option))));
    }
    out = client_call(c, "POST", "/api/v1/tokens", body, "", &answer);
    if (out == DONE)
        print_object(c, answer, columns, ARRAY_LEN(columns), "token");
    js_free(answer);
    return out;
}

enum outcome verb_token_list(struct call *c)
{
    return client_list(c, "/api/v1/tokens", "", columns, LIST_COLUMNS, "id");
}

enum outcome verb_token_revoke(struct call *c)
{
    const char *path = arena_printf(&c->arena, "/api/v1/tokens/%s", escape(c, c->args[0])).p;
    enum outcome out = client_call(c, "DELETE", path, NULL, "", NULL);

    if (out == DONE)
        print_done(c, NULL, "", t("revoked"));
    return out;
}
