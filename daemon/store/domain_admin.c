#include "store/domain_admin.h"

enum result domain_admin_list(struct db *db, struct str domain, const struct visible *visible, struct str after, size_t limit,
                              struct arena *a, struct domain_admin **ret_v, size_t *ret_n, bool *ret_more)
{
    static const struct db_stmt stmt = { "domain_admin_list",
        "SELECT a.address, a.name, a.state FROM domain d JOIN domain_admin da ON da.domain_id = d.id "
        "JOIN account a ON a.id = da.account_id WHERE d.name = $1 AND d.deleted_at IS NULL AND (NOT $2 OR d.name = ANY ($3)) "
        "AND a.state <> 4 AND ($4::text IS NULL OR a.address > $4) ORDER BY a.address LIMIT $5" };
    const struct db_param params[] = { db_text(domain), db_bool(visible->limited),
                                       db_text_array(a, visible->domains, visible->n), db_text(after),
                                       db_int8((int64_t)limit + 1) };
    CLEANUP(db_rows_freep) struct db_rows rows = { 0 };
    enum result r = db_query(db, &stmt, params, ARRAY_LEN(params), &rows);
    struct domain_admin *v;
    size_t n;

    if (r != RES_OK)
        return r;
    n = MIN(db_count(&rows), limit);
    v = arena_array(a, struct domain_admin, n + 1);
    for (size_t i = 0; i < n; i++)
        v[i] = (struct domain_admin){ .address = arena_str(a, db_get_str(&rows, i, 0)),
                                      .name = arena_str(a, db_get_str(&rows, i, 1)),
                                      .state = (enum account_state)db_get_int(&rows, i, 2) };
    *ret_v = v;
    *ret_n = n;
    *ret_more = db_count(&rows) > limit;
    return RES_OK;
}

/* Locks the account's row; nobody changes its role meanwhile. */
static enum result lock(struct tx *tx, struct str address, int64_t *ret_id, enum account_role *ret_role)
{
    static const struct db_stmt stmt = { "domain_admin_lock",
        "SELECT id, role FROM account WHERE address = $1 AND state <> 4 FOR UPDATE" };
    const struct db_param params[] = { db_text(address) };
    CLEANUP(db_rows_freep) struct db_rows rows = { 0 };
    enum result r = tx_query(tx, &stmt, params, 1, &rows);

    if (r == RES_OK && db_count(&rows) == 0)
        return RES_NOTFOUND;
    if (r != RES_OK)
        return r;
    *ret_id = db_get_int(&rows, 0, 0);
    *ret_role = (enum account_role)db_get_int(&rows, 0, 1);
    return RES_OK;
}

enum result domain_admin_put(struct db *db, struct str domain, struct str address, const struct audit *audit, bool *ret_made)
{
    static const struct db_stmt add = { "domain_admin_add",
        "WITH d AS (SELECT id FROM domain WHERE name = $1 AND deleted_at IS NULL), "
        "n AS (INSERT INTO domain_admin (domain_id, account_id) SELECT id, $2 FROM d ON CONFLICT DO NOTHING RETURNING account_id), "
        "r AS (UPDATE account SET role = 1, version = version + 1 WHERE id IN (SELECT account_id FROM n)) "
        "SELECT EXISTS (SELECT FROM n) FROM d" };
    CLEANUP(tx_rollbackp) struct tx *tx = NULL;
    CLEANUP(db_rows_freep) struct db_rows rows = { 0 };
    enum account_role role = ROLE_ACCOUNT;
    int64_t id = 0;
    enum result r = tx_begin(db, STR_NULL, &tx);

    if (r == RES_OK)
        r = lock(tx, address, &id, &role);
    if (r == RES_OK && role == ROLE_SYSTEM_ADMIN)
        return RES_INVALID;
    if (r == RES_OK) {
        const struct db_param params[] = { db_text(domain), db_int8(id) };

        r = tx_query(tx, &add, params, ARRAY_LEN(params), &rows);
    }
    if (r == RES_OK && db_count(&rows) == 0)
        return RES_NOTFOUND;
    if (r != RES_OK)
        return r;
    *ret_made = db_get_int(&rows, 0, 0) != 0;
    return audit_commit(&tx, audit);
}

enum result domain_admin_remove(struct db *db, struct str domain, struct str address, const struct audit *audit)
{
    static const struct db_stmt remove = { "domain_admin_remove",
        "DELETE FROM domain_admin WHERE account_id = $2 AND domain_id = (SELECT id FROM domain WHERE name = $1 AND deleted_at IS NULL)" };
    static const struct db_stmt end = { "domain_admin_end",
        "UPDATE account SET version = version + 1, role = CASE WHEN role = 1 AND NOT EXISTS "
        "(SELECT FROM domain_admin WHERE account_id = $1) THEN 0 ELSE role END WHERE id = $1" };
    CLEANUP(tx_rollbackp) struct tx *tx = NULL;
    CLEANUP(db_rows_freep) struct db_rows rows = { 0 };
    enum account_role role;
    int64_t id = 0;
    enum result r = tx_begin(db, STR_NULL, &tx);

    if (r == RES_OK)
        r = lock(tx, address, &id, &role);
    if (r == RES_OK) {
        const struct db_param params[] = { db_text(domain), db_int8(id) };

        r = tx_query(tx, &remove, params, ARRAY_LEN(params), &rows);
    }
    if (r == RES_OK && db_affected(&rows) == 0)
        return RES_NOTFOUND;
    if (r == RES_OK) {
        const struct db_param params[] = { db_int8(id) };

        r = tx_query(tx, &end, params, 1, NULL);
    }
    return r == RES_OK ? audit_commit(&tx, audit) : r;
}
