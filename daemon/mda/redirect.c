/* mda/redirect.c - what a .forward sends on. */
#include "base/log.h"
#include "deliver/srs.h"
#include "io/spool.h"
#include "mail/address.h"
#include "mail/header.h"
#include "mda/mda_internal.h"
#include "store/body.h"
#include "store/routing.h"

#define SLACK ((size_t)64 * 1024)

/* One address: where it is queued for. */
static enum result route(struct mda_worker *w, const struct queue_job *job, struct str address,
                         struct queue_new_recipient *ret)
{
    struct arena *a = &w->crew.batch_arena;
    struct str local, domain;
    struct route_facts facts;
    enum result r;

    if (str_chr(address, '@') == SIZE_MAX) /* of this domain */
        address = arena_printf(a, "%.*s%.*s", STR_ARG(address),
                               STR_ARG(str_from(job->recipient, str_rchr(job->recipient, '@'))));
    if (address_parse_mailbox(address, true, a, &local, &domain) != RES_OK)
        return RES_INVALID;
    r = routing_find(w->crew.crew->db, local, domain, a, &facts);
    if (r != RES_OK)
        return r;
    *ret = (struct queue_new_recipient){
        .recipient = address_write_mailbox(a, local, domain),
        .orcpt = job->orcpt,
        .notify = job->notify,
        .lane = QUEUE_NORMAL,
        .destination = facts.kind == FACT_REMOTE || facts.kind == FACT_RELAY ? domain : QUEUE_LOCAL,
        .account_id = facts.kind == FACT_ACCOUNT ? facts.account_id : 0,
    };
    return RES_OK;
}

/* Delivered-To, by which a loop is seen when the message comes back (RFC 9228), and the message. */
static enum result copy(struct mda_worker *w, const struct queue_job *job, struct spool *spool)
{
    const struct queue_envelope *m = job->message;
    CLEANUP(body_cursor_release) struct body_cursor cursor = {
        .source = { .db = w->crew.crew->db, .id = m->id,
                    .shape = { (uint64_t)m->size, (uint64_t)m->header_size, (unsigned)m->frames } },
        .end = (uint64_t)m->size };
    enum result r =
        spool_add(spool, arena_printf(&w->crew.batch_arena, "Delivered-To: %.*s\r\n", STR_ARG(job->recipient)));

    while (r == RES_OK) {
        struct str piece;

        r = body_next(&cursor, &piece);
        if (r != RES_OK || piece.len == 0)
            break;
        r = spool_add(spool, piece);
    }
    return r;
}

static enum result pack(struct mda_worker *w, const struct queue_job *job, struct queue_new *q)
{
    struct spool spool;
    enum result r;

    spool_init(&spool, (size_t)job->message->size + SLACK);
    r = copy(w, job, &spool);
    if (r == RES_OK)
        r = requeue_content(w, &spool, q);
    spool_release(&spool);
    return r == RES_OK ? RES_OK : RES_TEMPFAIL;
}

static struct str domain_of(const struct queue_job *job)
{
    return str_from(job->recipient, str_rchr(job->recipient, '@') + 1);
}

enum result redirect_make(struct mda_worker *w, const struct queue_job *job, const struct str *addresses, size_t n,
                          struct queue_new **ret)
{
    struct arena *a = &w->crew.batch_arena;
    struct queue_new_recipient *recipients = arena_array(a, struct queue_new_recipient, n);
    struct queue_new *q = requeue_begin(w, job, srs_forward(a, job->message->reverse_path, domain_of(job)), recipients, n);
    enum result r = RES_OK;

    for (size_t i = 0; i < n && r == RES_OK; i++) {
        r = route(w, job, addresses[i], &recipients[i]);
        if (r == RES_OK && !str_eq(recipients[i].destination, QUEUE_LOCAL))
            q->direction = TRACE_OUT;
    }
    if (r == RES_OK)
        r = pack(w, job, q);
    if (r == RES_OK)
        *ret = q;
    return r;
}
