/* What MAIL and RCPT are answered, and to whom they lead; deliver/admission.h decides. */
#include "base/encode.h"
#include "base/log.h"
#include "smtp/domain_use.h"
#include "smtp/recent.h"
#include "smtp/session.h"

#define MAX_LINKS 10000 /* from RCPTs to recipients */
#define LIMITS_MS (60 * 1000)

static enum result look_up(void *data, struct str local, struct str domain, struct arena *a, struct route_facts *ret)
{
    struct smtp_session *s = data;

    return recent_routing(s->service->db, local, domain, a, ret);
}

bool smtp_may_send(const struct smtp_session *s)
{
    return !s->identity.frozen && !s->presence.frozen && !s->presence.over;
}

static bool domain_has_room(void *data, int64_t domain_id, uint64_t size)
{
    (void)data;
    return domain_use_has_room(domain_id, size);
}

struct admission smtp_admission(struct smtp_session *s, const struct smtp_path *from, uint64_t size)
{
    bool signed_in = s->identity.account_id != 0, local = smtp_is_local(s);

    return (struct admission){
        .db = s->service->db, .account_id = s->identity.account_id, .account = s->identity.address, .frozen = !smtp_may_send(s),
        .any_sender = s->trusted, .any_from = local, .submission = smtp_is_submission(s), .trusted = signed_in || local,
        .relays = signed_in || local || (s->listener == LISTEN_SMTP &&
                                         network_list_contains(&settings_get()->relay_networks, stream_peer(s->stream))),
        .one_answer = smtp_is_lmtp(s), .sender = { .text = from->text, .local = from->local, .domain = from->domain }, .size = size,
        .others = s->tx.n_rcpts > 0, .look_up = look_up, .domain_has_room = domain_has_room, .data = s };
}

/* ---- refusals ---- */

void smtp_trace_refusal(struct cmd *c, const struct admission_refusal *r, const struct refused_message *m)
{
    struct smtp_session *s = c->s;
    struct trace_note_recipient *v = arena_array(c->arena, struct trace_note_recipient, MAX(m->n, (size_t)1));

    for (size_t i = 0; i < MAX(m->n, (size_t)1); i++)
        v[i] = (struct trace_note_recipient){
            .address = i < m->n ? m->to[i] : STR(""), .outcome = TRACE_REFUSED, .code = r->code, .enhanced = str_c(r->enhanced),
            .reply = arena_printf(c->arena, "%d %s %.*s", r->code, r->enhanced, STR_ARG(r->text)), .reason = r->reason };
    deliver_refused(s->service->deliver,
                    &(struct trace_note){ .id = m->id, .at_us = wall_us(),
                                          .direction = s->identity.account_id != 0 ? TRACE_OUT : TRACE_IN,
                                          .sender = m->from, .account_id = s->identity.account_id, .subject = m->subject,
                                          .message_id = m->message_id, .size = m->size, .client = smtp_client_ip(s), .session = s->id,
                                          .listener = str_c(listener_name(s->listener)), .tls = stream_tls_version(s->stream),
                                          .recipients = v, .n_recipients = MAX(m->n, (size_t)1) });
}

enum next smtp_refuse(struct cmd *c, const struct admission_refusal *r, struct str from, struct str to)
{
    struct smtp_session *s = c->s;

    log_info("smtp-refused", F_STR("session", s->id), F_STR("from", from), F_STR("to", to), F_STR("why", r->reason));
    smtp_trace_refusal(c, r, &(struct refused_message){ .from = from, .to = &to, .n = to.len > 0, .size = -1 });
    return smtp_reply(s, r->code, r->enhanced, "%.*s", STR_ARG(r->text));
}

/* How many recipients the account may still have.  One without limits is asked about again after a minute. */
static bool look_at_limits(struct smtp_session *s)
{
    if (s->identity.account_id == 0 || loop_now() < s->sent_until)
        return true;
    if (sent_get(s->service->db, s->identity.account_id, &s->sent) != RES_OK)
        return false;
    if (s->sent.limits.per_hour == SENT_NO_LIMIT && s->sent.limits.per_day == SENT_NO_LIMIT)
        s->sent_until = deadline_in(LIMITS_MS);
    return true;
}

bool smtp_policy_sender(struct cmd *c, const struct smtp_path *from, uint64_t size, enum next *ret_next)
{
    const struct admission q = smtp_admission(c->s, from, size);
    struct admission_refusal refusal;
    enum result r = admission_sender(&q, c->arena, &refusal);

    if (r == RES_OK && !look_at_limits(c->s))
        r = RES_TEMPFAIL;
    if (r == RES_DENIED)
        *ret_next = smtp_refuse(c, &refusal, from->text, STR(""));
    else if (r != RES_OK)
        *ret_next = smtp_reply_tempfail(c->s);
    return r == RES_OK;
}

/* ---- recipients ---- */

static bool same_recipient(const struct compose_recipient *a, const struct compose_recipient *b)
{
    if (a->account_id != 0 || b->account_id != 0)
        return a->account_id == b->account_id;
    return str_eq(a->address, b->address) && str_eq(a->program, b->program);
}

/* Each final recipient is there once, whoever leads to it; its index in tx.rcpts. */
static size_t add(struct smtp_tx *tx, struct compose_recipient rcpt)
{
    size_t i = 0;

    while (i < tx->n_rcpts && !same_recipient(&rcpt, &tx->rcpts[i]))
        i++;
    if (i < tx->n_rcpts)
        return i;
    tx->rcpts = arena_grow(&tx->arena, tx->rcpts, tx->n_rcpts, &tx->cap_rcpts, sizeof(tx->rcpts[0]));
    rcpt.address = arena_str(&tx->arena, rcpt.address);
    rcpt.domain = arena_str(&tx->arena, rcpt.domain);
    rcpt.via = arena_str(&tx->arena, rcpt.via);
    rcpt.program = arena_str(&tx->arena, rcpt.program);
    tx->rcpts[tx->n_rcpts++] = rcpt;
    if (rcpt.account_id != 0)
        tx->n_local++;
    return i;
}

/* smtp.max_transaction_size bounds what one message may take in all mailboxes. */
static bool too_much(const struct smtp_tx *tx, size_t more)
{
    return tx->params.has_size &&
           tx->params.size * (tx->n_local + more) > (uint64_t)settings_get()->max_transaction_size;
}

/* Remembers to whom the RCPT leads.  False: too many altogether. */
static bool accept_given(struct smtp_session *s, const struct admission *q, const struct route_result *route,
                         const struct smtp_path *to, const struct smtp_rcpt_params *params)
{
    bool stranger = s->identity.account_id == 0, asks_success = (params->notify & QUEUE_NOTIFY_SUCCESS) != 0;
    struct smtp_tx *tx = &s->tx;
    size_t *rcpts;

    if (tx->n_links + route->n_recipients > MAX_LINKS || tx->n_rcpts + route->n_recipients > MAX_LINKS)
        return false;
    rcpts = arena_array(&tx->arena, size_t, route->n_recipients);
    for (size_t i = 0; i < route->n_recipients; i++) {
        const struct route_recipient *r = &route->recipients[i];

        rcpts[i] = add(tx, (struct compose_recipient){ .address = r->address, .orcpt = params->orcpt, .notify = params->notify,
                                                       .account_id = r->facts.account_id, .inbox_id = r->facts.inbox_id,
                                                       .filtered = r->facts.filtered,
                                                       .elsewhere = r->facts.elsewhere, .domain = r->domain, .via = r->via,
                                                       .program = r->program,
                                                       .quiet = stranger && r->depth > 0 &&
                                                                (!asks_success || admission_is_full(q, r)) });
    }
    tx->given = arena_grow(&tx->arena, tx->given, tx->n_given, &tx->cap_given, sizeof(tx->given[0]));
    tx->given[tx->n_given++] = (struct smtp_given){ .address = to->text, .rcpts = rcpts, .n = route->n_recipients };
    tx->n_links += route->n_recipients;
    return true;
}

/* Limits pass with time, so the client may come again; a message with more recipients than a limit never fits.  False:
 * *ret is what to answer. */
static bool within_limits(struct cmd *c, struct str to, struct admission_refusal *ret)
{
    const struct smtp_session *s = c->s;
    int64_t n = (int64_t)s->tx.n_given + 1;
    int64_t per_hour = s->sent.limits.per_hour, per_day = s->sent.limits.per_day;

    if (s->identity.account_id == 0)
        return true;
    if ((per_hour > 0 && n > per_hour) || (per_day > 0 && n > per_day)) {
        *ret = (struct admission_refusal){ 550, "5.7.1",
            arena_printf(c->arena, "<%.*s> is one recipient more than this account may ever send to at once", STR_ARG(to)),
            STR("rate-of-sender") };
        return false;
    }
    if ((per_hour > 0 && s->sent.hour + n > per_hour) || (per_day > 0 && s->sent.day + n > per_day)) {
        *ret = (struct admission_refusal){ 451, "4.7.1",
            arena_printf(c->arena, "<%.*s> is one recipient more than this account may send to now; please try again later", STR_ARG(to)),
            STR("rate-of-sender") };
        return false;
    }
    return true;
}

static enum next refuse_more(struct cmd *c, struct str to, struct str text)
{
    const struct admission_refusal refusal = { 452, "4.5.3", text, STR("too-many-recipients") };

    return smtp_refuse(c, &refusal, c->s->tx.from.text, to);
}

enum next smtp_policy_recipient(struct cmd *c, const struct smtp_path *to, const struct smtp_rcpt_params *params)
{
    struct smtp_session *s = c->s;
    struct smtp_tx *tx = &s->tx;
    size_t before = tx->n_rcpts, local_before = tx->n_local, given_before = tx->n_given, links_before = tx->n_links;
    const struct admission q = smtp_admission(s, &tx->from, tx->params.size);
    const struct admission_path path = { .text = to->text, .local = to->local, .domain = to->domain };
    struct admission_refusal refusal;
    struct route_result route;
    enum result r;

    if (tx->n_given >= (size_t)settings_get()->max_recipients)
        return refuse_more(c, to->text, STR("Too many recipients"));
    if (too_much(tx, 1))
        return refuse_more(c, to->text, STR("Too many recipients for a message of this size"));
    if (!smtp_limit_domain(s, to->domain))
        return refuse_more(c, to->text, STR("Too many recipients' domains in one session"));
    r = within_limits(c, to->text, &refusal) ? admission_recipient(&q, &path, c->arena, &route, &refusal) : RES_DENIED;
    if (r == RES_OK && !accept_given(s, &q, &route, to, params)) {
        admission_too_many(&q, &path, c->arena, &refusal);
        r = RES_DENIED;
    }
    if (r == RES_DENIED)
        return smtp_refuse(c, &refusal, tx->from.text, to->text);
    if (r != RES_OK)
        return smtp_reply_tempfail(s);
    if (!too_much(tx, 0) || before == 0)
        return smtp_reply(s, 250, "2.1.5", "Recipient ok");
    tx->n_rcpts = before;
    tx->n_local = local_before;
    tx->n_given = given_before;
    tx->n_links = links_before;
    return refuse_more(c, to->text, STR("Too many recipients for a message of this size"));
}
