#include "store/keyword.h"
#include "store/mailbox.h"

enum result keyword_list(struct db *db, const struct principal *who, struct arena *a, struct keyword **ret_list,
                         size_t *ret_n)
{
    static const struct db_stmt stmt = { "keyword_list",
        "SELECT id, name FROM keyword WHERE account_id = $1 ORDER BY id" };
    const struct db_param params[] = { db_int8(who->account_id) };
    CLEANUP(db_rows_freep) struct db_rows rows = { 0 };
    struct keyword *list;

    if (db_query_as(db, who->token, &stmt, params, ARRAY_LEN(params), &rows) != RES_OK)
        return RES_TEMPFAIL;
    list = arena_array(a, struct keyword, db_count(&rows));
    for (size_t i = 0; i < db_count(&rows); i++) {
        list[i].id = (int32_t)db_get_int(&rows, i, 0);
        list[i].name = arena_str(a, db_get_str(&rows, i, 1));
    }
    *ret_list = list;
    *ret_n = db_count(&rows);
    return RES_OK;
}

enum result keyword_add(struct db *db, const struct principal *who, struct arena *a, const struct str *names, size_t n)
{
    static const struct db_stmt add = { "keyword_add",
        "WITH o AS (SELECT coalesce(max(id), 0) AS last, count(*) AS n FROM keyword WHERE account_id = $1),"
        " w AS (SELECT DISTINCT ON (lower(t.name)) t.name FROM unnest($2::text[]) AS t(name) WHERE NOT EXISTS"
        "   (SELECT FROM keyword k WHERE k.account_id = $1 AND lower(k.name) = lower(t.name))),"
        " i AS (INSERT INTO keyword (account_id, id, name)"
        "   SELECT $1, o.last + row_number() OVER (ORDER BY w.name), w.name FROM o, w"
        "   WHERE o.n + (SELECT count(*) FROM w) <= $3)"
        " SELECT o.n + (SELECT count(*) FROM w) <= $3 FROM o" };
    const struct db_param params[] = { db_int8(who->account_id), db_text_array(a, names, n), db_int8(KEYWORD_MAX) };
    struct db_call calls[] = { { .stmt = &account_lock_stmt, .params = params, .n = 1 },
                               { .stmt = &add, .params = params, .n = ARRAY_LEN(params) } };
    CLEANUP(tx_rollbackp) struct tx *tx = NULL;
    enum result r = tx_begin(db, who->token, &tx);
    bool fits = false;

    if (r == RES_OK)
        r = tx_batch(tx, calls, ARRAY_LEN(calls), NULL);
    if (r == RES_OK)
        fits = db_get_int(&calls[1].rows, 0, 0) != 0;
    for (size_t i = 0; i < ARRAY_LEN(calls); i++)
        db_rows_free(&calls[i].rows);
    if (r != RES_OK)
        return RES_TEMPFAIL;
    if (!fits)
        return RES_LIMIT;
    return tx_commit(&tx) == RES_OK ? RES_OK : RES_TEMPFAIL;
}
