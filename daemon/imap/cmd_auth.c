/* Signing in: STARTTLS, LOGIN, AUTHENTICATE PLAIN and LOGIN (RFC 3501, 6.2; SASL-IR: RFC 4959). */
#include "auth/sasl.h"
#include "base/encode.h"
#include "base/log.h"
#include "imap/session.h"

/* RFC 3501, 6.2.1.  The stream refuses what was pipelined before the handshake. */
enum next cmd_starttls(struct imap_session *s, struct imap_command *cmd UNUSED)
{
    struct tls_context *ctx;
    enum result r;

    if (stream_is_tls(s->stream))
        return imap_bad(s, "TLS is active already");
    if (s->service->tls == NULL)
        return imap_no(s, "[UNAVAILABLE] No certificate");
    (void)imap_ok(s, "Begin TLS negotiation now");
    ctx = tls_ref(s->service->tls);
    r = stream_flush(s->stream);
    if (r == RES_OK)
        r = stream_tls_accept(s->stream, ctx);
    tls_unref(ctx);
    if (r != RES_OK)
        log_info("imap-tls-failed", F_STR("session", s->id), F_STR("ip", stream_peer_ip(s->stream)),
                 F_STR("why", stream_tls_error(s->stream)));
    return r == RES_OK ? NEXT_COMMAND : NEXT_CLOSE;
}

static bool password_allowed(const struct imap_session *s)
{
    return stream_is_tls(s->stream) || settings_cleartext_allowed(settings_get(), stream_peer(s->stream));
}

static enum next refused(struct imap_session *s, enum result r)
{
    enum next next;

    if (r == RES_DENIED) {
        next = imap_no(s, "[AUTHENTICATIONFAILED] Wrong user name or password");
        if (++s->failed < FAILED_MAX)
            return next;
        stream_puts(s->stream, "* BYE Too many failures\r\n");
        return NEXT_CLOSE;
    }
    if (r == RES_LIMIT)
        return imap_no(s, "[LIMIT] Too many attempts, try again later");
    return imap_no(s, "[UNAVAILABLE] Temporary trouble, try again later");
}

static enum next sign_in(struct imap_session *s, struct str user, struct str password)
{
    const struct auth_request request = { .user = user, .password = password, .protocol = "imap",
                                          .ip = stream_peer_ip(s->stream) };
    struct auth_identity identity = { 0 };
    enum result r = auth_password(s->service->auth, &request, &s->account, &identity);

    if (r != RES_OK)
        return refused(s, r);
    s->who = (struct principal){ .account_id = identity.account_id, .token = identity.token };
    s->address = identity.address;
    presence_enter(&s->presence, &identity, "imap", s->stream);
    s->state = ST_AUTHENTICATED;
    stream_set_timeout(s->stream, SIGNED_READ_MS);
    log_info("imap-signed-in", F_STR("session", s->id), F_STR("account", s->address),
             F_STR("ip", stream_peer_ip(s->stream)), F_STR("tls", stream_tls_version(s->stream)));
    return imap_ok(s, "[CAPABILITY %.*s] Signed in", STR_ARG(capabilities(s)));
}

/* RFC 3501, 6.2.3. */
enum next cmd_login(struct imap_session *s, struct imap_command *cmd)
{
    if (!password_allowed(s))
        return imap_no(s, "[PRIVACYREQUIRED] A password must not come without TLS here");
    return sign_in(s, cmd->login.user, cmd->login.password);
}

/* Asks with `prompt` (base64) and reads one line.  RES_DENIED: the client gave up ("*"). */
static enum result ask(struct imap_session *s, const char *prompt, struct str *ret_line)
{
    struct str line;
    enum result r;

    stream_printf(s->stream, "+ %s\r\n", prompt);
    r = stream_flush(s->stream);
    if (r == RES_OK)
        r = stream_read_line(s->stream, LINE_MAX_GREETED, &line);
    if (r != RES_OK)
        return r;
    if (str_eq(line, STR("*")))
        return RES_DENIED;
    *ret_line = arena_str(&s->arena, line);
    return RES_OK;
}

static enum next sasl_trouble(struct imap_session *s, enum result r)
{
    if (r == RES_DENIED)
        return imap_bad(s, "Authentication was cancelled");
    if (r == RES_LIMIT || r == RES_INVALID)
        return imap_bad(s, "Bad SASL response");
    return NEXT_CLOSE;
}

static enum next plain(struct imap_session *s, struct str response)
{
    struct str user, password;
    enum result r = RES_OK;

    if (response.p == NULL)
        r = ask(s, "", &response);
    if (r != RES_OK)
        return sasl_trouble(s, r);
    if (str_eq(response, STR("=")))
        response = STR("");
    r = sasl_plain(&s->arena, response, &user, &password);
    if (r == RES_DENIED)
        return imap_no(s, "[AUTHORIZATIONFAILED] Nobody acts for somebody else here");
    if (r != RES_OK)
        return sasl_trouble(s, RES_INVALID);
    return sign_in(s, user, password);
}

static enum next login(struct imap_session *s, struct str response)
{
    struct str user, password;
    enum result r = RES_OK;

    if (response.p == NULL)
        r = ask(s, "VXNlcm5hbWU6", &response); /* "Username:" */
    if (r == RES_OK)
        r = base64_decode(&s->arena, response, &user);
    if (r == RES_OK)
        r = ask(s, "UGFzc3dvcmQ6", &response); /* "Password:" */
    if (r == RES_OK)
        r = base64_decode(&s->arena, response, &password);
    return r == RES_OK ? sign_in(s, user, password) : sasl_trouble(s, r);
}

/* RFC 3501, 6.2.2. */
enum next cmd_authenticate(struct imap_session *s, struct imap_command *cmd)
{
    struct str mechanism = cmd->authenticate.mechanism;

    if (!password_allowed(s))
        return imap_no(s, "[PRIVACYREQUIRED] A password must not come without TLS here");
    if (str_ieq(mechanism, STR("PLAIN")))
        return plain(s, cmd->authenticate.initial);
    if (str_ieq(mechanism, STR("LOGIN")))
        return login(s, cmd->authenticate.initial);
    return imap_no(s, "[CANNOT] No such mechanism");
}
