/* store/queue_undo.c - taking an administrator's action back.
 *
 * Each recipient's row says which action changed it last and what it was before.  A claim, the purge and a further action
 * take that mark away: what bears it is as the action left it.  So an undo that is interrupted goes on where it stopped. */
#include "store/queue_internal.h"
#include "store/queue_admin.h"

#define MAX_LISTED 100

enum result queue_undo_list(struct db *db, struct str actor, struct arena *a, struct queue_undo **ret_v, size_t *ret_n)
{
    static const struct db_stmt stmt = { "queue_undo_list",
        "SELECT id, at, until, action, actor, changed FROM queue_undo"
        " WHERE until > now() AND NOT undone AND ($1::text IS NULL OR actor = $1) ORDER BY id DESC LIMIT $2" };
    const struct db_param params[] = { db_text(actor), db_int4(MAX_LISTED) };
    CLEANUP(db_rows_freep) struct db_rows rows = { 0 };
    enum result r = db_query(db, &stmt, params, ARRAY_LEN(params), &rows);
    struct queue_undo *v;

    if (r != RES_OK)
        return r;
    v = arena_array(a, struct queue_undo, db_count(&rows));
    for (size_t i = 0; i < db_count(&rows); i++)
        v[i] = (struct queue_undo){
            .id = db_get_int(&rows, i, 0), .at = db_get_time(&rows, i, 1), .until = db_get_time(&rows, i, 2),
            .action = arena_str(a, db_get_str(&rows, i, 3)), .actor = arena_str(a, db_get_str(&rows, i, 4)),
            .changed = db_get_int(&rows, i, 5),
        };
    *ret_v = v;
    *ret_n = db_count(&rows);
    return RES_OK;
}

/* The next messages that bear the action's mark, locked; none: the action is marked as undone. */
static enum result take_chunk(struct tx *tx, int64_t id, struct arena *a, int64_t **ret_ids, size_t *ret_n)
{
    static const struct db_stmt find = { "queue_undo_find",
        "SELECT DISTINCT queue_id FROM queue_recipient WHERE undo_id = $1 ORDER BY queue_id LIMIT $2" };
    static const struct db_stmt lock = { "queue_undo_lock", "SELECT FROM queue_message WHERE id = ANY ($1) ORDER BY id FOR UPDATE" };
    static const struct db_stmt done = { "queue_undo_done", "UPDATE queue_undo SET undone = true WHERE id = $1" };
    const struct db_param params[] = { db_int8(id), db_int4(QUEUE_CHUNK) };
    CLEANUP(db_rows_freep) struct db_rows rows = { 0 };
    enum result r = tx_query(tx, &find, params, ARRAY_LEN(params), &rows);

    if (r != RES_OK)
        return r;
    queue_read_ids(&rows, a, ret_ids, ret_n);
    if (*ret_n == 0)
        return tx_query(tx, &done, params, 1, NULL);
    const struct db_param ids[] = { db_int8_array(a, *ret_ids, *ret_n) };

    return tx_query(tx, &lock, ids, 1, NULL);
}

/* *ret_n: how many messages bore the mark; *ret_restored: those that still did under the lock. */
static enum result undo_chunk(struct db *db, int64_t id, struct str who, size_t *ret_n, size_t *ret_restored)
{
    static const struct db_stmt restore = { "queue_undo_restore",
        "WITH u AS (UPDATE queue_recipient SET state = was_state, due_at = was_due_at, destination = was_destination,"
        "   home = nullif(coalesce(home, destination), was_destination), lease_by = NULL, undo_id = NULL"
        "  WHERE undo_id = $2 AND queue_id = ANY ($1) RETURNING queue_id),"
        " n AS (SELECT DISTINCT queue_id FROM u)"
        " SELECT queue_id FROM n ORDER BY 1" };
    static const struct db_stmt events = { "queue_undo_events",
        "INSERT INTO trace_event (at, trace_id, n, kind, actor) SELECT received_at, id, -1, $2, $3 FROM queue_message"
        " WHERE id = ANY ($1)" };
    CLEANUP(arena_releasep) struct arena a = { 0 };
    CLEANUP(tx_rollbackp) struct tx *tx = NULL;
    CLEANUP(db_rows_freep) struct db_rows rows = { 0 };
    int64_t *ids, *restored;
    enum result r = tx_begin(db, STR_NULL, &tx);

    if (r == RES_OK)
        r = take_chunk(tx, id, &a, &ids, ret_n);
    if (r != RES_OK)
        return r;
    *ret_restored = 0;
    if (*ret_n == 0)
        return tx_commit(&tx) == RES_OK ? RES_OK : RES_TEMPFAIL;
    const struct db_param params[] = { db_int8_array(&a, ids, *ret_n), db_int8(id) };

    r = tx_query(tx, &restore, params, ARRAY_LEN(params), &rows);
    if (r != RES_OK)
        return r;
    queue_read_ids(&rows, &a, &restored, ret_restored);
    const struct db_param event_params[] = { db_int8_array(&a, restored, *ret_restored), db_int2(EVENT_UNDONE), db_text(who) };
    const struct db_notice notices[] = { { "queue_changed", queue_changed(&a, restored, *ret_restored) }, { "queue", STR("") } };
    struct db_call calls[] = { { .stmt = &events, .params = event_params, .n = ARRAY_LEN(event_params) },
                               { .stmt = &queue_version_stmt, .params = event_params, .n = 1 },
                               { .stmt = &queue_wake_stmt, .params = event_params, .n = 1 } };

    r = tx_batch_commit(&tx, calls, ARRAY_LEN(calls), notices, ARRAY_LEN(notices), NULL);
    for (size_t i = 0; i < ARRAY_LEN(calls); i++)
        db_rows_free(&calls[i].rows);
    return r == RES_OK ? RES_OK : RES_TEMPFAIL;
}

/* An operation that is not through with it goes no further. */
static enum result stop_operation(struct db *db, int64_t id)
{
    static const struct db_stmt pieces = { "queue_undo_pieces",
        "DELETE FROM operation_chunk WHERE operation_id IN (SELECT id FROM operation WHERE undo_id = $1 AND state = 0)" };
    static const struct db_stmt stop = { "queue_undo_operation",
        "UPDATE operation SET state = 2, finished_at = now() WHERE undo_id = $1 AND state = 0" };
    const struct db_param params[] = { db_int8(id) };
    struct db_call calls[] = { { .stmt = &pieces, .params = params, .n = 1 }, { .stmt = &stop, .params = params, .n = 1 } };
    CLEANUP(tx_rollbackp) struct tx *tx = NULL;
    enum result r = tx_begin(db, STR_NULL, &tx);

    if (r == RES_OK)
        r = tx_batch_commit(&tx, calls, ARRAY_LEN(calls), NULL, 0, NULL);
    for (size_t i = 0; i < ARRAY_LEN(calls); i++)
        db_rows_free(&calls[i].rows);
    return r == RES_OK ? RES_OK : RES_TEMPFAIL;
}

enum result queue_undo(struct db *db, int64_t id, struct str actor, struct str who, int64_t *ret_restored,
                       int64_t *ret_changed)
{
    static const struct db_stmt stmt = { "queue_undo_get",
        "SELECT changed FROM queue_undo WHERE id = $1 AND until > now() AND NOT undone AND ($2::text IS NULL OR actor = $2)" };
    const struct db_param params[] = { db_int8(id), db_text(actor) };
    CLEANUP(db_rows_freep) struct db_rows rows = { 0 };
    int64_t restored = 0;
    size_t n = 1, now;
    enum result r = db_query_row(db, &stmt, params, ARRAY_LEN(params), &rows);

    if (r != RES_OK)
        return r;
    r = stop_operation(db, id);
    while (n > 0 && r == RES_OK) {
        r = undo_chunk(db, id, who, &n, &now);
        if (r == RES_OK)
            restored += (int64_t)now;
    }
    if (r != RES_OK)
        return r;
    *ret_restored = restored;
    *ret_changed = db_get_int(&rows, 0, 0);
    return RES_OK;
}

enum result queue_undo_sweep(struct db *db)
{
    static const struct db_stmt stmt = { "queue_undo_sweep", "DELETE FROM queue_undo WHERE until < now() - interval '1 hour'" };

    return db_query(db, &stmt, NULL, 0, NULL);
}
