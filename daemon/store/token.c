#include "store/token.h"
#include "base/encode.h"

#define USED_EVERY_US (60 * (int64_t)1000000)
#define COLUMNS                                                                                                    \
    "t.id, t.name, t.role, t.scopes, t.domains, t.networks::text[], t.account_id, a.address, t.created_at, "       \
    "t.expires_at, t.last_used_at"

static struct token from_row(const struct db_rows *rows, size_t row, struct arena *a)
{
    struct token t = { .id = db_get_int(rows, row, 0),
                       .name = arena_str(a, db_get_str(rows, row, 1)),
                       .role = (enum account_role)db_get_int(rows, row, 2),
                       .account_id = db_get_int(rows, row, 6),
                       .created_by = arena_str(a, db_get_str(rows, row, 7)),
                       .created_us = db_get_time(rows, row, 8),
                       .expires_us = db_get_time(rows, row, 9),
                       .last_used_us = db_get_time(rows, row, 10) };

    t.n_scopes = db_get_str_array(rows, row, 3, a, &t.scopes);
    if (!db_is_null(rows, row, 4))
        t.n_domains = db_get_str_array(rows, row, 4, a, &t.domains);
    if (!db_is_null(rows, row, 5))
        t.n_networks = db_get_str_array(rows, row, 5, a, &t.networks);
    return t;
}

enum result token_list(struct db *db, int64_t after, size_t limit, struct arena *a, struct token **ret_v, size_t *ret_n,
                       bool *ret_more)
{
    static const struct db_stmt stmt = { "token_list",
        "SELECT " COLUMNS " FROM token t LEFT JOIN account a ON a.id = t.account_id "
        "WHERE ($1 = 0 OR t.id < $1) AND t.expires_at > now() - interval '30 days' ORDER BY t.id DESC LIMIT $2" };
    const struct db_param params[] = { db_int8(after), db_int8((int64_t)limit + 1) };
    CLEANUP(db_rows_freep) struct db_rows rows = { 0 };
    enum result r = db_query(db, &stmt, params, ARRAY_LEN(params), &rows);
    struct token *v;
    size_t n;

    if (r != RES_OK)
        return r;
    n = MIN(db_count(&rows), limit);
    v = arena_array(a, struct token, n + 1);
    for (size_t i = 0; i < n; i++)
        v[i] = from_row(&rows, i, a);
    *ret_v = v;
    *ret_n = n;
    *ret_more = db_count(&rows) > limit;
    return RES_OK;
}

enum result token_get(struct db *db, int64_t id, struct arena *a, struct token *ret)
{
    static const struct db_stmt stmt = { "token_get",
        "SELECT " COLUMNS " FROM token t LEFT JOIN account a ON a.id = t.account_id WHERE t.id = $1" };
    const struct db_param params[] = { db_int8(id) };
    CLEANUP(db_rows_freep) struct db_rows rows = { 0 };
    enum result r = db_query_row(db, &stmt, params, ARRAY_LEN(params), &rows);

    if (r != RES_OK)
        return r;
    *ret = from_row(&rows, 0, a);
    return RES_OK;
}

enum result token_id(struct db *db, int64_t *ret_id)
{
    static const struct db_stmt stmt = { "token_id", "SELECT nextval('token_id_seq')" };
    CLEANUP(db_rows_freep) struct db_rows rows = { 0 };
    enum result r = db_query(db, &stmt, NULL, 0, &rows);

    if (r == RES_OK)
        *ret_id = db_get_int(&rows, 0, 0);
    return r;
}

enum result token_create(struct db *db, const struct token *t, struct str hash, const struct audit *audit)
{
    static const struct db_stmt stmt = { "token_create",
        "INSERT INTO token (id, hash, account_id, name, role, scopes, domains, networks, expires_at) "
        "OVERRIDING SYSTEM VALUE VALUES ($1, $2, nullif($3, 0), $4, $5, $6, CASE WHEN $7 THEN $8::text[] END, "
        "CASE WHEN $9 THEN $10::text[]::cidr[] END, $11)" };
    CLEANUP(arena_releasep) struct arena a = { 0 };
    const struct db_param params[] = {
        db_int8(t->id), db_bytea(hash), db_int8(t->account_id), db_text(t->name), db_int2((int16_t)t->role),
        db_text_array(&a, t->scopes, t->n_scopes), db_bool(t->domains != NULL),
        db_text_array(&a, t->domains, t->n_domains), db_bool(t->networks != NULL),
        db_text_array(&a, t->networks, t->n_networks), db_time(t->expires_us),
    };
    CLEANUP(tx_rollbackp) struct tx *tx = NULL;
    enum result r = tx_begin(db, STR_NULL, &tx);

    if (r == RES_OK)
        r = tx_query(tx, &stmt, params, ARRAY_LEN(params), NULL);
    return r == RES_OK ? audit_commit(&tx, audit) : r;
}

enum result token_revoke(struct db *db, int64_t id, const struct audit *audit)
{
    static const struct db_stmt stmt = { "token_revoke", "DELETE FROM token WHERE id = $1" };
    const struct db_param params[] = { db_int8(id) };
    CLEANUP(tx_rollbackp) struct tx *tx = NULL;
    CLEANUP(db_rows_freep) struct db_rows rows = { 0 };
    enum result r = tx_begin(db, STR_NULL, &tx);

    if (r == RES_OK)
        r = tx_query(tx, &stmt, params, 1, &rows);
    if (r != RES_OK)
        return r;
    if (db_affected(&rows) == 0)
        return RES_NOTFOUND;
    return audit_commit(&tx, audit);
}

enum result token_find(struct db *db, struct str hash, struct arena *a, struct token_use *ret)
{
    static const struct db_stmt stmt = { "token_find",
        "SELECT " COLUMNS ", coalesce(a.role, 2), (SELECT array_agg(d.name) FROM domain_admin da "
        "JOIN domain d ON d.id = da.domain_id WHERE da.account_id = a.id AND d.deleted_at IS NULL) "
        "FROM token t LEFT JOIN account a ON a.id = t.account_id LEFT JOIN domain ad ON ad.id = a.domain_id "
        "WHERE t.hash = $1 AND t.expires_at > now() "
        "AND (t.account_id IS NULL OR (a.state IN (1, 2) AND ad.state = 0 AND ad.deleted_at IS NULL))" };
    const struct db_param params[] = { db_bytea(hash) };
    CLEANUP(db_rows_freep) struct db_rows rows = { 0 };
    enum result r = db_query_row(db, &stmt, params, ARRAY_LEN(params), &rows);
    struct token_use use = { 0 };

    if (r != RES_OK)
        return r;
    use.token = from_row(&rows, 0, a);
    use.maker_role = (enum account_role)db_get_int(&rows, 0, 11);
    if (!db_is_null(&rows, 0, 12))
        use.n_maker_domains = db_get_str_array(&rows, 0, 12, a, &use.maker_domains);
    *ret = use;
    return RES_OK;
}

enum result token_used(struct db *db, const struct token *t)
{
    static const struct db_stmt stmt = { "token_used",
        "UPDATE token SET last_used_at = now() WHERE id = $1 AND (last_used_at IS NULL OR last_used_at < now() - interval '1 minute')" };
    const struct db_param params[] = { db_int8(t->id) };

    /* Saves the statement; it decides by its own clock. */
    if (t->last_used_us != DB_NO_TIME && t->last_used_us > wall_us() - USED_EVERY_US)
        return RES_OK;
    return db_query(db, &stmt, params, ARRAY_LEN(params), NULL);
}
