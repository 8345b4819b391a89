/* relay/local.c - mail that had to wait for a mailbox here: notices to our own users, and what a full mailbox put off.
 *
 * Exactly once: the transaction that adds the mailbox row ends the job, on condition that its lease is still ours. */
#include "base/log.h"
#include "deliver/deliver.h"
#include "io/spool.h"
#include "mail/address.h"
#include "mail/received.h"
#include "relay/relay_internal.h"
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
    struct accept_target *targets;
    struct queue_new_recipient *remote; /* members of an alias that are elsewhere */
    size_t n_targets, n_remote;
};

static enum result refuse(struct delivery *d, enum verdict_kind kind, int code, const char *enhanced, struct str reason,
                          const char *text)
{
    *d->why = (struct verdict){ .kind = kind, .phase = PHASE_RCPT, .code = code, .enhanced = str_c(enhanced),
                                .reason = reason, .text = str_c(text) };
    return RES_INVALID;
}

static enum result refuse_later(struct delivery *d)
{
    return refuse(d, VERDICT_LATER, 451, "4.3.0", STR("temporary"), "the database is away");
}

static enum result find(struct delivery *d, struct str address, struct str *ret_domain, struct routing *ret)
{
    struct str local;

    if (address_parse_mailbox(address, true, d->a, &local, ret_domain) != RES_OK)
        return RES_INVALID;
    return routing_find(d->w->relay->service->db, local, *ret_domain, d->a, ret);
}

static void add_target(struct delivery *d, struct str address, const struct routing *r)
{
    for (size_t i = 0; i < d->n_targets; i++) {
        if (d->targets[i].account_id == r->account_id)
            return;
    }
    d->targets[d->n_targets++] = (struct accept_target){ .account_id = r->account_id, .mailbox_id = r->inbox_id,
                                                          .recipient = address, .orcpt = d->job->orcpt,
                                                          .notify = d->job->notify };
}

/* The members of an alias: one level, each account once; what leads nowhere is left out. */
static enum result expand(struct delivery *d, const struct routing *alias)
{
    d->targets = arena_array(d->a, struct accept_target, alias->n_members);
    d->remote = arena_array(d->a, struct queue_new_recipient, alias->n_members);
    for (size_t i = 0; i < alias->n_members; i++) {
        struct routing r;
        struct str domain;
        enum result res = find(d, alias->members[i], &domain, &r);

        if (res == RES_TEMPFAIL)
            return refuse_later(d);
        if (res == RES_OK && r.kind == ROUTING_ACCOUNT)
            add_target(d, alias->members[i], &r);
        else if (res == RES_OK && (r.kind == ROUTING_REMOTE || r.kind == ROUTING_RELAY))
            d->remote[d->n_remote++] = (struct queue_new_recipient){
                .recipient = alias->members[i], .orcpt = d->job->orcpt, .notify = d->job->notify, .destination = domain,
                .lane = QUEUE_NORMAL };
    }
    if (d->n_targets + d->n_remote == 0)
        return refuse(d, VERDICT_NEVER, 550, "5.1.1", STR("unknown-recipient"), "the alias has no member that exists");
    return RES_OK;
}

static enum result find_targets(struct delivery *d)
{
    struct str domain;
    struct routing r = { 0 };
    enum result res = find(d, d->job->recipient, &domain, &r);

    if (res == RES_TEMPFAIL)
        return refuse_later(d);
    if (res != RES_OK)
        return refuse(d, VERDICT_NEVER, 553, "5.1.3", STR("permanent"), "the address is malformed");
    switch (r.kind) {
    case ROUTING_ACCOUNT:
        d->targets = arena_new(d->a, struct accept_target);
        add_target(d, d->job->recipient, &r);
        return RES_OK;
    case ROUTING_ALIAS:
        return expand(d, &r);
    case ROUTING_UNKNOWN:
        return refuse(d, VERDICT_NEVER, 550, "5.1.1", STR("unknown-recipient"), "there is no such address here");
    case ROUTING_DISABLED:
        return refuse(d, VERDICT_NEVER, 550, "5.1.2", STR("permanent"), "the domain is switched off");
    case ROUTING_REMOTE:
    case ROUTING_RELAY:
        break;
    }
    return refuse(d, VERDICT_NEVER, 550, "5.1.2", STR("permanent"), "the domain is not served here any more");
}

/* Return-Path (RFC 5321, 4.4) and the message into the spool. */
static enum result load(struct delivery *d, size_t *ret_return_path)
{
    const struct queue_envelope *m = d->job->message;
    CLEANUP(strbuf_release) struct strbuf path = { .max = MAX_RETURN_PATH };
    CLEANUP(body_cursor_release) struct body_cursor cursor = {
        .source = { .db = d->w->relay->service->db, .id = m->id,
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

static enum result submit(struct delivery *d)
{
    const struct queue_envelope *m = d->job->message;
    struct queue_new envelope = { .account_id = m->account_id, .reverse_path = m->reverse_path, .ret = m->ret,
                                  .envid = m->envid, .body_flags = m->body_flags, .direction = TRACE_LOCAL,
                                  .listener = STR("local"),
                                  .expire_s = MAX((m->expires_at - worker_now(d->w)) / 1000000, 60) };
    struct queue_new queue = envelope;
    struct queue_outcome outcome = { .job = d->job, .lease = d->w->batch.lease, .fate = QUEUE_DELIVERED, .attempted = true };
    struct accept_message message = { .id = m->id, .targets = d->targets, .n_targets = d->n_targets,
                                       .envelope = &envelope, .job = &outcome };
    int64_t start = loop_now();

    if (load(d, &message.return_path_len) != RES_OK || spool_view(&d->spool, &message.message) != RES_OK)
        return RES_TEMPFAIL;
    outcome.notice = settle_delivered_notice(d->w, d->job);
    outcome.log = (struct queue_attempt_log){ .phase = attempt_phase_name(PHASE_BODY), .code = 250, .enhanced = STR("2.1.5"),
                                              .reply = STR("250 2.1.5 delivered"),
                                              .milliseconds = (int)(loop_now() - start) };
    if (d->n_remote > 0) {
        queue.direction = TRACE_OUT;
        queue.recipients = d->remote;
        queue.nrecipients = d->n_remote;
        message.queue = &queue;
        if (deliver_id(d->w->relay->service->deliver, &message.id) != RES_OK)
            return RES_TEMPFAIL;
    }
    return deliver_submit(d->w->relay->service->deliver, &message);
}

enum result local_deliver(struct worker *w, const struct queue_job *job, struct verdict *ret)
{
    struct delivery d = { .w = w, .job = job, .a = &w->batch_arena, .why = ret };
    enum result r = find_targets(&d);

    if (r != RES_OK)
        return r;
    r = submit(&d);
    spool_release(&d.spool);
    switch (r) {
    case RES_OK:
        log_info("relay-delivered", F_INT("queue", job->message->id), F_STR("recipient", job->recipient));
        return RES_OK;
    case RES_CONFLICT:
        return RES_CONFLICT;
    case RES_LIMIT:
        return refuse(&d, VERDICT_LATER, 452, "4.2.2", STR("mailbox-full"), "the mailbox is full");
    case RES_INVALID:
        return refuse(&d, VERDICT_NEVER, 554, "5.6.0", STR("permanent"), "the message cannot be stored");
    default:
        return refuse_later(&d);
    }
}
