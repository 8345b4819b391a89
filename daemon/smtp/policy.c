/* Who may send, and to whom (docs/protocols.md): port 25 takes mail for our domains and relay domains; anywhere only
 * from signed-in clients and smtp.relay_networks. */
#include "base/log.h"
#include "mail/address.h"
#include "smtp/recent.h"
#include "smtp/session.h"
#include "store/credential.h"
#include "store/routing.h"

#define ALIAS_DEPTH 8
#define ALIAS_MEMBERS 1000

static bool may_relay(const struct smtp_session *s)
{
    return s->identity.account_id != 0 ||
           (s->listener == LISTEN_SMTP && network_list_contains(&settings_get()->relay_networks, stream_peer(s->stream)));
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
    if (from->null || settings_get()->sender_check == SENDER_ANY) /* null: notifications of a mail program (RFC 8098, 3) */
        return true;
    r = routing_may_send_as(s->service->db, s->identity.account_id, from->local, from->domain, &may);
    if (r != RES_OK)
        *ret_next = smtp_reply_tempfail(s);
    else if (!may)
        *ret_next = smtp_reply(s, 553, "5.7.1", "<%.*s> is not an address of yours", STR_ARG(from->text));
    return r == RES_OK && may;
}

/* ---- recipients ---- */

static bool already_there(const struct smtp_tx *tx, const struct smtp_rcpt *new)
{
    for (size_t i = 0; i < tx->n_rcpts; i++) {
        const struct smtp_rcpt *r = &tx->rcpts[i];

        if (new->account_id != 0 ? r->account_id == new->account_id
                                 : r->account_id == 0 && str_eq(r->address, new->address))
            return true;
    }
    return false;
}

static void add(struct smtp_tx *tx, struct smtp_rcpt rcpt)
{
    if (already_there(tx, &rcpt)) /* each final recipient once */
        return;
    if (tx->n_rcpts == tx->cap_rcpts) {
        size_t cap = tx->cap_rcpts == 0 ? 4 : tx->cap_rcpts * 2;
        struct smtp_rcpt *v = arena_array(&tx->arena, struct smtp_rcpt, cap);

        if (tx->n_rcpts > 0)
            memcpy(v, tx->rcpts, tx->n_rcpts * sizeof(*v));
        tx->rcpts = v;
        tx->cap_rcpts = cap;
    }
    rcpt.address = arena_str(&tx->arena, rcpt.address);
    rcpt.domain = arena_str(&tx->arena, rcpt.domain);
    tx->rcpts[tx->n_rcpts++] = rcpt;
    if (rcpt.account_id != 0)
        tx->n_local++;
}

/* What became of an address and of what it stands for. */
enum found { FOUND, FOUND_NONE, FOUND_RELAY_DENIED, FOUND_DISABLED, FOUND_FULL, FOUND_TROUBLE };

static bool over_quota(const struct routing *route, uint64_t size)
{
    return (route->quota_bytes >= 0 && route->used_bytes + (int64_t)size > route->quota_bytes) ||
           (route->quota_messages >= 0 && route->used_messages >= route->quota_messages);
}

static enum found resolve(struct cmd *c, struct str local, struct str domain, const struct smtp_rcpt *given, unsigned depth);

/* Members of an alias: good as long as one of them is. */
static enum found resolve_members(struct cmd *c, const struct routing *route, const struct smtp_rcpt *given, unsigned depth)
{
    enum found found = FOUND_NONE;

    if (depth >= ALIAS_DEPTH || c->s->tx.n_rcpts + route->n_members > ALIAS_MEMBERS)
        return FOUND_NONE;
    for (size_t i = 0; i < route->n_members; i++) {
        struct smtp_rcpt member = *given;
        struct str local, domain;
        enum found r;

        if (address_parse_mailbox(route->members[i], true, c->arena, &local, &domain) != RES_OK)
            continue;
        member.address = route->members[i];
        r = resolve(c, local, domain, &member, depth + 1);
        if (r == FOUND_TROUBLE)
            return r; /* all or none: the client comes again */
        if (r == FOUND || found != FOUND)
            found = r;
    }
    return found;
}

/* Finds who gets mail for the address and adds them to the transaction.  depth 0: the address that the client gave. */
static enum found resolve(struct cmd *c, struct str local, struct str domain, const struct smtp_rcpt *given, unsigned depth)
{
    struct smtp_session *s = c->s;
    struct smtp_rcpt rcpt = *given;
    struct routing route;

    if (recent_routing(s->service->db, local, domain, c->arena, &route) != RES_OK)
        return FOUND_TROUBLE;
    switch (route.kind) {
    case ROUTING_REMOTE:
        if (depth == 0 && !may_relay(s))
            return FOUND_RELAY_DENIED;
        __attribute__((fallthrough));
    case ROUTING_RELAY:
        rcpt.domain = domain;
        add(&s->tx, rcpt);
        return FOUND;
    case ROUTING_ACCOUNT:
        if (route.inbox_id == 0) {
            log_error("account-without-inbox", F_INT("account", route.account_id));
            return FOUND_TROUBLE;
        }
        if (over_quota(&route, s->tx.params.size))
            return FOUND_FULL;
        rcpt.account_id = route.account_id;
        rcpt.mailbox_id = route.inbox_id;
        add(&s->tx, rcpt);
        return FOUND;
    case ROUTING_ALIAS:
        return resolve_members(c, &route, given, depth);
    case ROUTING_UNKNOWN:
        return FOUND_NONE;
    case ROUTING_DISABLED:
        return FOUND_DISABLED;
    }
    return FOUND_TROUBLE;
}

/* RFC 5321, 4.5.1: "postmaster" must reach somebody, with or without a domain: the first system administrator. */
static enum found resolve_postmaster(struct cmd *c, const struct smtp_rcpt *given)
{
    struct str admin, local, domain;
    enum result r = routing_postmaster(c->s->service->db, c->arena, &admin);

    if (r == RES_NOTFOUND)
        return FOUND_NONE;
    if (r != RES_OK || address_parse_mailbox(admin, true, c->arena, &local, &domain) != RES_OK)
        return FOUND_TROUBLE;
    return resolve(c, local, domain, given, 0);
}

static enum next refuse(struct smtp_session *s, enum found found, struct str address)
{
    log_info("smtp-refused", F_STR("session", s->id), F_STR("from", s->tx.from.text), F_STR("to", address),
             F_C("why", found == FOUND_NONE           ? "unknown user"
                        : found == FOUND_RELAY_DENIED ? "relaying"
                        : found == FOUND_DISABLED     ? "domain disabled"
                        : found == FOUND_FULL         ? "over quota"
                                                      : "trouble"));
    switch (found) {
    case FOUND_RELAY_DENIED:
        return smtp_reply(s, 550, "5.7.1", "Relaying to <%.*s> is not allowed", STR_ARG(address));
    case FOUND_DISABLED:
        return smtp_reply(s, 550, "5.1.2", "The domain of <%.*s> takes no mail now", STR_ARG(address));
    case FOUND_FULL:
        return smtp_reply(s, 452, "4.2.2", "The mailbox of <%.*s> is full", STR_ARG(address));
    case FOUND_TROUBLE:
        return smtp_reply_tempfail(s);
    default:
        return smtp_reply(s, 550, "5.1.1", "No such user: <%.*s>", STR_ARG(address));
    }
}

/* smtp.max_transaction_size bounds what one message may take in all mailboxes. */
static bool too_much(const struct smtp_tx *tx, size_t more)
{
    return tx->params.has_size &&
           tx->params.size * (tx->n_local + more) > (uint64_t)settings_get()->max_transaction_size;
}

enum next smtp_policy_recipient(struct cmd *c, const struct smtp_path *to, const struct smtp_rcpt_params *params)
{
    struct smtp_session *s = c->s;
    struct smtp_tx *tx = &s->tx;
    const struct smtp_rcpt given = { .address = to->text, .orcpt = params->orcpt, .notify = params->notify };
    size_t before = tx->n_rcpts, local_before = tx->n_local;
    enum found found;

    if (tx->n_given >= (size_t)settings_get()->max_recipients)
        return smtp_reply(s, 452, "4.5.3", "Too many recipients");
    if (too_much(tx, 1))
        return smtp_reply(s, 452, "4.5.3", "Too many recipients for a message of this size");
    if (address_is_literal(to->domain))
        return smtp_reply(s, 550, "5.1.2", "Addresses at a literal are not served");
    found = to->domain.len == 0 ? resolve_postmaster(c, &given) : resolve(c, to->local, to->domain, &given, 0);
    if (found == FOUND_NONE && str_ieq(to->local, STR("postmaster")) && to->domain.len > 0)
        found = resolve_postmaster(c, &given);
    if (found == FOUND && too_much(tx, 0) && before > 0) {
        tx->n_rcpts = before;
        tx->n_local = local_before;
        return smtp_reply(s, 452, "4.5.3", "Too many recipients for a message of this size");
    }
    if (found != FOUND) {
        tx->n_rcpts = before;
        tx->n_local = local_before;
        return refuse(s, found, to->text);
    }
    tx->n_given++;
    return smtp_reply(s, 250, "2.1.5", "Recipient ok");
}
