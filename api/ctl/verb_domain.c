#include "api/ctl/client.h"
#include "api/ctl/verbs.h"

#include <string.h>

static const struct column columns[] = {
    { "Domain", "name", COLUMN_TEXT },         { "Kind", "kind", COLUMN_TEXT },      { "State", "state", COLUMN_TEXT },
    { "Accounts", "accounts", COLUMN_NUMBER }, { "Aliases", "aliases", COLUMN_NUMBER }, { "Route", "route", COLUMN_TEXT },
    { "Language", "language", COLUMN_TEXT },   { "Delivery", "delivery", COLUMN_TEXT },
    { "Unix user", "delivery_user", COLUMN_TEXT },
    { "Alias of", "alias_of", COLUMN_TEXT },   { "Catch-all", "catch_all", COLUMN_TEXT }, { "Sub-address", "subaddress", COLUMN_TEXT }, { "Made", "created_at", COLUMN_TIME },
    { "Used", "quota.used", COLUMN_SIZE },     { "Quota", "quota.limit", COLUMN_SIZE },
};

static const char *path(struct call *c)
{
    return arena_printf(&c->arena, "/api/v1/domains/%s", escape(c, c->args[0])).p;
}

enum outcome verb_domain_add(struct call *c)
{
    struct json_object *body = js_object(), *answer;
    enum outcome out;

    js_set(body, "kind", js_str(str_c(option(c, "relay") != NULL ? "relay" : option(c, "alias-of") != NULL ? "alias" : "local")));
    if (option(c, "alias-of") != NULL)
        js_set(body, "alias_of", js_str(str_c(option(c, "alias-of"))));
    if (option(c, "to") != NULL)
        js_set(body, "route", js_str(str_c(option(c, "to"))));
    if (option(c, "language") != NULL)
        js_set(body, "language", js_str(str_c(option(c, "language"))));
    if (!take_quota(c, body)) {
        js_free(body);
        return USAGE;
    }
    out = client_create(c, path(c), body, &answer);
    if (out == DONE)
        print_done(c, answer, "name", t("added"));
    js_free(answer);
    return out;
}

enum outcome verb_domain_list(struct call *c)
{
    static const char *const filters[] = { "kind", "q" };

    return client_list(c, "/api/v1/domains", query_of(c, filters, ARRAY_LEN(filters)), columns, 6, "name");
}

enum outcome verb_domain_show(struct call *c)
{
    struct json_object *answer = NULL;
    enum outcome out = client_call(c, "GET", path(c), NULL, "", &answer);

    if (out == DONE)
        print_object(c, answer, columns, ARRAY_LEN(columns), "name");
    js_free(answer);
    return out;
}

enum outcome verb_domain_set(struct call *c)
{
    static const struct {
        const char *option, *member;
    } members[] = { { "to", "route" }, { "language", "language" }, { "delivery", "delivery" }, { "delivery-user", "delivery_user" },
                  { "alias-of", "alias_of" }, { "catch-all", "catch_all" }, { "subaddress", "subaddress" } };
    struct json_object *body = js_object(), *answer = NULL;
    enum outcome out;

    for (size_t i = 0; i < ARRAY_LEN(members); i++) {
        const char *value = option(c, members[i].option);

        if (value != NULL) /* empty: none */
            js_set(body, members[i].member, value[0] == '\0' && strcmp(members[i].option, "subaddress") != 0 ? NULL : js_str(str_c(value)));
    }
    if (!take_quota(c, body)) {
        js_free(body);
        return USAGE;
    }
    out = client_call(c, "PATCH", path(c), body, "", &answer);
    if (out == DONE)
        print_done(c, answer, "name", t("changed"));
    js_free(answer);
    return out;
}

enum outcome verb_domain_remove(struct call *c)
{
    bool force = option(c, "force") != NULL;
    enum outcome out;

    if (force && !confirm(c, t("This removes %s with all its accounts, aliases and their mail."), c->args[0]))
        return FAILED;
    out = client_call(c, "DELETE", arena_printf(&c->arena, "%s%s", path(c), force ? "?force=true" : "").p, NULL, "", NULL);
    if (out == DONE)
        print_done(c, NULL, "", t("removed"));
    return out;
}
