/* relay/local.c - mail that had to wait for a mailbox here: notices to our own users, and what a full mailbox put off.
 *
 * Exactly once: the transaction that adds the mailbox row ends the job, on condition that its lease is still ours.  What
 * an address stands for is looked up anew; does it stand for several, each becomes a job of its own. */
#include "base/log.h"
#include "deliver/compose.h"
#include "io/spool.h"
#include "mail/received.h"
#include "relay/relay_internal.h"
#include "route/expand.h"
#include "store/body.h"
#include "store/routing.h"

#define MAX_RETURN_PATH 1024
#define SPOOL_SLACK ((int64_t)64 * 1024)

struct delivery {
    struct worker *w;
    const struct queue_job *job;
    struct arena *a;
    struct verdict *why;
    struct spool spool;
    struct filter_message m;
    struct queue_new envelope;
    struct compose_recipient *to;
    size_t n;
    struct compose plan;
};

static enum result refuse(struct delivery *d, enum verdict_kind kind, int code, const char *enhanced, struct str reason,
                          struct str text)
{
    *d->why = (struct verdict){ .kind = kind, .phase = PHASE_RCPT, .code = code, .enhanced = str_c(enhanced),
                                .reason = reason, .text = text };
    return RES_INVALID;
}

static enum result refuse_later(struct delivery *d)
{
    return refuse(d, VERDICT_LATER, 451, "4.3.0", STR("temporary"), STR("the database is away"));
}

/* ---- who gets it now ---- */

static enum result look_up(void *data, struct str local, struct str domain, struct arena *a, struct route_facts *ret)
{
    const struct delivery *d = data;

    return routing_find(worker_relay(d->w)->service->db, local, domain, a, ret);
}

static enum result refuse_route(struct delivery *d, enum route_verdict verdict)
{
    switch (verdict) {
    case ROUTE_UNKNOWN:
        return refuse(d, VERDICT_NEVER, 550, "5.1.1", STR("unknown-recipient"), STR("there is no such address here"));
    case ROUTE_DISABLED:
        return refuse(d, VERDICT_NEVER, 550, "5.1.2", STR("permanent"), STR("the domain is switched off"));
    case ROUTE_DENIED:
        return refuse(d, VERDICT_NEVER, 550, "5.7.1", STR("permanent"), STR("the sender may not send to this address"));
    case ROUTE_LOOP:
        return refuse(d, VERDICT_NEVER, 550, "5.4.6", STR("loop"), STR("the address leads to itself"));
    case ROUTE_TOO_MANY:
        return refuse(d, VERDICT_NEVER, 550, "5.2.4", STR("permanent"), STR("the address stands for too many others"));
    default:
        return refuse_later(d);
    }
}

static bool is_single(const struct route_result *route)
{
    return route->n_recipients == 1 && route->recipients[0].kind == ROUTE_MAILBOX && route->recipients[0].depth == 0;
}

static enum result find_recipients(struct delivery *d)
{
    const struct queue_job *job = d->job;
    const struct route_sender sender = { .address = job->message->reverse_path, .trusted = job->message->account_id != 0 };
    struct route_result route;

    route_expand(job->recipient, &sender, look_up, d, d->a, &route);
    if (route.verdict != ROUTE_FOUND)
        return refuse_route(d, route.verdict);
    if (route.recipients[0].depth == 0 && (route.recipients[0].kind == ROUTE_REMOTE || route.recipients[0].kind == ROUTE_RELAY))
        return refuse(d, VERDICT_NEVER, 550, "5.1.2", STR("permanent"), STR("the domain is not served here any more"));
    d->n = route.n_recipients;
    d->to = arena_array(d->a, struct compose_recipient, d->n);
    for (size_t i = 0; i < d->n; i++) {
        const struct route_recipient *r = &route.recipients[i];

        d->to[i] = (struct compose_recipient){ .address = r->address, .orcpt = job->orcpt, .notify = job->notify,
                                               .account_id = r->facts.account_id, .inbox_id = r->facts.inbox_id,
                                               .filtered = r->facts.filtered,
                                               .elsewhere = r->facts.elsewhere, .domain = r->domain, .via = r->via,
                                               .program = r->program, .waits = !is_single(&route) };
    }
    if (is_single(&route))
        d->to[0].address = job->recipient;
    return RES_OK;
}

/* Filters have run before it had to wait: it goes where they wanted, or where that is no more, to the inbox. */
static enum result find_folder(struct delivery *d)
{
    const struct principal who = { .account_id = d->to[0].account_id };
    struct mailbox box;
    enum result r;

    if (d->job->folder.p == NULL || d->n != 1 || d->to[0].account_id == 0 || d->to[0].elsewhere)
        return RES_OK;
    r = mailbox_find(worker_relay(d->w)->service->db, &who, d->job->folder, d->a, &box);
    if (r != RES_OK && r != RES_NOTFOUND)
        return refuse_later(d);
    d->to[0].folder = d->job->folder;
    d->to[0].flags = d->job->flags;
    if (r == RES_OK)
        d->to[0].inbox_id = box.id;
    return RES_OK;
}

/* ---- the message ---- */

/* Return-Path (RFC 5321, 4.4) and the message into the spool. */
static enum result load(struct delivery *d, size_t *ret_return_path)
{
    const struct queue_envelope *m = d->job->message;
    CLEANUP(strbuf_release) struct strbuf path = { .max = MAX_RETURN_PATH };
    CLEANUP(body_cursor_release) struct body_cursor cursor = {
        .source = { .db = worker_relay(d->w)->service->db, .id = m->id,
                    .shape = { (uint64_t)m->size, (uint64_t)m->header_size, (unsigned)m->frames } },
        .end = (uint64_t)m->size };
    struct str piece;
    enum result r;

    spool_init(&d->spool, (size_t)(m->size + SPOOL_SLACK));
    r = return_path_write(m->reverse_path, &path);
    if (r == RES_OK)
        r = spool_add(&d->spool, strbuf_str(&path));
    *ret_return_path = path.len;
    while (r == RES_OK) {
        r = body_next(&cursor, &piece);
        if (r != RES_OK || piece.len == 0)
            break;
        r = spool_add(&d->spool, piece);
    }
    return r;
}

static enum result plan(struct delivery *d)
{
    const struct queue_envelope *m = d->job->message;
    struct deliver *deliver = worker_relay(d->w)->service->deliver;
    enum result r;

    d->envelope = (struct queue_new){ .account_id = m->account_id, .reverse_path = m->reverse_path, .ret = m->ret,
                                      .envid = m->envid, .by = m->by, .body_flags = m->body_flags, .direction = TRACE_LOCAL,
                                      .listener = STR("local"),
                                      .expire_s = MAX((m->expires_at - crew_now(&d->w->crew)) / 1000000, 60) };
    d->m = (struct filter_message){ .reverse_path = m->reverse_path, .envid = m->envid, .ret = m->ret, .by = m->by,
                                     .body_flags = m->body_flags };
    d->plan = (struct compose){ .m = &d->m, .envelope = &d->envelope, .lane = QUEUE_NORMAL, .each_answered = true, .ends_job = true };
    r = load(d, &d->plan.return_path_len);
    if (r == RES_OK)
        r = spool_view(&d->spool, &d->m.message);
    d->plan.id = m->id; /* stored under the id that its sender was told */
    if (r == RES_OK && (d->n != 1 || d->to[0].waits || d->to[0].elsewhere))
        r = deliver_id(deliver, &d->plan.id); /* it is queued again */
    return r == RES_OK ? compose(deliver, worker_relay(d->w)->service->db, &d->plan, d->to, d->n) : RES_TEMPFAIL;
}

static enum result submit(struct delivery *d, int64_t start)
{
    struct queue_outcome outcome = { .job = d->job, .lease = d->w->crew.batch.lease, .fate = QUEUE_DELIVERED, .attempted = true };

    outcome.notice = settle_delivered_notice(&d->w->crew, d->job);
    outcome.log = (struct queue_attempt_log){ .phase = attempt_phase_name(PHASE_BODY), .code = 250, .enhanced = STR("2.1.5"),
                                              .reply = STR("250 2.1.5 delivered"),
                                              .milliseconds = (int)(loop_now() - start) };
    d->plan.message.job = &outcome;
    return deliver_submit(worker_relay(d->w)->service->deliver, &d->plan.message);
}

static enum result deliver_it(struct delivery *d)
{
    int64_t start = loop_now();
    enum result r = find_recipients(d);

    if (r == RES_OK)
        r = find_folder(d);
    if (r != RES_OK)
        return r;
    r = plan(d);
    if (r == RES_CONFLICT)
        return refuse(d, VERDICT_NEVER, 554, "5.4.6", STR("loop"), STR("the message was here before"));
    if (r == RES_OK && d->n == 1 && d->to[0].result == COMPOSE_REFUSED)
        return refuse(d, VERDICT_NEVER, 550, "5.7.1", STR("policy"), arena_str(d->a, d->to[0].reason));
    if (r == RES_OK)
        r = submit(d, start);
    switch (r) {
    case RES_OK:
        log_info("relay-delivered", F_QUEUE_ID("queue", d->job->message->id), F_STR("recipient", d->job->recipient));
        return RES_OK;
    case RES_CONFLICT:
        return RES_CONFLICT;
    case RES_LIMIT:
        return refuse(d, VERDICT_LATER, 452, "4.2.2", STR("mailbox-full"), STR("the mailbox is full"));
    case RES_INVALID:
        return refuse(d, VERDICT_NEVER, 554, "5.6.0", STR("permanent"), STR("the message cannot be stored"));
    default:
        return refuse_later(d);
    }
}

enum result local_deliver(struct worker *w, const struct queue_job *job, struct verdict *ret)
{
    struct delivery d = { .w = w, .job = job, .a = &w->crew.batch_arena, .why = ret };
    enum result r = deliver_it(&d);

    compose_release(&d.plan);
    spool_release(&d.spool);
    return r;
}
