#include "api/ctl/client.h"
#include "api/ctl/verbs.h"

#include <errno.h>
#include <stdlib.h>

static const struct column columns[] = {
    { "Account", "address", COLUMN_TEXT },        { "Name", "name", COLUMN_TEXT },
    { "State", "state", COLUMN_TEXT },            { "Role", "role", COLUMN_TEXT },
    { "Used", "quota.used", COLUMN_SIZE },        { "Quota", "quota.limit", COLUMN_SIZE },
    { "Last sign-in", "last_sign_in.at", COLUMN_TIME }, { "Messages", "quota.messages", COLUMN_NUMBER },
    { "Language", "language", COLUMN_TEXT },      { "Reason", "suspended.reason", COLUMN_TEXT },
    { "Frozen since", "frozen.at", COLUMN_TIME }, { "Frozen by", "frozen.by", COLUMN_TEXT }, { "Why frozen", "frozen.reason", COLUMN_TEXT },
    { "Delivery", "delivery", COLUMN_TEXT },      { "Unix user", "delivery_user", COLUMN_TEXT },
    { "Forward", "forward", COLUMN_TEXT },        { "A copy stays", "forward_keep", COLUMN_TEXT },
    { "Made", "created_at", COLUMN_TIME },        { "Message limit", "quota.message_limit", COLUMN_NUMBER },
    { "Sent 24 h", "sent.last_day", COLUMN_NUMBER }, { "Limit an hour", "limits.recipients_per_hour", COLUMN_NUMBER },
    { "Limit a day", "limits.recipients_per_day", COLUMN_NUMBER },
    { "Deleted", "deleted.at", COLUMN_TIME },     { "Kept until", "deleted.until", COLUMN_TIME },
};
#define LIST_COLUMNS 7

static const char *path(struct call *c, const char *below)
{
    return arena_printf(&c->arena, "/api/v1/accounts/%s%s", escape(c, c->args[0]), below).p;
}

static enum outcome done(struct call *c, enum outcome out, struct json_object *answer, const char *what)
{
    if (out == DONE)
        print_done(c, answer, "address", what);
    js_free(answer);
    return out;
}

/* The members that options name.  False: a value is wrong; said. */
static bool take_members(struct call *c, struct json_object *body)
{
    static const char *const texts[] = { "name", "role", "language", "delivery", "delivery-user" };

    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        const char *value = option(c, texts[i]);

        if (value != NULL) /* empty: none of its own, but for name and role */
            js_set(body, i == 4 ? "delivery_user" : texts[i], i >= 2 && value[0] == '\0' ? NULL : js_str(str_c(value)));
    }
    if (option(c, "forward") != NULL)
        js_set(body, "forward", list_of(option(c, "forward")));
    if (option(c, "forward-keep") != NULL)
        js_set(body, "forward_keep", js_bool(strcmp(option(c, "forward-keep"), "no") != 0));
    return take_quota(c, body) && take_limits(c, body);
}

static enum outcome print_link(struct call *c)
{
    struct json_object *link = NULL;
    enum outcome out = client_call(c, "POST", path(c, "/link"), NULL, "", &link);
    static const struct column link_columns[] = {
        { "Link", "url", COLUMN_TEXT }, { "Until", "expires_at", COLUMN_TIME }, { "For", "purpose", COLUMN_TEXT },
    };

    if (out == DONE)
        print_object(c, link, link_columns, ARRAY_LEN(link_columns), "url");
    js_free(link);
    return out;
}

enum outcome verb_account_add(struct call *c)
{
    struct json_object *body = js_object(), *answer = NULL;
    struct str password;
    enum outcome out;

    if (!take_members(c, body)) {
        js_free(body);
        return USAGE;
    }
    if (option(c, "link") == NULL) {
        if (!take_password(c, &password)) {
            js_free(body);
            return USAGE;
        }
        if (password.len < 12)
            say("%s", t("The password is shorter than 12 characters: easily guessed."));
        js_set(body, "password", js_str(password));
    }
    out = client_create(c, path(c, ""), body, &answer);
    if (out == DONE && option(c, "link") != NULL && option(c, "dry-run") == NULL) {
        js_free(answer);
        return print_link(c);
    }
    return done(c, out, answer, t("added"));
}

enum outcome verb_account_list(struct call *c)
{
    static const char *const filters[] = { "domain", "state", "q" };

    return client_list(c, "/api/v1/accounts", query_of(c, filters, ARRAY_LEN(filters)), columns, LIST_COLUMNS, "address");
}

enum outcome verb_account_show(struct call *c)
{
    struct json_object *answer = NULL;
    enum outcome out = client_call(c, "GET", path(c, ""), NULL, "", &answer);

    if (out == DONE)
        print_object(c, answer, columns, ARRAY_LEN(columns), "address");
    js_free(answer);
    return out;
}

enum outcome verb_account_usage(struct call *c)
{
    static const struct column usage_columns[] = {
        { "Used", "quota.used", COLUMN_SIZE },           { "Quota", "quota.limit", COLUMN_SIZE },
        { "Messages", "quota.messages", COLUMN_NUMBER }, { "Message limit", "quota.message_limit", COLUMN_NUMBER },
        { "Sent 1 h", "sent.last_hour", COLUMN_NUMBER }, { "Limit an hour", "limits.recipients_per_hour", COLUMN_NUMBER },
        { "Sent 24 h", "sent.last_day", COLUMN_NUMBER }, { "Limit a day", "limits.recipients_per_day", COLUMN_NUMBER },
    };
    struct json_object *answer = NULL;
    enum outcome out = client_call(c, "GET", path(c, "/usage"), NULL, "", &answer);

    if (out == DONE)
        print_object(c, answer, usage_columns, ARRAY_LEN(usage_columns), "sent.last_day");
    js_free(answer);
    return out;
}

enum outcome verb_account_set(struct call *c)
{
    struct json_object *body = js_object(), *answer = NULL;
    enum outcome out;

    if (!take_members(c, body)) {
        js_free(body);
        return USAGE;
    }
    out = client_call(c, "PATCH", path(c, ""), body, "", &answer);
    return done(c, out, answer, t("changed"));
}

enum outcome verb_account_password(struct call *c)
{
    struct json_object *body;
    struct str password;

    if (!take_password(c, &password))
        return USAGE;
    if (password.len < 12)
        say("%s", t("The password is shorter than 12 characters: easily guessed."));
    body = js_object();
    js_set(body, "password", js_str(password));
    return done(c, client_call(c, "PUT", path(c, "/password"), body, "", NULL), NULL, t("the password is set"));
}

enum outcome verb_account_link(struct call *c)
{
    return print_link(c);
}

/* Fails when the server did not take it. */
enum outcome verb_account_test(struct call *c)
{
    static const struct column test_columns[] = {
        { "To", "to", COLUMN_TEXT }, { "Trace", "trace", COLUMN_TEXT }, { "Answer", "text", COLUMN_TEXT },
    };
    struct json_object *answer = NULL;
    enum outcome out = client_call(c, "POST", path(c, "/test-message"), NULL, "", &answer);

    if (out == DONE) {
        print_object(c, answer, test_columns, ARRAY_LEN(test_columns), "trace");
        if (!js_get_bool(js_get(answer, "accepted", NULL)))
            out = FAILED;
    }
    js_free(answer);
    return out;
}

/* PUT with the reason that was given. */
static enum outcome put_reason(struct call *c, const char *below, const char *what)
{
    struct json_object *body = js_object(), *answer = NULL;
    const char *reason = option(c, "reason");
    enum outcome out;

    js_set(body, "reason", js_str(str_c(reason)));
    out = client_call(c, "PUT", path(c, below), body, "", &answer);
    return done(c, out, answer, what);
}

enum outcome verb_account_suspend(struct call *c)
{
    return put_reason(c, "/suspend", t("suspended; nobody can sign in"));
}

enum outcome verb_account_freeze(struct call *c)
{
    return put_reason(c, "/freeze", t("frozen; nothing is sent, and its queue is held"));
}

enum outcome verb_account_unfreeze(struct call *c)
{
    return done(c, client_call(c, "DELETE", path(c, "/freeze"), NULL, "", NULL), NULL, t("can send again"));
}

enum outcome verb_account_resume(struct call *c)
{
    return done(c, client_call(c, "DELETE", path(c, "/suspend"), NULL, "", NULL), NULL, t("can sign in again"));
}

enum outcome verb_account_remove(struct call *c)
{
    bool purge = option(c, "purge") != NULL;

    if (!confirm(c, purge ? t("This removes %s and its mail for good.") : t("This deletes %s; it can be restored for a while."), c->args[0]))
        return FAILED;
    return done(c, client_call(c, "DELETE", path(c, purge ? "?purge=true" : ""), NULL, "", NULL), NULL, t("removed"));
}

enum outcome verb_account_restore(struct call *c)
{
    struct json_object *answer = NULL;
    enum outcome out = client_call(c, "POST", path(c, "/restore"), NULL, "", &answer);

    return done(c, out, answer, t("restored"));
}

static const char *address_path(struct call *c)
{
    return path(c, arena_printf(&c->arena, "/addresses/%s", escape(c, c->args[1])).p);
}

enum outcome verb_account_address_list(struct call *c)
{
    static const struct column address_columns[] = { { "Address", "address", COLUMN_TEXT }, { "Main", "main", COLUMN_TEXT } };

    return client_list(c, path(c, "/addresses"), "", address_columns, ARRAY_LEN(address_columns), "address");
}

enum outcome verb_account_address_add(struct call *c)
{
    struct json_object *answer = NULL;
    enum outcome out = client_call(c, "PUT", address_path(c), NULL, "", &answer);

    return done(c, out, answer, t("added"));
}

enum outcome verb_account_address_remove(struct call *c)
{
    return done(c, client_call(c, "DELETE", address_path(c), NULL, "", NULL), NULL, t("removed"));
}

/* ---- app passwords ---- */

static const struct column app_columns[] = {
    { "Id", "id", COLUMN_TEXT },
    { "Name", "name", COLUMN_TEXT },
    { "Protocols", "protocols", COLUMN_TEXT },
    { "Made", "created_at", COLUMN_TIME },
    { "Last used", "last_used.at", COLUMN_TIME },
    { "From", "last_used.ip", COLUMN_TEXT },
    { "Password", "password", COLUMN_TEXT },
};
#define APP_LIST_COLUMNS 6

enum outcome verb_account_app_add(struct call *c)
{
    struct json_object *body = js_object(), *answer = NULL;
    const char *name = option(c, "name");
    enum outcome out;

    js_set(body, "name", js_str(name != NULL ? str_c(name) : STR("correioctl")));
    if (option(c, "protocol") != NULL)
        js_set(body, "protocols", list_of(option(c, "protocol")));
    out = client_call(c, "POST", path(c, "/app-passwords"), body, "", &answer);
    if (out == DONE)
        print_object(c, answer, app_columns, ARRAY_LEN(app_columns), "password");
    js_free(answer);
    return out;
}

enum outcome verb_account_app_list(struct call *c)
{
    return client_list(c, path(c, "/app-passwords"), "", app_columns, APP_LIST_COLUMNS, "id");
}

enum outcome verb_account_app_remove(struct call *c)
{
    const char *below = arena_printf(&c->arena, "/app-passwords/%s", escape(c, c->args[1])).p;

    return done(c, client_call(c, "DELETE", path(c, below), NULL, "", NULL), NULL, t("the password is removed"));
}

/* ---- sessions ---- */

enum outcome verb_account_sessions(struct call *c)
{
    static const struct column session_columns[] = {
        { "Id", "id", COLUMN_TEXT },         { "Protocol", "protocol", COLUMN_TEXT },    { "From", "ip", COLUMN_TEXT },
        { "Since", "started_at", COLUMN_TIME }, { "Program", "user_agent", COLUMN_TEXT },
    };

    return client_list(c, path(c, "/sessions"), "", session_columns, ARRAY_LEN(session_columns), "id");
}

enum outcome verb_account_sessions_end(struct call *c)
{
    const char *below = c->n_args == 2 ? arena_printf(&c->arena, "/sessions/%s", escape(c, c->args[1])).p : "/sessions";

    return done(c, client_call(c, "DELETE", path(c, below), NULL, "", NULL), NULL,
                c->n_args == 2 ? t("the session is ended") : t("all sessions are ended"));
}

/* ---- two-step sign-in ---- */

enum outcome verb_account_totp(struct call *c)
{
    static const struct column totp_columns[] = {
        { "Two-step sign-in", "enabled", COLUMN_TEXT }, { "Since", "since", COLUMN_TIME },
        { "Recovery codes left", "recovery_codes_left", COLUMN_NUMBER },
    };
    struct json_object *answer = NULL;
    enum outcome out = client_call(c, "GET", path(c, "/totp"), NULL, "", &answer);

    if (out == DONE)
        print_object(c, answer, totp_columns, ARRAY_LEN(totp_columns), "enabled");
    js_free(answer);
    return out;
}

enum outcome verb_account_totp_remove(struct call *c)
{
    return done(c, client_call(c, "DELETE", path(c, "/totp"), NULL, "", NULL), NULL, t("two-step sign-in is off"));
}

enum outcome verb_account_activity(struct call *c)
{
    static const struct column activity_columns[] = {
        { "At", "at", COLUMN_TIME },           { "Result", "result", COLUMN_TEXT }, { "Count", "count", COLUMN_NUMBER },
        { "Protocol", "protocol", COLUMN_TEXT }, { "From", "ip", COLUMN_TEXT },       { "New network", "new_network", COLUMN_TEXT },
    };

    return client_list(c, path(c, "/activity"), "", activity_columns, ARRAY_LEN(activity_columns), "at");
}
