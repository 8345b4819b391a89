#include "api/ctl/client.h"
#include "api/ctl/verbs.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

static const struct column columns[] = {
    { "Domain", "name", COLUMN_TEXT },         { "Kind", "kind", COLUMN_TEXT },      { "State", "state", COLUMN_TEXT },
    { "Accounts", "accounts", COLUMN_NUMBER }, { "Aliases", "aliases", COLUMN_NUMBER }, { "Route", "route", COLUMN_TEXT },
    { "Language", "language", COLUMN_TEXT },   { "Delivery", "delivery", COLUMN_TEXT },
    { "Unix user", "delivery_user", COLUMN_TEXT },
    { "Alias of", "alias_of", COLUMN_TEXT },   { "Catch-all", "catch_all", COLUMN_TEXT }, { "Sub-address", "subaddress", COLUMN_TEXT }, { "Made", "created_at", COLUMN_TIME },
    { "Used", "quota.used", COLUMN_SIZE },     { "Quota", "quota.limit", COLUMN_SIZE },
    { "Deleted", "deleted.at", COLUMN_TIME },  { "Kept until", "deleted.until", COLUMN_TIME },
};

static const char *path(struct call *c, const char *below)
{
    return arena_printf(&c->arena, "/api/v1/domains/%s%s", escape(c, c->args[0]), below).p;
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
    out = client_create(c, path(c, ""), body, &answer);
    if (out == DONE)
        print_done(c, answer, "name", t("added"));
    js_free(answer);
    return out;
}

enum outcome verb_domain_list(struct call *c)
{
    static const char *const filters[] = { "kind", "state", "q" };

    return client_list(c, "/api/v1/domains", query_of(c, filters, ARRAY_LEN(filters)), columns, 6, "name");
}

enum outcome verb_domain_show(struct call *c)
{
    struct json_object *answer = NULL;
    enum outcome out = client_call(c, "GET", path(c, ""), NULL, "", &answer);

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
    if (!take_quota(c, body) || !take_limits(c, body)) {
        js_free(body);
        return USAGE;
    }
    out = client_call(c, "PATCH", path(c, ""), body, "", &answer);
    if (out == DONE)
        print_done(c, answer, "name", t("changed"));
    js_free(answer);
    return out;
}

enum outcome verb_domain_remove(struct call *c)
{
    bool force = option(c, "force") != NULL, purge = option(c, "purge") != NULL;
    enum outcome out;

    if (purge && !confirm(c, t("This removes %s for good, with all its accounts, aliases and their mail."), c->args[0]))
        return FAILED;
    if (force && !purge && !confirm(c, t("This deletes %s with all its accounts and aliases; it can be restored for a while."), c->args[0]))
        return FAILED;
    out = client_call(c, "DELETE", arena_printf(&c->arena, "%s?force=%s&purge=%s", path(c, ""), force ? "true" : "false",
                                                purge ? "true" : "false").p, NULL, "", NULL);
    if (out == DONE)
        print_done(c, NULL, "", t("removed"));
    return out;
}

/* ---- DNS ---- */

#define CHECK_EVERY_S 5

static enum outcome print_check(struct call *c, struct json_object *dns)
{
    static const struct column records[] = {
        { "State", "state", COLUMN_TEXT }, { "Type", "type", COLUMN_TEXT },   { "Name", "name", COLUMN_TEXT },
        { "Value", "value", COLUMN_TEXT }, { "Found", "found", COLUMN_TEXT },
    };
    bool all = js_get_int(js_get(dns, "right", NULL)) == js_get_int(js_get(dns, "wanted", NULL));

    if (c->json)
        print_object(c, dns, NULL, 0, "right");
    else
        print_rows(c, js_get(dns, "records", NULL), records, ARRAY_LEN(records), "name", true);
    return all ? DONE : PROBLEMS_FOUND;
}

/* Once, or with --wait until all is right. */
enum outcome verb_domain_check(struct call *c)
{
    const char *path = arena_printf(&c->arena, "/api/v1/domains/%s/dns/check", escape(c, c->args[0])).p;
    struct json_object *dns = NULL;
    enum outcome out = client_call(c, "POST", path, NULL, "", &dns);

    while (out == DONE && option(c, "wait") != NULL &&
           js_get_int(js_get(dns, "right", NULL)) < js_get_int(js_get(dns, "wanted", NULL))) {
        say(t("%lld of %lld records are right."), (long long)js_get_int(js_get(dns, "right", NULL)),
            (long long)js_get_int(js_get(dns, "wanted", NULL)));
        js_free(dns);
        dns = NULL;
        sleep(CHECK_EVERY_S);
        out = client_call(c, "POST", path, NULL, "", &dns);
    }
    if (out == DONE)
        out = print_check(c, dns);
    js_free(dns);
    return out;
}

/* The records that lie in the domain's own zone. */
enum outcome verb_domain_zone(struct call *c)
{
    struct json_object *dns = NULL, *records;
    enum outcome out = client_call(c, "GET", arena_printf(&c->arena, "/api/v1/domains/%s/dns", escape(c, c->args[0])).p, NULL, "", &dns);

    if (out != DONE)
        return out;
    records = js_get(dns, "records", NULL);
    for (size_t i = 0; i < js_len(records); i++) {
        struct json_object *line = js_get(js_at(records, i), "line", NULL);

        if (line != NULL)
            printf("%.*s\n", STR_ARG(harmless(&c->arena, js_get_str(line))));
    }
    js_free(dns);
    return DONE;
}

/* ---- after a removal ---- */

enum outcome verb_domain_restore(struct call *c)
{
    struct json_object *answer = NULL;
    enum outcome out = client_call(c, "POST", path(c, "/restore"), NULL, "", &answer);

    if (out == DONE)
        print_done(c, answer, "name", t("restored"));
    js_free(answer);
    return out;
}

static const char *admin_path(struct call *c)
{
    return arena_printf(&c->arena, "%s/%s", path(c, "/admins"), escape(c, c->args[1])).p;
}

enum outcome verb_domain_admin_list(struct call *c)
{
    static const struct column admin_columns[] = {
        { "Account", "address", COLUMN_TEXT }, { "Name", "name", COLUMN_TEXT }, { "State", "state", COLUMN_TEXT },
    };

    return client_list(c, path(c, "/admins"), "", admin_columns, ARRAY_LEN(admin_columns), "address");
}

enum outcome verb_domain_admin_add(struct call *c)
{
    struct json_object *answer = NULL;
    enum outcome out = client_call(c, "PUT", admin_path(c), NULL, "", &answer);

    if (out == DONE)
        print_done(c, answer, "address", t("added"));
    js_free(answer);
    return out;
}

enum outcome verb_domain_admin_remove(struct call *c)
{
    enum outcome out = client_call(c, "DELETE", admin_path(c), NULL, "", NULL);

    if (out == DONE)
        print_done(c, NULL, "", t("removed"));
    return out;
}
