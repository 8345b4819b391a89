#include "store/annotation.h"

#include "base/fault.h"
#include "store/mailbox.h"

enum result annotation_list(struct db *db, const struct principal *who, int64_t mailbox_id, struct arena *a,
                            struct annotation **ret_v, size_t *ret_n)
{
    static const struct db_stmt stmt = { "annotation_list",
        "SELECT name, value FROM annotation WHERE account_id = $1 AND mailbox_id = $2 ORDER BY name COLLATE \"C\"" };
    const struct db_param params[] = { db_int8(who->account_id), db_int8(mailbox_id) };
    CLEANUP(db_rows_freep) struct db_rows rows = { 0 };
    struct annotation *v;

    if (db_query_as(db, who->token, &stmt, params, ARRAY_LEN(params), &rows) != RES_OK)
        return RES_TEMPFAIL;
    v = arena_array(a, struct annotation, db_count(&rows) + 1);
    for (size_t i = 0; i < db_count(&rows); i++)
        v[i] = (struct annotation){ arena_str(a, db_get_str(&rows, i, 0)), arena_str(a, db_get_str(&rows, i, 1)) };
    *ret_v = v;
    *ret_n = db_count(&rows);
    return RES_OK;
}

static enum result set_one(struct tx *tx, const struct principal *who, int64_t mailbox_id, const struct annotation *e)
{
    static const struct db_stmt put = { "annotation_put",
        "INSERT INTO annotation (account_id, mailbox_id, name, value) VALUES ($1, $2, $3, $4) "
        "ON CONFLICT (account_id, mailbox_id, name) DO UPDATE SET value = $4" };
    static const struct db_stmt drop = { "annotation_drop",
        "DELETE FROM annotation WHERE account_id = $1 AND mailbox_id = $2 AND name = $3" };
    const struct db_param params[] = { db_int8(who->account_id), db_int8(mailbox_id), db_text(e->name), db_bytea(e->value) };

    if (e->value.p == NULL)
        return tx_query(tx, &drop, params, 3, NULL);
    return tx_query(tx, &put, params, ARRAY_LEN(params), NULL);
}

/* Is the mailbox there, and is what the account has now within the limits? */
static enum result check(struct tx *tx, const struct principal *who, int64_t mailbox_id)
{
    static const struct db_stmt stmt = { "annotation_check",
        "SELECT $2 = 0 OR EXISTS (SELECT FROM mailbox WHERE account_id = $1 AND id = $2), "
        "count(*) FILTER (WHERE mailbox_id = $2), coalesce(sum(octet_length(value)), 0)::bigint "
        "FROM annotation WHERE account_id = $1" };
    const struct db_param params[] = { db_int8(who->account_id), db_int8(mailbox_id) };
    CLEANUP(db_rows_freep) struct db_rows rows = { 0 };

    if (tx_query(tx, &stmt, params, ARRAY_LEN(params), &rows) != RES_OK)
        return RES_TEMPFAIL;
    if (db_get_int(&rows, 0, 0) == 0)
        return RES_NOTFOUND;
    return db_get_int(&rows, 0, 1) > ANNOTATION_COUNT_MAX || db_get_int(&rows, 0, 2) > ANNOTATION_ACCOUNT_MAX ? RES_LIMIT
                                                                                                            : RES_OK;
}

enum result annotation_set(struct db *db, const struct principal *who, int64_t mailbox_id, const struct annotation *v,
                           size_t n)
{
    const struct db_param params[] = { db_int8(who->account_id) };
    CLEANUP(tx_rollbackp) struct tx *tx = NULL;
    enum result r = tx_begin(db, who->token, &tx);

    if (r == RES_OK)
        r = tx_query(tx, &account_lock_stmt, params, ARRAY_LEN(params), NULL);
    for (size_t i = 0; i < n && r == RES_OK; i++)
        r = set_one(tx, who, mailbox_id, &v[i]);
    if (r == RES_OK)
        r = check(tx, who, mailbox_id);
    if (r == RES_NOTFOUND || r == RES_LIMIT)
        return r;
    fault_point("annotation-commit");
    return r == RES_OK && tx_commit(&tx) == RES_OK ? RES_OK : RES_TEMPFAIL;
}
