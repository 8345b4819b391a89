/* relay/client_send.c - one mail transaction (RFC 5321, 3.3), pipelined when the server can (RFC 2920). */
#include "base/encode.h"
#include "relay/client_internal.h"
#include "mail/data.h"
#include "store/queue.h"

#include <inttypes.h>

struct transaction {
    struct client *c;
    const struct client_message *m;
    struct client_recipient *v;
    size_t n;
    struct arena *a;
    size_t accepted; /* recipients; their verdict is VERDICT_SENT until the end says otherwise */
};

static void judge_all(struct transaction *t, const struct verdict *verdict)
{
    for (size_t i = 0; i < t->n; i++)
        t->v[i].verdict = *verdict;
}

/* For those that were accepted so far. */
static void judge_accepted(struct transaction *t, const struct verdict *verdict)
{
    for (size_t i = 0; i < t->n; i++) {
        if (t->v[i].verdict.kind == VERDICT_SENT)
            t->v[i].verdict = *verdict;
    }
}

static struct verdict unsupported(int code, struct str enhanced, struct str reason, struct str text)
{
    return (struct verdict){ .kind = VERDICT_NEVER, .phase = PHASE_MAIL, .code = code, .enhanced = enhanced,
                             .reason = reason, .text = text };
}

/* Nothing that could end a command line early. */
static bool is_line(struct str s)
{
    return str_chr(s, '\r') == SIZE_MAX && str_chr(s, '\n') == SIZE_MAX && str_chr(s, '\0') == SIZE_MAX;
}

static bool are_lines(const struct transaction *t)
{
    for (size_t i = 0; i < t->n; i++) {
        if (!is_line(t->v[i].address) || !is_line(t->v[i].orcpt))
            return false;
    }
    return is_line(t->m->reverse_path) && is_line(t->m->envid);
}

static bool must_be_in_time(const struct transaction *t)
{
    return t->m->by.give_back && !t->c->lmtp;
}

/* What the server has not offered must not be sent. */
static bool can_take(struct transaction *t)
{
    const struct ehlo *e = &t->c->ehlo;
    struct verdict verdict;

    if (!are_lines(t))
        verdict = unsupported(553, STR("5.1.3"), STR("permanent"), STR("an address holds a line end"));
    else if (e->max_size > 0 && t->m->size > 0 && (uint64_t)t->m->size > e->max_size)
        verdict = unsupported(552, STR("5.3.4"), STR("too-large"), /* RFC 1870, 6.2 */
                              arena_printf(t->a, "the message has %" PRId64 " bytes, the server takes at most %" PRIu64,
                                           t->m->size, e->max_size));
    else if (t->m->smtputf8 && !e->smtputf8)
        verdict = unsupported(553, STR("5.6.7"), REASON_NOT_SUPPORTED, /* RFC 6531, 3.5 */
                              STR("the server does not support internationalized mail (SMTPUTF8)"));
    else if (t->m->eightbit && !e->eightbitmime)
        verdict = unsupported(554, STR("5.6.3"), REASON_NOT_SUPPORTED, /* RFC 6152, 3 */
                              STR("the server does not support 8-bit messages (8BITMIME)"));
    else if (must_be_in_time(t) && !e->deliverby)
        verdict = unsupported(554, STR("5.4.7"), REASON_NOT_SUPPORTED, /* RFC 2852, 4.1.4.1 */
                              STR("the server cannot promise to deliver in time (DELIVERBY)"));
    else if (must_be_in_time(t) && t->m->by_left_s < MAX((int64_t)MIN(e->min_by_s, (uint64_t)DELIVER_BY_MAX), 1))
        verdict = unsupported(554, STR("5.4.7"), REASON_NOT_SUPPORTED,
                              arena_printf(t->a, "%" PRId64 " seconds are left, the server wants at least %" PRIu64, t->m->by_left_s,
                                           e->min_by_s));
    else if (t->m->binary)
        verdict = unsupported(554, STR("5.6.3"), REASON_NOT_SUPPORTED, /* RFC 3030, 3: "a permanent error" */
                              STR("the message is binary (BINARYMIME), which cannot be passed on"));
    else
        return true;
    judge_all(t, &verdict);
    return false;
}

static void say_mail(struct transaction *t)
{
    const struct ehlo *e = &t->c->ehlo;
    struct strbuf line = { 0 };

    (void)strbuf_addf(&line, "MAIL FROM:<%.*s>", STR_ARG(t->m->reverse_path));
    if (e->has_size && t->m->size > 0)
        (void)strbuf_addf(&line, " SIZE=%" PRId64, t->m->size);
    if (t->m->eightbit)
        (void)strbuf_adds(&line, " BODY=8BITMIME");
    if (t->m->smtputf8)
        (void)strbuf_adds(&line, " SMTPUTF8");
    if (e->dsn && (t->m->ret == 'F' || t->m->ret == 'H')) /* RFC 3461, 4.3 */
        (void)strbuf_addf(&line, " RET=%s", t->m->ret == 'F' ? "FULL" : "HDRS");
    if (e->dsn && t->m->envid.len > 0) /* RFC 3461, 4.4 */
        (void)strbuf_addf(&line, " ENVID=%.*s", STR_ARG(t->m->envid));
    if (e->deliverby && t->m->by.at_us != 0 && !t->c->lmtp) /* RFC 2852, 4 */
        (void)strbuf_addf(&line, " BY=%" PRId64 ";%.*s", t->m->by_left_s, STR_ARG(deliver_by_mode(&t->m->by)));
    client_say(t->c, strbuf_str(&line));
    strbuf_release(&line);
}

/* NOTIFY (RFC 3461, 4.1). */
static void add_notify(struct strbuf *line, unsigned notify)
{
    static const struct {
        unsigned bit;
        const char *word;
    } words[] = { { QUEUE_NOTIFY_SUCCESS, "SUCCESS" }, { QUEUE_NOTIFY_FAILURE, "FAILURE" }, { QUEUE_NOTIFY_DELAY, "DELAY" } };
    const char *before = " NOTIFY=";

    if (notify & QUEUE_NOTIFY_NEVER) {
        (void)strbuf_adds(line, " NOTIFY=NEVER");
        return;
    }
    for (size_t i = 0; i < ARRAY_LEN(words); i++) {
        if ((notify & words[i].bit) == 0)
            continue;
        (void)strbuf_addf(line, "%s%s", before, words[i].word);
        before = ",";
    }
}

static void say_rcpt(struct transaction *t, const struct client_recipient *r)
{
    struct strbuf line = { 0 };

    (void)strbuf_addf(&line, "RCPT TO:<%.*s>", STR_ARG(r->address));
    if (t->c->ehlo.dsn) {
        add_notify(&line, r->notify);
        if (r->orcpt.len > 0) /* RFC 3461, 4.2 */
            (void)strbuf_addf(&line, " ORCPT=%.*s", STR_ARG(r->orcpt));
    }
    client_say(t->c, strbuf_str(&line));
    strbuf_release(&line);
}

/* The answer to MAIL or DATA.  false: there was none. */
static bool read_reply(struct transaction *t, enum attempt_phase phase, int64_t limit_ms, struct reply *ret)
{
    struct verdict verdict;

    if (client_read(t->c, phase, limit_ms, t->a, ret, &verdict) == RES_OK)
        return true;
    judge_accepted(t, &verdict);
    return false;
}

/* 552 to RCPT without an enhanced code most often means "too many recipients" (RFC 5321, 4.5.3.1.10). */
static void judge_rcpt(struct transaction *t, struct client_recipient *r, const struct reply *reply)
{
    client_judge(t->c, PHASE_RCPT, reply, &r->verdict);
    if (reply->code == 552 && reply->enhanced.p == NULL)
        r->verdict.kind = VERDICT_LATER;
    if (r->verdict.kind == VERDICT_SENT)
        t->accepted++;
}

/* MAIL, RCPT and DATA in one go, then their answers.  *ret_data: DATA's.  false: the connection is lost, or MAIL was
 * refused. */
static bool open_pipelined(struct transaction *t, struct reply *ret_data)
{
    struct reply reply;
    bool refused;

    say_mail(t);
    for (size_t i = 0; i < t->n; i++)
        say_rcpt(t, &t->v[i]);
    client_say(t->c, STR("DATA"));
    if (!read_reply(t, PHASE_MAIL, CLIENT_COMMAND_MS, &reply))
        return false;
    refused = reply.code >= 300;
    if (refused) {
        struct verdict verdict;

        client_judge(t->c, PHASE_MAIL, &reply, &verdict);
        judge_all(t, &verdict);
        if (reply.code == 421)
            return false; /* no more answers come */
    }
    for (size_t i = 0; i < t->n; i++) {
        if (!read_reply(t, PHASE_RCPT, CLIENT_COMMAND_MS, &reply))
            return false;
        if (!refused)
            judge_rcpt(t, &t->v[i], &reply);
        if (reply.code != 421)
            continue;
        for (size_t k = i + 1; k < t->n; k++)
            t->v[k].verdict = t->v[i].verdict;
        judge_accepted(t, &t->v[i].verdict);
        return false;
    }
    return read_reply(t, PHASE_DATA, CLIENT_DATA_MS, ret_data);
}

/* MAIL and RCPT, one after the other. */
static bool address(struct transaction *t)
{
    struct reply reply;

    say_mail(t);
    if (!read_reply(t, PHASE_MAIL, CLIENT_COMMAND_MS, &reply))
        return false;
    if (reply.code >= 300) {
        struct verdict verdict;

        client_judge(t->c, PHASE_MAIL, &reply, &verdict);
        judge_all(t, &verdict);
        return false;
    }
    for (size_t i = 0; i < t->n; i++) {
        say_rcpt(t, &t->v[i]);
        if (!read_reply(t, PHASE_RCPT, CLIENT_COMMAND_MS, &reply))
            return false;
        judge_rcpt(t, &t->v[i], &reply);
        if (reply.code != 421)
            continue;
        for (size_t k = i + 1; k < t->n; k++)
            t->v[k].verdict = t->v[i].verdict;
        judge_accepted(t, &t->v[i].verdict);
        return false;
    }
    return t->accepted > 0;
}

static bool open_stepwise(struct transaction *t, struct reply *ret_data)
{
    if (!address(t))
        return false;
    client_say(t->c, STR("DATA"));
    return read_reply(t, PHASE_DATA, CLIENT_DATA_MS, ret_data);
}

static void to_stream(void *arg, struct str bytes)
{
    stream_write(arg, bytes);
}

/* One answer for all. */
static bool judge_end(struct transaction *t)
{
    struct verdict verdict;
    struct reply reply;

    if (!read_reply(t, PHASE_BODY, CLIENT_DOT_MS, &reply))
        return false;
    client_judge(t->c, PHASE_BODY, &reply, &verdict);
    judge_accepted(t, &verdict);
    return true;
}

/* LMTP: one for each accepted recipient, in their order (RFC 2033, 4.2).  What was answered before the connection was
 * lost counts. */
static bool judge_each(struct transaction *t)
{
    struct verdict lost;
    struct reply reply;
    enum result r = RES_OK;

    for (size_t i = 0; i < t->n; i++) {
        struct verdict *v = &t->v[i].verdict;

        if (v->kind != VERDICT_SENT)
            continue;
        if (r == RES_OK)
            r = client_read(t->c, PHASE_BODY, CLIENT_DOT_MS, t->a, &reply, &lost);
        if (r == RES_OK)
            client_judge(t->c, PHASE_BODY, &reply, v);
        else
            *v = lost;
    }
    return r == RES_OK;
}

/* The body and its end.  Without an accepted recipient the body is left out: the server that said 354 all the same
 * gets an empty one, which it refuses (RFC 2920, 3.1). */
static void send_body(struct transaction *t)
{
    struct data_writer w = { .out = to_stream, .arg = t->c->stream };
    struct verdict verdict;
    struct str piece;

    stream_set_timeout(t->c->stream, CLIENT_BLOCK_MS);
    while (t->accepted > 0) {
        if (t->m->next(t->m->arg, &piece) != RES_OK) {
            (void)client_lost(t->c, PHASE_BODY, RES_CLOSED, &verdict); /* cut: the server must not take half of it */
            verdict.reason = STR("temporary");
            verdict.text = STR("the message could not be read from the database");
            judge_accepted(t, &verdict);
            return;
        }
        if (piece.len == 0)
            break;
        data_write(&w, piece);
    }
    data_end(&w);
    dialogue_add(t->c->dialogue, 'C', arena_printf(t->a, "(message, %" PRId64 " bytes)", t->accepted > 0 ? t->m->size : 0),
                 mono_ms());
    stream_set_interruptible(t->c->stream, false);
    if (!(t->c->lmtp ? judge_each(t) : judge_end(t)))
        return;
    stream_set_interruptible(t->c->stream, true);
    if (t->accepted > 0)
        t->c->begun = false;
}

static bool reset(struct transaction *t)
{
    struct verdict verdict;
    struct reply reply;

    if (!t->c->begun)
        return true;
    client_say(t->c, STR("RSET"));
    if (!read_reply(t, PHASE_MAIL, CLIENT_COMMAND_MS, &reply))
        return false;
    if (reply.code < 300)
        return true;
    client_judge(t->c, PHASE_MAIL, &reply, &verdict);
    verdict.kind = VERDICT_LATER; /* it speaks of the connection, not of the message */
    judge_all(t, &verdict);
    t->c->usable = false;
    return false;
}

void client_send(struct client *c, const struct client_message *m, struct client_recipient *v, size_t n, struct arena *a)
{
    struct transaction t = { .c = c, .m = m, .v = v, .n = n, .a = a };
    struct reply data = { 0 };
    bool open;

    judge_all(&t, &(struct verdict){ .kind = VERDICT_SENT });
    if (!can_take(&t) || !reset(&t))
        return;
    c->begun = true;
    c->transactions++;
    open = c->ehlo.pipelining ? open_pipelined(&t, &data) : open_stepwise(&t, &data);
    if (!open)
        return;
    if (data.code == 354) {
        send_body(&t);
        return;
    }
    if (t.accepted > 0) {
        struct verdict verdict;

        client_judge(c, PHASE_DATA, &data, &verdict);
        if (verdict.kind == VERDICT_SENT) /* a 2xx is no answer to DATA */
            (void)client_lost(c, PHASE_DATA, RES_INVALID, &verdict);
        judge_accepted(&t, &verdict);
    }
}

void client_try(struct client *c, const struct client_message *m, struct client_recipient *v, size_t n, struct arena *a)
{
    struct transaction t = { .c = c, .m = m, .v = v, .n = n, .a = a };

    judge_all(&t, &(struct verdict){ .kind = VERDICT_SENT });
    if (!can_take(&t) || !reset(&t))
        return;
    c->begun = true;
    (void)address(&t);
}
