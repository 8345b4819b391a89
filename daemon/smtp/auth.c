/* AUTH PLAIN and LOGIN (RFC 4954). */
#include "auth/sasl.h"
#include "base/encode.h"
#include "base/log.h"
#include "smtp/session.h"

#define RESPONSE_MAX 12288 /* RFC 4954, 4 */
#define MAX_FAILURES 3
#define USER_MAX 320 /* of a name in the trace */

bool smtp_auth_needs_tls(const struct smtp_session *s)
{
    return !stream_is_tls(s->stream) &&
           (s->listener == LISTEN_SMTP || !settings_cleartext_allowed(settings_get(), stream_peer(s->stream)));
}

bool smtp_auth_offered(const struct smtp_session *s)
{
    if (smtp_is_lmtp(s) || smtp_is_local(s) || (s->listener == LISTEN_SMTP && !settings_get()->auth_on_25))
        return false;
    return !smtp_auth_needs_tls(s) && s->identity.account_id == 0;
}

/* Asks with a 334 challenge and reads the answer.  RES_INVALID: the client gave up with "*". */
static enum result ask(struct cmd *c, struct str challenge, struct str *ret_answer)
{
    struct smtp_session *s = c->s;
    struct str line;
    enum result r;

    stream_printf(s->stream, "334 %.*s\r\n", STR_ARG(base64_encode(c->arena, challenge)));
    r = stream_flush(s->stream);
    if (r == RES_OK)
        r = stream_read_line(s->stream, RESPONSE_MAX, &line);
    if (r != RES_OK)
        return r;
    *ret_answer = arena_str(c->arena, line);
    return str_eq(line, STR("*")) ? RES_INVALID : RES_OK;
}

static enum result plain(struct cmd *c, struct str initial, struct auth_request *req)
{
    enum result r = RES_OK;

    if (initial.p == NULL)
        r = ask(c, STR(""), &initial);
    if (r != RES_OK)
        return r;
    return sasl_plain(c->arena, initial, &req->user, &req->password);
}

static enum result login(struct cmd *c, struct str initial, struct auth_request *req)
{
    struct str answer = initial;
    enum result r = RES_OK;

    if (initial.p == NULL)
        r = ask(c, STR("Username:"), &answer);
    if (r == RES_OK)
        r = base64_decode(c->arena, answer, &req->user);
    if (r == RES_OK)
        r = ask(c, STR("Password:"), &answer);
    if (r == RES_OK)
        r = base64_decode(c->arena, answer, &req->password);
    return r;
}

static void trace_failure(struct cmd *c, struct str user)
{
    const struct admission_refusal refusal = { 535, "5.7.8", STR("Wrong user or password"), STR("auth-failed") };

    smtp_trace_refusal(c, &refusal, &(struct refused_message){ .from = str_sub(user, 0, USER_MAX), .size = -1 });
}

static enum next answer(struct cmd *c, struct str user, enum result r)
{
    struct smtp_session *s = c->s;

    switch (r) {
    case RES_OK:
        return smtp_reply(s, 235, "2.7.0", "Welcome");
    case RES_INVALID:
        return smtp_reply(s, 501, "5.5.2", "The response is malformed, or was cancelled");
    case RES_LIMIT:
        return smtp_reply(s, 454, "4.7.0", "Too many attempts; please wait a minute");
    case RES_TEMPFAIL:
        return smtp_reply(s, 454, "4.7.0", "Signing in is not possible now; please try again later");
    case RES_DENIED:
        trace_failure(c, user);
        if (++s->failed_auths >= MAX_FAILURES)
            return smtp_reply(s, 421, "4.7.0", "Too many failed attempts");
        return smtp_reply(s, 535, "5.7.8", "Wrong user or password");
    default:
        return NEXT_CLOSE; /* the connection broke */
    }
}

enum next smtp_auth(struct cmd *c)
{
    struct smtp_session *s = c->s;
    struct auth_request req = { .protocol = "submission", .ip = stream_peer_ip(s->stream) };
    struct str rest = c->args, mechanism = STR_NULL, initial = STR_NULL;
    enum result r;

    if (s->listener == LISTEN_SMTP && !settings_get()->auth_on_25)
        return smtp_reply(s, 502, "5.5.1", "Signing in is not offered on this port");
    if (s->identity.account_id != 0)
        return smtp_reply(s, 503, "5.5.1", "You are signed in");
    if (smtp_auth_needs_tls(s))
        return smtp_reply(s, 538, "5.7.11", "Encryption is required: say STARTTLS first");
    str_word(&rest, &mechanism);
    if (str_word(&rest, &initial) && str_eq(initial, STR("="))) /* an empty initial response */
        initial = STR("");
    if (str_trim(rest).len > 0)
        return smtp_reply(s, 501, "5.5.4", "Syntax: AUTH mechanism [initial-response]");
    if (str_ieq(mechanism, STR("PLAIN")))
        r = plain(c, initial, &req);
    else if (str_ieq(mechanism, STR("LOGIN")))
        r = login(c, initial, &req);
    else
        return smtp_reply(s, 504, "5.5.4", "Mechanism not supported");
    s->sent_until = 0; /* who signs in may be another */
    if (r == RES_OK)
        r = auth_password(s->service->auth, &req, &s->arena, &s->identity);
    if (r == RES_OK)
        presence_enter(&s->presence, &s->identity, "submission", s->stream);
    return answer(c, req.user, r);
}
