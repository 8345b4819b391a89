/* store/queue_act.c - what an administrator does to messages: in transactions of at most 1,000 messages.
 *
 * Each locks the messages by id and then their recipients, so nothing is claimed meanwhile; a message of which a relay
 * has a recipient at this moment is left alone.  The actor and the reason go into the trace. */
#include "base/log.h"
#include "base/strbuf.h"
#include "store/queue_filter.h"

#include "store/queue.h"

#include <inttypes.h>

#define CHUNK 1000
#define MAX_MESSAGES 1000000
#define MAX_PAYLOAD 7900

struct act {
    struct db *db;
    const struct queue_request *request;
    struct arena *a; /* of the chunk */
    struct tx *tx;
    const int64_t *ids; /* of the chunk, sorted */
    size_t n;
    int64_t *free_ids; /* those that nobody is sending */
    size_t n_free;
    int64_t *changed_ids;
    size_t n_changed;
};

static const struct {
    enum trace_kind kind;
    bool wakes; /* its recipients become due */
} actions[] = {
    [QUEUE_RETRY] = { EVENT_RETRIED, true },   [QUEUE_HOLD] = { EVENT_HELD, false },   [QUEUE_RELEASE] = { EVENT_RELEASED, true },
    [QUEUE_BOUNCE] = { EVENT_BOUNCED, true },  [QUEUE_DELETE] = { EVENT_REMOVED, false },
};

/* All that match, in order; at most `at_most`. */
static enum result find_ids(struct db *db, const struct queue_filter *filter, int64_t at_most, struct arena *a,
                            int64_t **ret_ids, size_t *ret_n)
{
    static const struct db_stmt stmt = { "queue_act_find",
        "SELECT m.id FROM queue_message m WHERE " QUEUE_MATCH " ORDER BY m.id LIMIT $14" };
    CLEANUP(db_rows_freep) struct db_rows rows = { 0 };
    struct db_param params[QUEUE_FILTER_PARAMS + 1];
    enum result r;

    queue_filter_params(filter, a, params);
    params[QUEUE_FILTER_PARAMS] = db_int8(at_most);
    r = db_query(db, &stmt, params, ARRAY_LEN(params), &rows);
    if (r != RES_OK)
        return r;
    *ret_n = db_count(&rows);
    *ret_ids = arena_array(a, int64_t, *ret_n);
    for (size_t i = 0; i < *ret_n; i++)
        (*ret_ids)[i] = db_get_int(&rows, i, 0);
    return RES_OK;
}

/* Locks the chunk; finds what is free, what is busy, what has gone meanwhile. */
static enum result lock_chunk(struct act *act, struct queue_answer *answer)
{
    static const struct db_stmt messages = { "queue_act_lock",
        "SELECT id, version FROM queue_message WHERE id = ANY ($1) ORDER BY id FOR UPDATE" };
    static const struct db_stmt recipients = { "queue_act_lock_recipients",
        "SELECT queue_id, min(state) FROM (SELECT r.queue_id, " QUEUE_STATE_SQL " AS state FROM queue_recipient r"
        "  WHERE r.queue_id = ANY ($1) ORDER BY r.queue_id, r.n FOR UPDATE) x GROUP BY queue_id ORDER BY queue_id" };
    const struct db_param params[] = { db_int8_array(act->a, act->ids, act->n) };
    struct db_call calls[] = { { .stmt = &messages, .params = params, .n = 1 },
                               { .stmt = &recipients, .params = params, .n = 1 } };
    enum result r = tx_batch(act->tx, calls, ARRAY_LEN(calls), NULL);
    const struct db_rows *rows = &calls[1].rows;

    if (r == RES_OK && act->request->version != 0 && db_count(&calls[0].rows) == 1 &&
        db_get_int(&calls[0].rows, 0, 1) != act->request->version)
        r = RES_CONFLICT;
    act->free_ids = arena_array(act->a, int64_t, act->n);
    for (size_t i = 0; r == RES_OK && i < db_count(rows); i++) {
        int64_t id = db_get_int(rows, i, 0);

        if (db_get_int(rows, i, 1) != QUEUE_SENDING) {
            act->free_ids[act->n_free++] = id;
            continue;
        }
        answer->skipped++;
        if (answer->nbusy < QUEUE_MAX_SKIPPED)
            answer->busy[answer->nbusy++] = id;
    }
    for (size_t i = 0; i < ARRAY_LEN(calls); i++)
        db_rows_free(&calls[i].rows);
    return r;
}

/* Does it to the recipients; tells which messages it changed. */
static enum result change(struct act *act)
{
    static const struct db_stmt stmts[] = {
        [QUEUE_RETRY] = { "queue_act_retry",
            "WITH u AS (UPDATE queue_recipient SET due_at = least(due_at, now()) WHERE queue_id = ANY ($1) AND state = 0"
            " RETURNING queue_id) SELECT DISTINCT queue_id FROM u ORDER BY 1" },
        [QUEUE_HOLD] = { "queue_act_hold",
            "WITH u AS (UPDATE queue_recipient SET state = 1 WHERE queue_id = ANY ($1) AND state = 0"
            " RETURNING queue_id) SELECT DISTINCT queue_id FROM u ORDER BY 1" },
        [QUEUE_RELEASE] = { "queue_act_release",
            "WITH u AS (UPDATE queue_recipient SET state = 0, due_at = now(), lease_by = NULL"
            " WHERE queue_id = ANY ($1) AND state = 1 RETURNING queue_id) SELECT DISTINCT queue_id FROM u ORDER BY 1" },
        [QUEUE_BOUNCE] = { "queue_act_bounce", /* an end before the beginning: the relay knows the mark (queue_envelope) */
            "WITH u AS (UPDATE queue_recipient SET state = 0, due_at = now(), lease_by = NULL"
            " WHERE queue_id = ANY ($1) RETURNING queue_id),"
            " m AS (UPDATE queue_message SET expires_at = 'epoch' WHERE id = ANY ($1))"
            " SELECT DISTINCT queue_id FROM u ORDER BY 1" },
        [QUEUE_DELETE] = { "queue_act_delete",
            "WITH u AS (DELETE FROM queue_recipient WHERE queue_id = ANY ($1) RETURNING queue_id, n),"
            " t AS (UPDATE trace_recipient t SET outcome = 5 FROM u JOIN queue_message m ON m.id = u.queue_id"
            "  WHERE t.at = m.received_at AND t.trace_id = u.queue_id AND t.n = u.n)"
            " SELECT DISTINCT queue_id FROM u ORDER BY 1" },
    };
    const struct db_param params[] = { db_int8_array(act->a, act->free_ids, act->n_free) };
    CLEANUP(db_rows_freep) struct db_rows rows = { 0 };
    enum result r = tx_query(act->tx, &stmts[act->request->action], params, ARRAY_LEN(params), &rows);

    if (r != RES_OK)
        return r;
    act->n_changed = db_count(&rows);
    act->changed_ids = arena_array(act->a, int64_t, act->n_changed);
    for (size_t i = 0; i < act->n_changed; i++)
        act->changed_ids[i] = db_get_int(&rows, i, 0);
    return RES_OK;
}

static struct str changed_payload(const struct act *act)
{
    CLEANUP(strbuf_release) struct strbuf b = { .max = MAX_PAYLOAD };

    for (size_t i = 0; i < act->n_changed; i++)
        (void)strbuf_addf(&b, "%s%" PRId64, i > 0 ? "," : "", act->changed_ids[i]);
    return b.overflow ? STR("") : arena_str(act->a, strbuf_str(&b)); /* empty: too many to tell */
}

/* Trace, version, destinations, what is left of deleted messages; and the commit. */
static enum result record(struct act *act)
{
    static const struct db_stmt events = { "queue_act_events",
        "INSERT INTO trace_event (at, trace_id, n, kind, actor, reply, reason)"
        " SELECT received_at, id, -1, $2, $3, $4, $5 FROM queue_message WHERE id = ANY ($1)" };
    static const struct db_stmt version = { "queue_act_version",
        "UPDATE queue_message SET version = version + 1 WHERE id = ANY ($1)" };
    static const struct db_stmt outcomes = { "queue_act_outcomes",
        "UPDATE trace t SET outcome = (SELECT r.outcome FROM trace_recipient r WHERE r.at = t.at AND r.trace_id = t.id"
        "   ORDER BY array_position('{0,3,4,5,2,1,6}'::int[], r.outcome::int) LIMIT 1)"
        " FROM queue_message m WHERE m.id = ANY ($1) AND t.at = m.received_at AND t.id = m.id"
        "  AND EXISTS (SELECT FROM trace_recipient r WHERE r.at = t.at AND r.trace_id = t.id)" };
    static const struct db_stmt bodies = { "queue_act_bodies", "DELETE FROM queue_blob WHERE queue_id = ANY ($1)" };
    static const struct db_stmt messages = { "queue_act_messages", "DELETE FROM queue_message WHERE id = ANY ($1)" };
    static const struct db_stmt destinations = { "queue_act_destinations",
        "INSERT INTO queue_destination (destination) SELECT DISTINCT destination FROM queue_recipient"
        " WHERE queue_id = ANY ($1) AND state = 0 ORDER BY destination"
        " ON CONFLICT (destination) DO UPDATE SET due_at = least(queue_destination.due_at, now())" };
    const struct queue_request *q = act->request;
    const struct db_param ids[] = { db_int8_array(act->a, act->changed_ids, act->n_changed) };
    const struct db_param event_params[] = {
        ids[0], db_int2((int16_t)actions[q->action].kind), db_text(q->actor), db_text(q->reason),
        db_text(q->action == QUEUE_BOUNCE ? STR("bounced-by-admin") : q->action == QUEUE_DELETE ? STR("removed-by-admin") : STR_NULL) };
    const struct db_notice notices[] = { { "queue_changed", changed_payload(act) }, { "queue", STR("") } };
    struct db_call calls[4] = { { .stmt = &events, .params = event_params, .n = ARRAY_LEN(event_params) } };
    size_t n = 1;
    enum result r;

    if (q->action == QUEUE_DELETE) {
        calls[n++] = (struct db_call){ .stmt = &outcomes, .params = ids, .n = 1 };
        calls[n++] = (struct db_call){ .stmt = &bodies, .params = ids, .n = 1 };
        calls[n++] = (struct db_call){ .stmt = &messages, .params = ids, .n = 1 };
    } else {
        calls[n++] = (struct db_call){ .stmt = &version, .params = ids, .n = 1 };
        if (actions[q->action].wakes)
            calls[n++] = (struct db_call){ .stmt = &destinations, .params = ids, .n = 1 };
    }
    r = tx_batch_commit(&act->tx, calls, n, notices, actions[q->action].wakes ? 2 : 1, NULL);
    for (size_t i = 0; i < ARRAY_LEN(calls); i++)
        db_rows_free(&calls[i].rows);
    return r == RES_OK ? RES_OK : RES_TEMPFAIL; /* in doubt: doing it again is harmless */
}

static enum result act_on_chunk(struct db *db, const struct queue_request *request, const int64_t *ids, size_t n,
                                struct queue_answer *answer)
{
    CLEANUP(arena_releasep) struct arena a = { 0 };
    struct act act = { .db = db, .request = request, .a = &a, .ids = ids, .n = n };
    enum result r = tx_begin(db, STR_NULL, &act.tx);

    if (r != RES_OK)
        return r;
    r = lock_chunk(&act, answer);
    if (r == RES_OK && act.n_free > 0)
        r = change(&act);
    if (r == RES_OK && act.n_changed > 0)
        r = record(&act);
    tx_rollbackp(&act.tx);
    if (r == RES_OK)
        answer->changed += (int64_t)act.n_changed;
    return r;
}

/* Those of the ids asked for that did not match. */
static void note_missing(const struct queue_filter *filter, const int64_t *found, size_t n, struct queue_answer *answer)
{
    for (size_t i = 0; i < filter->nids; i++) {
        size_t low = 0, high = n;

        while (low < high) {
            size_t middle = low + (high - low) / 2;

            if (found[middle] < filter->ids[i])
                low = middle + 1;
            else
                high = middle;
        }
        if (low < n && found[low] == filter->ids[i])
            continue;
        answer->missing++;
        if (answer->ngone < QUEUE_MAX_SKIPPED)
            answer->gone[answer->ngone++] = filter->ids[i];
    }
}

enum result queue_act(struct db *db, const struct queue_request *request, struct arena *a, struct queue_answer *ret)
{
    int64_t at_most = request->max > 0 ? request->max : MAX_MESSAGES;
    struct queue_answer answer = { 0 };
    int64_t *ids;
    size_t n;
    enum result r = find_ids(db, request->filter, at_most + 1, a, &ids, &n);

    if (r != RES_OK)
        return r;
    answer.matched = (int64_t)n;
    note_missing(request->filter, ids, n, &answer);
    if (answer.matched > at_most) {
        r = queue_count(db, request->filter, MAX_MESSAGES, &answer.matched);
        if (r != RES_OK)
            return r;
        *ret = answer;
        return RES_LIMIT;
    }
    for (size_t at = 0; at < n && r == RES_OK; at += CHUNK)
        r = act_on_chunk(db, request, ids + at, MIN(n - at, (size_t)CHUNK), &answer);
    if (r == RES_OK)
        *ret = answer;
    return r;
}
