/* What became of a message's bytes: complete its header, and have it delivered before anybody says 250. */
#include "smtp/incoming.h"
#include "base/encode.h"
#include "base/fault.h"
#include "base/log.h"
#include "mail/address.h"
#include "mail/date.h"
#include "mail/received.h"
#include "store/routing.h"

#define MAX_RECEIVED 50 /* RFC 5321, 6.3: a loop */
#define HEAD_MAX 16384

/* ---- our fields ---- */

/* RFC 3848; RFC 6531, 4.3. */
static struct str with_protocol(const struct smtp_session *s)
{
    static const char *const names[2][2][2] = { { { "ESMTP", "ESMTPA" }, { "ESMTPS", "ESMTPSA" } },
                                                { { "UTF8SMTP", "UTF8SMTPA" }, { "UTF8SMTPS", "UTF8SMTPSA" } } };
    static const char *const lmtp_names[2][2] = { { "LMTP", "LMTPS" }, { "UTF8LMTP", "UTF8LMTPS" } };

    if (smtp_is_lmtp(s))
        return str_c(lmtp_names[s->tx.params.smtputf8][stream_is_tls(s->stream)]);
    if (!s->esmtp)
        return STR("SMTP");
    return str_c(names[s->tx.params.smtputf8][stream_is_tls(s->stream)][s->identity.account_id != 0]);
}

static void write_head(struct incoming *in, const struct smtp_session *s, struct arena *a)
{
    struct strbuf head = { .max = HEAD_MAX };
    struct str tls = stream_is_tls(s->stream) ? arena_printf(a, "%.*s %.*s", STR_ARG(stream_tls_version(s->stream)),
                                                             STR_ARG(stream_tls_cipher(s->stream)))
                                              : STR("");
    const struct received field = {
        .helo = s->helo,
        .client_name = STR(""),
        .client_ip = smtp_client_ip(s),
        .by = settings_get()->hostname,
        .protocol = with_protocol(s),
        .tls = tls,
        .id = id_encode(a, 'q', in->id),
        .recipient = s->tx.n_rcpts == 1 && s->tx.n_given == 1 ? s->tx.rcpts[0].address : STR(""),
        .at_us = wall_us(),
    };

    (void)!return_path_write(s->tx.from.text, &head);
    in->return_path_len = head.len;
    (void)!received_write(&field, &head);
    in->head_len = head.len;
    (void)spool_add(&in->spool, strbuf_str(&head));
    strbuf_release(&head);
}

/* May the signed-in account say that it is each of these? */
static enum result check_from(struct cmd *c, const struct header_check *h, struct str *ret_bad)
{
    for (size_t i = 0; i < h->nfrom; i++) {
        struct str text = address_write_mailbox(c->arena, h->from[i].local, h->from[i].domain), local, domain;
        bool may = false;
        enum result r;

        *ret_bad = text;
        if (address_parse_mailbox(text, true, c->arena, &local, &domain) != RES_OK)
            return RES_DENIED;
        r = routing_may_send_as(c->s->service->db, c->s->identity.account_id, local, domain, &may);
        if (r != RES_OK)
            return r;
        if (!may)
            return RES_DENIED;
    }
    return RES_OK;
}

/* Submission (RFC 6409, 8): Date and Message-ID are added where they lack, From is checked. */
static bool complete_header(struct cmd *c, struct incoming *in, struct str message, enum next *ret_next)
{
    struct header_check h;
    struct str bad = STR(""), date = STR(""), id = STR("");
    enum result r;

    header_check(c->arena, str_from(message, in->head_len), &h);
    if (!h.has_from || h.from_fields != 1 || !h.complete) {
        *ret_next = smtp_reply_end(c->s, 550, "5.6.0", "The message needs one From field");
        return false;
    }
    r = settings_get()->sender_check == SENDER_HEADER && !smtp_is_local(c->s) ? check_from(c, &h, &bad) : RES_OK;
    if (r == RES_DENIED) {
        *ret_next = smtp_reply_end(c->s, 550, "5.7.1", "<%.*s> in From is not an address of yours", STR_ARG(bad));
        return false;
    }
    if (r == RES_OK && !h.has_date)
        date = arena_printf(c->arena, "Date: %.*s\r\n", STR_ARG(date_print(c->arena, wall_us(), 0)));
    if (r == RES_OK && !h.has_message_id)
        id = arena_printf(c->arena, "Message-ID: <%.*s.%.*s@%.*s>\r\n", STR_ARG(random_id(c->arena)),
                          STR_ARG(random_id(c->arena)), STR_ARG(settings_get()->hostname));
    if (r == RES_OK && date.len + id.len > 0)
        r = spool_insert(&in->spool, in->head_len, arena_printf(c->arena, "%.*s%.*s", STR_ARG(date), STR_ARG(id)));
    if (r != RES_OK)
        *ret_next = smtp_reply_end(c->s, 451, "4.3.0", SMTP_TEMPFAIL_TEXT);
    return r == RES_OK;
}

/* ---- delivering ---- */

static unsigned body_flags(const struct smtp_session *s, const struct incoming *in)
{
    return (in->data.eight_bit ? (unsigned)QUEUE_8BITMIME : 0) | (s->tx.params.binary ? (unsigned)QUEUE_BINARYMIME : 0) |
           (s->tx.params.smtputf8 ? (unsigned)QUEUE_SMTPUTF8 : 0);
}

/* Whoever asked to be told of success gets both in one transaction of the relay (RFC 3461, 5.2.2). */
static void mark_waiting(struct smtp_session *s)
{
    for (size_t i = 0; i < s->tx.n_rcpts; i++)
        s->tx.rcpts[i].waits = s->tx.rcpts[i].account_id != 0 && !s->tx.from.null && !s->tx.rcpts[i].quiet &&
                               (s->tx.rcpts[i].notify & QUEUE_NOTIFY_SUCCESS) != 0;
}

/* The reason of the first, who speaks for all. */
static enum next reply_refused(struct smtp_session *s)
{
    return smtp_reply_lines(s, 550, "5.7.1", s->tx.rcpts[0].reason);
}

static enum next reply_delivered(struct cmd *c, const struct compose *plan, enum result r, struct str id)
{
    struct smtp_session *s = c->s;

    if (smtp_is_lmtp(s) && (r == RES_OK || r == RES_LIMIT))
        return smtp_lmtp_results(s, id);
    switch (r) {
    case RES_OK:
        return plan->all_refused ? reply_refused(s) : smtp_reply_end(s, 250, "2.0.0", "Ok: queued as %.*s", STR_ARG(id));
    case RES_LIMIT:
        return smtp_reply_end(s, smtp_full_code(), smtp_full_status(), "The mailbox is full");
    case RES_INVALID:
        return smtp_reply_end(s, 554, "5.6.0", "The message cannot be stored");
    default:
        return smtp_reply_end(s, 451, "4.3.0", SMTP_TEMPFAIL_TEXT);
    }
}

static enum next deliver_now(struct cmd *c, struct incoming *in, struct str message)
{
    struct smtp_session *s = c->s;
    struct str id = id_encode(c->arena, 'q', in->id);
    const struct queue_new envelope = {
        .account_id = s->identity.account_id,
        .reverse_path = s->tx.from.text,
        .ret = s->tx.params.ret,
        .envid = s->tx.params.envid,
        .expire_s = settings_get()->expire_s,
        .body_flags = body_flags(s, in),
        .direction = s->identity.account_id != 0 || smtp_is_local(s) ? TRACE_OUT : TRACE_IN,
        .client = smtp_client_ip(s),
        .session = s->id,
        .listener = str_c(listener_name(s->listener)),
        .tls = stream_tls_version(s->stream),
    };
    const struct filter_message m = {
        .message = message, .reverse_path = s->tx.from.text,
        .auth = s->identity.account_id != 0 ? s->identity.address : STR_NULL,
        .client_ip = smtp_client_ip(s), .helo = s->helo, .envid = s->tx.params.envid, .ret = s->tx.params.ret,
        .body_flags = envelope.body_flags };
    struct compose plan = {
        .m = &m, .return_path_len = in->return_path_len, .id = in->id, .envelope = &envelope,
        .may_wait = !smtp_is_lmtp(s), .each_answered = smtp_is_lmtp(s), /* an LMTP client has a queue of its own */
        .lane = s->tx.n_rcpts > 10 ? QUEUE_BULK : s->identity.account_id != 0 ? QUEUE_INTERACTIVE : QUEUE_NORMAL };
    enum next next;
    enum result r;

    mark_waiting(s);
    r = compose(s->service->deliver, s->service->db, &plan, s->tx.rcpts, s->tx.n_rcpts);
    if (r == RES_CONFLICT) {
        next = smtp_reply_end(s, 554, "5.4.6", "This message was here before: it is in a loop");
    } else if (r == RES_LIMIT) {
        next = smtp_reply_end(s, 452, "4.3.1", "Too large for so many recipients; send it to fewer at once");
    } else {
        plan.message.sent_by = s->identity.account_id;
        plan.message.sent_to = s->tx.n_given;
        if (r == RES_OK && plan.anything)
            r = deliver_submit(s->service->deliver, &plan.message);
        log_info("smtp-message", F_STR("session", s->id), F_STR("id", id), F_STR("from", s->tx.from.text),
                 F_INT("recipients", s->tx.n_rcpts), F_INT("size", message.len),
                 F_C("result", r == RES_OK && plan.all_refused ? "refused by filters" : result_name(r)));
        FAULT("smtp-before-250");
        next = reply_delivered(c, &plan, r, id);
    }
    compose_release(&plan);
    return next;
}

/* What the message itself may be refused for, in the order of what is worst. */
enum next incoming_finish(struct incoming *in, struct cmd *c)
{
    struct smtp_session *s = c->s;
    struct str message;
    enum result r = spool_view(&in->spool, &message);
    enum next next;

    if (r == RES_LIMIT)
        return smtp_reply_end(s, 552, "5.3.4", "A message may have %lld bytes", (long long)settings_get()->max_message_size);
    if (r != RES_OK)
        return smtp_reply_end(s, 452, "4.3.1", "Not enough storage");
    if (in->data.bare && !s->tx.params.binary)
        return smtp_reply_end(s, 550, "5.5.2", "The message holds a CR or LF alone");
    if ((message.len - in->head_len) * MAX(s->tx.n_local, (size_t)1) > (uint64_t)settings_get()->max_transaction_size &&
        s->tx.n_local > 1)
        return smtp_reply_end(s, 452, "4.3.1", "Too large for so many recipients; send it to fewer at once");
    if (received_count(message) > MAX_RECEIVED)
        return smtp_reply_end(s, 554, "5.4.6", "Too many hops: this message is in a loop");
    if (s->identity.account_id != 0 || smtp_is_local(s)) {
        if (!complete_header(c, in, message, &next))
            return next;
        r = spool_view(&in->spool, &message);
        if (r != RES_OK)
            return smtp_reply_end(s, 452, "4.3.1", "Not enough storage");
    }
    return deliver_now(c, in, message);
}

/* ---- its life ---- */

enum result incoming_begin(struct incoming *in, struct cmd *c)
{
    int64_t id;
    enum result r = deliver_id(c->s->service->deliver, &id);

    if (r != RES_OK)
        return r;
    *in = (struct incoming){ .id = id, .until = deadline_in(INCOMING_END_MS) };
    spool_init(&in->spool, HEAD_MAX);
    write_head(in, c->s, c->arena);
    in->spool.max = in->head_len + (size_t)settings_get()->max_message_size;
    return RES_OK;
}

void incoming_release(struct incoming *in)
{
    if (in != NULL)
        spool_release(&in->spool);
}

enum next incoming_lost(struct smtp_session *s, enum result r)
{
    if (r == RES_TIMEOUT)
        stream_puts(s->stream, "421 4.4.2 The data came too slowly\r\n");
    return NEXT_CLOSE;
}
