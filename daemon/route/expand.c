#include "route/expand.h"
#include "mail/address.h"

struct expansion {
    const struct route_sender *sender;
    route_look_up *look_up;
    void *data;
    struct arena *a;
    struct route_result *out;
    struct str opened[ROUTE_MAX_OPENED]; /* aliases and forwards: each once, which also ends loops */
    size_t n_opened;
    size_t cap_recipients, cap_steps;
};

const char *route_step_name(enum route_step_kind kind)
{
    static const char *const names[] = {
        [STEP_ACCOUNT] = "account", [STEP_SUBADDRESS] = "sub-address", [STEP_PATTERN] = "pattern",
        [STEP_DOMAIN_ALIAS] = "domain-alias", [STEP_CATCH_ALL] = "catch-all", [STEP_ALIAS] = "alias",
        [STEP_FORWARD] = "forward", [STEP_REMOTE] = "remote", [STEP_RELAY] = "relay", [STEP_PROGRAM] = "program",
        [STEP_UNKNOWN] = "unknown", [STEP_DISABLED] = "disabled", [STEP_DENIED] = "denied", [STEP_LOOP] = "loop",
        [STEP_TOO_DEEP] = "too-deep", [STEP_BAD_ADDRESS] = "bad-address" };

    return names[kind];
}

static void add_step(struct expansion *e, enum route_step_kind kind, unsigned depth, struct str address, struct str to)
{
    struct route_result *o = e->out;

    o->steps = arena_grow(e->a, o->steps, o->n_steps, &e->cap_steps, sizeof(o->steps[0]));
    o->steps[o->n_steps++] = (struct route_step){ .kind = kind, .depth = depth, .address = address, .to = to };
}

static bool same(const struct route_recipient *x, const struct route_recipient *y)
{
    if (x->kind == ROUTE_MAILBOX || y->kind == ROUTE_MAILBOX)
        return x->kind == y->kind && x->facts.account_id == y->facts.account_id;
    return str_eq(x->address, y->address) && str_eq(x->program, y->program);
}

static enum route_verdict add(struct expansion *e, struct route_recipient r)
{
    struct route_result *o = e->out;

    for (size_t i = 0; i < o->n_recipients; i++) {
        if (same(&o->recipients[i], &r))
            return ROUTE_FOUND;
    }
    if (o->n_recipients == ROUTE_MAX_MEMBERS)
        return ROUTE_TOO_MANY;
    o->recipients = arena_grow(e->a, o->recipients, o->n_recipients, &e->cap_recipients, sizeof(o->recipients[0]));
    o->recipients[o->n_recipients++] = r;
    return ROUTE_FOUND;
}

/* ---- who may send to an alias ---- */

static struct str domain_of(struct str address)
{
    size_t at = str_rchr(address, '@');

    return at == SIZE_MAX ? STR_NULL : str_from(address, at + 1);
}

static bool is_among(const struct str *v, size_t n, struct str address)
{
    for (size_t i = 0; i < n; i++) {
        if (str_ieq(v[i], address) || (v[i].len > 0 && v[i].p[0] == '@' && str_ieq(str_from(v[i], 1), domain_of(address))))
            return true;
    }
    return false;
}

bool route_may_send_to(const struct route_facts *alias, const struct route_sender *sender)
{
    struct str domain = domain_of(alias->address);
    bool ours = str_ieq(domain_of(sender->address), domain);

    if (alias->senders == SENDERS_ANYONE)
        return true;
    if (sender->address.len == 0 || (ours && !sender->trusted)) /* anybody can write our name on a letter */
        return false;
    switch (alias->senders) {
    case SENDERS_DOMAIN:
        return ours;
    case SENDERS_MEMBERS:
        return is_among(alias->members, alias->n_members, sender->address);
    default:
        return is_among(alias->allowed, alias->n_allowed, sender->address);
    }
}

/* ---- opening ---- */

static enum route_verdict resolve(struct expansion *e, struct str address, struct str via, unsigned depth);

/* The better of two: whoever found somebody; trouble and too many end it all. */
static enum route_verdict better(enum route_verdict a, enum route_verdict b)
{
    if (a >= ROUTE_TOO_MANY || b >= ROUTE_TOO_MANY)
        return MAX(a, b);
    if (a == ROUTE_FOUND || b == ROUTE_FOUND)
        return ROUTE_FOUND;
    return MAX(a, b);
}

/* RES_EXISTS: it was opened before.  RES_LIMIT: too deep, or too many. */
static enum result open_once(struct expansion *e, struct str address, unsigned depth)
{
    if (depth >= ROUTE_MAX_DEPTH)
        return RES_INVALID;
    for (size_t i = 0; i < e->n_opened; i++) {
        if (str_ieq(e->opened[i], address))
            return RES_EXISTS;
    }
    if (e->n_opened == ROUTE_MAX_OPENED)
        return RES_LIMIT;
    e->opened[e->n_opened++] = address;
    return RES_OK;
}

static enum route_verdict open_list(struct expansion *e, const struct route_facts *f, enum route_step_kind step,
                                    const struct str *members, size_t n, unsigned depth)
{
    enum route_verdict verdict = ROUTE_UNKNOWN;
    enum result r = open_once(e, f->address, depth);

    if (r == RES_INVALID || r == RES_EXISTS) {
        add_step(e, r == RES_EXISTS ? STEP_LOOP : STEP_TOO_DEEP, depth, f->address, STR_NULL);
        return ROUTE_LOOP;
    }
    if (r != RES_OK)
        return ROUTE_TOO_MANY;
    for (size_t i = 0; i < n && verdict < ROUTE_TOO_MANY; i++) {
        if (members[i].len > 1 && members[i].p[0] == '|') {
            add_step(e, STEP_PROGRAM, depth, f->address, str_from(members[i], 1));
            verdict = better(verdict, add(e, (struct route_recipient){ .kind = ROUTE_PROGRAM, .address = f->address, .depth = depth + 1,
                                                                       .program = str_from(members[i], 1) }));
        } else {
            add_step(e, step, depth, f->address, members[i]);
            verdict = better(verdict, resolve(e, members[i], f->address, depth + 1));
        }
    }
    return verdict;
}

static enum route_verdict resolve_account(struct expansion *e, struct str address, const struct route_facts *f, unsigned depth)
{
    const struct route_recipient r = { .kind = ROUTE_MAILBOX, .address = address, .depth = depth, .facts = *f };
    enum route_verdict verdict = ROUTE_FOUND;

    if (f->inbox_id == 0)
        return ROUTE_TROUBLE;
    if (f->n_forward == 0 || f->forward_keep) {
        add_step(e, STEP_ACCOUNT, depth, address, f->address);
        verdict = add(e, r);
    }
    if (f->n_forward > 0 && verdict == ROUTE_FOUND) {
        verdict = open_list(e, f, STEP_FORWARD, f->forward, f->n_forward, depth);
        /* A forward that leads nowhere, or in a ring, must not lose what came for its owner. */
        if (f->forward_keep && verdict < ROUTE_TOO_MANY)
            return ROUTE_FOUND;
        if (verdict != ROUTE_FOUND && verdict < ROUTE_TOO_MANY)
            verdict = add(e, r);
    }
    return verdict;
}

static enum route_verdict resolve_alias(struct expansion *e, struct str address, const struct route_facts *f, unsigned depth)
{
    if (!route_may_send_to(f, e->sender)) {
        add_step(e, STEP_DENIED, depth, address, f->address);
        return ROUTE_DENIED;
    }
    return open_list(e, f, f->match == MATCHED_CATCH_ALL ? STEP_CATCH_ALL : STEP_ALIAS, f->members, f->n_members, depth);
}

static void add_match_step(struct expansion *e, const struct route_facts *f, struct str address, unsigned depth)
{
    static const enum route_step_kind kinds[] = { [MATCHED_SUBADDRESS] = STEP_SUBADDRESS, [MATCHED_PATTERN] = STEP_PATTERN,
                                                  [MATCHED_DOMAIN_ALIAS] = STEP_DOMAIN_ALIAS };

    if (f->match == MATCHED_SUBADDRESS || f->match == MATCHED_PATTERN || f->match == MATCHED_DOMAIN_ALIAS)
        add_step(e, kinds[f->match], depth, address, f->address);
}

static enum route_verdict resolve(struct expansion *e, struct str address, struct str via, unsigned depth)
{
    struct route_facts f = { .kind = FACT_UNKNOWN };
    struct str local, domain;

    if (address_parse_mailbox(address, true, e->a, &local, &domain) != RES_OK) {
        add_step(e, STEP_BAD_ADDRESS, depth, address, STR_NULL);
        return ROUTE_UNKNOWN;
    }
    if (e->look_up(e->data, local, domain, e->a, &f) != RES_OK)
        return ROUTE_TROUBLE;
    switch (f.kind) {
    case FACT_REMOTE:
    case FACT_RELAY:
        add_step(e, f.kind == FACT_REMOTE ? STEP_REMOTE : STEP_RELAY, depth, address, domain);
        return add(e, (struct route_recipient){ .kind = f.kind == FACT_REMOTE ? ROUTE_REMOTE : ROUTE_RELAY, .address = address,
                                                .domain = domain, .via = via, .depth = depth });
    case FACT_ACCOUNT:
        add_match_step(e, &f, address, depth);
        return resolve_account(e, address, &f, depth);
    case FACT_ALIAS:
        add_match_step(e, &f, address, depth);
        return resolve_alias(e, address, &f, depth);
    case FACT_UNKNOWN:
        add_step(e, STEP_UNKNOWN, depth, address, STR_NULL);
        return ROUTE_UNKNOWN;
    case FACT_DISABLED:
        add_step(e, STEP_DISABLED, depth, address, STR_NULL);
        return ROUTE_DISABLED;
    }
    return ROUTE_TROUBLE;
}

void route_expand(struct str address, const struct route_sender *sender, route_look_up *look_up, void *data, struct arena *a,
                  struct route_result *ret)
{
    struct expansion *e = arena_new(a, struct expansion);

    *ret = (struct route_result){ 0 };
    *e = (struct expansion){ .sender = sender, .look_up = look_up, .data = data, .a = a, .out = ret };
    ret->verdict = resolve(e, address, STR_NULL, 0);
}
