/* Gathering: messages that are ready while a commit is under way go together in the next one. */
#include "deliver/deliver.h"
#include "base/counters.h"
#include "base/log.h"
#include "base/encode.h"
#include "deliver/journal.h"
#include "store/ids.h"

#include <assert.h>
#include <stdlib.h>
#include <uv.h>

#define BATCH_MESSAGES 64
#define BATCH_BYTES ((size_t)4 << 20)
#define BATCH_TARGETS 1000
#define PACK_ON_POOL ((size_t)128 << 10) /* packing more than this would hold the loop up */
#define ALONE_BYTES ((size_t)256 << 10) /* what takes the database longer than a commit does not share one */
#define ALONE_MAX 2 /* transactions beside the common one: look-ups and small mail find a connection, too */
#define ID_BLOCK 64
#define ID_MS    1000 /* ids of a block are given out for so long: lists are in the order of ids, and processes take turns */

struct pending { /* a message, and those that go `also` */
    struct accept_item *items;
    size_t n;
    size_t bytes, targets; /* of all */
    enum result result;
    unsigned tries;
    struct coroutine *waiter;
    bool done;
    struct pending *next;
};

struct deliver {
    struct db *db;
    struct journal *journal;
    struct pending *first, **last;
    struct coroutine *committer;
    unsigned alone;
    struct waitlist alone_wait;
    int64_t ids[ID_BLOCK];
    size_t ids_left;
    int64_t ids_until;
    bool taking_ids;
    struct waitlist ids_wait;
};

/* ---- the committer ---- */

static void finish(struct pending *p)
{
    p->done = true;
    coroutine_wake(p->waiter);
}

/* The worst of its messages' results. */
static enum result joint_result(const struct pending *p)
{
    for (size_t i = 0; i < p->n; i++) {
        if (p->items[i].result != RES_OK)
            return p->items[i].result;
    }
    return RES_OK;
}

static void take_place(struct deliver *d)
{
    if (d->alone < ALONE_MAX)
        d->alone++;
    else
        (void)!waitlist_wait(&d->alone_wait, NO_DEADLINE, false); /* for the place of somebody who is done */
}

static void give_place(struct deliver *d)
{
    if (d->alone_wait.first != NULL)
        waitlist_wake_one(&d->alone_wait);
    else
        d->alone--;
}

static void run_alone(struct deliver *d, struct pending *p)
{
    struct accept_item **items = calloc(p->n, sizeof(*items));

    if (items == NULL)
        abort();
    for (size_t i = 0; i < p->n; i++)
        items[i] = &p->items[i];
    take_place(d);
    p->result = accept_commit(d->db, items, p->n, true);
    give_place(d);
    if (p->result == RES_OK)
        p->result = joint_result(p);
    free(items);
    finish(p);
}

struct alone {
    struct deliver *d;
    struct pending *p;
};

static void alone_run(void *arg)
{
    struct alone *al = arg;

    run_alone(al->d, al->p);
    free(al);
}

/* A busy account delays only its own mail: the message goes alone, over another connection, and waits there. */
static void go_alone(struct deliver *d, struct pending *p)
{
    struct alone *al = calloc(1, sizeof(*al));

    if (al == NULL)
        abort();
    *al = (struct alone){ .d = d, .p = p };
    if (coroutine_spawn("deliver-alone", alone_run, al) == NULL) {
        free(al);
        p->result = RES_TEMPFAIL;
        finish(p);
    }
}

static void enqueue(struct deliver *d, struct pending *p)
{
    p->next = NULL;
    *d->last = p;
    d->last = &p->next;
    coroutine_wake(d->committer);
}

/* Those that go in the next commit, and their messages. */
static size_t take_batch(struct deliver *d, struct pending **v, struct accept_item **items, size_t *ret_items)
{
    size_t n = 0, n_items = 0, bytes = 0, targets = 0;

    while (d->first != NULL && n < BATCH_MESSAGES) {
        struct pending *p = d->first;

        bytes += p->bytes;
        targets += p->targets;
        if (n_items + p->n > BATCH_MESSAGES || (n > 0 && (bytes > BATCH_BYTES || targets > BATCH_TARGETS)))
            break;
        d->first = p->next;
        for (size_t i = 0; i < p->n; i++)
            items[n_items++] = &p->items[i];
        v[n++] = p;
    }
    if (d->first == NULL)
        d->last = &d->first;
    *ret_items = n_items;
    return n;
}

static void commit_loop(void *arg)
{
    struct deliver *d = arg;
    struct pending *v[BATCH_MESSAGES];
    struct accept_item *items[BATCH_MESSAGES];

    for (;;) {
        size_t n_items, n = take_batch(d, v, items, &n_items);
        uint64_t start;
        enum result r;

        if (n == 0) {
            coroutine_wait(NO_DEADLINE, false);
            continue;
        }
        start = uv_hrtime();
        r = accept_commit(d->db, items, n_items, false);
        counters_commit((uv_hrtime() - start) / 1000, n);
        for (size_t i = 0; i < n; i++) {
            v[i]->result = r == RES_OK ? joint_result(v[i]) : r;
            if (r != RES_OK && n > 1) {
                go_alone(d, v[i]); /* one of them is guilty: each for itself */
            } else if (v[i]->result == RES_CANCELLED) {
                if (v[i]->tries++ == 0)
                    enqueue(d, v[i]);
                else
                    go_alone(d, v[i]);
            } else {
                finish(v[i]);
            }
        }
    }
}

struct deliver *deliver_new(struct db *db)
{
    struct deliver *d = calloc(1, sizeof(*d));

    if (d == NULL)
        abort();
    d->db = db;
    d->last = &d->first;
    d->journal = journal_new(db);
    d->committer = coroutine_spawn("deliver", commit_loop, d);
    return d;
}

/* ---- ids ---- */

enum result deliver_id(struct deliver *d, int64_t *ret_id)
{
    while (d->ids_left == 0 || loop_now() > d->ids_until) {
        enum result r;

        if (d->taking_ids) { /* somebody asks already */
            r = waitlist_wait(&d->ids_wait, deadline_in(20000), false);
            if (r != RES_OK)
                return RES_TEMPFAIL;
            continue;
        }
        d->taking_ids = true;
        r = queue_ids(d->db, ID_BLOCK, d->ids);
        d->taking_ids = false;
        if (r == RES_OK) {
            d->ids_left = ID_BLOCK;
            d->ids_until = deadline_in(ID_MS);
        }
        waitlist_wake_all(&d->ids_wait);
        if (r != RES_OK)
            return r;
    }
    *ret_id = d->ids[ID_BLOCK - d->ids_left--];
    return RES_OK;
}

/* ---- one message ---- */

static void pack(void *arg)
{
    struct accept_item *p = arg;

    mail_digest(&p->arena, p->m->message, &p->digest);
    p->shape = body_shape_of(p->m->message.len, p->digest.header_size);
    if (!p->large && p->m->n_targets > 0)
        body_frames(&p->arena, p->m->message, p->digest.header_size, &p->frames, &p->n_frames);
}

static void fill_queue_row(struct accept_item *p, struct queue_new *q)
{
    struct str copy = str_from(p->m->message, p->m->return_path_len);

    q->id = p->m->id;
    q->size = (int64_t)copy.len;
    q->header_size = (int64_t)(p->digest.header_size - p->m->return_path_len);
    q->subject = p->digest.subject;
    q->message_id = p->digest.message_id;
    q->frames = NULL;
    q->nframes = body_shape_of(copy.len, (uint64_t)q->header_size).frames;
    if (!p->large) {
        struct str *frames;

        body_frames(&p->arena, copy, (size_t)q->header_size, &frames, &q->nframes);
        q->frames = frames;
    }
}

/* Mailboxes of one account share the email. */
static enum result take_email_ids(struct deliver *d, struct accept_item *p)
{
    const struct accept_message *m = p->m;

    p->email_ids = arena_array(&p->arena, int64_t, m->n_targets + 1);
    for (size_t i = 0; i < m->n_targets; i++) {
        size_t k = 0;
        enum result r = RES_OK;

        while (m->targets[k].account_id != m->targets[i].account_id)
            k++;
        if (k < i)
            p->email_ids[i] = p->email_ids[k];
        else
            r = ids_take_email(d->db, &p->email_ids[i]);
        if (r != RES_OK)
            return r;
        m->targets[i].result = RES_TEMPFAIL;
    }
    return RES_OK;
}

static enum result prepare(struct deliver *d, struct accept_item *p)
{
    struct accept_message *m = p->m;
    enum result r = take_email_ids(d, p);

    assert(m->return_path_len < m->message.len);
    if (r != RES_OK)
        return r;
    p->large = m->message.len >= ACCEPT_LARGE;
    if (m->message.len >= PACK_ON_POOL)
        coroutine_work(pack, p);
    else
        pack(p);
    if (m->queue != NULL)
        fill_queue_row(p, m->queue);
    return RES_OK;
}

static enum result prepare_all(struct deliver *d, struct pending *p, struct accept_message *first, bool *ret_alone)
{
    enum result r = RES_OK;

    for (struct accept_message *m = first; m != NULL; m = m->also)
        p->n++;
    p->items = calloc(p->n, sizeof(*p->items));
    if (p->items == NULL)
        abort();
    *ret_alone = first->job != NULL || p->n > BATCH_MESSAGES;
    for (size_t i = 0; i < p->n && r == RES_OK; i++, first = first->also) {
        p->items[i].m = first;
        p->bytes += first->message.len;
        p->targets += first->n_targets;
        r = prepare(d, &p->items[i]);
    }
    *ret_alone = *ret_alone || p->bytes >= ALONE_BYTES;
    return r;
}

/* Those whose mailbox could not take it, though others have it: they wait in the queue, under an id of their own. */
static enum result queue_the_rest(struct deliver *d, struct accept_item *p)
{
    struct accept_message *m = p->m;
    struct queue_new q = *m->envelope;
    struct queue_new_recipient *rcpts = arena_array(&p->arena, struct queue_new_recipient, m->n_targets);
    struct accept_message rest = { .message = m->message, .return_path_len = m->return_path_len, .queue = &q };
    size_t n = 0;

    for (size_t i = 0; i < m->n_targets; i++) {
        const struct accept_target *t = &m->targets[i];

        if (t->result == RES_OK)
            continue;
        rcpts[n++] = (struct queue_new_recipient){ .recipient = t->recipient, .orcpt = t->orcpt, .notify = t->notify,
                                                   .destination = QUEUE_LOCAL, .lane = QUEUE_NORMAL,
                                                   .outcome = TRACE_WAITING, .account_id = t->account_id,
                                                   .folder = t->folder, .flags = t->flags };
    }
    if (n == 0)
        return RES_OK;
    q.recipients = rcpts;
    q.nrecipients = n;
    if (deliver_id(d, &rest.id) != RES_OK)
        return RES_TEMPFAIL;
    return deliver_submit(d, &rest);
}

/* Committed: was it stored for nobody, or does the rest have to wait? */
static enum result settle(struct deliver *d, struct pending *p)
{
    size_t stored = 0, failed = 0;
    bool queued = false;

    for (size_t i = 0; i < p->n; i++) {
        const struct accept_message *m = p->items[i].m;

        for (size_t k = 0; k < m->n_targets; k++)
            *(m->targets[k].result == RES_OK ? &stored : &failed) += 1;
        queued = queued || m->queue != NULL;
    }
    if (failed > 0 && stored == 0 && !queued)
        return RES_LIMIT;
    for (size_t i = 0; i < p->n; i++) {
        enum result r = p->items[i].m->envelope != NULL ? queue_the_rest(d, &p->items[i]) : RES_OK;

        if (r != RES_OK)
            return r;
    }
    return RES_OK;
}

/* ---- what was done ---- */

static bool has_account(const struct accept_target *v, size_t n, int64_t account_id)
{
    for (size_t i = 0; i < n; i++) {
        if (v[i].account_id == account_id && v[i].result == RES_OK)
            return true;
    }
    return false;
}

/* Mail on its way, each recipient once; not the letters and copies that are our own. */
static void count_delivered(const struct pending *p)
{
    const struct accept_message *m = p->items[0].m;

    if (m->trace == NULL && m->job == NULL)
        return;
    for (size_t i = 0; i < p->n; i++) {
        m = p->items[i].m;
        for (size_t k = 0; k < m->n_targets; k++) {
            bool counted = m->targets[k].result != RES_OK || has_account(m->targets, k, m->targets[k].account_id);

            for (size_t before = 0; before < i && !counted; before++)
                counted = has_account(p->items[before].m->targets, p->items[before].m->n_targets, m->targets[k].account_id);
            counters->mail[COUNTERS_DELIVERED] += !counted;
        }
    }
}

/* ---- traces ---- */

/* The account's place among the recipients of the note; a new one at the end. */
static size_t place_of(const struct trace_note_recipient *v, size_t n, int64_t account_id)
{
    size_t i = 0;

    while (i < n && v[i].account_id != account_id)
        i++;
    return i;
}

/* Each account once, with all mailboxes that the message is in. */
static size_t note_recipients(struct arena *a, const struct pending *p, struct trace_note_recipient *v)
{
    size_t n = 0;

    for (size_t i = 0; i < p->n; i++) {
        const struct accept_message *m = p->items[i].m;

        for (size_t k = 0; k < m->n_targets; k++) {
            const struct accept_target *t = &m->targets[k];
            struct str folder = t->folder.p != NULL ? t->folder : STR("INBOX");
            size_t at = place_of(v, n, t->account_id);

            if (t->result != RES_OK)
                continue;
            v[at].reply = at < n ? arena_printf(a, "%.*s, %.*s", STR_ARG(v[at].reply), STR_ARG(folder))
                                 : arena_printf(a, "250 2.1.5 delivered to %.*s", STR_ARG(folder));
            v[at].mailbox = at < n ? arena_printf(a, "%.*s, %.*s", STR_ARG(v[at].mailbox), STR_ARG(folder)) : folder;
            if (t->rule.p != NULL)
                v[at].rule = t->rule;
            v[at].address = t->recipient;
            v[at].account_id = t->account_id;
            v[at].outcome = TRACE_DELIVERED;
            v[at].code = 250;
            v[at].enhanced = STR("2.1.5");
            n = MAX(n, at + 1);
        }
    }
    return n;
}

static void trace(struct deliver *d, const struct pending *p)
{
    struct accept_item *first = &p->items[0];
    const struct queue_new *from = first->m->trace;
    struct arena *a = &first->arena;
    struct trace_note_recipient *v;
    size_t n;

    if (from == NULL || first->m->queue != NULL)
        return;
    v = arena_array(a, struct trace_note_recipient, p->targets + 1);
    n = note_recipients(a, p, v);
    if (n > 0)
        journal_add(d->journal, &(struct trace_note){
                                    .id = first->m->id, .at_us = wall_us(), .direction = from->direction, .sender = from->reverse_path,
                                    .account_id = from->account_id, .subject = first->digest.subject,
                                    .message_id = first->digest.message_id, .size = (int64_t)first->m->message.len,
                                    .client = from->client, .session = from->session, .listener = from->listener,
                                    .tls = from->tls, .recipients = v, .n_recipients = n });
}

void deliver_refused(struct deliver *d, const struct trace_note *note)
{
    counters->mail[COUNTERS_REFUSED]++;
    journal_refuse(d->journal, note);
}

void deliver_flush(struct deliver *d)
{
    journal_flush(d->journal);
}

enum result deliver_submit(struct deliver *d, struct accept_message *m)
{
    struct pending p = { .waiter = coroutine_self() };
    bool alone;
    enum result r = prepare_all(d, &p, m, &alone);

    if (r == RES_OK) {
        if (alone)
            run_alone(d, &p);
        else
            enqueue(d, &p);
        while (!p.done)
            coroutine_wait(NO_DEADLINE, false);
        r = p.result == RES_OK ? settle(d, &p) : p.result;
        if (r == RES_OK) {
            count_delivered(&p);
            trace(d, &p);
        }
    }
    for (size_t i = 0; i < p.n; i++)
        arena_reset(&p.items[i].arena);
    free(p.items);
    return r;
}
