/* Who may send, and to whom (docs/protocols.md): port 25 takes mail for our domains and relay domains; anywhere only
 * from signed-in clients and smtp.relay_networks. */
#include "base/encode.h"
#include "base/log.h"
#include "deliver/srs.h"
#include "mail/address.h"
#include "route/expand.h"
#include "route/quota.h"
#include "smtp/domain_use.h"
#include "smtp/recent.h"
#include "smtp/session.h"
#include "store/credential.h"
#include "store/routing.h"

#define MAX_LINKS 10000 /* from RCPTs to recipients */
#define LIMITS_MS (60 * 1000)

static bool may_relay(const struct smtp_session *s)
{
    return s->identity.account_id != 0 || smtp_is_local(s) ||
           (s->listener == LISTEN_SMTP && network_list_contains(&settings_get()->relay_networks, stream_peer(s->stream)));
}

/* How many recipients the account may still have.  One without limits is asked about again after a minute. */
static bool look_at_limits(struct smtp_session *s, enum next *ret_next)
{
    if (loop_now() < s->sent_until)
        return true;
    if (sent_get(s->service->db, s->identity.account_id, &s->sent) != RES_OK) {
        *ret_next = smtp_reply_tempfail(s);
        return false;
    }
    if (s->sent.limits.per_hour == SENT_NO_LIMIT && s->sent.limits.per_day == SENT_NO_LIMIT)
        s->sent_until = deadline_in(LIMITS_MS);
    return true;
}

bool smtp_policy_sender(struct cmd *c, const struct smtp_path *from, enum next *ret_next)
{
    struct smtp_session *s = c->s;
    bool may = false;
    enum result r;

    if (s->identity.account_id == 0) {
        if (!smtp_is_submission(s))
            return true;
        *ret_next = smtp_reply(s, 530, "5.7.0", "Please sign in first");
        return false;
    }
    if (s->identity.frozen) {
        *ret_next = smtp_reply(s, 550, "5.7.1", "Sending is stopped for this account");
        return false;
    }
    if (!look_at_limits(s, ret_next))
        return false;
    if (from->null || settings_get()->sender_check == SENDER_ANY || s->trusted) /* null: notifications of a mail program (RFC 8098, 3) */
        return true;
    r = routing_may_send_as(s->service->db, s->identity.account_id, from->local, from->domain, &may);
    if (r != RES_OK)
        *ret_next = smtp_reply_tempfail(s);
    else if (!may)
        *ret_next = smtp_reply(s, 553, "5.7.1", "<%.*s> is not an address of yours", STR_ARG(from->text));
    return r == RES_OK && may;
}

/* ---- recipients ---- */

/* What became of an RCPT. */
enum found { FOUND, FOUND_NONE, FOUND_DISABLED, FOUND_RELAY_DENIED, FOUND_SENDER_DENIED, FOUND_FULL, FOUND_LOOP, FOUND_TOO_MANY,
             FOUND_FORGED, FOUND_OVER_LIMIT, FOUND_BEYOND_LIMIT, FOUND_TROUBLE };

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

static bool is_full(const struct route_recipient *r, uint64_t size)
{
    const struct quota_figures q = { .limit = r->facts.quota_bytes, .used = r->facts.used_bytes,
                                     .message_limit = r->facts.quota_messages, .used_messages = r->facts.used_messages };

    return r->kind == ROUTE_MAILBOX &&
           (!quota_has_room(&q, size, settings_get()->quota_grace) || !domain_use_has_room(r->facts.domain_id, size));
}

static enum result look_up(void *data, struct str local, struct str domain, struct arena *a, struct route_facts *ret)
{
    struct smtp_session *s = data;

    return recent_routing(s->service->db, local, domain, a, ret);
}

static enum found found_of(enum route_verdict verdict)
{
    switch (verdict) {
    case ROUTE_FOUND:
        return FOUND;
    case ROUTE_UNKNOWN:
        return FOUND_NONE;
    case ROUTE_DISABLED:
        return FOUND_DISABLED;
    case ROUTE_DENIED:
        return FOUND_SENDER_DENIED;
    case ROUTE_LOOP:
        return FOUND_LOOP;
    case ROUTE_TOO_MANY:
        return FOUND_TOO_MANY;
    case ROUTE_TROUBLE:
        break;
    }
    return FOUND_TROUBLE;
}

/* What the recipients themselves say against it.  A full member of an alias waits in the queue, so that the others need
 * not; in LMTP it refuses them all: its client comes again, and would give it to the others again. */
static enum found judge(struct smtp_session *s, const struct route_result *route)
{
    size_t full = 0;

    for (size_t i = 0; i < route->n_recipients; i++) {
        const struct route_recipient *r = &route->recipients[i];

        if (r->kind == ROUTE_REMOTE && r->depth == 0 && !may_relay(s))
            return FOUND_RELAY_DENIED;
        if (!is_full(r, s->tx.params.size))
            continue;
        if (r->depth == 0 || smtp_is_lmtp(s))
            return FOUND_FULL;
        full++;
    }
    return full > 0 && full == route->n_recipients ? FOUND_FULL : FOUND;
}

static enum found expand(struct cmd *c, struct str address, struct route_result *ret)
{
    struct smtp_session *s = c->s;
    const struct route_sender sender = {
        .address = s->identity.account_id != 0 ? s->identity.address : s->tx.from.text,
        .trusted = s->identity.account_id != 0 || smtp_is_local(s) };
    enum found found;

    route_expand(address, &sender, look_up, s, c->arena, ret);
    found = found_of(ret->verdict);
    return found == FOUND ? judge(s, ret) : found;
}

/* RFC 5321, 4.5.1: "postmaster" must reach somebody, with or without a domain: the first system administrator. */
static enum found expand_postmaster(struct cmd *c, struct route_result *ret)
{
    struct str admin;
    enum result r = routing_postmaster(c->s->service->db, c->arena, &admin);

    if (r == RES_NOTFOUND)
        return FOUND_NONE;
    return r == RES_OK ? expand(c, admin, ret) : FOUND_TROUBLE;
}

/* A bounce to a reverse-path that we rewrote goes back to who it stands for. */
static enum found expand_rewritten(struct cmd *c, const struct smtp_path *to, struct route_result *ret)
{
    struct str address, local, domain;
    enum result r = srs_reverse(c->arena, to->local, &address);

    if (r == RES_NOTFOUND)
        return FOUND_NONE;
    if (r != RES_OK || address_parse_mailbox(address, true, c->arena, &local, &domain) != RES_OK)
        return FOUND_FORGED;
    ret->recipients = arena_new(c->arena, struct route_recipient);
    ret->recipients[0] = (struct route_recipient){ .kind = ROUTE_RELAY, .address = address, .domain = domain };
    ret->n_recipients = 1;
    return FOUND;
}

static enum found find(struct cmd *c, const struct smtp_path *to, struct route_result *ret)
{
    enum found found;

    *ret = (struct route_result){ 0 };
    if (to->domain.len == 0)
        return expand_postmaster(c, ret);
    found = expand(c, to->text, ret);
    if (found == FOUND_NONE && str_ieq(to->local, STR("postmaster")))
        found = expand_postmaster(c, ret);
    if (found == FOUND_NONE)
        found = expand_rewritten(c, to, ret);
    return found;
}

/* What is said of the address, and the word under which traces count it (route/reason.h). */
struct refusal {
    int code;
    const char *enhanced, *before, *after, *reason;
};

static struct refusal refusal_of(const struct smtp_session *s, enum found found)
{
    static const struct refusal plain[] = {
        [FOUND_NONE] = { 550, "5.1.1", "No such user: <", ">", "unknown-recipient" },
        [FOUND_DISABLED] = { 550, "5.1.2", "The domain of <", "> takes no mail now", "permanent" },
        [FOUND_RELAY_DENIED] = { 550, "5.7.1", "Relaying to <", "> is not allowed", "policy" },
        [FOUND_SENDER_DENIED] = { 550, "5.7.1", "You may not send to <", ">", "policy" },
        [FOUND_LOOP] = { 550, "5.4.6", "<", "> leads to itself", "loop" },
        [FOUND_TOO_MANY] = { 550, "5.2.4", "<", "> stands for too many addresses", "permanent" },
        [FOUND_FORGED] = { 550, "5.1.1", "<", "> is no return address of ours, or an old one", "unknown-recipient" },
        [FOUND_OVER_LIMIT] = { 451, "4.7.1", "<", "> is one recipient more than this account may send to now; please try again later", "policy" },
        [FOUND_BEYOND_LIMIT] = { 550, "5.7.1", "<", "> is one recipient more than this account may ever send to at once", "policy" },
    };

    if (found == FOUND_FULL)
        return (struct refusal){ smtp_full_code(), smtp_full_status(), "The mailbox of <", "> is full", "mailbox-full" };
    if (found == FOUND_TOO_MANY && s->tx.n_rcpts > 0) /* alone it may fit */
        return (struct refusal){ 452, "4.5.3", "Too many recipients with <", ">", "temporary" };
    return plain[found];
}

static void trace_refusal(struct cmd *c, const struct refusal *r, struct str address)
{
    struct smtp_session *s = c->s;
    const struct trace_note_recipient to = {
        .address = address, .outcome = TRACE_REFUSED, .code = r->code, .enhanced = str_c(r->enhanced),
        .reply = arena_printf(c->arena, "%d %s %s%.*s%s", r->code, r->enhanced, r->before, STR_ARG(address), r->after),
        .reason = str_c(r->reason) };

    deliver_refused(s->service->deliver,
                    &(struct trace_note){ .at_us = wall_us(), .direction = s->identity.account_id != 0 ? TRACE_OUT : TRACE_IN,
                                          .sender = s->tx.from.text, .account_id = s->identity.account_id, .size = -1,
                                          .client = smtp_client_ip(s), .session = s->id,
                                          .listener = str_c(listener_name(s->listener)), .tls = stream_tls_version(s->stream),
                                          .recipients = &to, .n_recipients = 1 });
}

static enum next refuse(struct cmd *c, enum found found, struct str address)
{
    struct smtp_session *s = c->s;
    struct refusal r;

    if (found == FOUND_TROUBLE)
        return smtp_reply_tempfail(s);
    r = refusal_of(s, found);
    log_info("smtp-refused", F_STR("session", s->id), F_STR("from", s->tx.from.text), F_STR("to", address), F_C("why", r.reason));
    trace_refusal(c, &r, address);
    return smtp_reply(s, r.code, r.enhanced, "%s%.*s%s", r.before, STR_ARG(address), r.after);
}

/* Limits pass with time, so the client may come again; a message with more recipients than a limit never fits. */
static enum found judge_limits(const struct smtp_session *s)
{
    int64_t n = (int64_t)s->tx.n_given + 1;
    int64_t per_hour = s->sent.limits.per_hour, per_day = s->sent.limits.per_day;

    if (s->identity.account_id == 0)
        return FOUND;
    if ((per_hour > 0 && n > per_hour) || (per_day > 0 && n > per_day))
        return FOUND_BEYOND_LIMIT;
    return (per_hour > 0 && s->sent.hour + n > per_hour) || (per_day > 0 && s->sent.day + n > per_day) ? FOUND_OVER_LIMIT : FOUND;
}

/* smtp.max_transaction_size bounds what one message may take in all mailboxes. */
static bool too_much(const struct smtp_tx *tx, size_t more)
{
    return tx->params.has_size &&
           tx->params.size * (tx->n_local + more) > (uint64_t)settings_get()->max_transaction_size;
}

/* Remembers to whom the RCPT leads.  False: too many altogether. */
static bool accept_given(struct smtp_session *s, const struct route_result *route, const struct smtp_path *to,
                         const struct smtp_rcpt_params *params)
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
                                                                (!asks_success || is_full(r, tx->params.size)) });
    }
    tx->given = arena_grow(&tx->arena, tx->given, tx->n_given, &tx->cap_given, sizeof(tx->given[0]));
    tx->given[tx->n_given++] = (struct smtp_given){ .address = to->text, .rcpts = rcpts, .n = route->n_recipients };
    tx->n_links += route->n_recipients;
    return true;
}

enum next smtp_policy_recipient(struct cmd *c, const struct smtp_path *to, const struct smtp_rcpt_params *params)
{
    struct smtp_session *s = c->s;
    struct smtp_tx *tx = &s->tx;
    size_t before = tx->n_rcpts, local_before = tx->n_local, given_before = tx->n_given, links_before = tx->n_links;
    struct route_result route;
    enum found found;

    if (tx->n_given >= (size_t)settings_get()->max_recipients)
        return smtp_reply(s, 452, "4.5.3", "Too many recipients");
    if (too_much(tx, 1))
        return smtp_reply(s, 452, "4.5.3", "Too many recipients for a message of this size");
    if (!smtp_limit_domain(s, to->domain))
        return smtp_reply(s, 452, "4.5.3", "Too many recipients' domains in one session");
    if (address_is_literal(to->domain))
        return smtp_reply(s, 550, "5.1.2", "Addresses at a literal are not served");
    found = judge_limits(s);
    if (found == FOUND)
        found = find(c, to, &route);
    if (found == FOUND && !accept_given(s, &route, to, params))
        found = FOUND_TOO_MANY;
    if (found != FOUND)
        return refuse(c, found, to->text);
    if (!too_much(tx, 0) || before == 0)
        return smtp_reply(s, 250, "2.1.5", "Recipient ok");
    tx->n_rcpts = before;
    tx->n_local = local_before;
    tx->n_given = given_before;
    tx->n_links = links_before;
    return smtp_reply(s, 452, "4.5.3", "Too many recipients for a message of this size");
}
