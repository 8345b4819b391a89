#include "store/audit.h"

/* The number of the lock that orders the rows. */
#define AUDIT_LOCK "4711"

enum result audit_add(struct tx *tx, const struct audit *entry)
{
    static const struct db_stmt lock = { "audit_lock", "SELECT pg_advisory_xact_lock(" AUDIT_LOCK ")" };
    static const struct db_stmt insert = { "audit_insert",
        "INSERT INTO audit (at, actor, action, objects, before, after, result, request_id, hash) "
        "SELECT now(), $1, $2, $3, $4, $5, 'ok', $6, sha256(coalesce((SELECT hash FROM audit ORDER BY id DESC LIMIT 1), ''::bytea) || "
        AUDIT_HASHED("extract(epoch FROM now())", "$1", "$2", "$3", "$4", "$5", "'ok'", "$6") ")" };
    CLEANUP(arena_releasep) struct arena a = { 0 };
    enum result r;

    if (entry == NULL)
        return RES_OK;
    {
        const struct db_param params[] = { db_json(entry->actor), db_text(entry->action),
                                           db_text_array(&a, entry->objects, entry->n_objects), db_json(entry->before),
                                           db_json(entry->after), db_text(entry->request_id) };
        struct db_call calls[] = { { .stmt = &lock }, { .stmt = &insert, .params = params, .n = ARRAY_LEN(params) } };

        r = tx_batch(tx, calls, ARRAY_LEN(calls), NULL);
        for (size_t i = 0; i < ARRAY_LEN(calls); i++)
            db_rows_free(&calls[i].rows);
    }
    return r == RES_OK ? RES_OK : RES_TEMPFAIL;
}

enum result audit_commit(struct tx **tx, const struct audit *entry)
{
    enum result r = audit_add(*tx, entry);

    if (r == RES_OK)
        r = tx_commit(tx);
    return r == RES_CANCELLED ? RES_TEMPFAIL : r;
}

enum result audit_write(struct db *db, const struct audit *entry)
{
    CLEANUP(tx_rollbackp) struct tx *tx = NULL;
    enum result r = tx_begin(db, STR_NULL, &tx);

    if (r == RES_OK)
        r = audit_commit(&tx, entry);
    return r == RES_OK ? RES_OK : RES_TEMPFAIL;
}
