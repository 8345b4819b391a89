/* /session, /session/totp, /session/link, /session/reauth, /me and /me/password */
#include "store/session.h"
#include "api/accounts.h"
#include "api/events.h"
#include "api/fields.h"
#include "api/handlers.h"
#include "api/problem.h"
#include "api/record.h"

#define COOKIE "__Host-correio"
#define COOKIE_RULES "; Path=/; Secure; HttpOnly; SameSite=Strict"

static const char *const role_names[] = { "account", "domain_admin", "system_admin" };
static const char *const via_names[] = { "", "page", "token", "socket" };

static struct json_object *session_json(const struct caller *c)
{
    struct json_object *o = js_object(), *account = NULL, *scopes = js_array();

    if (c->via == VIA_PAGE) {
        account = js_object();
        js_set(account, "address", js_str(c->address));
        js_set(account, "name", js_str(c->name));
        js_set(account, "language", js_str(c->language));
    }
    for (enum scope s = 0; s < SCOPES; s++) {
        if (caller_has(c, s))
            js_push(scopes, js_str(str_c(scope_names[s])));
    }
    js_set(o, "via", js_str(str_c(via_names[c->via])));
    js_set(o, "account", account);
    js_set(o, "role", js_str(str_c(role_names[c->role])));
    js_set(o, "scopes", scopes);
    js_set(o, "domains", c->visible.limited ? js_strs(c->visible.domains, c->visible.n) : NULL);
    js_set(o, "hostname", js_str(settings_get()->hostname));
    if (c->via == VIA_PAGE)
        js_set(o, "csrf_token", js_str(c->csrf));
    if (c->via != VIA_SOCKET)
        js_set(o, "expires_at", js_time(c->expires_us));
    js_set(o, "password_required", js_bool(c->must_set_password));
    return o;
}

void session_get(struct request *r)
{
    if (!caller_identify(r))
        return;
    if (r->caller.via == VIA_NOBODY)
        problem_with(r, PROBLEM_UNAUTHENTICATED, "hostname", js_str(settings_get()->hostname));
    else
        reply_json(r, 200, session_json(&r->caller));
}

static void set_cookie(struct request *r, struct str cookie)
{
    reply_header(r, "Set-Cookie", arena_printf(&r->arena, COOKIE "=%.*s" COOKIE_RULES, STR_ARG(cookie)));
}

/* Sets the cookie of a session and answers with who it is. */
static void answer_session(struct request *r, struct str cookie)
{
    struct session s;
    struct caller *c = &r->caller;
    enum result result;

    *c = (struct caller){ .via = VIA_PAGE, .session_hash = sha256(&r->arena, cookie) };
    result = session_find(r->service->db, c->session_hash, &r->arena, &s);
    if (result != RES_OK) {
        problem_of_result(r, result == RES_NOTFOUND ? RES_TEMPFAIL : result);
        return;
    }
    c->account_id = s.account_id;
    c->address = s.address;
    c->name = s.name;
    c->language = s.language;
    c->role = s.role;
    c->scopes = role_scopes(s.role);
    c->visible = (struct visible){ s.role != ROLE_SYSTEM_ADMIN, s.domains, s.n_domains };
    c->csrf = s.csrf;
    c->expires_us = s.expires_us;
    c->must_set_password = s.must_set_password;
    set_cookie(r, cookie);
    reply_json(r, 200, session_json(c));
}

/* The first step is done: a session, or what comes next. */
static void answer_sign_in(struct request *r, const struct auth_session *made)
{
    struct json_object *next;

    if (!made->code_due) {
        answer_session(r, made->cookie);
        return;
    }
    next = js_object();
    js_set(next, "next", js_str(STR("totp")));
    set_cookie(r, made->cookie);
    reply_json(r, 200, next);
}

static void refuse_sign_in(struct request *r, enum result result, enum problem_kind denied)
{
    if (result == RES_DENIED || result == RES_INVALID)
        problem(r, denied, NULL);
    else if (result == RES_LIMIT)
        problem(r, PROBLEM_RATE_LIMITED, NULL);
    else
        problem_of_result(r, result);
}

void session_post(struct request *r)
{
    static const struct field members[] = {
        { .name = "address", .type = FIELD_STRING, .required = true, .min = 1, .max = 320, .any_text = true },
        { .name = "password", .type = FIELD_STRING, .required = true, .min = 1, .max = 256, .any_text = true },
    };
    struct json_object *body = body_object(r, false);
    struct auth_session made;
    enum result result;

    if (body == NULL)
        return;
    fields_check(r, body, STR(""), members, ARRAY_LEN(members), NULL);
    if (errors_of_body(r))
        return;
    result = auth_sign_in(r->service->auth, field_str(body, "address", STR("")), field_str(body, "password", STR("")), r->ip,
                          request_header(r, STR("User-Agent")), &r->arena, &made);
    if (result == RES_OK)
        answer_sign_in(r, &made);
    else
        refuse_sign_in(r, result, PROBLEM_WRONG_CREDENTIALS);
}

void session_link_post(struct request *r)
{
    static const struct field members[] = {
        { .name = "token", .type = FIELD_STRING, .required = true, .min = 1, .max = 256, .any_text = true },
    };
    struct json_object *body = body_object(r, false);
    struct auth_session made;
    enum result result;

    if (body == NULL)
        return;
    fields_check(r, body, STR(""), members, ARRAY_LEN(members), NULL);
    if (errors_of_body(r))
        return;
    result = auth_link_sign_in(r->service->auth, field_str(body, "token", STR("")), r->ip,
                               request_header(r, STR("User-Agent")), &r->arena, &made);
    if (result == RES_OK)
        answer_sign_in(r, &made);
    else
        refuse_sign_in(r, result, PROBLEM_LINK_USED);
}

void session_totp_post(struct request *r)
{
    static const struct field members[] = {
        { .name = "code", .type = FIELD_STRING, .required = true, .min = 1, .max = 40, .any_text = true },
    };
    struct json_object *body = body_object(r, false);
    struct str hash = caller_cookie_hash(r);
    struct auth_session made;
    enum result result = RES_NOTFOUND;

    if (body == NULL)
        return;
    fields_check(r, body, STR(""), members, ARRAY_LEN(members), NULL);
    if (errors_of_body(r))
        return;
    if (hash.p != NULL)
        result = auth_code_sign_in(r->service->auth, r->ip, hash, field_str(body, "code", STR("")), &r->arena, &made);
    if (result == RES_OK)
        answer_session(r, made.cookie);
    else if (result == RES_NOTFOUND)
        problem(r, PROBLEM_UNAUTHENTICATED, "This sign-in is over: begin with the password again.");
    else
        refuse_sign_in(r, result, PROBLEM_WRONG_CODE);
}

/* The session's owner proves himself again. */
void session_reauth_post(struct request *r)
{
    static const struct field members[] = {
        { .name = "password", .type = FIELD_STRING, .required = true, .min = 1, .max = 256, .any_text = true },
        { .name = "code", .type = FIELD_STRING, .nullable = true, .max = 40, .any_text = true },
    };
    struct json_object *body;
    struct str cookie;
    enum result result;

    if (r->caller.via != VIA_PAGE) {
        problem(r, PROBLEM_NOT_FOUND, NULL);
        return;
    }
    if ((body = body_object(r, false)) == NULL)
        return;
    fields_check(r, body, STR(""), members, ARRAY_LEN(members), NULL);
    if (errors_of_body(r))
        return;
    result = auth_reauth(r->service->auth, r->caller.address, r->ip, r->caller.session_hash, field_str(body, "password", STR("")),
                         field_str(body, "code", STR("")), &r->arena, &cookie);
    if (result == RES_DENIED)
        error_at(r, STR("/password"), "wrong-password", "It is not the present password.");
    else if (result == RES_CONFLICT)
        error_at(r, STR("/code"), "required", "A code is needed, too.");
    else if (result == RES_INVALID)
        error_at(r, STR("/code"), "wrong-code", "It is wrong, or was used before.");
    if (errors_of_body(r))
        return;
    if (result == RES_OK)
        answer_session(r, cookie);
    else if (result == RES_NOTFOUND)
        problem(r, PROBLEM_UNAUTHENTICATED, NULL);
    else
        refuse_sign_in(r, result, PROBLEM_WRONG_CREDENTIALS);
}

void session_delete(struct request *r)
{
    enum result result = RES_OK;

    if (r->caller.via == VIA_PAGE)
        result = session_end(r->service->db, r->caller.session_hash);
    if (result != RES_OK) {
        problem_of_result(r, result);
        return;
    }
    events_recheck();
    reply_header(r, "Set-Cookie", STR(COOKIE "=; Max-Age=0" COOKIE_RULES));
    reply_empty(r);
}

/* ---- /me ---- */

void me_get(struct request *r)
{
    if (r->caller.via != VIA_PAGE) {
        problem(r, PROBLEM_NOT_FOUND, NULL);
        return;
    }
    r->caller.visible = (struct visible){ .limited = false }; /* the own account, whatever else may be seen */
    account_answer(r, r->caller.address, 200);
}

/* The present password is the caller's proof; a link was one, too.  False: it is wrong; noted or answered. */
static bool prove(struct request *r, const struct json_object *body)
{
    struct auth_request ask = { .user = r->caller.address, .password = field_str(body, "current", STR("")),
                                .protocol = "http", .ip = r->ip };
    struct auth_identity identity;
    enum result result;

    if (r->caller.must_set_password)
        return true;
    if (!field_there(body, "current")) {
        error_at(r, STR("/current"), "required", "It is missing.");
        return !errors_of_body(r);
    }
    result = auth_password(r->service->auth, &ask, &r->arena, &identity);
    if (result == RES_OK && identity.account_id == r->caller.account_id)
        return true;
    if (result == RES_OK || result == RES_DENIED) {
        error_at(r, STR("/current"), "wrong-password", "It is not the present password.");
        return !errors_of_body(r);
    }
    refuse_sign_in(r, result, PROBLEM_WRONG_CREDENTIALS);
    return false;
}

void me_password_put(struct request *r)
{
    static const struct field members[] = {
        { .name = "current", .type = FIELD_STRING, .max = 256, .any_text = true },
        { .name = "password", .type = FIELD_STRING, .required = true, .min = 1, .max = 256, .any_text = true },
    };
    struct json_object *body;
    struct str password;
    enum result result;

    if (r->caller.via != VIA_PAGE) {
        problem(r, PROBLEM_NOT_FOUND, NULL);
        return;
    }
    body = body_object(r, false);
    if (body == NULL)
        return;
    fields_check(r, body, STR(""), members, ARRAY_LEN(members), NULL);
    password = field_str(body, "password", STR(""));
    if (r->errors == NULL)
        account_check_password(r, STR("/password"), password);
    if (errors_of_body(r) || !prove(r, body))
        return;
    result = account_set_password(r, r->caller.account_id, password, r->caller.session_hash);
    if (result == RES_OK)
        result = session_password_set(r->service->db, r->caller.session_hash);
    if (result == RES_OK)
        result = audit_write(r->service->db, record(r, "account.password", r->caller.address, NULL, NULL));
    if (result == RES_OK)
        reply_empty(r);
    else
        problem_of_result(r, result);
}
