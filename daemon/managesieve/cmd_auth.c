/* Signing in and out: STARTTLS, AUTHENTICATE PLAIN and LOGIN, UNAUTHENTICATE (RFC 5804, 2.1, 2.2 and 2.14.1). */
#include "auth/sasl.h"
#include "base/encode.h"
#include "base/log.h"
#include "managesieve/session.h"

/* The stream refuses what was pipelined before the handshake. */
enum next ms_starttls(struct managesieve *s, const struct managesieve_command *cmd UNUSED)
{
    struct tls_context *ctx;
    enum result r;

    if (stream_is_tls(s->stream))
        return ms_no(s, NULL, "TLS is active already");
    if (s->service->tls == NULL)
        return ms_no(s, "TRYLATER", "There is no certificate");
    (void)ms_ok(s, "Begin TLS negotiation now");
    ctx = tls_ref(s->service->tls);
    r = stream_flush(s->stream);
    if (r == RES_OK)
        r = stream_tls_accept(s->stream, ctx);
    tls_unref(ctx);
    if (r != RES_OK) {
        log_info("managesieve-tls-failed", F_STR("session", s->id), F_STR("ip", stream_peer_ip(s->stream)),
                 F_STR("why", stream_tls_error(s->stream)));
        return NEXT_CLOSE;
    }
    return ms_capabilities(s, "TLS is active");
}

static enum next refused(struct managesieve *s, enum result r)
{
    if (r == RES_LIMIT)
        return ms_no(s, "TRYLATER", "Too many attempts, try again later");
    if (r != RES_DENIED)
        return ms_no(s, "TRYLATER", "Temporary trouble, try again later");
    if (++s->failed >= FAILED_MAX)
        return ms_bye(s, NULL, "Too many failed attempts to sign in");
    return ms_no(s, NULL, "Wrong user name or password");
}

static enum next sign_in(struct managesieve *s, struct str user, struct str password)
{
    const struct auth_request request = {
        .user = user, .password = password, .protocol = "managesieve", .ip = stream_peer_ip(s->stream)
    };
    struct auth_identity identity = { 0 };
    enum result r = auth_password(s->service->auth, &request, &s->arena, &identity);

    if (r != RES_OK)
        return refused(s, r);
    s->owner = (struct script_owner){ .account_id = identity.account_id, .place = SCRIPT_PERSONAL };
    s->address = arena_str(&s->session, identity.address);
    s->state = ST_SIGNED;
    presence_enter(&s->presence, &identity, "managesieve", s->stream);
    stream_set_timeout(s->stream, SIGNED_READ_MS);
    log_info("managesieve-signed-in", F_STR("session", s->id), F_STR("account", s->address),
             F_STR("ip", stream_peer_ip(s->stream)), F_STR("tls", stream_tls_version(s->stream)));
    return ms_ok(s, "Signed in");
}

/* Asks with `prompt` (base64) and reads the answer, a string.  RES_DENIED: the client gave up ("*"). */
static enum result ask(struct managesieve *s, struct str prompt, struct str *ret_answer)
{
    CLEANUP(strbuf_release) struct strbuf text = { 0 };
    struct str answer;
    enum result r;

    stream_printf(s->stream, "\"%.*s\"\r\n", STR_ARG(prompt));
    r = stream_flush(s->stream);
    if (r == RES_OK)
        r = ms_read_command(s, &text, LINE_MAX_BYTES);
    if (r != RES_OK)
        return r;
    if (managesieve_parse_string(strbuf_str(&text), &s->arena, &answer) != RES_OK)
        return RES_INVALID;
    if (str_eq(answer, STR("*")))
        return RES_DENIED;
    *ret_answer = arena_str(&s->arena, answer);
    return RES_OK;
}

static enum next sasl_trouble(struct managesieve *s, enum result r)
{
    if (r == RES_DENIED)
        return ms_no(s, NULL, "Authentication was cancelled");
    if (r == RES_INVALID)
        return ms_bad(s, "The SASL response is malformed");
    return r == RES_LIMIT ? NEXT_COMMAND : NEXT_CLOSE; /* it has been answered */
}

static enum next plain(struct managesieve *s, struct str response)
{
    struct str user, password;
    enum result r = RES_OK;

    if (response.p == NULL)
        r = ask(s, STR(""), &response);
    if (r != RES_OK)
        return sasl_trouble(s, r);
    r = sasl_plain(&s->arena, response, &user, &password);
    if (r == RES_DENIED)
        return ms_no(s, NULL, "Nobody acts for somebody else here");
    return r == RES_OK ? sign_in(s, user, password) : sasl_trouble(s, RES_INVALID);
}

/* It sends data in its first challenge, so there is no initial response to it (RFC 5804, 2.1). */
static enum next login(struct managesieve *s, struct str initial)
{
    struct str response, user, password;
    enum result r;

    if (initial.p != NULL)
        return ms_no(s, NULL, "LOGIN has no initial response");
    r = ask(s, STR("VXNlcm5hbWU6"), &response); /* "Username:" */
    if (r == RES_OK)
        r = base64_decode(&s->arena, response, &user);
    if (r == RES_OK)
        r = ask(s, STR("UGFzc3dvcmQ6"), &response); /* "Password:" */
    if (r == RES_OK)
        r = base64_decode(&s->arena, response, &password);
    return r == RES_OK ? sign_in(s, user, password) : sasl_trouble(s, r);
}

enum next ms_authenticate(struct managesieve *s, const struct managesieve_command *cmd)
{
    struct str mechanism = cmd->args[0].string, initial = cmd->n > 1 ? cmd->args[1].string : STR_NULL;

    if (!stream_is_tls(s->stream) && !settings_cleartext_allowed(settings_get(), stream_peer(s->stream)))
        return ms_no(s, "ENCRYPT-NEEDED", "A password must not come without TLS here");
    if (str_ieq(mechanism, STR("PLAIN")))
        return plain(s, initial);
    if (str_ieq(mechanism, STR("LOGIN")))
        return login(s, initial);
    return ms_no(s, NULL, "No such mechanism");
}

enum next ms_unauthenticate(struct managesieve *s, const struct managesieve_command *cmd UNUSED)
{
    log_info("managesieve-signed-out", F_STR("session", s->id), F_STR("account", s->address));
    presence_leave(&s->presence);
    s->owner = (struct script_owner){ 0 };
    s->address = STR_NULL;
    s->state = ST_GREETED;
    s->greeted_ms = loop_now();
    stream_set_timeout(s->stream, GREETED_READ_MS);
    return ms_ok(s, "Signed out");
}
