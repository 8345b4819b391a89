#include "deliver/compose.h"
#include "base/encode.h"
#include "base/log.h"
#include "config/settings.h"
#include "deliver/srs.h"
#include "io/spool.h"
#include "mail/address.h"
#include "mail/dsn.h"
#include "mail/header.h"
#include "mail/mdn.h"
#include "mail/received.h"

#define COPIES_OF_ONE 40 /* more than the actions that one run may take: one recipient's filters never meet the limit */
#define MAX_NOTICE ((size_t)512 * 1024)
#define ORIGINAL_HEADER ((size_t)64 * 1024) /* of the message, in a notice */

struct compose_spool {
    struct spool spool;
    struct compose_spool *next;
};

/* ---- further messages of the transaction ---- */

/* A message from its pieces, in memory or in a file.  RES_LIMIT: all of them together are too large. */
static enum result put_together(struct compose *c, const struct str *pieces, size_t n, struct str *ret)
{
    struct compose_spool *s = arena_new(&c->arena, struct compose_spool);
    enum result r;

    for (size_t i = 0; i < n; i++)
        c->extra += pieces[i].len;
    if (c->extra > c->max_extra)
        return RES_LIMIT;
    spool_init(&s->spool, c->extra);
    s->next = c->spools;
    c->spools = s;
    for (size_t i = 0; i < n; i++)
        (void)spool_add(&s->spool, pieces[i]); /* an error sticks */
    r = spool_view(&s->spool, ret);
    return r == RES_OK ? RES_OK : RES_TEMPFAIL;
}

static struct accept_message *add_message(struct compose *c, struct str bytes)
{
    struct accept_message *m = arena_new(&c->arena, struct accept_message);

    m->message = bytes;
    *c->last = m;
    c->last = &m->also;
    return m;
}

static enum result give_queue(struct compose *c, struct deliver *d, struct accept_message *m, struct str reverse_path,
                              size_t max_recipients)
{
    struct queue_new *q = arena_new(&c->arena, struct queue_new);

    *q = *c->envelope;
    q->reverse_path = reverse_path;
    q->recipients = arena_array(&c->arena, struct queue_new_recipient, max_recipients);
    q->nrecipients = 0;
    m->queue = q;
    return m->id != 0 ? RES_OK : deliver_id(d, &m->id);
}

static struct queue_new_recipient *add_row(struct accept_message *m)
{
    return (struct queue_new_recipient *)(uintptr_t)&m->queue->recipients[m->queue->nrecipients++];
}

/* ---- what filters send ---- */

static struct str lower_domain(struct arena *a, struct str address)
{
    struct str local, domain;

    return address_parse_mailbox(address, true, a, &local, &domain) == RES_OK ? domain : STR_NULL;
}

static enum result send_it(struct compose *c, struct deliver *d, const struct compose_recipient *from,
                           const struct filter_sent *s)
{
    const struct str pieces[] = { s->content.header, s->content.body };
    struct accept_message *m;
    struct str bytes;
    enum result r = put_together(c, pieces, ARRAY_LEN(pieces), &bytes);

    if (r != RES_OK)
        return r;
    m = add_message(c, bytes);
    r = give_queue(c, d, m, s->forwarded ? srs_forward(&c->arena, s->reverse_path, lower_domain(&c->arena, from->address)) : s->reverse_path,
                   s->n_to);
    if (r != RES_OK)
        return r;
    m->queue->account_id = from->account_id;
    m->queue->direction = TRACE_OUT;
    m->queue->listener = STR("filter");
    m->queue->client = m->queue->tls = STR_NULL;
    m->queue->mark = s->mark;
    m->queue->ret = s->ret;
    m->queue->by = s->by;
    if (!s->forwarded && s->program.p == NULL) {
        m->queue->envid = STR_NULL;
        m->queue->body_flags = str_is_ascii(bytes) ? 0 : QUEUE_8BITMIME;
    }
    for (size_t i = 0; i < s->n_to; i++) {
        struct str domain = lower_domain(&c->arena, s->to[i]);

        if (domain.p == NULL) {
            log_warn("filter-bad-address", F_INT("account", from->account_id), F_STR("to", s->to[i]));
            continue;
        }
        *add_row(m) = (struct queue_new_recipient){
            .recipient = s->to[i], .notify = s->notify, .lane = QUEUE_NORMAL, .outcome = TRACE_WAITING,
            .orcpt = s->forwarded ? from->orcpt : STR_NULL, .folder = s->folder,
            .account_id = s->folder.p != NULL ? from->account_id : 0, .program = s->program,
            .destination = s->program.p != NULL ? QUEUE_MDA : s->folder.p != NULL ? QUEUE_LOCAL : domain };
    }
    return RES_OK;
}

/* ---- what filters store ---- */

/* The message with this content: the one that came, or a further one. */
static enum result message_with(struct compose *c, const struct filter_content *content, struct accept_message **ret)
{
    struct str pieces[3], bytes;
    size_t n = 0;
    enum result r;

    *ret = &c->message;
    if (content == NULL)
        return RES_OK;
    if (return_path_len(content->header) == 0) /* a script may delete it; what is stored has one */
        pieces[n++] = str_sub(c->m->message, 0, c->return_path_len);
    pieces[n++] = content->header;
    pieces[n++] = content->body;
    r = put_together(c, pieces, n, &bytes);
    if (r != RES_OK)
        return r;
    *ret = add_message(c, bytes);
    (*ret)->id = 0;
    (*ret)->return_path_len = return_path_len(bytes);
    (*ret)->envelope = c->message.envelope;
    return RES_OK;
}

/* Does the mda store it? */
static bool goes_elsewhere(const struct compose_recipient *to, const struct filter_copy *copy)
{
    return to->elsewhere || copy->program.p != NULL;
}

static enum result store_copy(struct compose *c, struct deliver *d, struct compose_recipient *to, const struct filter_copy *copy)
{
    struct accept_message *m;
    enum result r = message_with(c, copy->content, &m);

    if (r != RES_OK)
        return r;
    if (goes_elsewhere(to, copy)) {
        if (m->queue == NULL)
            r = give_queue(c, d, m, c->envelope->reverse_path, 1); /* the message itself has a queue with room already */
        if (r != RES_OK)
            return r;
        *add_row(m) = (struct queue_new_recipient){ .recipient = to->address, .orcpt = to->orcpt, .notify = to->notify,
                                                    .destination = QUEUE_MDA, .lane = c->lane, .outcome = TRACE_WAITING,
                                                    .account_id = to->account_id, .folder = copy->folder, .flags = copy->flags,
                                                    .program = copy->program };
        return RES_OK;
    }
    if (m->targets == NULL)
        m->targets = arena_array(&c->arena, struct accept_target, 1);
    m->targets[m->n_targets++] = (struct accept_target){
        .account_id = to->account_id, .mailbox_id = copy->mailbox_id, .flags = copy->flags, .keywords = copy->keywords,
        .n_keywords = copy->n_keywords, .folder = copy->folder, .rule = copy->rule, .recipient = to->address, .orcpt = to->orcpt,
        .notify = to->quiet ? QUEUE_NOTIFY_NEVER : to->notify };
    if (m->id == 0)
        m->id = c->id; /* received_as: the id that its sender was told */
    if (to->target == NULL || m == &c->message)
        to->target = &m->targets[m->n_targets - 1];
    return RES_OK;
}

/* ---- refusals ---- */

static enum dsn_language language_of(struct str language)
{
    return str_istarts(language.len > 0 ? language : settings_get()->language, STR("pt")) ? DSN_PT_BR : DSN_EN;
}

static enum result queue_notice(struct compose *c, struct deliver *d, struct str text)
{
    struct accept_message *m = add_message(c, text);
    struct str domain = lower_domain(&c->arena, c->m->reverse_path);
    enum result r = give_queue(c, d, m, STR(""), 1);

    if (r != RES_OK)
        return r;
    m->queue->account_id = 0;
    m->queue->envid = m->queue->client = m->queue->tls = STR_NULL;
    m->queue->ret = 0;
    m->queue->by = (struct deliver_by){ 0 };
    m->queue->listener = STR("filter");
    m->queue->direction = TRACE_OUT;
    m->queue->body_flags = str_is_ascii(text) ? 0 : QUEUE_8BITMIME;
    *add_row(m) = (struct queue_new_recipient){ .recipient = c->m->reverse_path, .notify = QUEUE_NOTIFY_NEVER,
                                                .lane = QUEUE_NORMAL, .outcome = TRACE_WAITING, .destination = domain };
    return RES_OK;
}

/* A refusal that the reply cannot tell: an MDN or a DSN does (RFC 5429, 2.1.2 and 2.2.1). */
static enum result tell_refusal(struct compose *c, struct deliver *d, const struct compose_recipient *to,
                                const struct filter_outcome *o)
{
    CLEANUP(strbuf_release) struct strbuf out = { .max = MAX_NOTICE };
    struct str host = arena_str(&c->arena, settings_get()->hostname);
    struct str original = str_from(c->m->message, c->return_path_len);
    struct str id = arena_printf(&c->arena, "%.*s@%.*s", STR_ARG(random_id(&c->arena)), STR_ARG(host));
    enum result r;

    if (c->m->reverse_path.len == 0 || lower_domain(&c->arena, c->m->reverse_path).p == NULL ||
        (to->notify & QUEUE_NOTIFY_NEVER) != 0) {
        log_info("filter-refusal-untold", F_INT("account", to->account_id), F_STR("from", c->m->reverse_path));
        return RES_OK;
    }
    if (o->refusal == FILTER_REJECT) {
        const struct mdn mdn = { .language = language_of(o->language), .reporting_ua = host, .from = to->address,
                                 .to = c->m->reverse_path, .orcpt = to->orcpt, .message_id = id,
                                 .boundary = random_id(&c->arena), .now_us = wall_us(), .reason = o->reason,
                                 .original = original };
        r = mdn_build(&mdn, &out);
    } else {
        const struct dsn_recipient failed = { .action = DSN_FAILED, .address = to->address, .orcpt = to->orcpt,
                                              .status = STR("5.7.1"), .reply = o->reason,
                                              .reason = STR("recipient-filter") };
        const struct dsn dsn = { .language = language_of(o->language), .reporting_mta = host, .to = c->m->reverse_path,
                                 .message_id = id, .boundary = random_id(&c->arena), .now_us = wall_us(),
                                 .arrival_us = wall_us(), .envid = c->m->envid, .recipients = &failed, .nrecipients = 1,
                                 .original = str_sub(original, 0, MIN(header_size(original), ORIGINAL_HEADER)),
                                 .smtputf8 = (c->m->body_flags & QUEUE_SMTPUTF8) != 0 };
        r = dsn_build(&dsn, &out);
    }
    if (r != RES_OK)
        return RES_OK; /* too large to tell */
    return queue_notice(c, d, arena_str(&c->arena, strbuf_str(&out)));
}

/* May the reply tell it?  A reject wants its exact words (RFC 5429, 2.2), so beyond ASCII it is an MDN. */
static bool tellable(const struct filter_outcome *o)
{
    return o->refusal == FILTER_EREJECT || (o->refusal == FILTER_REJECT && str_is_ascii(o->reason));
}

static struct str ascii_reason(struct arena *a, struct str reason)
{
    return str_is_ascii(reason) ? reason : arena_str(a, STR("Refused by the recipient's mail filter"));
}

/* ---- straight recipients ---- */

static void add_waiting(struct compose *c, const struct compose_recipient *to)
{
    *add_row(&c->message) = (struct queue_new_recipient){
        .recipient = to->address, .orcpt = to->orcpt, .notify = to->notify, .account_id = to->account_id, .lane = c->lane,
        .outcome = TRACE_WAITING, .program = to->program,
        .destination = to->program.p != NULL ? QUEUE_MDA : to->account_id != 0 ? QUEUE_LOCAL : to->domain };
}

/* ---- forwards ---- */

/* All that one of our addresses forwards, in one message: Delivered-To (RFC 9228) on top, the reverse-path rewritten. */
static enum result forward(struct compose *c, struct deliver *d, struct compose_recipient *v, size_t n, size_t first)
{
    struct str via = v[first].via;
    const struct str pieces[] = { arena_printf(&c->arena, "Delivered-To: %.*s\r\n", STR_ARG(via)),
                                  str_from(c->m->message, c->return_path_len) };
    struct accept_message *m;
    struct str bytes;
    enum result r;

    if (delivered_to_before(c->m->message, via))
        return RES_CONFLICT;
    r = put_together(c, pieces, ARRAY_LEN(pieces), &bytes);
    if (r != RES_OK)
        return r;
    m = add_message(c, bytes);
    r = give_queue(c, d, m, srs_forward(&c->arena, c->m->reverse_path, lower_domain(&c->arena, via)), n - first);
    if (r != RES_OK)
        return r;
    for (size_t i = first; i < n; i++) {
        if (v[i].via.p != NULL && str_ieq(v[i].via, via))
            *add_row(m) = (struct queue_new_recipient){ .recipient = v[i].address, .orcpt = v[i].orcpt, .notify = v[i].notify,
                                                        .lane = c->lane, .outcome = TRACE_WAITING, .destination = v[i].domain };
    }
    return RES_OK;
}

static enum result forward_all(struct compose *c, struct deliver *d, struct compose_recipient *v, size_t n)
{
    enum result r = RES_OK;

    for (size_t i = 0; i < n && r == RES_OK; i++) {
        size_t k = 0;

        if (v[i].via.p == NULL)
            continue;
        while (v[k].via.p == NULL || !str_ieq(v[k].via, v[i].via))
            k++;
        if (k == i)
            r = forward(c, d, v, n, i);
    }
    return r;
}

/* ---- all of it ---- */

/* The trace of a message that is queued for some tells of those who have it at once, too. */
static void trace_targets(struct compose *c)
{
    for (size_t i = 0; i < c->message.n_targets; i++) {
        const struct accept_target *t = &c->message.targets[i];

        if (i == 0 || t->account_id != t[-1].account_id)
            *add_row(&c->message) = (struct queue_new_recipient){ .recipient = t->recipient, .account_id = t->account_id,
                                                                  .outcome = TRACE_DELIVERED };
    }
}

static bool runs_filters(const struct compose_recipient *to)
{
    return to->account_id != 0 && !to->waits && to->folder.p == NULL;
}

/* Room in the message itself for everyone: several mailboxes for one account, once in the queue for each of the others. */
static enum result make_room(struct compose *c, struct deliver *d, const struct compose_recipient *v,
                             const struct filter_outcome *o, size_t n)
{
    size_t targets = 0, rows = 0, marks = 0;

    for (size_t i = 0; i < n; i++) {
        for (size_t k = 0; k < o[i].n_copies; k++)
            *(goes_elsewhere(&v[i], &o[i].copies[k]) ? &rows : &targets) += 1;
        marks += o[i].n_marks;
        if (v[i].folder.p != NULL)
            targets++;
        else if (!runs_filters(&v[i]))
            rows++;
    }
    c->message.targets = arena_array(&c->arena, struct accept_target, targets);
    c->message.marks = arena_array(&c->arena, struct sieve_mark_row, marks);
    return rows > 0 ? give_queue(c, d, &c->message, c->envelope->reverse_path, rows + targets) : RES_OK;
}

static enum result take_outcome(struct compose *c, struct deliver *d, struct compose_recipient *to,
                                const struct filter_outcome *o)
{
    enum result r = RES_OK;

    for (size_t i = 0; i < o->n_copies && r == RES_OK; i++)
        r = store_copy(c, d, to, &o->copies[i]);
    for (size_t i = 0; i < o->n_sent && r == RES_OK; i++)
        r = send_it(c, d, to, &o->sent[i]);
    for (size_t i = 0; i < o->n_marks; i++)
        ((struct sieve_mark_row *)(uintptr_t)c->message.marks)[c->message.n_marks++] = o->marks[i];
    if (r != RES_OK || o->refusal == FILTER_TAKEN)
        return r;
    if (tellable(o) && (c->all_refused || c->each_answered) && !(c->ends_job && o->n_copies + o->n_sent > 0)) {
        to->result = COMPOSE_REFUSED;
        to->reason = ascii_reason(&c->arena, o->reason);
        return RES_OK;
    }
    return tell_refusal(c, d, to, o);
}

static void take_straight(struct compose *c, struct compose_recipient *to)
{
    if (to->folder.p != NULL) {
        to->target = &c->message.targets[c->message.n_targets++];
        *to->target = (struct accept_target){ .account_id = to->account_id, .mailbox_id = to->inbox_id, .flags = to->flags,
                                              .folder = to->folder, .recipient = to->address, .orcpt = to->orcpt,
                                              .notify = to->notify };
    } else if (to->via.p == NULL) {
        add_waiting(c, to);
    }
}

static enum result run_filters(struct compose *c, struct db *db, const struct compose_recipient *v, struct filter_outcome *o,
                               size_t n)
{
    enum result r = RES_OK;

    c->all_refused = n > 0;
    for (size_t i = 0; i < n && r == RES_OK; i++) {
        const struct filter_recipient to = { .account_id = v[i].account_id, .inbox_id = v[i].inbox_id, .address = v[i].address,
                                             .orcpt = v[i].orcpt, .notify = v[i].notify, .elsewhere = v[i].elsewhere,
                                             .filtered = v[i].filtered };

        if (runs_filters(&v[i]))
            r = filter_run(db, c->m, &to, &c->arena, &o[i]);
        c->all_refused = c->all_refused && tellable(&o[i]);
    }
    return r;
}

static void begin(struct compose *c, size_t n)
{
    c->message = (struct accept_message){ .id = c->id, .message = c->m->message, .return_path_len = c->return_path_len,
                                          .envelope = c->may_wait ? c->envelope : NULL,
                                          .trace = c->ends_job ? NULL : c->envelope };
    c->last = &c->message.also;
    c->max_extra = MAX((size_t)settings_get()->max_transaction_size, n == 1 ? c->m->message.len * COPIES_OF_ONE : 0);
}

static void finish(struct compose *c)
{
    if (c->message.queue != NULL && c->message.queue->nrecipients == 0)
        c->message.queue = NULL;
    if (c->message.queue != NULL)
        trace_targets(c);
    c->anything = c->message.n_targets > 0 || c->message.queue != NULL || c->message.n_marks > 0 || c->message.also != NULL;
}

enum result compose(struct deliver *d, struct db *db, struct compose *c, struct compose_recipient *v, size_t n)
{
    struct filter_outcome *o = arena_array(&c->arena, struct filter_outcome, n);
    enum result r;

    begin(c, n);
    r = run_filters(c, db, v, o, n);
    if (r == RES_OK)
        r = make_room(c, d, v, o, n);
    for (size_t i = 0; i < n && r == RES_OK; i++) {
        if (runs_filters(&v[i]))
            r = take_outcome(c, d, &v[i], &o[i]);
        else
            take_straight(c, &v[i]);
    }
    if (r == RES_OK)
        r = forward_all(c, d, v, n);
    finish(c);
    return r;
}

enum result compose_event(struct deliver *d, struct compose *c, struct compose_recipient *to, const struct filter_outcome *o)
{
    enum result r;

    begin(c, 1);
    r = make_room(c, d, to, o, 1);
    if (r == RES_OK)
        r = take_outcome(c, d, to, o);
    finish(c);
    return r;
}

void compose_release(struct compose *c)
{
    for (struct compose_spool *s = c->spools; s != NULL; s = s->next)
        spool_release(&s->spool);
    arena_reset(&c->arena);
}
