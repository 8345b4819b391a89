/* What became of a message's bytes: complete its header, and have it delivered before anybody says 250. */
#include "smtp/incoming.h"
#include "base/counters.h"
#include "base/encode.h"
#include "base/fault.h"
#include "base/log.h"
#include "mail/date.h"
#include "mail/header.h"
#include "mail/received.h"

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

/* ---- refusing ---- */

static struct str field_text(struct arena *a, struct str block, const char *name, bool decode)
{
    struct header_field f;

    if (!header_find(block, str_c(name), &f))
        return STR_NULL;
    return decode ? header_decode(a, f.value) : str_trim(f.value);
}

/* Without its angle brackets, as the trace has it. */
static struct str message_id_text(struct str value)
{
    return value.len > 2 && value.p[0] == '<' && value.p[value.len - 1] == '>' ? str_sub(value, 1, value.len - 2) : value;
}

/* The trace of a refusal at the end of the data. */
static void trace_end(struct cmd *c, const struct incoming *in, struct str message, bool stored, const struct admission_refusal *r)
{
    const struct smtp_tx *tx = &c->s->tx;
    struct str block = header_block(str_from(message, in->head_len)), *to = arena_array(c->arena, struct str, tx->n_given);

    for (size_t i = 0; i < tx->n_given; i++)
        to[i] = tx->given[i].address;
    smtp_trace_refusal(c, r, &(struct refused_message){
                                 .id = stored ? 0 : in->id, .from = tx->from.text, .subject = field_text(c->arena, block, "Subject", true),
                                 .message_id = message_id_text(field_text(c->arena, block, "Message-ID", false)),
                                 .size = message.len > 0 ? (int64_t)(message.len - in->head_len) : -1, .to = to, .n = tx->n_given });
}

static enum next refuse_end(struct cmd *c, const struct incoming *in, struct str message, const struct admission_refusal *r)
{
    log_info("smtp-refused", F_STR("session", c->s->id), F_STR("from", c->s->tx.from.text), F_STR("why", r->reason));
    trace_end(c, in, message, false, r);
    return smtp_reply_end(c->s, r->code, r->enhanced, "%.*s", STR_ARG(r->text));
}

static const struct admission_refusal too_large_for_many = {
    452, "4.3.1", STR("Too large for so many recipients; send it to fewer at once"), STR("too-large") };

/* Submission (RFC 6409, 8): Date and Message-ID are added where they lack, From is checked. */
static bool complete_header(struct cmd *c, struct incoming *in, struct str message, enum next *ret_next)
{
    struct header_check h;
    struct str date = STR(""), id = STR("");
    const struct admission q = smtp_admission(c->s, &c->s->tx.from, c->s->tx.params.size);
    struct admission_refusal refusal;
    enum result r;

    header_check(c->arena, str_from(message, in->head_len), &h);
    r = admission_header(&q, &h, c->arena, &refusal);
    if (r == RES_DENIED) {
        *ret_next = refuse_end(c, in, message, &refusal);
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
static enum next reply_refused(struct cmd *c, const struct incoming *in, const struct compose *plan)
{
    struct str reason = c->s->tx.rcpts[0].reason;

    trace_end(c, in, plan->m->message, plan->anything,
              &(struct admission_refusal){ 550, "5.7.1", reason, STR("recipient-filter") });
    return smtp_reply_lines(c->s, 550, "5.7.1", reason);
}

static enum next reply_delivered(struct cmd *c, const struct incoming *in, const struct compose *plan, enum result r, struct str id)
{
    struct smtp_session *s = c->s;

    if (smtp_is_lmtp(s) && (r == RES_OK || r == RES_LIMIT))
        return smtp_lmtp_results(s, id);
    switch (r) {
    case RES_OK:
        return plan->all_refused ? reply_refused(c, in, plan) : smtp_reply_end(s, 250, "2.0.0", "Ok: queued as %.*s", STR_ARG(id));
    case RES_LIMIT:
        return refuse_end(c, in, plan->m->message,
                          &(struct admission_refusal){ smtp_full_code(), smtp_full_status(), STR("The mailbox is full"),
                                                       STR("mailbox-full") });
    case RES_INVALID:
        return refuse_end(c, in, plan->m->message,
                          &(struct admission_refusal){ 554, "5.6.0", STR("The message cannot be stored"), STR("header-malformed") });
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
        .by = s->tx.params.by,
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
        .by = s->tx.params.by, .body_flags = envelope.body_flags };
    struct compose plan = {
        .m = &m, .return_path_len = in->return_path_len, .id = in->id, .envelope = &envelope,
        .may_wait = !smtp_is_lmtp(s), .each_answered = smtp_is_lmtp(s), /* an LMTP client has a queue of its own */
        .lane = s->tx.n_rcpts > 10 ? QUEUE_BULK : s->identity.account_id != 0 ? QUEUE_INTERACTIVE : QUEUE_NORMAL };
    enum next next;
    enum result r;

    mark_waiting(s);
    r = compose(s->service->deliver, s->service->db, &plan, s->tx.rcpts, s->tx.n_rcpts);
    if (r == RES_CONFLICT) {
        next = refuse_end(c, in, message,
                          &(struct admission_refusal){ 554, "5.4.6", STR("This message was here before: it is in a loop"), STR("loop") });
    } else if (r == RES_LIMIT) {
        next = refuse_end(c, in, message, &too_large_for_many);
    } else {
        plan.message.sent_by = s->identity.account_id;
        plan.message.sent_to = s->tx.n_given;
        if (r == RES_OK && plan.anything)
            r = deliver_submit(s->service->deliver, &plan.message);
        if (r == RES_OK && !plan.all_refused)
            counters->mail[COUNTERS_ACCEPTED]++;
        log_info("smtp-message", F_STR("session", s->id), F_STR("id", id), F_STR("from", s->tx.from.text),
                 F_INT("recipients", s->tx.n_rcpts), F_INT("size", message.len),
                 F_C("result", r == RES_OK && plan.all_refused ? "refused by filters" : result_name(r)));
        fault_point("smtp-before-250");
        next = reply_delivered(c, in, &plan, r, id);
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

    if (!smtp_may_send(s))
        return smtp_reply_end(s, 550, "5.7.1", "Sending is stopped for this account");
    if (r == RES_LIMIT)
        return refuse_end(c, in, STR(""),
                          &(struct admission_refusal){ 552, "5.3.4", arena_printf(c->arena, "A message may have %lld bytes",
                                                                                  (long long)settings_get()->max_message_size),
                                                       STR("too-large") });
    if (r != RES_OK)
        return smtp_reply_end(s, 452, "4.3.1", "Not enough storage");
    if (in->data.bare && !s->tx.params.binary)
        return refuse_end(c, in, message,
                          &(struct admission_refusal){ 550, "5.5.2", STR("The message holds a CR or LF alone"), STR("bare-line-end") });
    if ((message.len - in->head_len) * MAX(s->tx.n_local, (size_t)1) > (uint64_t)settings_get()->max_transaction_size &&
        s->tx.n_local > 1)
        return refuse_end(c, in, message, &too_large_for_many);
    if (received_count(message) > MAX_RECEIVED)
        return refuse_end(c, in, message,
                          &(struct admission_refusal){ 554, "5.4.6", STR("Too many hops: this message is in a loop"), STR("loop") });
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
