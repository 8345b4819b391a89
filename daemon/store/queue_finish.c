/* store/queue_finish.c - what became of jobs: one transaction for many outcomes.
 *
 * The messages' rows are locked first, by id, so of two relays that finish the last two jobs of a message the second
 * one sees that nothing is left.  The lease is part of every condition: what has been lost changes nothing, and doing
 * it again finds nothing to do. */
#include "base/fault.h"
#include "base/log.h"
#include "store/queue_internal.h"

#include <stdlib.h>

#define CHANGED_CHANNEL "queue_changed"

/* What the outcomes of one transaction have in common. */
struct finish {
    struct tx *tx;
    struct arena *a;
    const struct queue_outcome *v;
    size_t n;
    bool *held;               /* of each: its lease was ours */
    int64_t *ids;             /* of the messages, sorted, each once */
    size_t n_ids;
    int64_t first_at, last_at; /* of the messages: the partitions of the trace in which to look */
    int64_t xid;
};

static int compare_int64(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

    return (x > y) - (x < y);
}

static void collect_ids(struct finish *f)
{
    size_t unique = 0;

    f->held = arena_array(f->a, bool, f->n);
    f->ids = arena_array(f->a, int64_t, f->n);
    f->first_at = INT64_MAX;
    for (size_t i = 0; i < f->n; i++) {
        const struct queue_envelope *m = f->v[i].job->message;

        f->ids[i] = m->id;
        f->first_at = MIN(f->first_at, m->received_at);
        f->last_at = MAX(f->last_at, m->received_at);
    }
    qsort(f->ids, f->n, sizeof(*f->ids), compare_int64);
    for (size_t i = 0; i < f->n; i++) {
        if (unique == 0 || f->ids[unique - 1] != f->ids[i])
            f->ids[unique++] = f->ids[i];
    }
    f->n_ids = unique;
}

static void mark_held(struct finish *f, const struct db_rows *rows)
{
    for (size_t row = 0; row < db_count(rows); row++) {
        int64_t id = db_get_int(rows, row, 0);
        int n = (int)db_get_int(rows, row, 1);

        for (size_t i = 0; i < f->n; i++)
            f->held[i] |= f->v[i].job->message->id == id && f->v[i].job->n == n;
    }
}

/* Locks the messages, and deletes or defers the jobs whose leases are ours. */
static enum result apply(struct finish *f)
{
    static const struct db_stmt lock = { "queue_finish_lock",
        "SELECT pg_current_xact_id()::text::bigint FROM"
        " (SELECT FROM queue_message WHERE id = ANY ($1) ORDER BY id FOR UPDATE) locked LIMIT 1" };
    static const struct db_stmt done = { "queue_finish_done",
        "DELETE FROM queue_recipient q USING unnest($1::bigint[], $2::int[], $3::text[]) AS u(id, n, lease)"
        " WHERE q.queue_id = u.id AND q.n = u.n AND q.lease_by = u.lease RETURNING q.queue_id, q.n" };
    static const struct db_stmt again = { "queue_finish_again",
        "UPDATE queue_recipient q SET due_at = now() + make_interval(secs => u.retry), lease_by = NULL,"
        "  last_reply = nullif(u.reply, ''), reason = u.reason, delay_told = delay_told OR u.told"
        " FROM unnest($1::bigint[], $2::int[], $3::text[], $4::bigint[], $5::text[], $6::text[], $7::int[]::boolean[])"
        "  AS u(id, n, lease, retry, reply, reason, told)"
        " WHERE q.queue_id = u.id AND q.n = u.n AND q.lease_by = u.lease RETURNING q.queue_id, q.n" };
    int64_t *ids = arena_array(f->a, int64_t, f->n), *retry = arena_array(f->a, int64_t, f->n);
    int32_t *ns = arena_array(f->a, int32_t, f->n), *told = arena_array(f->a, int32_t, f->n);
    struct str *leases = arena_array(f->a, struct str, f->n), *replies = arena_array(f->a, struct str, f->n);
    struct str *reasons = arena_array(f->a, struct str, f->n);
    size_t front = 0, back = f->n, n_again; /* those that are done from the front, the others from the back */
    enum result r;

    for (size_t i = 0; i < f->n; i++) {
        const struct queue_outcome *o = &f->v[i];
        size_t at = o->fate == QUEUE_AGAIN ? --back : front++;

        ids[at] = o->job->message->id;
        ns[at] = o->job->n;
        leases[at] = o->lease;
        retry[at] = o->retry_s;
        replies[at] = o->log.reply;
        reasons[at] = o->log.reason;
        told[at] = o->delay_told;
    }
    n_again = f->n - front;
    const struct db_param lock_params[] = { db_int8_array(f->a, f->ids, f->n_ids) };
    const struct db_param done_params[] = { db_int8_array(f->a, ids, front), db_int4_array(f->a, ns, front),
                                            db_text_array(f->a, leases, front) };
    const struct db_param again_params[] = {
        db_int8_array(f->a, ids + back, n_again), db_int4_array(f->a, ns + back, n_again),
        db_text_array(f->a, leases + back, n_again), db_int8_array(f->a, retry + back, n_again),
        db_text_array(f->a, replies + back, n_again), db_text_array(f->a, reasons + back, n_again),
        db_int4_array(f->a, told + back, n_again)
    };
    struct db_call calls[] = { { .stmt = &lock, .params = lock_params, .n = ARRAY_LEN(lock_params) },
                               { .stmt = &done, .params = done_params, .n = ARRAY_LEN(done_params) },
                               { .stmt = &again, .params = again_params, .n = ARRAY_LEN(again_params) } };

    r = tx_batch(f->tx, calls, n_again > 0 ? 3 : 2, NULL);
    if (r == RES_OK) {
        f->xid = db_count(&calls[0].rows) > 0 ? db_get_int(&calls[0].rows, 0, 0) : 0;
        mark_held(f, &calls[1].rows);
        if (n_again > 0)
            mark_held(f, &calls[2].rows);
    }
    for (size_t i = 0; i < ARRAY_LEN(calls); i++)
        db_rows_free(&calls[i].rows);
    return r;
}

/* ---- the trace ---- */

struct events { /* columns of trace_event, a row each */
    size_t n;
    int64_t *ids;
    int32_t *ns, *seqs, *kinds, *results, *codes, *ms;
    struct str *hosts, *addresses, *tls, *phases, *sessions, *reasons, *enhanced, *replies, *dialogues;
};

static void events_make(struct events *e, struct arena *a, size_t n)
{
    int32_t **ints[] = { &e->ns, &e->seqs, &e->kinds, &e->results, &e->codes, &e->ms };
    struct str **strs[] = { &e->hosts, &e->addresses, &e->tls, &e->phases, &e->sessions, &e->reasons, &e->enhanced,
                            &e->replies, &e->dialogues };

    *e = (struct events){ .ids = arena_array(a, int64_t, n) };
    for (size_t i = 0; i < ARRAY_LEN(ints); i++)
        *ints[i] = arena_array(a, int32_t, n);
    for (size_t i = 0; i < ARRAY_LEN(strs); i++)
        *strs[i] = arena_array(a, struct str, n);
}

/* What stands in trace_event.result. */
static int attempt_result(enum queue_fate fate)
{
    switch (fate) {
    case QUEUE_RELAYED:
        return 0;
    case QUEUE_DELIVERED:
        return 1;
    case QUEUE_AGAIN:
    case QUEUE_EXPIRED: /* the attempt itself was no worse than the others */
        return 2;
    case QUEUE_BOUNCED:
        break;
    }
    return 3;
}

static void event_plain(struct events *e, const struct queue_outcome *o, enum trace_kind kind)
{
    size_t i = e->n++;

    e->ids[i] = o->job->message->id;
    e->ns[i] = o->job->n;
    e->seqs[i] = o->job->attempts;
    e->kinds[i] = (int32_t)kind;
    e->results[i] = e->codes[i] = e->ms[i] = -1;
    e->reasons[i] = o->log.reason;
}

static void event_attempt(struct events *e, const struct queue_outcome *o)
{
    const struct queue_attempt_log *log = &o->log;
    size_t i = e->n;

    event_plain(e, o, EVENT_ATTEMPT);
    e->results[i] = attempt_result(o->fate);
    e->hosts[i] = log->host;
    e->addresses[i] = log->address;
    e->tls[i] = log->tls;
    e->phases[i] = log->phase;
    e->sessions[i] = log->session;
    e->codes[i] = log->code > 0 ? log->code : -1;
    e->enhanced[i] = log->enhanced;
    e->replies[i] = log->reply;
    e->ms[i] = log->milliseconds;
    e->dialogues[i] = log->dialogue;
}

static void events_of(struct events *e, const struct queue_outcome *o)
{
    if (o->attempted)
        event_attempt(e, o);
    if (o->fate == QUEUE_BOUNCED)
        event_plain(e, o, EVENT_BOUNCED);
    else if (o->fate == QUEUE_EXPIRED)
        event_plain(e, o, EVENT_EXPIRED);
    else if (o->fate == QUEUE_AGAIN && o->delay_told)
        event_plain(e, o, EVENT_DELAY_NOTICE);
}

static const struct db_stmt events_stmt = { "queue_finish_events",
    "INSERT INTO trace_event (at, trace_id, n, seq, kind, result, host, address, tls, phase, session, reason, code,"
    "  enhanced, reply, milliseconds, dialogue)"
    " SELECT m.received_at, u.id, u.n, u.seq, u.kind, nullif(u.result, -1), nullif(host, ''), nullif(address, '')::inet,"
    "  nullif(tls, ''), nullif(phase, ''), nullif(session, ''), nullif(reason, ''), nullif(code, -1), nullif(enhanced, ''),"
    "  nullif(reply, ''), nullif(ms, -1), nullif(dialogue, '')"
    " FROM unnest($1::bigint[], $2::int[], $3::int[], $4::int[], $5::int[], $6::text[], $7::text[], $8::text[],"
    "  $9::text[], $10::text[], $11::text[], $12::int[], $13::text[], $14::text[], $15::int[], $16::bytea[])"
    "  AS u(id, n, seq, kind, result, host, address, tls, phase, session, reason, code, enhanced, reply, ms, dialogue)"
    " JOIN queue_message m ON m.id = u.id ON CONFLICT DO NOTHING" };
#define EVENTS_PARAMS 16

static void events_params(struct arena *a, const struct events *e, struct db_param *p)
{
    const struct db_param params[EVENTS_PARAMS] = {
        db_int8_array(a, e->ids, e->n), db_int4_array(a, e->ns, e->n), db_int4_array(a, e->seqs, e->n),
        db_int4_array(a, e->kinds, e->n), db_int4_array(a, e->results, e->n), db_text_array(a, e->hosts, e->n),
        db_text_array(a, e->addresses, e->n), db_text_array(a, e->tls, e->n), db_text_array(a, e->phases, e->n),
        db_text_array(a, e->sessions, e->n), db_text_array(a, e->reasons, e->n), db_int4_array(a, e->codes, e->n),
        db_text_array(a, e->enhanced, e->n), db_text_array(a, e->replies, e->n), db_int4_array(a, e->ms, e->n),
        db_bytea_array(a, e->dialogues, e->n),
    };

    memcpy(p, params, sizeof(params));
}

static enum trace_outcome outcome_of(enum queue_fate fate)
{
    static const enum trace_outcome outcomes[] = { [QUEUE_RELAYED] = TRACE_RELAYED, [QUEUE_DELIVERED] = TRACE_DELIVERED,
                                                   [QUEUE_AGAIN] = TRACE_WAITING, [QUEUE_BOUNCED] = TRACE_BOUNCED,
                                                   [QUEUE_EXPIRED] = TRACE_EXPIRED };

    return outcomes[fate];
}

/* The recipients' outcomes; then, of messages without jobs, the whole one's: the worst of them. */
static const struct db_stmt recipients_stmt = { "queue_finish_trace_recipients",
    "UPDATE trace_recipient t SET outcome = u.outcome FROM unnest($1::bigint[], $2::int[], $3::int[]) AS u(id, n, outcome)"
    " JOIN queue_message m ON m.id = u.id"
    " WHERE t.at = m.received_at AND t.at BETWEEN $4 AND $5 AND t.trace_id = u.id AND t.n = u.n" };
static const struct db_stmt messages_stmt = { "queue_finish_trace_messages",
    "UPDATE trace t SET outcome = (SELECT r.outcome FROM trace_recipient r WHERE r.at = t.at AND r.at BETWEEN $2 AND $3"
    "   AND r.trace_id = t.id ORDER BY array_position('{0,3,4,5,2,1,6}'::int[], r.outcome::int) LIMIT 1)"
    " FROM queue_message m WHERE m.id = ANY ($1) AND t.at = m.received_at AND t.at BETWEEN $2 AND $3 AND t.id = m.id"
    "  AND NOT EXISTS (SELECT FROM queue_recipient q WHERE q.queue_id = m.id)"
    "  AND EXISTS (SELECT FROM trace_recipient r WHERE r.at = t.at AND r.at BETWEEN $2 AND $3 AND r.trace_id = t.id)" };
static const struct db_stmt gone_stmt = { "queue_finish_gone",
    "WITH d AS (DELETE FROM queue_message m WHERE id = ANY ($1)"
    "   AND NOT EXISTS (SELECT FROM queue_recipient q WHERE q.queue_id = m.id) RETURNING id)"
    " DELETE FROM queue_blob b USING d WHERE b.queue_id = d.id" };
static enum result write_trace(struct finish *f)
{
    struct events e;
    struct db_param event_params[EVENTS_PARAMS];
    int64_t *ids = arena_array(f->a, int64_t, f->n);
    int32_t *ns = arena_array(f->a, int32_t, f->n), *outcomes = arena_array(f->a, int32_t, f->n);
    size_t n_done = 0, n_calls;
    enum result r;

    events_make(&e, f->a, f->n * 2);
    for (size_t i = 0; i < f->n; i++) {
        if (!f->held[i])
            continue;
        events_of(&e, &f->v[i]);
        if (f->v[i].fate == QUEUE_AGAIN)
            continue;
        ids[n_done] = f->v[i].job->message->id;
        ns[n_done] = f->v[i].job->n;
        outcomes[n_done++] = (int32_t)outcome_of(f->v[i].fate);
    }
    events_params(f->a, &e, event_params);
    const struct db_param recipient_params[] = { db_int8_array(f->a, ids, n_done), db_int4_array(f->a, ns, n_done),
                                                 db_int4_array(f->a, outcomes, n_done), db_time(f->first_at),
                                                 db_time(f->last_at) };
    const struct db_param message_params[] = { db_int8_array(f->a, f->ids, f->n_ids), db_time(f->first_at),
                                               db_time(f->last_at) };
    struct db_call calls[] = {
        { .stmt = &events_stmt, .params = event_params, .n = EVENTS_PARAMS },
        { .stmt = &queue_version_stmt, .params = message_params, .n = 1 },
        { .stmt = &recipients_stmt, .params = recipient_params, .n = ARRAY_LEN(recipient_params) },
        { .stmt = &messages_stmt, .params = message_params, .n = ARRAY_LEN(message_params) },
        { .stmt = &gone_stmt, .params = message_params, .n = 1 },
    };
    n_calls = n_done > 0 ? ARRAY_LEN(calls) : 2;
    r = tx_batch(f->tx, calls, n_calls, NULL);
    for (size_t i = 0; i < ARRAY_LEN(calls); i++)
        db_rows_free(&calls[i].rows);
    return r;
}

/* The notices of those whose lease held, each once. */
static enum result write_notices(struct finish *f)
{
    struct queue_new *notices = arena_array(f->a, struct queue_new, f->n);
    size_t n = 0;

    for (size_t i = 0; i < f->n; i++) {
        const struct queue_new *notice = f->v[i].notice;
        bool there = notice == NULL || !f->held[i];

        for (size_t k = 0; k < n && !there; k++)
            there = notices[k].id == notice->id;
        if (!there)
            notices[n++] = *notice;
    }
    for (size_t i = 0; i < n; i += 64) {
        enum result r = queue_insert(f->tx, notices + i, MIN(n - i, (size_t)64));

        if (r != RES_OK)
            return r;
    }
    return RES_OK;
}

static enum result finish(struct finish *f)
{
    enum result r;

    collect_ids(f);
    r = apply(f);
    if (r == RES_OK)
        r = write_trace(f);
    return r == RES_OK ? write_notices(f) : r;
}

enum result queue_finish(struct db *db, const struct queue_outcome *v, size_t n, size_t *ret_lost)
{
    CLEANUP(arena_releasep) struct arena a = { 0 };
    CLEANUP(tx_rollbackp) struct tx *tx = NULL;
    struct finish f = { .a = &a, .v = v, .n = n };
    size_t lost = 0;
    enum result r;

    if (n == 0) {
        *ret_lost = 0;
        return RES_OK;
    }
    r = tx_begin(db, STR_NULL, &tx);
    if (r != RES_OK)
        return r;
    f.tx = tx;
    r = finish(&f);
    if (r != RES_OK)
        return r;
    fault_point("queue-before-finish");
    r = tx_commit_notify(&tx, CHANGED_CHANNEL, queue_changed(&a, f.ids, f.n_ids));
    fault_point("queue-after-finish");
    if (r != RES_OK) { /* in doubt: done again it finds its work done, or does it */
        if (r == RES_CANCELLED && db_settle(db, f.xid) != RES_OK)
            log_warn("queue-finish-in-doubt", F_INT("jobs", n));
        return RES_TEMPFAIL;
    }
    for (size_t i = 0; i < n; i++)
        lost += !f.held[i];
    *ret_lost = lost;
    return RES_OK;
}

enum result queue_finish_local(struct tx *tx, const struct queue_outcome *outcome)
{
    CLEANUP(arena_releasep) struct arena a = { 0 };
    struct finish f = { .tx = tx, .a = &a, .v = outcome, .n = 1 };
    enum result r = finish(&f);

    if (r != RES_OK)
        return r;
    return f.held[0] ? RES_OK : RES_CONFLICT;
}
