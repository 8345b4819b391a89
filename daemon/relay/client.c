/* relay/client.c - the SMTP client's dialogue: greeting, STARTTLS, AUTH.  relay/client_send.c: the transaction. */
#include "base/encode.h"
#include "io/tls.h"
#include "relay/client_internal.h"

void client_init(struct client *c, struct stream *stream, struct str hostname, struct dialogue *dialogue)
{
    *c = (struct client){ .stream = stream, .hostname = hostname, .dialogue = dialogue, .usable = true };
    stream_set_interruptible(stream, true);
}

void client_release(struct client *c)
{
    stream_free(c->stream);
    reply_parser_release(&c->parser);
    *c = (struct client){ 0 };
}

void client_say(struct client *c, struct str line)
{
    dialogue_add(c->dialogue, 'C', line, mono_ms());
    stream_write(c->stream, line);
    stream_puts(c->stream, "\r\n");
}

enum result client_lost(struct client *c, enum attempt_phase phase, enum result why, struct verdict *ret)
{
    c->usable = false;
    *ret = (struct verdict){ .kind = VERDICT_LATER, .phase = phase };
    switch (why) {
    case RES_TIMEOUT:
        ret->reason = REASON_TIMEOUT;
        ret->text = STR("the server did not answer in time");
        break;
    case RES_INVALID:
    case RES_LIMIT:
        ret->reason = STR("temporary");
        ret->text = STR("the server's answer is not SMTP");
        break;
    case RES_CANCELLED:
        ret->reason = STR("temporary");
        ret->text = STR("this server is stopping");
        break;
    default:
        ret->reason = REASON_LOST;
        ret->text = STR("the server closed the connection");
        break;
    }
    return RES_CLOSED;
}

enum result client_read(struct client *c, enum attempt_phase phase, int64_t limit_ms, struct arena *a,
                        struct reply *ret_reply, struct verdict *ret)
{
    enum reply_step step = REPLY_MORE;
    enum result r = stream_flush(c->stream);
    struct str line;

    stream_set_timeout(c->stream, limit_ms);
    while (r == RES_OK && step == REPLY_MORE) {
        r = stream_read_line(c->stream, REPLY_MAX_LINE, &line);
        if (r != RES_OK)
            break;
        dialogue_add(c->dialogue, 'S', line, mono_ms());
        step = reply_feed(&c->parser, line);
        if (step == REPLY_BAD)
            r = RES_INVALID;
    }
    if (r != RES_OK)
        return client_lost(c, phase, r, ret);
    reply_take(&c->parser, a, ret_reply);
    if (ret_reply->code == 421)
        c->usable = false; /* RFC 5321, 3.8 */
    return RES_OK;
}

void client_judge(struct client *c, enum attempt_phase phase, const struct reply *reply, struct verdict *ret)
{
    *ret = (struct verdict){ .kind = reply->code < 300   ? VERDICT_SENT
                                     : reply->code < 500 ? VERDICT_LATER
                                                         : VERDICT_NEVER,
                             .phase = phase, .code = reply->code, .enhanced = reply->enhanced, .text = reply->text,
                             .remote = true };
    if (reply->code >= 400)
        ret->reason = advice_of_reply(phase, reply->code, reply->enhanced, reply->text);
    if (reply->code >= 300 && reply->code < 400) {
        ret->reason = STR("temporary");
        c->usable = false; /* out of step */
    }
}

/* A refusal before any transaction: it speaks of the host, not of the message, so other hosts and later days may do
 * better (RFC 5321, 3.1: 554). */
static enum result refused(struct client *c, enum attempt_phase phase, const struct reply *reply, struct verdict *ret)
{
    client_judge(c, phase, reply, ret);
    ret->kind = VERDICT_LATER;
    c->usable = false;
    return RES_CLOSED;
}

/* EHLO, and HELO when that is not known (RFC 5321, 3.2). */
static enum result say_hello(struct client *c, struct arena *a, struct verdict *ret)
{
    struct reply reply;
    enum result r;

    c->ehlo = (struct ehlo){ 0 };
    client_say(c, arena_printf(a, "%s %.*s", c->lmtp ? "LHLO" : "EHLO", STR_ARG(c->hostname)));
    r = client_read(c, PHASE_EHLO, CLIENT_COMMAND_MS, a, &reply, ret);
    if (r != RES_OK)
        return r;
    if (reply.code < 300) {
        ehlo_parse(reply.text, &c->ehlo);
        return RES_OK;
    }
    if (reply.code < 500 || !c->usable || c->lmtp)
        return refused(c, PHASE_EHLO, &reply, ret);
    client_say(c, arena_printf(a, "HELO %.*s", STR_ARG(c->hostname)));
    r = client_read(c, PHASE_EHLO, CLIENT_COMMAND_MS, a, &reply, ret);
    if (r != RES_OK)
        return r;
    return reply.code < 300 ? RES_OK : refused(c, PHASE_EHLO, &reply, ret);
}

enum result client_greet(struct client *c, struct arena *a, struct verdict *ret)
{
    struct reply reply;
    enum result r = client_read(c, PHASE_GREETING, CLIENT_COMMAND_MS, a, &reply, ret);

    if (r != RES_OK)
        return r;
    if (reply.code >= 300)
        return refused(c, PHASE_GREETING, &reply, ret);
    return say_hello(c, a, ret);
}

enum result client_starttls(struct client *c, struct tls_context *ctx, const char *host, struct arena *a,
                            struct verdict *ret)
{
    struct reply reply;
    enum result r;

    client_say(c, STR("STARTTLS"));
    r = client_read(c, PHASE_TLS, CLIENT_COMMAND_MS, a, &reply, ret);
    if (r != RES_OK)
        return RES_DENIED;
    if (reply.code >= 300) {
        client_judge(c, PHASE_TLS, &reply, ret);
        ret->kind = VERDICT_LATER;
        ret->reason = REASON_TLS;
        c->usable = false;
        return RES_DENIED;
    }
    stream_set_timeout(c->stream, CLIENT_HANDSHAKE_MS);
    r = stream_tls_connect(c->stream, ctx, host, false);
    if (r != RES_OK) {
        struct str why = stream_tls_error(c->stream);

        (void)client_lost(c, PHASE_TLS, r, ret);
        ret->reason = REASON_TLS;
        ret->text = arena_printf(a, "the TLS handshake failed: %.*s", STR_ARG(why.len > 0 ? why : STR("no answer")));
        dialogue_add(c->dialogue, 'C', ret->text, mono_ms());
        return RES_DENIED;
    }
    dialogue_add(c->dialogue, 'C', arena_printf(a, "(%.*s, %.*s)", STR_ARG(stream_tls_version(c->stream)),
                                                 STR_ARG(stream_tls_cipher(c->stream))), mono_ms());
    return say_hello(c, a, ret); /* what was offered in clear is forgotten (RFC 3207, 4.2) */
}

/* Sends a secret; the record shows only `shown`. */
static void say_secret(struct client *c, struct str line, struct str shown)
{
    dialogue_add(c->dialogue, 'C', shown, mono_ms());
    stream_write(c->stream, line);
    stream_puts(c->stream, "\r\n");
}

static enum result auth_plain(struct client *c, struct str user, struct str password, struct arena *a,
                              struct reply *ret_reply, struct verdict *ret)
{
    struct str plain = arena_printf(a, "%c%.*s%c%.*s", '\0', STR_ARG(user), '\0', STR_ARG(password));

    say_secret(c, arena_printf(a, "AUTH PLAIN %.*s", STR_ARG(base64_encode(a, plain))), STR("AUTH PLAIN ********"));
    return client_read(c, PHASE_AUTH, CLIENT_COMMAND_MS, a, ret_reply, ret);
}

static enum result auth_login(struct client *c, struct str user, struct str password, struct arena *a,
                              struct reply *ret_reply, struct verdict *ret)
{
    const struct str words[] = { user, password };
    enum result r;

    client_say(c, STR("AUTH LOGIN"));
    r = client_read(c, PHASE_AUTH, CLIENT_COMMAND_MS, a, ret_reply, ret);
    for (size_t i = 0; r == RES_OK && ret_reply->code == 334 && i < ARRAY_LEN(words); i++) {
        say_secret(c, base64_encode(a, words[i]), STR("********"));
        r = client_read(c, PHASE_AUTH, CLIENT_COMMAND_MS, a, ret_reply, ret);
    }
    return r;
}

enum result client_auth(struct client *c, struct str user, struct str password, struct arena *a, struct verdict *ret)
{
    struct reply reply;
    enum result r;

    if (!c->ehlo.auth_plain && !c->ehlo.auth_login) {
        *ret = (struct verdict){ .kind = VERDICT_LATER, .phase = PHASE_AUTH, .reason = REASON_AUTH,
                                 .text = STR("the server offers no way to sign in that is known here") };
        return RES_DENIED;
    }
    r = c->ehlo.auth_plain ? auth_plain(c, user, password, a, &reply, ret) : auth_login(c, user, password, a, &reply, ret);
    if (r != RES_OK)
        return r;
    if (reply.code < 300)
        return RES_OK;
    client_judge(c, PHASE_AUTH, &reply, ret);
    ret->kind = VERDICT_LATER; /* the password may be put right */
    return RES_DENIED;
}

void client_quit(struct client *c)
{
    CLEANUP(arena_releasep) struct arena a = { 0 };
    struct reply reply;
    struct verdict ignored;

    if (c->stream == NULL || !c->usable)
        return;
    client_say(c, STR("QUIT"));
    if (client_read(c, PHASE_BODY, CLIENT_QUIT_MS, &a, &reply, &ignored) == RES_OK)
        c->usable = false;
}
