/* store/queue_change.c - one message's next attempt, end, priority and route, in one transaction. */
#include "store/queue_filter.h"

#include "store/queue_internal.h"

/* Locks the message and its recipients. */
static enum result lock(struct tx *tx, int64_t id, int64_t version, struct str_list domains, struct arena *a)
{
    static const struct db_stmt message = { "queue_change_lock",
        "SELECT version FROM queue_message m WHERE id = $1 AND " QUEUE_VISIBLE_SQL("$2") " FOR UPDATE" };
    static const struct db_stmt recipients = { "queue_change_lock_recipients",
        "SELECT min(state) FROM (SELECT " QUEUE_STATE_SQL " AS state FROM queue_recipient r WHERE r.queue_id = $1"
        " ORDER BY r.n FOR UPDATE) x" };
    const struct db_param params[] = { db_int8(id), queue_filter_list(domains, a) };
    struct db_call calls[] = { { .stmt = &message, .params = params, .n = 2 }, { .stmt = &recipients, .params = params, .n = 1 } };
    enum result r = tx_batch(tx, calls, ARRAY_LEN(calls), NULL);

    if (r == RES_OK && (db_count(&calls[0].rows) == 0 || db_is_null(&calls[1].rows, 0, 0)))
        r = RES_NOTFOUND;
    else if (r == RES_OK && version != 0 && db_get_int(&calls[0].rows, 0, 0) != version)
        r = RES_CONFLICT;
    else if (r == RES_OK && db_get_int(&calls[1].rows, 0, 0) == QUEUE_SENDING)
        r = RES_DENIED;
    for (size_t i = 0; i < ARRAY_LEN(calls); i++)
        db_rows_free(&calls[i].rows);
    return r;
}

/* What was done to them before can no longer be taken back. */
static enum result apply(struct tx *tx, int64_t id, const struct queue_change *c, struct str actor)
{
    static const struct db_stmt next = { "queue_change_next",
        "UPDATE queue_recipient SET due_at = $2, lease_by = NULL, undo_id = NULL WHERE queue_id = $1 AND state = 0" };
    static const struct db_stmt priority = { "queue_change_priority",
        "UPDATE queue_recipient SET lane = $2, undo_id = NULL WHERE queue_id = $1 AND state IN (0, 1)" };
    static const struct db_stmt route = { "queue_change_route",
        "UPDATE queue_recipient SET lease_by = NULL, undo_id = NULL, " QUEUE_REROUTE_SET("$2")
        " WHERE queue_id = $1 AND state IN (0, 1) AND " QUEUE_REROUTE_WHERE("$2") };
    static const struct db_stmt expires = { "queue_change_expires", "UPDATE queue_message SET expires_at = $2 WHERE id = $1" };
    static const struct db_stmt event = { "queue_change_event",
        "INSERT INTO trace_event (at, trace_id, n, kind, actor, host) SELECT received_at, id, -1, kind, $2, host FROM queue_message,"
        " (VALUES (23, " QUEUE_TIME_SQL("$3") ", $3 IS NOT NULL), (24, $4, $5),"
        "  (25, concat_ws(' ', 'expires_at=' || " QUEUE_TIME_SQL("$6") ", 'priority=' || $7::int), $6 IS NOT NULL OR $7 IS NOT NULL))"
        " AS v (kind, host, happens) WHERE id = $1 AND happens" };
    const struct db_param next_params[] = { db_int8(id), db_time(c->next_attempt_at) };
    const struct db_param priority_params[] = { db_int8(id), db_int2((int16_t)(1 - c->new_priority)) };
    const struct db_param route_params[] = { db_int8(id), db_text(c->new_route) };
    const struct db_param expires_params[] = { db_int8(id), db_time(c->expires_at) };
    const struct db_param event_params[] = { db_int8(id), db_text(actor), db_time(c->next ? c->next_attempt_at : DB_NO_TIME),
                                             db_text(c->new_route), db_bool(c->route),
                                             db_time(c->expires ? c->expires_at : DB_NO_TIME),
                                             c->priority ? db_int4(c->new_priority) : db_int4_null() };
    struct db_call calls[5];
    size_t n = 0;
    enum result r;

    if (c->route) /* before the time, which it sets */
        calls[n++] = (struct db_call){ .stmt = &route, .params = route_params, .n = 2 };
    if (c->next)
        calls[n++] = (struct db_call){ .stmt = &next, .params = next_params, .n = 2 };
    if (c->priority)
        calls[n++] = (struct db_call){ .stmt = &priority, .params = priority_params, .n = 2 };
    if (c->expires)
        calls[n++] = (struct db_call){ .stmt = &expires, .params = expires_params, .n = 2 };
    calls[n++] = (struct db_call){ .stmt = &event, .params = event_params, .n = ARRAY_LEN(event_params) };
    r = tx_batch(tx, calls, n, NULL);
    for (size_t i = 0; i < n; i++)
        db_rows_free(&calls[i].rows);
    return r;
}

enum result queue_change(struct db *db, int64_t id, int64_t version, struct str_list domains, const struct queue_change *change,
                         struct str actor, const struct audit *audit)
{
    CLEANUP(arena_releasep) struct arena a = { 0 };
    CLEANUP(tx_rollbackp) struct tx *tx = NULL;
    const struct db_param ids[] = { db_int8_array(&a, &id, 1) };
    const struct db_notice notices[] = { { "queue_changed", queue_changed(&a, &id, 1) }, { "queue", STR("") } };
    struct db_call calls[] = { { .stmt = &queue_version_stmt, .params = ids, .n = 1 },
                               { .stmt = &queue_wake_stmt, .params = ids, .n = 1 } };
    enum result r = tx_begin(db, STR_NULL, &tx);

    if (r == RES_OK)
        r = lock(tx, id, version, domains, &a);
    if (r == RES_OK)
        r = apply(tx, id, change, actor);
    if (r == RES_OK)
        r = audit_add(tx, audit);
    if (r != RES_OK)
        return r;
    r = tx_batch_commit(&tx, calls, ARRAY_LEN(calls), notices, ARRAY_LEN(notices), NULL);
    for (size_t i = 0; i < ARRAY_LEN(calls); i++)
        db_rows_free(&calls[i].rows);
    return r == RES_OK ? RES_OK : RES_TEMPFAIL;
}
