/* store/queue_act.c - what an administrator does to messages: in transactions of at most 1,000 messages.
 *
 * Each locks the messages by id and then their recipients, so nothing is claimed meanwhile; a message of which a relay
 * has a recipient at this moment is left alone.  The actor and the reason go into the trace.  What a recipient was before
 * stays in its row with the action's id (queue_undo.c); what is to go only says so and when (queue_purge.c). */
#include "store/queue_filter.h"

#include "store/queue_internal.h"

#define MAX_MESSAGES 1000000

struct act {
    const struct queue_request *request;
    struct arena *a; /* of the chunk */
    struct tx *tx;
    const int64_t *ids; /* of the chunk, sorted */
    size_t n;
    int64_t *free_ids; /* those that nobody is sending */
    size_t n_free;
    int64_t *changed_ids;
    size_t n_changed;
    int64_t undo_id, undo_until;
};

static const struct {
    const char *name;
    enum trace_kind kind;
    const char *reason; /* of the event; NULL: none */
    bool wakes;         /* its recipients become due */
} actions[] = {
    [QUEUE_RETRY] = { "retry", EVENT_RETRIED, NULL, true },
    [QUEUE_HOLD] = { "hold", EVENT_HELD, NULL, false },
    [QUEUE_RELEASE] = { "release", EVENT_RELEASED, NULL, true },
    [QUEUE_BOUNCE] = { "bounce", EVENT_RETURNING, "bounced-by-admin", false },
    [QUEUE_DELETE] = { "delete", EVENT_DELETING, "removed-by-admin", false },
    [QUEUE_RESCHEDULE] = { "reschedule", EVENT_RESCHEDULED, NULL, true },
    [QUEUE_REROUTE] = { "reroute", EVENT_REROUTED, NULL, true },
};

#define FIND(name, text) { name, "SELECT m.id FROM queue_message m WHERE " QUEUE_MATCH text " ORDER BY m.id LIMIT $21" }

/* All that match, in order; at most `at_most`. */
static enum result find_ids(struct db *db, const struct queue_filter *filter, int64_t at_most, struct arena *a,
                            int64_t **ret_ids, size_t *ret_n)
{
    static const struct db_stmt stmts[2] = { FIND("queue_act_find", ""), FIND("queue_act_find_text", QUEUE_MATCH_TEXT("", "")) };
    CLEANUP(db_rows_freep) struct db_rows rows = { 0 };
    struct db_param params[QUEUE_FILTER_PARAMS + 1];
    enum result r;

    queue_filter_params(filter, a, params);
    params[QUEUE_FILTER_PARAMS] = db_int8(at_most);
    r = db_query(db, &stmts[filter->text.p != NULL], params, ARRAY_LEN(params), &rows);
    if (r != RES_OK)
        return r;
    queue_read_ids(&rows, a, ret_ids, ret_n);
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

/* The action in the table of those that can be taken back, counted up with each chunk. */
static enum result note_undo(struct act *act, struct queue_answer *answer)
{
    static const struct db_stmt begin = { "queue_act_undo",
        "INSERT INTO queue_undo (action, actor, reason) VALUES ($1, $2, $3) RETURNING id, until" };
    static const struct db_stmt more = { "queue_act_undo_more",
        "UPDATE queue_undo SET until = now() + interval '60 seconds' WHERE id = $1 RETURNING id, until" };
    const struct queue_request *q = act->request;
    const struct db_param begin_params[] = { db_text(str_c(actions[q->action].name)), db_text(q->actor), db_text(q->reason) };
    const struct db_param more_params[] = { db_int8(answer->undo_id) };
    CLEANUP(db_rows_freep) struct db_rows rows = { 0 };
    enum result r = answer->undo_id == 0 ? tx_query(act->tx, &begin, begin_params, ARRAY_LEN(begin_params), &rows)
                                         : tx_query(act->tx, &more, more_params, ARRAY_LEN(more_params), &rows);

    if (r != RES_OK || db_count(&rows) != 1)
        return RES_TEMPFAIL;
    act->undo_id = db_get_int(&rows, 0, 0);
    act->undo_until = db_get_time(&rows, 0, 1);
    return RES_OK;
}

/* $1: messages; $2: the action.  A relay that overslept its lease has lost it with this. */
#define CHANGE(set, where)                                                                                             \
    "WITH u AS (UPDATE queue_recipient SET " set ", lease_by = NULL, undo_id = $2, was_state = state,"                  \
    "   was_due_at = due_at, was_destination = destination WHERE queue_id = ANY ($1) AND " where " RETURNING queue_id)," \
    " n AS (SELECT DISTINCT queue_id FROM u)"                                                                          \
    " SELECT queue_id FROM n ORDER BY 1"
#define GOES_AT "due_at = now() + interval '60 seconds'"

/* Does it to the recipients; tells which messages it changed. */
static enum result change(struct act *act)
{
    static const struct db_stmt stmts[] = {
        [QUEUE_RETRY] = { "queue_act_retry", CHANGE("due_at = least(due_at, now())", "state = 0") },
        [QUEUE_HOLD] = { "queue_act_hold", CHANGE("state = 1", "state = 0") },
        [QUEUE_RELEASE] = { "queue_act_release", CHANGE("state = 0, due_at = now()", "state = 1") },
        [QUEUE_BOUNCE] = { "queue_act_bounce", CHANGE("state = 4, " GOES_AT, "state IN (0, 1) AND destination <> '.return'") },
        [QUEUE_DELETE] = { "queue_act_delete", CHANGE("state = 2, " GOES_AT, "state IN (0, 1)") },
        [QUEUE_RESCHEDULE] = { "queue_act_reschedule", CHANGE("due_at = $3", "state = 0") },
        [QUEUE_REROUTE] = { "queue_act_reroute", CHANGE(QUEUE_REROUTE_SET("$3"), "state IN (0, 1) AND " QUEUE_REROUTE_WHERE("$3")) },
    };
    const struct queue_request *q = act->request;
    const struct db_param params[] = { db_int8_array(act->a, act->free_ids, act->n_free), db_int8(act->undo_id),
                                       q->action == QUEUE_RESCHEDULE ? db_time(q->at) : db_text(q->route) };
    bool has_third = q->action == QUEUE_RESCHEDULE || q->action == QUEUE_REROUTE;
    CLEANUP(db_rows_freep) struct db_rows rows = { 0 };
    enum result r = tx_query(act->tx, &stmts[q->action], params, has_third ? 3 : 2, &rows);

    if (r == RES_OK)
        queue_read_ids(&rows, act->a, &act->changed_ids, &act->n_changed);
    return r;
}

/* Trace, version, destinations. */
static enum result record(struct act *act)
{
    static const struct db_stmt events = { "queue_act_events",
        "INSERT INTO trace_event (at, trace_id, n, kind, actor, reply, reason, host)"
        " SELECT received_at, id, -1, $2, $3, $4, $5, coalesce($6, " QUEUE_TIME_SQL("$7") ") FROM queue_message"
        " WHERE id = ANY ($1)" };
    static const struct db_stmt count = { "queue_act_undo_count",
        "UPDATE queue_undo SET changed = changed + $2 WHERE id = $1" };
    const struct queue_request *q = act->request;
    const struct db_param ids[] = { db_int8_array(act->a, act->changed_ids, act->n_changed) };
    const struct db_param event_params[] = { ids[0], db_int2((int16_t)actions[q->action].kind), db_text(q->actor),
                                             db_text(q->reason), db_text(str_c(actions[q->action].reason)),
                                             db_text(q->action == QUEUE_REROUTE ? q->route : STR_NULL),
                                             db_time(q->action == QUEUE_RESCHEDULE ? q->at : DB_NO_TIME) };
    const struct db_param count_params[] = { db_int8(act->undo_id), db_int8((int64_t)act->n_changed) };
    struct db_call calls[] = { { .stmt = &events, .params = event_params, .n = ARRAY_LEN(event_params) },
                               { .stmt = &count, .params = count_params, .n = ARRAY_LEN(count_params) },
                               { .stmt = &queue_version_stmt, .params = ids, .n = 1 },
                               { .stmt = &queue_wake_stmt, .params = ids, .n = 1 } };
    enum result r = tx_batch(act->tx, calls, actions[q->action].wakes ? 4 : 3, NULL);

    for (size_t i = 0; i < ARRAY_LEN(calls); i++)
        db_rows_free(&calls[i].rows);
    return r;
}

enum result queue_act_chunk(struct tx *tx, const struct queue_request *request, const int64_t *ids, size_t n, struct arena *a,
                            struct queue_answer *answer, int64_t **ret_changed, size_t *ret_n)
{
    struct act act = { .request = request, .a = a, .tx = tx, .ids = ids, .n = n };
    enum result r = lock_chunk(&act, answer);

    if (r == RES_OK && act.n_free > 0)
        r = note_undo(&act, answer);
    if (r == RES_OK && act.n_free > 0)
        r = change(&act);
    if (r == RES_OK && act.n_changed > 0)
        r = record(&act);
    if (r == RES_OK && act.n_changed > 0) {
        answer->changed += (int64_t)act.n_changed;
        answer->undo_id = act.undo_id;
        answer->undo_until = act.undo_until;
    }
    *ret_changed = act.changed_ids;
    *ret_n = act.n_changed;
    return r;
}

enum result queue_act_on(struct db *db, const struct queue_request *request, const int64_t *ids, size_t n,
                         const struct audit *audit, struct queue_answer *answer)
{
    CLEANUP(arena_releasep) struct arena a = { 0 };
    CLEANUP(tx_rollbackp) struct tx *tx = NULL;
    int64_t *changed = NULL;
    size_t n_changed = 0;
    enum result r = tx_begin(db, STR_NULL, &tx);

    if (r == RES_OK && n > 0)
        r = queue_act_chunk(tx, request, ids, n, &a, answer, &changed, &n_changed);
    if (r == RES_OK)
        r = audit_add(tx, audit);
    if (r != RES_OK)
        return r;
    const struct db_notice notices[] = { { "queue_changed", queue_changed(&a, changed, n_changed) }, { "queue", STR("") } };

    r = tx_batch_commit(&tx, NULL, 0, notices, n_changed == 0 ? 0 : actions[request->action].wakes ? 2 : 1, NULL);
    return r == RES_OK ? RES_OK : RES_TEMPFAIL; /* in doubt: doing it again is harmless */
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

enum result queue_find(struct db *db, const struct queue_request *request, struct arena *a, int64_t **ret_ids, size_t *ret_n,
                       struct queue_answer *ret)
{
    int64_t at_most = request->max > 0 ? request->max : MAX_MESSAGES;
    enum result r = find_ids(db, request->filter, at_most + 1, a, ret_ids, ret_n);

    if (r != RES_OK)
        return r;
    *ret = (struct queue_answer){ .matched = (int64_t)*ret_n };
    note_missing(request->filter, *ret_ids, *ret_n, ret);
    if (ret->matched <= at_most)
        return RES_OK;
    r = queue_count(db, request->filter, MAX_MESSAGES, &ret->matched);
    return r == RES_OK ? RES_LIMIT : r;
}

enum result queue_act(struct db *db, const struct queue_request *request, struct arena *a, struct queue_answer *ret)
{
    struct queue_answer answer;
    int64_t *ids;
    size_t n;
    enum result r = queue_find(db, request, a, &ids, &n, &answer);

    for (size_t at = 0; at < n && r == RES_OK; at += QUEUE_CHUNK)
        r = queue_act_on(db, request, ids + at, MIN(n - at, (size_t)QUEUE_CHUNK), NULL, &answer);
    if (r == RES_OK || r == RES_LIMIT)
        *ret = answer;
    return r;
}
