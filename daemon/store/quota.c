#include "store/quota.h"
#include "config/settings.h"

static int64_t limit_at(const struct db_rows *rows, size_t row, int column)
{
    return db_is_null(rows, row, column) ? -1 : db_get_int(rows, row, column);
}

enum result quota_recount(struct db *db, int64_t account_id, bool repair, struct arena *a, struct quota_drift **ret_v,
                          size_t *ret_n)
{
    static const struct db_stmt stmt = { "quota_recount",
        "SELECT mailbox, counter, was, counted FROM mail_recount($1, $2) ORDER BY mailbox NULLS FIRST, counter" };
    const struct db_param params[] = { db_int8(account_id), db_bool(repair) };
    CLEANUP(db_rows_freep) struct db_rows rows = { 0 };
    enum result r = db_query(db, &stmt, params, ARRAY_LEN(params), &rows);
    struct quota_drift *v;

    if (r != RES_OK)
        return r;
    v = arena_array(a, struct quota_drift, db_count(&rows) + 1);
    for (size_t i = 0; i < db_count(&rows); i++)
        v[i] = (struct quota_drift){ .mailbox = arena_str(a, db_get_str(&rows, i, 0)),
                                     .counter = arena_str(a, db_get_str(&rows, i, 1)),
                                     .was = db_get_int(&rows, i, 2),
                                     .counted = db_get_int(&rows, i, 3) };
    *ret_v = v;
    *ret_n = db_count(&rows);
    return RES_OK;
}

enum result quota_of(struct db *db, struct str token, int64_t account_id, struct quota_use *ret_main,
                     struct quota_use *ret_apart)
{
    static const struct db_stmt stmt = { "quota_of",
        "SELECT s.used_bytes - k.bytes, s.used_messages - k.messages, s.quota_bytes, s.quota_messages, k.bytes, k.messages "
        "FROM account_state s, LATERAL (SELECT coalesce(sum(bytes), 0)::bigint AS bytes, coalesce(sum(messages), 0)::bigint "
        "AS messages FROM mailbox WHERE account_id = $1 AND $2 AND special_use IN (3, 5)) k WHERE s.account_id = $1" };
    const struct db_param params[] = { db_int8(account_id), db_bool(settings_get()->quota_apart) };
    CLEANUP(db_rows_freep) struct db_rows rows = { 0 };
    enum result r = db_query_as(db, token, &stmt, params, ARRAY_LEN(params), &rows);

    if (r != RES_OK)
        return RES_TEMPFAIL;
    if (db_count(&rows) == 0)
        return RES_NOTFOUND;
    *ret_main = (struct quota_use){ db_get_int(&rows, 0, 0), db_get_int(&rows, 0, 1), limit_at(&rows, 0, 2),
                                    limit_at(&rows, 0, 3) };
    *ret_apart = (struct quota_use){ db_get_int(&rows, 0, 4), db_get_int(&rows, 0, 5), ret_main->limit_bytes,
                                     ret_main->limit_messages };
    return RES_OK;
}

enum result quota_domains(struct db *db, struct arena *a, struct quota_domain **ret_v, size_t *ret_n)
{
    static const struct db_stmt stmt = { "quota_domains",
        "SELECT d.id, d.quota_bytes, coalesce(sum(s.used_bytes), 0)::bigint FROM domain d "
        "LEFT JOIN account a ON a.domain_id = d.id AND a.state <> 4 LEFT JOIN account_state s ON s.account_id = a.id "
        "WHERE d.quota_bytes IS NOT NULL AND d.deleted_at IS NULL GROUP BY d.id ORDER BY d.id" };
    CLEANUP(db_rows_freep) struct db_rows rows = { 0 };
    enum result r = db_query(db, &stmt, NULL, 0, &rows);
    struct quota_domain *v;

    if (r != RES_OK)
        return r;
    v = arena_array(a, struct quota_domain, db_count(&rows) + 1);
    for (size_t i = 0; i < db_count(&rows); i++)
        v[i] = (struct quota_domain){ db_get_int(&rows, i, 0), db_get_int(&rows, i, 1), db_get_int(&rows, i, 2) };
    *ret_v = v;
    *ret_n = db_count(&rows);
    return RES_OK;
}

/* ---- warnings ---- */

/* The use that refuses mail, and its level; who cannot be told is never full.  $1: whether Junk and Trash are apart. */
#define USE                                                                                                        \
    "account_state s CROSS JOIN LATERAL (SELECT coalesce(sum(bytes), 0)::bigint AS bytes, "                        \
    "coalesce(sum(messages), 0)::bigint AS messages FROM mailbox WHERE account_id = s.account_id AND $1 "          \
    "AND special_use IN (3, 5)) k "                                                                                \
    "CROSS JOIN LATERAL (SELECT s.used_bytes - k.bytes AS bytes, s.used_messages - k.messages AS messages) u "     \
    "CROSS JOIN LATERAL (SELECT CASE WHEN EXISTS (SELECT FROM account WHERE id = s.account_id AND state <> 4) "     \
    "AND EXISTS (SELECT FROM mailbox WHERE account_id = s.account_id AND name = 'INBOX') "                         \
    "THEN greatest(quota_level(u.bytes, s.quota_bytes), quota_level(u.messages, s.quota_messages)) ELSE 0 END AS level) l"

enum result quota_due_list(struct db *db, int64_t after, int most, struct arena *a, struct quota_due **ret_v, size_t *ret_n)
{
    static const struct db_stmt stmt = { "quota_due_list",
        "SELECT q.account_id, coalesce(b.id, 0), coalesce(l.level, 0), coalesce(s.warned, 0), "
        "a.address, coalesce(a.language, d.language), u.bytes, u.messages, s.quota_bytes, s.quota_messages "
        "FROM (SELECT account_id FROM quota_due WHERE account_id > $2 ORDER BY account_id LIMIT $3) q "
        "LEFT JOIN (" USE ") ON s.account_id = q.account_id LEFT JOIN account a ON a.id = q.account_id "
        "LEFT JOIN domain d ON d.id = a.domain_id LEFT JOIN mailbox b ON b.account_id = q.account_id AND b.name = 'INBOX' ORDER BY q.account_id" };
    const struct db_param params[] = { db_bool(settings_get()->quota_apart), db_int8(after), db_int4(most) };
    CLEANUP(db_rows_freep) struct db_rows rows = { 0 };
    enum result r = db_query(db, &stmt, params, ARRAY_LEN(params), &rows);
    struct quota_due *v;

    if (r != RES_OK)
        return r;
    v = arena_array(a, struct quota_due, db_count(&rows) + 1);
    for (size_t i = 0; i < db_count(&rows); i++)
        v[i] = (struct quota_due){
            .account_id = db_get_int(&rows, i, 0),
            .inbox_id = db_get_int(&rows, i, 1),
            .level = (int)db_get_int(&rows, i, 2),
            .warned = (int)db_get_int(&rows, i, 3),
            .address = arena_str(a, db_get_str(&rows, i, 4)),
            .language = arena_str(a, db_get_str(&rows, i, 5)),
            .use = { db_get_int(&rows, i, 6), db_get_int(&rows, i, 7), limit_at(&rows, i, 8), limit_at(&rows, i, 9) },
        };
    *ret_v = v;
    *ret_n = db_count(&rows);
    return RES_OK;
}

enum result quota_due_settle(struct db *db, int64_t account_id)
{
    static const struct db_stmt lock = { "quota_due_lock",
        "SELECT FROM account_state WHERE account_id = $1 FOR NO KEY UPDATE" };
    static const struct db_stmt stmt = { "quota_due_settle",
        "WITH n AS MATERIALIZED (SELECT s.warned, l.level FROM " USE " WHERE s.account_id = $2), "
        "w AS (UPDATE account_state c SET warned = n.level FROM n WHERE c.account_id = $2 AND n.level < n.warned) "
        "DELETE FROM quota_due WHERE account_id = $2 AND NOT EXISTS (SELECT FROM n WHERE n.level > n.warned)" };
    const struct db_param params[] = { db_bool(settings_get()->quota_apart), db_int8(account_id) };
    struct db_call calls[] = { { .stmt = &lock, .params = &params[1], .n = 1 },
                               { .stmt = &stmt, .params = params, .n = ARRAY_LEN(params) } };
    CLEANUP(tx_rollbackp) struct tx *tx = NULL;
    enum result r = tx_begin(db, STR_NULL, &tx);

    if (r == RES_OK)
        r = tx_batch_commit(&tx, calls, ARRAY_LEN(calls), NULL, 0, NULL);
    for (size_t i = 0; i < ARRAY_LEN(calls); i++)
        db_rows_free(&calls[i].rows);
    return r == RES_OK ? RES_OK : RES_TEMPFAIL;
}
