/* Who may send, and to whom (docs/protocols.md): port 25 takes mail for our domains and relay domains; anywhere only
 * from signed-in clients and smtp.relay_networks. */
#include "base/log.h"
#include "mail/address.h"
#include "smtp/recent.h"
#include "smtp/session.h"
#include "store/credential.h"
#include "store/routing.h"

#define ALIAS_DEPTH 8       /* aliases in aliases */
#define ALIAS_OPENED 100    /* aliases behind one RCPT */
#define ALIAS_MEMBERS 1000  /* recipients that aliases may lead to in one transaction */
#define MAX_LINKS 10000     /* from RCPTs to recipients */

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

/* What became of an address and of what it stands for: of an alias, the greatest of its members.  The last two end the
 * search. */
enum found { FOUND_NONE, FOUND_DISABLED, FOUND_RELAY_DENIED, FOUND_FULL, FOUND, FOUND_TOO_MANY, FOUND_TROUBLE };

/* The search behind one RCPT. */
struct search {
    struct cmd *c;
    struct smtp_rcpt given;    /* with the parameters that all recipients get */
    struct str *aliases;       /* opened ones: each once, which also ends loops */
    size_t n_aliases;
    size_t *rcpts, n, cap;     /* indices in tx.rcpts, each once */
};

static bool same_recipient(const struct smtp_rcpt *a, const struct smtp_rcpt *b)
{
    return a->account_id != 0 ? a->account_id == b->account_id : b->account_id == 0 && str_eq(a->address, b->address);
}

/* Room for one more: v, or a larger copy of its n elements. */
static void *with_room(struct arena *a, void *v, size_t n, size_t *cap, size_t size)
{
    void *larger;

    if (n < *cap)
        return v;
    *cap = *cap == 0 ? 4 : *cap * 2;
    larger = arena_alloc_array(a, size, *cap);
    if (n > 0)
        memcpy(larger, v, n * size);
    return larger;
}

static void link_recipient(struct search *q, size_t index)
{
    for (size_t i = 0; i < q->n; i++) {
        if (q->rcpts[i] == index)
            return;
    }
    q->rcpts = with_room(q->c->arena, q->rcpts, q->n, &q->cap, sizeof(q->rcpts[0]));
    q->rcpts[q->n++] = index;
}

/* Each final recipient is there once, whoever leads to it. */
static enum found add(struct search *q, struct smtp_rcpt rcpt)
{
    struct smtp_tx *tx = &q->c->s->tx;
    size_t i = 0;

    while (i < tx->n_rcpts && !same_recipient(&rcpt, &tx->rcpts[i]))
        i++;
    link_recipient(q, i);
    if (i < tx->n_rcpts)
        return FOUND;
    tx->rcpts = with_room(&tx->arena, tx->rcpts, tx->n_rcpts, &tx->cap_rcpts, sizeof(tx->rcpts[0]));
    rcpt.address = arena_str(&tx->arena, rcpt.address);
    rcpt.domain = arena_str(&tx->arena, rcpt.domain);
    tx->rcpts[tx->n_rcpts++] = rcpt;
    if (rcpt.account_id != 0)
        tx->n_local++;
    return FOUND;
}

static bool over_quota(const struct routing *route, uint64_t size)
{
    return (route->quota_bytes >= 0 && route->used_bytes + (int64_t)size > route->quota_bytes) ||
           (route->quota_messages >= 0 && route->used_messages >= route->quota_messages);
}

/* Remembers an alias.  RES_EXISTS: it was opened before. */
static enum result open_alias(struct search *q, struct str local, struct str domain)
{
    struct str name = arena_lower(q->c->arena, arena_printf(q->c->arena, "%.*s@%.*s", STR_ARG(local), STR_ARG(domain)));

    for (size_t i = 0; i < q->n_aliases; i++) {
        if (str_eq(q->aliases[i], name))
            return RES_EXISTS;
    }
    if (q->n_aliases == ALIAS_OPENED)
        return RES_LIMIT;
    if (q->aliases == NULL)
        q->aliases = arena_array(q->c->arena, struct str, ALIAS_OPENED);
    q->aliases[q->n_aliases++] = name;
    return RES_OK;
}

static enum found resolve(struct search *q, struct str address, struct str local, struct str domain, unsigned depth);

/* Members of an alias: good as long as one of them is.  In LMTP a full mailbox among them refuses them all: its client
 * comes again, and would give it to the others again. */
static enum found resolve_members(struct search *q, const struct routing *route, unsigned depth)
{
    enum found found = FOUND_NONE;

    for (size_t i = 0; i < route->n_members; i++) {
        struct str local, domain;
        enum found r;

        if (address_parse_mailbox(route->members[i], true, q->c->arena, &local, &domain) != RES_OK)
            continue;
        r = resolve(q, route->members[i], local, domain, depth + 1);
        if (r >= FOUND_TOO_MANY || (r == FOUND_FULL && smtp_is_lmtp(q->c->s)))
            return r; /* all or none */
        found = MAX(found, r);
    }
    return found;
}

static enum found resolve_alias(struct search *q, struct str local, struct str domain, const struct routing *route,
                                unsigned depth)
{
    enum result r;

    if (depth >= ALIAS_DEPTH) {
        log_warn("alias-too-deep", F_STR("session", q->c->s->id), F_STR("to", q->given.address),
                 F_STR("domain", domain));
        return FOUND_NONE;
    }
    r = open_alias(q, local, domain);
    if (r == RES_EXISTS)
        return FOUND_NONE;
    if (r != RES_OK || q->c->s->tx.n_rcpts + route->n_members > ALIAS_MEMBERS)
        return FOUND_TOO_MANY;
    return resolve_members(q, route, depth);
}

/* Finds who gets mail for the address and adds them to the transaction.  depth 0: what the client gave. */
static enum found resolve(struct search *q, struct str address, struct str local, struct str domain, unsigned depth)
{
    struct smtp_session *s = q->c->s;
    struct smtp_rcpt rcpt = q->given;
    struct routing route;

    if (recent_routing(s->service->db, local, domain, q->c->arena, &route) != RES_OK)
        return FOUND_TROUBLE;
    rcpt.address = address;
    switch (route.kind) {
    case ROUTING_REMOTE:
        if (depth == 0 && !may_relay(s))
            return FOUND_RELAY_DENIED;
        __attribute__((fallthrough));
    case ROUTING_RELAY:
        rcpt.domain = domain;
        return add(q, rcpt);
    case ROUTING_ACCOUNT:
        if (route.inbox_id == 0) {
            log_error("account-without-inbox", F_INT("account", route.account_id));
            return FOUND_TROUBLE;
        }
        /* A full member of an alias waits in the queue (deliver), so that the others need not; LMTP queues nothing. */
        if (over_quota(&route, s->tx.params.size) && (depth == 0 || smtp_is_lmtp(s)))
            return FOUND_FULL;
        rcpt.account_id = route.account_id;
        rcpt.mailbox_id = route.inbox_id;
        return add(q, rcpt);
    case ROUTING_ALIAS:
        return resolve_alias(q, local, domain, &route, depth);
    case ROUTING_UNKNOWN:
        return FOUND_NONE;
    case ROUTING_DISABLED:
        return FOUND_DISABLED;
    }
    return FOUND_TROUBLE;
}

/* RFC 5321, 4.5.1: "postmaster" must reach somebody, with or without a domain: the first system administrator. */
static enum found resolve_postmaster(struct search *q)
{
    struct str admin, local, domain;
    enum result r = routing_postmaster(q->c->s->service->db, q->c->arena, &admin);

    if (r == RES_NOTFOUND)
        return FOUND_NONE;
    if (r != RES_OK || address_parse_mailbox(admin, true, q->c->arena, &local, &domain) != RES_OK)
        return FOUND_TROUBLE;
    return resolve(q, q->given.address, local, domain, 0);
}

static enum next refuse(struct smtp_session *s, enum found found, struct str address)
{
    log_info("smtp-refused", F_STR("session", s->id), F_STR("from", s->tx.from.text), F_STR("to", address),
             F_C("why", found == FOUND_NONE           ? "unknown user"
                        : found == FOUND_RELAY_DENIED ? "relaying"
                        : found == FOUND_DISABLED     ? "domain disabled"
                        : found == FOUND_FULL         ? "over quota"
                        : found == FOUND_TOO_MANY     ? "too many members"
                                                      : "trouble"));
    switch (found) {
    case FOUND_RELAY_DENIED:
        return smtp_reply(s, 550, "5.7.1", "Relaying to <%.*s> is not allowed", STR_ARG(address));
    case FOUND_DISABLED:
        return smtp_reply(s, 550, "5.1.2", "The domain of <%.*s> takes no mail now", STR_ARG(address));
    case FOUND_FULL:
        return smtp_reply(s, 452, "4.2.2", "The mailbox of <%.*s> is full", STR_ARG(address));
    case FOUND_TOO_MANY:
        if (s->tx.n_rcpts > 0) /* alone it may fit */
            return smtp_reply(s, 452, "4.5.3", "Too many recipients");
        return smtp_reply(s, 550, "5.2.4", "<%.*s> stands for too many addresses", STR_ARG(address));
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

/* The RCPT is accepted: remembers to whom it leads.  False: too many altogether. */
static bool accept_given(struct search *q)
{
    struct smtp_tx *tx = &q->c->s->tx;
    size_t *rcpts;

    if (tx->n_links + q->n > MAX_LINKS)
        return false;
    rcpts = memcpy(arena_array(&tx->arena, size_t, q->n), q->rcpts, q->n * sizeof(*rcpts));
    tx->given = with_room(&tx->arena, tx->given, tx->n_given, &tx->cap_given, sizeof(tx->given[0]));
    tx->given[tx->n_given++] = (struct smtp_given){ .address = q->given.address, .rcpts = rcpts, .n = q->n };
    tx->n_links += q->n;
    return true;
}

static enum found find(struct search *q, const struct smtp_path *to)
{
    enum found found = to->domain.len == 0 ? resolve_postmaster(q) : resolve(q, to->text, to->local, to->domain, 0);

    if (found == FOUND_NONE && str_ieq(to->local, STR("postmaster")) && to->domain.len > 0)
        found = resolve_postmaster(q);
    return found;
}

enum next smtp_policy_recipient(struct cmd *c, const struct smtp_path *to, const struct smtp_rcpt_params *params)
{
    struct smtp_session *s = c->s;
    struct smtp_tx *tx = &s->tx;
    struct search q = { .c = c, .given = { .address = to->text, .orcpt = params->orcpt, .notify = params->notify } };
    size_t before = tx->n_rcpts, local_before = tx->n_local;
    bool large;
    enum found found;

    if (tx->n_given >= (size_t)settings_get()->max_recipients)
        return smtp_reply(s, 452, "4.5.3", "Too many recipients");
    if (too_much(tx, 1))
        return smtp_reply(s, 452, "4.5.3", "Too many recipients for a message of this size");
    if (address_is_literal(to->domain))
        return smtp_reply(s, 550, "5.1.2", "Addresses at a literal are not served");
    found = find(&q, to);
    large = found == FOUND && too_much(tx, 0) && before > 0;
    if (found == FOUND && !large && accept_given(&q))
        return smtp_reply(s, 250, "2.1.5", "Recipient ok");
    tx->n_rcpts = before;
    tx->n_local = local_before;
    if (large)
        return smtp_reply(s, 452, "4.5.3", "Too many recipients for a message of this size");
    return refuse(s, found == FOUND ? FOUND_TOO_MANY : found, to->text);
}
