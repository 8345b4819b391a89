#include "api/problem.h"

#include <stdarg.h>
#include <stdio.h>

static const struct {
    const char *name;
    int status;
    const char *title;
} kinds[PROBLEMS] = {
    [PROBLEM_MALFORMED] = { "malformed", 400, "The request is malformed" },
    [PROBLEM_INVALID_PARAMETER] = { "invalid-parameter", 400, "A parameter has a wrong value" },
    [PROBLEM_INVALID_CURSOR] = { "invalid-cursor", 400, "The cursor does not belong to this list, or is too old" },
    [PROBLEM_VALIDATION] = { "validation", 422, "The request has wrong values" },
    [PROBLEM_UNAUTHENTICATED] = { "unauthenticated", 401, "Sign in first" },
    [PROBLEM_WRONG_CREDENTIALS] = { "wrong-credentials", 401, "The address or the password is wrong" },
    [PROBLEM_WRONG_CODE] = { "wrong-code", 401, "The code is wrong, or was used before" },
    [PROBLEM_REAUTHENTICATION_REQUIRED] = { "reauthentication-required", 403, "Prove that it is you: this needs your password again" },
    [PROBLEM_INSUFFICIENT_SCOPE] = { "insufficient-scope", 403, "Your role or token may not do this" },
    [PROBLEM_PASSWORD_REQUIRED] = { "password-required", 403, "Set a password first" },
    [PROBLEM_CSRF] = { "csrf", 403, "The request does not come from this server's own page" },
    [PROBLEM_NOT_FOUND] = { "not-found", 404, "There is no such thing" },
    [PROBLEM_METHOD_NOT_ALLOWED] = { "method-not-allowed", 405, "This path does not take this method" },
    [PROBLEM_NOT_ACCEPTABLE] = { "not-acceptable", 406, "The answer has no form that you accept" },
    [PROBLEM_UNSUPPORTED_MEDIA_TYPE] = { "unsupported-media-type", 415, "The body has a type that is not taken here, or is compressed" },
    [PROBLEM_TOO_LARGE] = { "too-large", 413, "The body is too large" },
    [PROBLEM_EXISTS] = { "exists", 409, "It is there already" },
    [PROBLEM_NOT_EMPTY] = { "not-empty", 409, "The domain still has accounts or aliases" },
    [PROBLEM_BUSY] = { "busy", 409, "The message is being sent at this moment" },
    [PROBLEM_READ_ONLY] = { "read-only", 409, "A file or the environment fixes this setting" },
    [PROBLEM_LAST_ADMIN] = { "last-admin", 409, "This is the last system administrator" },
    [PROBLEM_SELECTION_CHANGED] = { "selection-changed", 409, "More messages match than you saw" },
    [PROBLEM_UNDO_EXPIRED] = { "undo-expired", 409, "It can no longer be taken back" },
    [PROBLEM_LINK_USED] = { "link-used", 410, "This link is unknown, used or too old" },
    [PROBLEM_STALE] = { "stale", 412, "It was changed meanwhile" },
    [PROBLEM_PRECONDITION_REQUIRED] = { "precondition-required", 428, "Say with If-Match which version you change" },
    [PROBLEM_IDEMPOTENCY_MISMATCH] = { "idempotency-mismatch", 422, "This Idempotency-Key belongs to another request" },
    [PROBLEM_IDEMPOTENCY_RUNNING] = { "idempotency-running", 409, "The same request is being worked on" },
    [PROBLEM_RATE_LIMITED] = { "rate-limited", 429, "Too many requests; try later" },
    [PROBLEM_TLS_REQUIRED] = { "tls-required", 403, "Use https" },
    [PROBLEM_DATABASE_UNAVAILABLE] = { "database-unavailable", 503, "The database does not answer; try again in a moment" },
    [PROBLEM_INTERNAL] = { "internal", 500, "Something is broken here; the log says what" },
};

const char *problem_name(enum problem_kind kind)
{
    return kinds[kind].name;
}

int problem_status(enum problem_kind kind)
{
    return kinds[kind].status;
}

static struct json_object *make(struct arena *a, enum problem_kind kind, struct str request_id)
{
    struct json_object *body = js_object();

    js_set(body, "type", js_str(arena_printf(a, "/problems/%s", kinds[kind].name)));
    js_set(body, "title", js_str(str_c(kinds[kind].title)));
    js_set(body, "status", js_int(kinds[kind].status));
    js_set(body, "request_id", js_str(request_id));
    return body;
}

static void send_problem(struct request *r, enum problem_kind kind, struct json_object *body)
{
    r->answer.n_headers = 0;
    if (kind == PROBLEM_DATABASE_UNAVAILABLE) {
        reply_header(r, "Retry-After", STR("2"));
        js_set(body, "retry_after", js_int(2));
    } else if (kind == PROBLEM_RATE_LIMITED) {
        reply_header(r, "Retry-After", STR("10"));
        js_set(body, "retry_after", js_int(10));
    } else if (kind == PROBLEM_UNAUTHENTICATED) {
        reply_header(r, "WWW-Authenticate", STR("Bearer"));
    }
    reply_text(r, kinds[kind].status, STR("application/problem+json"), js_text(body, &r->arena));
    js_free(body);
}

void problem(struct request *r, enum problem_kind kind, const char *detail, ...)
{
    struct json_object *body = make(&r->arena, kind, r->id);

    if (detail != NULL) {
        CLEANUP(strbuf_release) struct strbuf text = { .max = 2000 };
        va_list ap;

        va_start(ap, detail);
        (void)!strbuf_vaddf(&text, detail, ap);
        va_end(ap);
        js_set(body, "detail", js_str(strbuf_str(&text)));
    }
    send_problem(r, kind, body);
}

void problem_with(struct request *r, enum problem_kind kind, const char *member, struct json_object *value)
{
    struct json_object *body = make(&r->arena, kind, r->id);

    js_set(body, member, value);
    send_problem(r, kind, body);
}

void problem_not_empty(struct request *r, int64_t accounts, int64_t aliases)
{
    struct json_object *body = make(&r->arena, PROBLEM_NOT_EMPTY, r->id);

    js_set(body, "accounts", js_int(accounts));
    js_set(body, "aliases", js_int(aliases));
    send_problem(r, PROBLEM_NOT_EMPTY, body);
}

struct str problem_body(struct arena *a, enum problem_kind kind, struct str request_id)
{
    struct json_object *body = make(a, kind, request_id);
    struct str text = js_text(body, a);

    js_free(body);
    return text;
}

void problem_of_result(struct request *r, enum result result)
{
    switch (result) {
    case RES_NOTFOUND:
        problem(r, PROBLEM_NOT_FOUND, NULL);
        return;
    case RES_EXISTS:
        problem(r, PROBLEM_EXISTS, NULL);
        return;
    case RES_DENIED:
        problem(r, PROBLEM_LAST_ADMIN, NULL);
        return;
    default:
        problem(r, result == RES_TEMPFAIL || result == RES_TIMEOUT || result == RES_CANCELLED ? PROBLEM_DATABASE_UNAVAILABLE
                                                                                               : PROBLEM_INTERNAL, NULL);
    }
}

/* ---- errors of values ---- */

/* The new error, to which more members may be added; NULL: there are enough to see what is wrong. */
static struct json_object *note_error(struct request *r, struct str place, const char *code, struct str detail)
{
    struct json_object *error;

    if (r->errors == NULL)
        r->errors = js_array();
    if (js_len(r->errors) >= 200)
        return NULL;
    error = js_object();
    js_set(error, place.len == 0 || place.p[0] == '/' ? "pointer" : "parameter", js_str(place.p != NULL ? place : STR("")));
    js_set(error, "code", js_str(str_c(code)));
    js_set(error, "detail", js_str(detail));
    js_push(r->errors, error);
    return error;
}

void error_at(struct request *r, struct str place, const char *code, const char *detail, ...)
{
    CLEANUP(strbuf_release) struct strbuf text = { .max = 2000 };
    va_list ap;

    va_start(ap, detail);
    (void)!strbuf_vaddf(&text, detail, ap);
    va_end(ap);
    (void)note_error(r, place, code, strbuf_str(&text));
}

void error_in_text(struct request *r, struct str place, const char *code, unsigned line, unsigned column, struct str detail)
{
    struct json_object *error = note_error(r, place, code, detail);

    if (error == NULL)
        return;
    js_set(error, "line", js_int(line));
    js_set(error, "column", js_int(column));
}

static bool answer_errors(struct request *r, enum problem_kind kind)
{
    struct json_object *body;
    size_t n;

    if (r->errors == NULL)
        return false;
    n = js_len(r->errors);
    body = make(&r->arena, kind, r->id);
    js_set(body, "title", js_str(arena_printf(&r->arena, n == 1 ? "The request has %zu wrong value" : "The request has %zu wrong values", n)));
    js_set(body, "errors", js_share(r->errors));
    send_problem(r, kind, body);
    return true;
}

bool errors_of_query(struct request *r)
{
    return answer_errors(r, PROBLEM_INVALID_PARAMETER);
}

bool errors_of_body(struct request *r)
{
    return answer_errors(r, PROBLEM_VALIDATION);
}
