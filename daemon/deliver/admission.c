#include "deliver/admission.h"
#include "config/settings.h"
#include "deliver/srs.h"
#include "mail/address.h"
#include "route/quota.h"
#include "store/routing.h"

static enum result deny(struct admission_refusal *ret, int code, const char *enhanced, struct str reason, struct str text)
{
    *ret = (struct admission_refusal){ .code = code, .enhanced = enhanced, .text = text, .reason = reason };
    return RES_DENIED;
}

/* ---- MAIL ---- */

enum result admission_sender(const struct admission *q, struct arena *a, struct admission_refusal *ret)
{
    bool may = false;
    enum result r;

    if (q->size > (uint64_t)settings_get()->max_message_size)
        return deny(ret, 552, "5.3.4", STR("too-large"),
                    arena_printf(a, "A message may have %lld bytes", (long long)settings_get()->max_message_size));
    if (q->account_id == 0)
        return q->submission ? deny(ret, 530, "5.7.0", STR("auth-required"), STR("Please sign in first")) : RES_OK;
    if (q->frozen)
        return deny(ret, 550, "5.7.1", STR("account-frozen"), STR("Sending is stopped for this account"));
    if (q->sender.text.len == 0 || settings_get()->sender_check == SENDER_ANY || q->any_sender)
        return RES_OK; /* the null one: notifications of a mail program (RFC 8098, 3) */
    r = routing_may_send_as(q->db, q->account_id, q->sender.local, q->sender.domain, &may);
    if (r != RES_OK || may)
        return r;
    return deny(ret, 553, "5.7.1", STR("sender-not-yours"),
                arena_printf(a, "<%.*s> is not an address of yours", STR_ARG(q->sender.text)));
}

enum result admission_header(const struct admission *q, const struct header_check *h, struct arena *a,
                             struct admission_refusal *ret)
{
    if (!h->has_from || h->from_fields != 1 || !h->complete)
        return deny(ret, 550, "5.6.0", STR("header-malformed"), STR("The message needs one From field"));
    if (settings_get()->sender_check != SENDER_HEADER || q->any_from)
        return RES_OK;
    for (size_t i = 0; i < h->nfrom; i++) {
        struct str text = address_write_mailbox(a, h->from[i].local, h->from[i].domain), local, domain;
        bool may = false;
        enum result r = RES_OK;

        if (address_parse_mailbox(text, true, a, &local, &domain) == RES_OK)
            r = routing_may_send_as(q->db, q->account_id, local, domain, &may);
        if (r != RES_OK)
            return r;
        if (!may)
            return deny(ret, 550, "5.7.1", STR("sender-not-yours"),
                        arena_printf(a, "<%.*s> in From is not an address of yours", STR_ARG(text)));
    }
    return RES_OK;
}

/* ---- RCPT ---- */

bool admission_is_full(const struct admission *q, const struct route_recipient *r)
{
    const struct quota_figures f = { .limit = r->facts.quota_bytes, .used = r->facts.used_bytes,
                                     .message_limit = r->facts.quota_messages, .used_messages = r->facts.used_messages };

    return r->kind == ROUTE_MAILBOX && (!quota_has_room(&f, q->size, settings_get()->quota_grace) ||
                                        !q->domain_has_room(q->data, r->facts.domain_id, q->size));
}

/* What became of an RCPT. */
enum found { FOUND, FOUND_NONE, FOUND_DISABLED, FOUND_RELAY_DENIED, FOUND_SENDER_DENIED, FOUND_FULL, FOUND_LOOP, FOUND_TOO_MANY,
             FOUND_FORGED, FOUND_TROUBLE };

static enum found found_of(enum route_verdict verdict)
{
    static const enum found found[] = {
        [ROUTE_FOUND] = FOUND, [ROUTE_UNKNOWN] = FOUND_NONE, [ROUTE_DISABLED] = FOUND_DISABLED, [ROUTE_DENIED] = FOUND_SENDER_DENIED,
        [ROUTE_LOOP] = FOUND_LOOP, [ROUTE_TOO_MANY] = FOUND_TOO_MANY, [ROUTE_TROUBLE] = FOUND_TROUBLE };

    return found[verdict];
}

/* What the recipients themselves say against it.  A full member of an alias waits in the queue, so that the others need
 * not. */
static enum found judge(const struct admission *q, const struct route_result *route)
{
    size_t full = 0;

    for (size_t i = 0; i < route->n_recipients; i++) {
        const struct route_recipient *r = &route->recipients[i];

        if (r->kind == ROUTE_REMOTE && r->depth == 0 && !q->relays)
            return FOUND_RELAY_DENIED;
        if (!admission_is_full(q, r))
            continue;
        if (r->depth == 0 || q->one_answer)
            return FOUND_FULL;
        full++;
    }
    return full > 0 && full == route->n_recipients ? FOUND_FULL : FOUND;
}

static enum found expand(const struct admission *q, struct str address, struct arena *a, struct route_result *ret)
{
    const struct route_sender sender = { .address = q->account_id != 0 ? q->account : q->sender.text, .trusted = q->trusted };
    enum found found;

    route_expand(address, &sender, q->look_up, q->data, a, ret);
    found = found_of(ret->verdict);
    return found == FOUND ? judge(q, ret) : found;
}

/* RFC 5321, 4.5.1: "postmaster" must reach somebody, with or without a domain: the first system administrator. */
static enum found expand_postmaster(const struct admission *q, struct arena *a, struct route_result *ret)
{
    struct str admin;
    enum result r = routing_postmaster(q->db, a, &admin);

    if (r == RES_NOTFOUND)
        return FOUND_NONE;
    return r == RES_OK ? expand(q, admin, a, ret) : FOUND_TROUBLE;
}

/* A bounce to a reverse-path that we rewrote goes back to who it stands for. */
static enum found expand_rewritten(const struct admission_path *to, struct arena *a, struct route_result *ret)
{
    struct str address, local, domain;
    enum result r = srs_reverse(a, to->local, &address);

    if (r == RES_NOTFOUND)
        return FOUND_NONE;
    if (r != RES_OK || address_parse_mailbox(address, true, a, &local, &domain) != RES_OK)
        return FOUND_FORGED;
    ret->recipients = arena_new(a, struct route_recipient);
    ret->recipients[0] = (struct route_recipient){ .kind = ROUTE_RELAY, .address = address, .domain = domain };
    ret->n_recipients = 1;
    return FOUND;
}

static enum found find(const struct admission *q, const struct admission_path *to, struct arena *a, struct route_result *ret)
{
    enum found found;

    if (to->domain.len == 0)
        return expand_postmaster(q, a, ret);
    found = expand(q, to->text, a, ret);
    if (found == FOUND_NONE && str_ieq(to->local, STR("postmaster")))
        found = expand_postmaster(q, a, ret);
    if (found == FOUND_NONE)
        found = expand_rewritten(to, a, ret);
    return found;
}

static int full_code(void)
{
    return settings_get()->quota_full_final ? 552 : 452;
}

enum result admission_recipient(const struct admission *q, const struct admission_path *to, struct arena *a,
                                struct route_result *ret_route, struct admission_refusal *ret)
{
    *ret_route = (struct route_result){ 0 };
    if (address_is_literal(to->domain))
        return deny(ret, 550, "5.1.2", STR("recipient-domain"), STR("Addresses at a literal are not served"));
    switch (find(q, to, a, ret_route)) {
    case FOUND:
        return RES_OK;
    case FOUND_NONE:
        return deny(ret, 550, "5.1.1", STR("unknown-recipient"), arena_printf(a, "No such user: <%.*s>", STR_ARG(to->text)));
    case FOUND_DISABLED:
        return deny(ret, 550, "5.1.2", STR("domain-disabled"),
                    arena_printf(a, "The domain of <%.*s> takes no mail now", STR_ARG(to->text)));
    case FOUND_RELAY_DENIED:
        return deny(ret, 550, "5.7.1", STR("relaying-denied"), arena_printf(a, "Relaying to <%.*s> is not allowed", STR_ARG(to->text)));
    case FOUND_SENDER_DENIED:
        return deny(ret, 550, "5.7.1", STR("list-closed"), arena_printf(a, "You may not send to <%.*s>", STR_ARG(to->text)));
    case FOUND_FULL:
        return deny(ret, full_code(), full_code() == 552 ? "5.2.2" : "4.2.2", STR("mailbox-full"),
                    arena_printf(a, "The mailbox of <%.*s> is full", STR_ARG(to->text)));
    case FOUND_LOOP:
        return deny(ret, 550, "5.4.6", STR("loop"), arena_printf(a, "<%.*s> leads to itself", STR_ARG(to->text)));
    case FOUND_TOO_MANY:
        admission_too_many(q, to, a, ret);
        return RES_DENIED;
    case FOUND_FORGED:
        return deny(ret, 550, "5.1.1", STR("forged-return"),
                    arena_printf(a, "<%.*s> is no return address of ours, or an old one", STR_ARG(to->text)));
    case FOUND_TROUBLE:
        break;
    }
    return RES_TEMPFAIL;
}

void admission_too_many(const struct admission *q, const struct admission_path *to, struct arena *a, struct admission_refusal *ret)
{
    if (q->others) /* alone it may fit */
        (void)deny(ret, 452, "4.5.3", STR("too-many-recipients"), arena_printf(a, "Too many recipients with <%.*s>", STR_ARG(to->text)));
    else
        (void)deny(ret, 550, "5.2.4", STR("list-expansion"),
                   arena_printf(a, "<%.*s> stands for too many addresses", STR_ARG(to->text)));
}
