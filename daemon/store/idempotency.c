#include "store/idempotency.h"
#include "base/macros.h"

enum result idempotency_begin(struct db *db, struct str hash, struct str request, struct arena *a, struct str *ret_answer)
{
    /* One that was never answered belonged to a process that died. */
    static const struct db_stmt take = { "idempotency_take",
        "INSERT INTO idempotency AS i (hash, request) VALUES ($1, $2) ON CONFLICT (hash) DO UPDATE SET made_at = now() "
        "WHERE i.answer IS NULL AND i.request = excluded.request AND i.made_at < now() - interval '1 minute' RETURNING 1" };
    static const struct db_stmt look = { "idempotency_look", "SELECT request, answer FROM idempotency WHERE hash = $1" };
    const struct db_param params[] = { db_bytea(hash), db_bytea(request) };
    CLEANUP(db_rows_freep) struct db_rows taken = { 0 }, rows = { 0 };
    enum result r = db_query(db, &take, params, ARRAY_LEN(params), &taken);

    if (r != RES_OK || db_count(&taken) == 1)
        return r;
    r = db_query(db, &look, params, 1, &rows);
    if (r != RES_OK)
        return r;
    if (db_count(&rows) == 0) /* it was given up in between */
        return RES_LIMIT;
    if (!str_eq(db_get_str(&rows, 0, 0), request))
        return RES_CONFLICT;
    if (db_is_null(&rows, 0, 1))
        return RES_LIMIT;
    *ret_answer = arena_str(a, db_get_str(&rows, 0, 1));
    return RES_EXISTS;
}

enum result idempotency_end(struct db *db, struct str hash, struct str answer)
{
    static const struct db_stmt keep = { "idempotency_keep", "UPDATE idempotency SET answer = $2 WHERE hash = $1" };
    static const struct db_stmt drop = { "idempotency_drop", "DELETE FROM idempotency WHERE hash = $1" };
    const struct db_param params[] = { db_bytea(hash), db_bytea(answer) };

    return answer.p != NULL ? db_query(db, &keep, params, 2, NULL) : db_query(db, &drop, params, 1, NULL);
}

enum result idempotency_sweep(struct db *db)
{
    static const struct db_stmt stmt = { "idempotency_sweep", "DELETE FROM idempotency WHERE made_at < now() - interval '24 hours'" };

    return db_query(db, &stmt, NULL, 0, NULL);
}
