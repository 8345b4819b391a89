#include "store/session.h"

#define ALIVE "s.created_at > now() - interval '12 hours' AND s.seen_at > now() - interval '30 minutes'"

enum result session_find(struct db *db, struct str hash, struct arena *a, struct session *ret)
{
    static const struct db_stmt stmt = { "session_find",
        "SELECT a.id, a.address, a.name, a.language, a.role, (SELECT array_agg(d.name) FROM domain_admin da "
        "JOIN domain d ON d.id = da.domain_id WHERE da.account_id = a.id AND d.deleted_at IS NULL), s.csrf, "
        "s.must_set_password, s.created_at + interval '12 hours', s.seen_at < now() - interval '1 minute', "
        "s.authenticated_at > now() - interval '10 minutes' "
        "FROM session s JOIN account a ON a.id = s.account_id JOIN domain ad ON ad.id = a.domain_id "
        "WHERE s.hash = $1 AND NOT s.code_due AND " ALIVE " AND a.state IN (0, 1, 2) AND ad.state = 0 AND ad.deleted_at IS NULL" };
    static const struct db_stmt seen = { "session_seen", "UPDATE session SET seen_at = now() WHERE hash = $1" };
    const struct db_param params[] = { db_bytea(hash) };
    CLEANUP(db_rows_freep) struct db_rows rows = { 0 };
    enum result r = db_query_row(db, &stmt, params, ARRAY_LEN(params), &rows);
    struct session s = { 0 };

    if (r != RES_OK)
        return r;
    s.account_id = db_get_int(&rows, 0, 0);
    s.address = arena_str(a, db_get_str(&rows, 0, 1));
    s.name = arena_str(a, db_get_str(&rows, 0, 2));
    s.language = arena_str(a, db_get_str(&rows, 0, 3));
    s.role = (enum account_role)db_get_int(&rows, 0, 4);
    if (!db_is_null(&rows, 0, 5))
        s.n_domains = db_get_str_array(&rows, 0, 5, a, &s.domains);
    s.csrf = arena_str(a, db_get_str(&rows, 0, 6));
    s.must_set_password = db_get_int(&rows, 0, 7) != 0;
    s.expires_us = db_get_time(&rows, 0, 8);
    s.fresh = db_get_int(&rows, 0, 10) != 0;
    if (db_get_int(&rows, 0, 9) != 0)
        r = db_query(db, &seen, params, ARRAY_LEN(params), NULL);
    if (r == RES_OK)
        *ret = s;
    return r;
}

enum result session_end(struct db *db, struct str hash)
{
    static const struct db_stmt stmt = { "session_end", "DELETE FROM session WHERE hash = $1" };
    const struct db_param params[] = { db_bytea(hash) };

    return db_query(db, &stmt, params, ARRAY_LEN(params), NULL);
}

enum result session_password_set(struct db *db, struct str hash)
{
    static const struct db_stmt stmt = { "session_password_set",
        "UPDATE session SET must_set_password = false, authenticated_at = now() WHERE hash = $1" };
    const struct db_param params[] = { db_bytea(hash) };

    return db_query(db, &stmt, params, ARRAY_LEN(params), NULL);
}

enum result session_sweep(struct db *db)
{
    static const struct db_stmt stmt = { "session_sweep", "DELETE FROM session s WHERE NOT (" ALIVE ") "
        "OR (s.code_due AND s.created_at < now() - interval '5 minutes')" };

    return db_query(db, &stmt, NULL, 0, NULL);
}

enum result session_list(struct db *db, int64_t account_id, struct str hash, struct arena *a, struct session_row **ret_v,
                         size_t *ret_n)
{
    static const struct db_stmt stmt = { "session_list",
        "SELECT s.id, s.created_at, s.seen_at, s.ip, s.user_agent, s.hash = $2 FROM session s WHERE s.account_id = $1 AND NOT s.code_due AND " ALIVE
        " ORDER BY s.created_at DESC, s.id DESC LIMIT $3" };
    const struct db_param params[] = { db_int8(account_id), db_bytea(hash), db_int4(SESSION_LIST_MAX) };
    CLEANUP(db_rows_freep) struct db_rows rows = { 0 };
    enum result r = db_query(db, &stmt, params, ARRAY_LEN(params), &rows);

    if (r != RES_OK)
        return r;
    *ret_n = db_count(&rows);
    *ret_v = arena_array(a, struct session_row, *ret_n + 1);
    for (size_t i = 0; i < *ret_n; i++)
        (*ret_v)[i] = (struct session_row){ .id = db_get_int(&rows, i, 0),
                                            .began_us = db_get_time(&rows, i, 1),
                                            .seen_us = db_get_time(&rows, i, 2),
                                            .ip = db_get_inet(&rows, i, 3, a),
                                            .user_agent = arena_str(a, db_get_str(&rows, i, 4)),
                                            .current = db_get_int(&rows, i, 5) != 0 };
    return RES_OK;
}

enum result session_end_one(struct db *db, int64_t account_id, int64_t id, const struct audit *audit)
{
    static const struct db_stmt stmt = { "session_end_one", "DELETE FROM session WHERE id = $1 AND account_id = $2" };
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
