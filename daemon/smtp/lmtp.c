/* LMTP (RFC 2033): LHLO, and one answer for each recipient behind the data. */
#include "smtp/session.h"

#include <stdarg.h>
#include <stdio.h>

enum next smtp_lhlo(struct cmd *c)
{
    struct smtp_session *s = c->s;

    if (!smtp_helo_ok(c->args))
        return smtp_reply(s, 501, "5.5.4", "Syntax: LHLO domain");
    smtp_greet(c, true);
    stream_printf(s->stream, "250-%.*s\r\n", STR_ARG(settings_get()->hostname));
    smtp_say_extensions(s);
    return NEXT_COMMAND;
}

enum next smtp_reply_end(struct smtp_session *s, int code, const char *enhanced, const char *fmt, ...)
{
    unsigned errors = s->errors + (code >= 400 ? 1 : 0);
    char text[512];
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);
    if (!smtp_is_lmtp(s))
        return smtp_reply(s, code, enhanced, "%s", text);
    for (size_t i = 0; i < s->tx.n_given; i++)
        smtp_reply(s, code, enhanced, "<%.*s> %s", STR_ARG(s->tx.given[i].address), text);
    s->errors = errors;
    return NEXT_COMMAND;
}

static const struct compose_recipient *worst(const struct smtp_tx *tx, const struct smtp_given *given, enum result *ret)
{
    const struct compose_recipient *first = &tx->rcpts[given->rcpts[0]];

    *ret = RES_OK;
    for (size_t i = 0; i < given->n; i++) {
        const struct compose_recipient *r = &tx->rcpts[given->rcpts[i]];

        if (r->result == COMPOSE_REFUSED)
            *ret = RES_DENIED;
        else if (r->target != NULL)
            *ret = r->target->result;
        if (*ret != RES_OK)
            return r;
    }
    return first;
}

enum next smtp_lmtp_results(struct smtp_session *s, struct str id)
{
    unsigned errors = s->errors + 1;

    for (size_t i = 0; i < s->tx.n_given; i++) {
        const struct smtp_given *given = &s->tx.given[i];
        enum result r;
        const struct compose_recipient *who = worst(&s->tx, given, &r);

        if (r == RES_OK)
            smtp_reply(s, 250, "2.1.5", "<%.*s> Ok: stored as %.*s", STR_ARG(given->address), STR_ARG(id));
        else if (r == RES_DENIED)
            smtp_reply_lines(s, 550, "5.7.1", who->reason);
        else if (r == RES_LIMIT)
            smtp_reply(s, smtp_full_code(), smtp_full_status(), "<%.*s> The mailbox is full", STR_ARG(given->address));
        else
            smtp_reply(s, 451, "4.3.0", "<%.*s> " SMTP_TEMPFAIL_TEXT, STR_ARG(given->address));
    }
    s->errors = MIN(s->errors, errors);
    return NEXT_COMMAND;
}
