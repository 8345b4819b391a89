#include "store/presence.h"

#define ALIVE "seen_at > now() - interval '90 seconds'" /* a process that serves somebody writes every 30 */

enum result presence_register(struct db *db, struct str node, struct str process, int64_t *ret_id)
{
    static const struct db_stmt process_stmt = { "presence_register",
        "INSERT INTO presence (node, process) VALUES ($1, $2) ON CONFLICT (node, process) DO UPDATE SET seen_at = now() "
        "RETURNING id" };
    static const struct db_stmt empty = { "presence_empty",
        "DELETE FROM connection WHERE presence_id = (SELECT id FROM presence WHERE node = $1 AND process = $2)" };
    const struct db_param params[] = { db_text(node), db_text(process) };
    CLEANUP(db_rows_freep) struct db_rows rows = { 0 };
    enum result r = db_query(db, &empty, params, ARRAY_LEN(params), NULL);

    if (r == RES_OK)
        r = db_query(db, &process_stmt, params, ARRAY_LEN(params), &rows);
    if (r == RES_OK)
        *ret_id = db_get_int(&rows, 0, 0);
    return r;
}

enum result presence_write(struct db *db, int64_t id, const struct presence_row *began, size_t n_began, const int64_t *ended,
                           size_t n_ended)
{
    static const struct db_stmt stmt = { "presence_write",
        "WITH p AS (UPDATE presence SET seen_at = now() WHERE id = $1 RETURNING id), "
        "d AS (DELETE FROM connection WHERE presence_id = $1 AND n = ANY ($2)), "
        "i AS (INSERT INTO connection (presence_id, n, account_id, protocol, ip, began_at) "
        "SELECT p.id, x.n, x.account_id, x.protocol, nullif(x.ip, '')::inet, 'epoch'::timestamptz + x.began * interval '1 microsecond' "
        "FROM p, unnest($3::bigint[], $4::bigint[], $5::text[], $6::text[], $7::bigint[]) AS x (n, account_id, protocol, ip, began) "
        "ON CONFLICT DO NOTHING) SELECT count(*) FROM p" };
    CLEANUP(arena_releasep) struct arena a = { 0 };
    CLEANUP(db_rows_freep) struct db_rows rows = { 0 };
    int64_t *numbers = arena_array(&a, int64_t, n_began + 1), *accounts = arena_array(&a, int64_t, n_began + 1),
            *times = arena_array(&a, int64_t, n_began + 1);
    struct str *protocols = arena_array(&a, struct str, n_began + 1), *ips = arena_array(&a, struct str, n_began + 1);
    enum result r;

    for (size_t i = 0; i < n_began; i++) {
        numbers[i] = began[i].n;
        accounts[i] = began[i].account_id;
        times[i] = began[i].began_us;
        protocols[i] = began[i].protocol;
        ips[i] = began[i].ip;
    }
    {
        const struct db_param params[] = { db_int8(id), db_int8_array(&a, ended, n_ended),
                                           db_int8_array(&a, numbers, n_began), db_int8_array(&a, accounts, n_began),
                                           db_text_array(&a, protocols, n_began), db_text_array(&a, ips, n_began),
                                           db_int8_array(&a, times, n_began) };

        r = db_query(db, &stmt, params, ARRAY_LEN(params), &rows);
    }
    if (r != RES_OK)
        return r;
    return db_get_int(&rows, 0, 0) == 0 ? RES_NOTFOUND : RES_OK;
}

enum result presence_check(struct db *db, int64_t id, const struct presence_row *v, size_t n,
                           enum presence_verdict *ret_verdicts)
{
    static const struct db_stmt stmt = { "presence_check",
        "SELECT CASE WHEN a.id IS NULL OR a.state >= 3 OR d.state <> 0 OR d.deleted_at IS NOT NULL OR c.ending IS TRUE "
        "OR a.sessions_from > 'epoch'::timestamptz + x.began * interval '1 microsecond' "
        "OR NOT EXISTS (SELECT FROM credential k WHERE k.id = x.credential_id AND k.account_id = a.id) THEN 2 "
        "WHEN a.state = 2 THEN 1 ELSE 0 END "
        "FROM unnest($2::bigint[], $3::bigint[], $4::bigint[], $5::bigint[]) WITH ORDINALITY AS x (n, account_id, credential_id, began, i) "
        "LEFT JOIN account a ON a.id = x.account_id LEFT JOIN domain d ON d.id = a.domain_id "
        "LEFT JOIN connection c ON c.presence_id = $1 AND c.n = x.n ORDER BY x.i" };
    CLEANUP(arena_releasep) struct arena a = { 0 };
    CLEANUP(db_rows_freep) struct db_rows rows = { 0 };
    int64_t *columns[4];
    enum result r;

    for (size_t k = 0; k < ARRAY_LEN(columns); k++)
        columns[k] = arena_array(&a, int64_t, n + 1);
    for (size_t i = 0; i < n; i++) {
        columns[0][i] = v[i].n;
        columns[1][i] = v[i].account_id;
        columns[2][i] = v[i].credential_id;
        columns[3][i] = v[i].began_us;
    }
    {
        const struct db_param params[] = { db_int8(id), db_int8_array(&a, columns[0], n), db_int8_array(&a, columns[1], n),
                                           db_int8_array(&a, columns[2], n), db_int8_array(&a, columns[3], n) };

        r = db_query(db, &stmt, params, ARRAY_LEN(params), &rows);
    }
    if (r != RES_OK)
        return r;
    for (size_t i = 0; i < n; i++)
        ret_verdicts[i] = (enum presence_verdict)db_get_int(&rows, i, 0);
    return RES_OK;
}

enum result presence_tell(struct db *db, int64_t account_id)
{
    static const struct db_stmt stmt = { "presence_tell", "SELECT pg_notify('account', coalesce(nullif($1, 0)::text, ''))" };
    const struct db_param params[] = { db_int8(account_id) };

    return db_query(db, &stmt, params, ARRAY_LEN(params), NULL);
}

enum result presence_list(struct db *db, int64_t account_id, struct arena *a, struct presence_session **ret_v, size_t *ret_n)
{
    static const struct db_stmt stmt = { "presence_list",
        "SELECT c.id, c.protocol, c.ip, c.began_at FROM connection c JOIN presence p ON p.id = c.presence_id "
        "WHERE c.account_id = $1 AND NOT c.ending AND p." ALIVE " ORDER BY c.began_at DESC, c.id DESC LIMIT $2" };
    const struct db_param params[] = { db_int8(account_id), db_int4(PRESENCE_LIST_MAX) };
    CLEANUP(db_rows_freep) struct db_rows rows = { 0 };
    enum result r = db_query(db, &stmt, params, ARRAY_LEN(params), &rows);

    if (r != RES_OK)
        return r;
    *ret_n = db_count(&rows);
    *ret_v = arena_array(a, struct presence_session, *ret_n + 1);
    for (size_t i = 0; i < *ret_n; i++)
        (*ret_v)[i] = (struct presence_session){ .id = db_get_int(&rows, i, 0),
                                                 .protocol = arena_str(a, db_get_str(&rows, i, 1)),
                                                 .ip = db_get_inet(&rows, i, 2, a),
                                                 .began_us = db_get_time(&rows, i, 3) };
    return RES_OK;
}

enum result presence_end_one(struct db *db, int64_t account_id, int64_t id, const struct audit *audit)
{
    static const struct db_stmt stmt = { "presence_end_one",
        "UPDATE connection SET ending = true WHERE id = $1 AND account_id = $2" };
    const struct db_param params[] = { db_int8(id), db_int8(account_id) };
    CLEANUP(tx_rollbackp) struct tx *tx = NULL;
    CLEANUP(db_rows_freep) struct db_rows rows = { 0 };
    enum result r = tx_begin(db, STR_NULL, &tx);

    if (r == RES_OK)
        r = tx_query(tx, &stmt, params, ARRAY_LEN(params), &rows);
    if (r != RES_OK)
        return r;
    return db_affected(&rows) == 0 ? RES_NOTFOUND : audit_commit(&tx, audit);
}

enum result presence_end_all(struct db *db, int64_t account_id, struct str keep, const struct audit *audit)
{
    static const struct db_stmt stmt = { "presence_end_all",
        "WITH s AS (DELETE FROM session WHERE account_id = $1 AND ($2::bytea IS NULL OR hash <> $2)) "
        "UPDATE account SET sessions_from = now() WHERE id = $1" };
    const struct db_param params[] = { db_int8(account_id), db_bytea(keep) };
    CLEANUP(tx_rollbackp) struct tx *tx = NULL;
    enum result r = tx_begin(db, STR_NULL, &tx);

    if (r == RES_OK)
        r = tx_query(tx, &stmt, params, ARRAY_LEN(params), NULL);
    return r == RES_OK ? audit_commit(&tx, audit) : r;
}

enum result presence_sweep(struct db *db)
{
    static const struct db_stmt stmt = { "presence_sweep", "DELETE FROM presence WHERE NOT (" ALIVE ")" };

    return db_query(db, &stmt, NULL, 0, NULL);
}
