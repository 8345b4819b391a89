#include "smtp/session.h"
#include "base/counters.h"
#include "base/encode.h"
#include "base/log.h"
#include "smtp/incoming.h"
#include "store/durability.h"

#include <stdarg.h>
#include <stdio.h>

#define LINE_MAX_BYTES 4096 /* RFC 5321, 4.5.3.1.4: 512, and what the extensions add */
#define MAX_ERRORS 20
#define REPLY_LINE_MAX 400 /* RFC 5321, 4.5.3.1.5: 512 with code and line end */
#define REPLY_LINES_MAX 30
#define MAX_COMMANDS_IDLE 200 /* commands since the last message */

/* ---- replies ---- */

enum next smtp_reply(struct smtp_session *s, int code, const char *enhanced, const char *fmt, ...)
{
    char text[512];
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);
    if (enhanced[0] != '\0')
        stream_printf(s->stream, "%d %s %s\r\n", code, enhanced, text);
    else
        stream_printf(s->stream, "%d %s\r\n", code, text);
    counters->smtp_replies[s->listener][code / 100 % 6]++;
    if (code >= 400) {
        s->errors++;
        log_debug("smtp-reply", F_STR("session", s->id), F_INT("code", code), F_C("text", text));
    }
    return code == 221 || code == 421 ? NEXT_CLOSE : NEXT_COMMAND;
}

/* Where the line that begins at `at` ends: at its LF, or where a reply line is full. */
static size_t reply_line_end(struct str text, size_t at)
{
    size_t lf = str_chr(str_from(text, at), '\n');

    return at + MIN(MIN(lf, text.len - at), (size_t)REPLY_LINE_MAX);
}

enum next smtp_reply_lines(struct smtp_session *s, int code, const char *enhanced, struct str text)
{
    size_t at = 0, lines = 0;
    char *clean = arena_cstr(&s->cmd_arena, str_trim(text));

    text = str_c(clean);
    for (size_t i = 0; i < text.len; i++) {
        if (clean[i] != '\n' && (clean[i] < ' ' || clean[i] == 127))
            clean[i] = ' ';
    }
    do {
        size_t end = reply_line_end(text, at), next = end < text.len && text.p[end] == '\n' ? end + 1 : end;
        bool last = next >= text.len || ++lines == REPLY_LINES_MAX;

        stream_printf(s->stream, "%d%c%s %.*s\r\n", code, last ? ' ' : '-', enhanced, STR_ARG(str_sub(text, at, end - at)));
        at = last ? text.len : next;
    } while (at < text.len);
    if (code >= 400)
        s->errors++;
    return NEXT_COMMAND;
}

enum next smtp_reply_tempfail(struct smtp_session *s)
{
    return smtp_reply(s, 451, "4.3.0", SMTP_TEMPFAIL_TEXT);
}

void smtp_tx_reset(struct smtp_session *s)
{
    incoming_release(s->tx.incoming);
    arena_reset(&s->tx.arena);
    s->tx = (struct smtp_tx){ 0 };
    if (s->state > ST_GREETED)
        s->state = ST_GREETED;
}

bool smtp_is_submission(const struct smtp_session *s)
{
    return s->listener == LISTEN_SUBMISSION || s->listener == LISTEN_SMTPS;
}

bool smtp_is_lmtp(const struct smtp_session *s)
{
    return s->listener == LISTEN_LMTP;
}

static bool by_unix_socket(const struct smtp_session *s)
{
    return stream_peer(s->stream)->sa_family == AF_UNIX;
}

struct str smtp_client_ip(const struct smtp_session *s)
{
    return by_unix_socket(s) ? STR_NULL : stream_peer_ip(s->stream);
}

/* ---- EHLO and HELO (RFC 5321, 4.1.1.1) ---- */

void smtp_greet(struct cmd *c, bool esmtp)
{
    struct smtp_session *s = c->s;

    smtp_tx_reset(s);
    s->helo = arena_str(&s->arena, c->args);
    s->esmtp = esmtp;
    s->state = ST_GREETED;
}

void smtp_say_extensions(struct smtp_session *s)
{
    stream_puts(s->stream, "250-PIPELINING\r\n250-8BITMIME\r\n250-SMTPUTF8\r\n250-CHUNKING\r\n250-BINARYMIME\r\n");
    if (!smtp_is_lmtp(s)) /* there the client is the one who tells its sender */
        stream_puts(s->stream, "250-DSN\r\n250-DELIVERBY\r\n");
    stream_printf(s->stream, "250-SIZE %lld\r\n", (long long)settings_get()->max_message_size); /* RFC 1870 */
    smtp_say_limits(s);
    if (!stream_is_tls(s->stream) && s->service->tls != NULL && !by_unix_socket(s))
        stream_puts(s->stream, "250-STARTTLS\r\n");
    if (smtp_auth_offered(s))
        stream_puts(s->stream, "250-AUTH PLAIN LOGIN\r\n");
    if (smtp_is_local(s))
        stream_printf(s->stream, "250-XSENDER %.*s\r\n", STR_ARG(smtp_local_address(s, &s->cmd_arena)));
    stream_puts(s->stream, "250 ENHANCEDSTATUSCODES\r\n");
}

static enum next smtp_ehlo(struct cmd *c)
{
    struct smtp_session *s = c->s;

    if (!smtp_helo_ok(c->args))
        return smtp_reply(s, 501, "5.5.4", "Syntax: EHLO domain");
    smtp_greet(c, true);
    stream_printf(s->stream, "250-%.*s greets %.*s\r\n", STR_ARG(settings_get()->hostname), STR_ARG(c->args));
    smtp_say_extensions(s);
    return NEXT_COMMAND;
}

static enum next smtp_helo(struct cmd *c)
{
    if (!smtp_helo_ok(c->args))
        return smtp_reply(c->s, 501, "5.5.4", "Syntax: HELO domain");
    smtp_greet(c, false);
    return smtp_reply(c->s, 250, "", "%.*s", STR_ARG(settings_get()->hostname));
}

/* ---- STARTTLS (RFC 3207) ---- */

static enum next smtp_starttls(struct cmd *c)
{
    struct smtp_session *s = c->s;
    struct tls_context *tls = s->service->tls;

    if (stream_is_tls(s->stream))
        return smtp_reply(s, 503, "5.5.1", "TLS is already active");
    if (tls == NULL)
        return smtp_reply(s, 454, "4.7.0", "TLS is not available now");
    if (c->args.len > 0)
        return smtp_reply(s, 501, "5.5.4", "Syntax: STARTTLS");
    smtp_reply(s, 220, "2.0.0", "Ready to start TLS");
    smtp_tx_reset(s);
    s->state = ST_NEW; /* what was said in clear is forgotten */
    s->helo = STR("");
    if (stream_tls_accept(s->stream, tls) != RES_OK) {
        log_info("smtp-tls-failed", F_STR("session", s->id), F_STR("error", stream_tls_error(s->stream)));
        return NEXT_CLOSE;
    }
    return NEXT_COMMAND;
}

/* ---- MAIL and RCPT (RFC 5321, 4.1.1.2 and 4.1.1.3) ---- */

static enum next reply_bad_path(struct smtp_session *s, enum result r, const char *syntax, const char *enhanced)
{
    switch (r) {
    case RES_DENIED:
        return smtp_reply(s, 555, "5.5.4", "Parameter not recognized or not implemented");
    case RES_LIMIT:
        return smtp_reply(s, 501, enhanced, "Address too long");
    case RES_CONFLICT:
        return smtp_reply(s, 553, "5.6.7", "A non-ASCII address needs SMTPUTF8");
    default:
        return smtp_reply(s, 501, "5.5.4", "Syntax: %s", syntax);
    }
}

static enum next smtp_mail(struct cmd *c)
{
    static const struct admission_refusal too_many_messages = { 421, "4.5.3", STR("Too many messages in one session"),
                                                                STR("rate-of-sender") };
    struct smtp_session *s = c->s;
    struct smtp_path from;
    struct smtp_mail_params params;
    enum next next;
    enum result r = smtp_parse_mail(c->args, wall_us(), &s->tx.arena, &from, &params);

    if (r == RES_OK && smtp_is_lmtp(s) && (params.ret != 0 || params.envid.p != NULL || params.by.at_us != 0))
        r = RES_DENIED; /* DSN and DELIVERBY were not offered */
    if (!smtp_limit_mail(s))
        next = smtp_refuse(c, &too_many_messages, r == RES_OK ? from.text : STR(""), STR(""));
    else if (r != RES_OK)
        next = reply_bad_path(s, r, "MAIL FROM:<address> [parameters]", "5.1.7");
    else if (durability_problem() != NULL)
        next = smtp_reply(s, 451, "4.3.0", "Not accepting mail now: %s", durability_problem());
    else if ((!smtp_is_local(s) || smtp_local_sender(c, &from, &next)) && smtp_policy_sender(c, &from, params.size, &next)) {
        s->tx.from = from;
        s->tx.params = params;
        s->state = ST_MAIL;
        return smtp_reply(s, 250, "2.1.0", "Sender ok");
    }
    smtp_tx_reset(s);
    return next;
}

static enum next smtp_rcpt(struct cmd *c)
{
    struct smtp_session *s = c->s;
    struct smtp_path to;
    struct smtp_rcpt_params params;
    enum result r = smtp_parse_rcpt(c->args, s->tx.params.smtputf8, &s->tx.arena, &to, &params);
    enum next next;

    if (r == RES_OK && smtp_is_lmtp(s) && (params.notify != 0 || params.orcpt.p != NULL))
        r = RES_DENIED;
    if (r != RES_OK)
        return reply_bad_path(s, r, "RCPT TO:<address> [parameters]", "5.1.3");
    if (smtp_is_local(s))
        smtp_local_recipient(c, &to);
    next = smtp_policy_recipient(c, &to, &params);
    if (s->tx.n_rcpts > 0)
        s->state = ST_RCPT;
    return next;
}

/* ---- the rest ---- */

static enum next smtp_rset(struct cmd *c)
{
    if (c->args.len > 0)
        return smtp_reply(c->s, 501, "5.5.4", "Syntax: RSET");
    smtp_tx_reset(c->s);
    return smtp_reply(c->s, 250, "2.0.0", "Ok");
}

static enum next smtp_noop(struct cmd *c)
{
    return smtp_reply(c->s, 250, "2.0.0", "Ok");
}

static enum next smtp_quit(struct cmd *c)
{
    return smtp_reply(c->s, 221, "2.0.0", "Bye");
}

static enum next smtp_vrfy(struct cmd *c)
{
    return smtp_reply(c->s, 252, "2.5.2", "Send some mail and see"); /* RFC 5321, 7.3 */
}

static enum next smtp_help(struct cmd *c);

enum { ON_SMTP = 1, ON_LMTP = 2, ON_BOTH = 3 };

/* `states`: where the verb is legal (RFC 5321, 4.1.4); BDAT looks itself, since its bytes come in any case.
 * `protocols`: on which listeners there is such a verb. */
static const struct smtp_verb {
    const char *name;
    enum next (*run)(struct cmd *c);
    unsigned states, protocols;
} verbs[] = {
    { "EHLO", smtp_ehlo, ST_ANY, ON_SMTP },
    { "HELO", smtp_helo, ST_ANY, ON_SMTP },
    { "LHLO", smtp_lhlo, ST_ANY, ON_LMTP },
    { "MAIL", smtp_mail, ST_GREETED, ON_BOTH },
    { "RCPT", smtp_rcpt, ST_MAIL | ST_RCPT, ON_BOTH },
    { "DATA", smtp_data, ST_RCPT, ON_BOTH },
    { "BDAT", smtp_bdat, ST_ANY, ON_BOTH },
    { "RSET", smtp_rset, ST_ANY, ON_BOTH },
    { "NOOP", smtp_noop, ST_ANY, ON_BOTH },
    { "QUIT", smtp_quit, ST_ANY, ON_BOTH },
    { "VRFY", smtp_vrfy, ST_ANY, ON_BOTH },
    { "HELP", smtp_help, ST_ANY, ON_BOTH },
    { "STARTTLS", smtp_starttls, ST_NEW | ST_GREETED, ON_BOTH },
    { "AUTH", smtp_auth, ST_GREETED, ON_SMTP },
};

static bool is_verb_of(const struct smtp_verb *v, const struct smtp_session *s)
{
    return (v->protocols & (smtp_is_lmtp(s) ? ON_LMTP : ON_SMTP)) != 0;
}

static enum next smtp_help(struct cmd *c)
{
    struct smtp_session *s = c->s;

    stream_puts(s->stream, "214-2.0.0 Commands:\r\n");
    for (size_t i = 0; i < ARRAY_LEN(verbs); i++) {
        if (is_verb_of(&verbs[i], s))
            stream_printf(s->stream, "214-2.0.0 %s\r\n", verbs[i].name);
    }
    return smtp_reply(s, 214, "2.0.0", smtp_is_lmtp(s) ? "RFC 2033" : "RFC 5321");
}

static enum next out_of_sequence(struct smtp_session *s, const char *verb)
{
    switch (s->state) {
    case ST_NEW:
        return smtp_reply(s, 503, "5.5.1", "Say %s first", smtp_is_lmtp(s) ? "LHLO" : "EHLO");
    case ST_GREETED:
        return smtp_reply(s, 503, "5.5.1", "MAIL comes before %s", verb);
    case ST_MAIL:
        return smtp_reply(s, 503, "5.5.1", "No valid recipients");
    case ST_FAILED:
        return smtp_reply(s, 503, "5.5.1", "The mail transaction has failed: say RSET first");
    default:
        return smtp_reply(s, 503, "5.5.1", "%s is not possible in a mail transaction", verb);
    }
}

static enum next dispatch(struct smtp_session *s, struct cmd *c, struct str line)
{
    if (smtp_parse_command(line, c->arena, &c->verb, &c->args) != RES_OK)
        return smtp_reply(s, 500, "5.5.2", "Syntax error");
    for (size_t i = 0; i < ARRAY_LEN(verbs); i++) {
        if (!str_eq(c->verb, str_c(verbs[i].name)))
            continue;
        if (!is_verb_of(&verbs[i], s))
            return smtp_reply(s, 500, "5.5.1", "There is no %s in %s", verbs[i].name,
                              smtp_is_lmtp(s) ? "LMTP" : "SMTP");
        if ((s->state & verbs[i].states) == 0)
            return out_of_sequence(s, verbs[i].name);
        return verbs[i].run(c);
    }
    return smtp_reply(s, 502, "5.5.1", "Command not implemented");
}

/* Chunks that are not complete in time: whoever says NOOP between them holds their spool no longer than others. */
static bool is_overdue(const struct smtp_session *s)
{
    return s->state == ST_CHUNKS && loop_now() > s->tx.incoming->until;
}

static void say_goodbye(struct smtp_session *s, enum result r)
{
    if (s->presence.over)
        stream_puts(s->stream, "421 4.7.0 This session was ended; please sign in again\r\n");
    else if (r == RES_TIMEOUT)
        stream_puts(s->stream, "421 4.4.2 Nothing came for too long\r\n");
    else if (r == RES_CANCELLED)
        stream_puts(s->stream, "421 4.3.2 The server is going down\r\n");
    stream_flush(s->stream);
}

static void run(struct smtp_session *s)
{
    struct cmd c = { .s = s, .arena = &s->cmd_arena };
    unsigned since_message = 0;
    enum next next = NEXT_COMMAND;
    enum result r = RES_OK;

    while (next == NEXT_COMMAND) {
        struct str line;

        r = stream_read_command(s->stream, LINE_MAX_BYTES, &line);
        if (r == RES_LIMIT)
            next = smtp_reply(s, 500, "5.5.2", "Line too long");
        else if (r != RES_OK)
            break;
        else
            next = dispatch(s, &c, line);
        since_message = (s->state & (ST_RCPT | ST_CHUNKS)) != 0 ? 0 : since_message + 1;
        if (next == NEXT_COMMAND && is_overdue(s))
            next = incoming_lost(s, RES_TIMEOUT);
        if (next == NEXT_COMMAND && (s->errors > MAX_ERRORS || since_message > MAX_COMMANDS_IDLE))
            next = smtp_reply(s, 421, "4.7.0", "Too many %s", s->errors > MAX_ERRORS ? "errors" : "commands");
        arena_reset(c.arena); /* nothing made for c outlives c */
    }
    say_goodbye(s, r);
}

void smtp_session(struct service *service, struct stream *stream, enum listener listener)
{
    struct smtp_session s = { .service = service, .stream = stream, .listener = listener, .state = ST_NEW,
                              .helo = STR("") };

    s.id = random_id(&s.arena);
    stream_set_timeout(stream, SMTP_COMMAND_MS);
    log_info("smtp-connect", F_STR("session", s.id), F_C("listener", listener_name(listener)),
             F_STR("ip", stream_peer_ip(stream)));
    if (smtp_is_local(&s) && smtp_local_identify(&s) != RES_OK) {
        stream_puts(stream, "421 4.3.0 You are not known here, or our storage does not answer\r\n");
        stream_flush(stream);
    } else {
        stream_printf(stream, "220 %.*s %s Correio\r\n", STR_ARG(settings_get()->hostname),
                      smtp_is_lmtp(&s) ? "LMTP" : "ESMTP");
        run(&s);
    }
    presence_leave(&s.presence);
    log_debug("smtp-close", F_STR("session", s.id));
    smtp_tx_reset(&s);
    arena_reset(&s.cmd_arena);
    arena_reset(&s.arena);
}
