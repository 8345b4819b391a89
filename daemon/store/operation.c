#include "store/operation.h"
#include "base/fault.h"
#include "store/queue_internal.h"

static enum result add_chunks(struct tx *tx, int64_t id, const int64_t *ids, size_t n)
{
    static const struct db_stmt stmt = { "operation_chunk",
        "INSERT INTO operation_chunk (operation_id, n, ids) VALUES ($1, $2, $3)" };
    enum result r = RES_OK;

    for (size_t at = 0; at < n && r == RES_OK; at += QUEUE_CHUNK) {
        CLEANUP(arena_releasep) struct arena a = { 0 };
        const struct db_param params[] = { db_int8(id), db_int4((int32_t)(at / QUEUE_CHUNK)),
                                           db_int8_array(&a, ids + at, MIN(n - at, (size_t)QUEUE_CHUNK)) };

        r = tx_query(tx, &stmt, params, ARRAY_LEN(params), NULL);
    }
    return r;
}

enum result operation_begin(struct db *db, const struct queue_request *request, const int64_t *ids, size_t n,
                            const struct audit *audit, int64_t *ret_id)
{
    static const struct db_stmt stmt = { "operation_begin",
        "INSERT INTO operation (action, actor, reason, at, route, total) VALUES ($1, $2, $3, $4, $5, $6) RETURNING id" };
    const struct db_param params[] = { db_int2((int16_t)request->action), db_text(request->actor), db_text(request->reason),
                                       db_time(request->action == QUEUE_RESCHEDULE ? request->at : DB_NO_TIME),
                                       db_text(request->route), db_int8((int64_t)n) };
    CLEANUP(tx_rollbackp) struct tx *tx = NULL;
    CLEANUP(db_rows_freep) struct db_rows rows = { 0 };
    enum result r = tx_begin(db, STR_NULL, &tx);

    if (r == RES_OK)
        r = tx_query(tx, &stmt, params, ARRAY_LEN(params), &rows);
    if (r == RES_OK)
        r = add_chunks(tx, db_get_int(&rows, 0, 0), ids, n);
    if (r == RES_OK)
        r = audit_commit(&tx, audit);
    if (r == RES_OK)
        *ret_id = db_get_int(&rows, 0, 0);
    return r;
}

enum result operation_get(struct db *db, int64_t id, struct str actor, struct arena *a, struct operation *ret)
{
    static const struct db_stmt stmt = { "operation_get",
        "SELECT o.total, o.done, o.changed, o.skipped,"
        " o.state, o.action, o.actor, o.undo_id, u.until, o.created_at, o.finished_at, i.created, i.updated, i.unchanged, i.failed"
        " FROM operation o LEFT JOIN queue_undo u ON u.id = o.undo_id AND NOT u.undone LEFT JOIN import i ON i.operation_id = o.id"
        " WHERE o.id = $1 AND ($2::text IS NULL OR o.actor = $2)" };
    const struct db_param params[] = { db_int8(id), db_text(actor) };
    CLEANUP(db_rows_freep) struct db_rows rows = { 0 };
    enum result r = db_query_row(db, &stmt, params, ARRAY_LEN(params), &rows);

    if (r != RES_OK)
        return r;
    *ret = (struct operation){
        .id = id, .total = db_get_int(&rows, 0, 0), .done = db_get_int(&rows, 0, 1), .changed = db_get_int(&rows, 0, 2),
        .skipped = db_get_int(&rows, 0, 3), .state = (enum operation_state)db_get_int(&rows, 0, 4),
        .action = (enum queue_action)db_get_int(&rows, 0, 5), .actor = arena_str(a, db_get_str(&rows, 0, 6)),
        .undo_id = db_is_null(&rows, 0, 8) ? 0 : db_get_int(&rows, 0, 7), .undo_until = db_get_time(&rows, 0, 8),
        .created_at = db_get_time(&rows, 0, 9), .finished_at = db_get_time(&rows, 0, 10),
        .is_import = db_get_int(&rows, 0, 5) == OPERATION_IMPORT,
        .import = { db_get_int(&rows, 0, 11), db_get_int(&rows, 0, 12), db_get_int(&rows, 0, 13), db_get_int(&rows, 0, 14) },
    };
    return RES_OK;
}

enum result operation_cancel(struct db *db, int64_t id, struct str actor, const struct audit *audit)
{
    /* The pieces first, as who works on one does: he has it, then the operation. */
    static const struct db_stmt pieces = { "operation_cancel_pieces",
        "DELETE FROM operation_chunk c USING operation o WHERE c.operation_id = $1 AND o.id = $1"
        " AND ($2::text IS NULL OR o.actor = $2)" };
    static const struct db_stmt cancel = { "operation_cancel",
        "UPDATE operation SET state = CASE state WHEN 0 THEN 2 ELSE state END, finished_at = coalesce(finished_at, now())"
        " WHERE id = $1 AND ($2::text IS NULL OR actor = $2)" };
    const struct db_param params[] = { db_int8(id), db_text(actor) };
    CLEANUP(tx_rollbackp) struct tx *tx = NULL;
    CLEANUP(db_rows_freep) struct db_rows rows = { 0 };
    enum result r = tx_begin(db, STR_NULL, &tx);

    if (r == RES_OK)
        r = tx_query(tx, &pieces, params, ARRAY_LEN(params), NULL);
    if (r == RES_OK)
        r = tx_query(tx, &cancel, params, ARRAY_LEN(params), &rows);
    if (r == RES_OK && db_affected(&rows) == 0)
        return RES_NOTFOUND;
    return r == RES_OK ? audit_commit(&tx, audit) : r;
}

/* What was taken: a piece, and the operation's words. */
struct piece {
    int64_t operation_id, undo_id, *ids;
    int32_t n;
    size_t n_ids;
    struct queue_request request;
};

static enum result take(struct tx *tx, struct arena *a, struct piece *ret)
{
    static const struct db_stmt stmt = { "operation_take",
        "SELECT o.id, c.n, c.ids, o.action, o.actor, o.reason, o.at, o.route, o.undo_id FROM operation_chunk c"
        " JOIN operation o ON o.id = c.operation_id ORDER BY c.operation_id, c.n LIMIT 1 FOR UPDATE SKIP LOCKED" };
    CLEANUP(db_rows_freep) struct db_rows rows = { 0 };
    enum result r = tx_query(tx, &stmt, NULL, 0, &rows);

    if (r != RES_OK)
        return r;
    if (db_count(&rows) == 0)
        return RES_NOTFOUND;
    *ret = (struct piece){
        .operation_id = db_get_int(&rows, 0, 0), .n = (int32_t)db_get_int(&rows, 0, 1), .undo_id = db_get_int(&rows, 0, 8),
        .request = { .action = (enum queue_action)db_get_int(&rows, 0, 3), .actor = arena_str(a, db_get_str(&rows, 0, 4)),
                     .reason = arena_str(a, db_get_str(&rows, 0, 5)), .at = db_get_time(&rows, 0, 6),
                     .route = arena_str(a, db_get_str(&rows, 0, 7)) },
    };
    ret->n_ids = db_get_int_array(&rows, 0, 2, a, &ret->ids);
    return RES_OK;
}

enum result operation_work(struct db *db)
{
    static const struct db_stmt gone = { "operation_gone", "DELETE FROM operation_chunk WHERE operation_id = $1 AND n = $2" };
    static const struct db_stmt progress = { "operation_progress",
        "UPDATE operation SET done = done + $2, changed = changed + $3, skipped = skipped + $4, undo_id = coalesce(undo_id, nullif($5, 0)),"
        "  state = CASE WHEN state = 0 AND NOT EXISTS (SELECT FROM operation_chunk WHERE operation_id = $1) THEN 1 ELSE state END,"
        "  finished_at = CASE WHEN state = 0 AND NOT EXISTS (SELECT FROM operation_chunk WHERE operation_id = $1) THEN now()"
        "   ELSE finished_at END WHERE id = $1" };
    CLEANUP(arena_releasep) struct arena a = { 0 };
    CLEANUP(tx_rollbackp) struct tx *tx = NULL;
    struct queue_answer answer = { 0 };
    struct piece p;
    int64_t *changed = NULL;
    size_t n_changed = 0;
    enum result r = tx_begin(db, STR_NULL, &tx);

    if (r == RES_OK)
        r = take(tx, &a, &p);
    if (r != RES_OK)
        return r;
    answer.undo_id = p.undo_id;
    r = queue_act_chunk(tx, &p.request, p.ids, p.n_ids, &a, &answer, &changed, &n_changed);
    if (r != RES_OK)
        return r;
    const struct db_param gone_params[] = { db_int8(p.operation_id), db_int4(p.n) };
    const struct db_param params[] = { db_int8(p.operation_id), db_int8((int64_t)p.n_ids), db_int8(answer.changed),
                                       db_int8(answer.skipped), db_int8(answer.undo_id) };
    struct db_call calls[] = { { .stmt = &gone, .params = gone_params, .n = ARRAY_LEN(gone_params) },
                               { .stmt = &progress, .params = params, .n = ARRAY_LEN(params) } };
    const struct db_notice notices[] = { { "queue_changed", queue_changed(&a, changed, n_changed) }, { "queue", STR("") } };

    fault_point("operation-before-commit");
    r = tx_batch_commit(&tx, calls, ARRAY_LEN(calls), notices, n_changed > 0 ? 2 : 0, NULL);
    for (size_t i = 0; i < ARRAY_LEN(calls); i++)
        db_rows_free(&calls[i].rows);
    return r == RES_OK ? RES_OK : RES_TEMPFAIL; /* in doubt: the piece is gone, or it is done again */
}

enum result operation_sweep(struct db *db)
{
    static const struct db_stmt stmt = { "operation_sweep", "DELETE FROM operation WHERE finished_at < now() - interval '1 day'" };

    return db_query(db, &stmt, NULL, 0, NULL);
}
