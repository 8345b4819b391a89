#include "store/account_address.h"
#include "base/macros.h"

enum result account_address_list(struct db *db, int64_t account_id, struct arena *a, struct str **ret_v, size_t *ret_n)
{
    static const struct db_stmt stmt = { "account_address_list",
        "SELECT x.localpart || '@' || d.name FROM address x JOIN domain d ON d.id = x.domain_id "
        "WHERE x.account_id = $1 AND d.deleted_at IS NULL ORDER BY 1" };
    const struct db_param params[] = { db_int8(account_id) };
    CLEANUP(db_rows_freep) struct db_rows rows = { 0 };
    enum result r = db_query(db, &stmt, params, 1, &rows);

    if (r != RES_OK)
        return r;
    *ret_n = db_count(&rows);
    *ret_v = arena_array(a, struct str, *ret_n + 1);
    for (size_t i = 0; i < *ret_n; i++)
        (*ret_v)[i] = arena_str(a, db_get_str(&rows, i, 0));
    return RES_OK;
}

enum result account_address_further(struct db *db, const int64_t *ids, size_t n, struct arena *a, struct account_addresses *ret)
{
    static const struct db_stmt stmt = { "account_address_further",
        "SELECT i.n, array_agg(x.localpart || '@' || d.name ORDER BY x.localpart || '@' || d.name COLLATE \"C\") "
        "FROM unnest($1::bigint[]) WITH ORDINALITY i (id, n) JOIN account a ON a.id = i.id JOIN address x ON x.account_id = a.id "
        "JOIN domain d ON d.id = x.domain_id WHERE d.deleted_at IS NULL AND x.localpart || '@' || d.name <> a.address GROUP BY i.n" };
    const struct db_param params[] = { db_int8_array(a, ids, n) };
    CLEANUP(db_rows_freep) struct db_rows rows = { 0 };
    enum result r = db_query(db, &stmt, params, 1, &rows);

    if (r != RES_OK)
        return r;
    memset(ret, 0, n * sizeof(*ret));
    for (size_t i = 0; i < db_count(&rows); i++) {
        struct account_addresses *one = &ret[db_get_int(&rows, i, 0) - 1];

        one->n = db_get_str_array(&rows, i, 1, a, &one->v);
    }
    return RES_OK;
}

enum result address_uses(struct db *db, const struct str *addresses, size_t n, struct arena *a, struct address_use *ret)
{
    static const struct db_stmt stmt = { "address_uses",
        "SELECT d.id IS NOT NULL, x.alias_id IS NOT NULL, x.account_id FROM unnest($1::text[], $2::text[]) WITH ORDINALITY "
        "i (localpart, domain, n) LEFT JOIN domain d ON d.name = i.domain AND d.kind = 0 AND d.deleted_at IS NULL "
        "LEFT JOIN address x ON x.domain_id = d.id AND x.localpart = i.localpart ORDER BY i.n" };
    struct str *locals = arena_array(a, struct str, n + 1), *domains = arena_array(a, struct str, n + 1);
    CLEANUP(db_rows_freep) struct db_rows rows = { 0 };
    enum result r;

    for (size_t i = 0; i < n; i++) {
        size_t at = str_rchr(addresses[i], '@');

        locals[i] = str_sub(addresses[i], 0, at);
        domains[i] = str_from(addresses[i], at + 1);
    }
    {
        const struct db_param params[] = { db_text_array(a, locals, n), db_text_array(a, domains, n) };

        r = db_query(db, &stmt, params, ARRAY_LEN(params), &rows);
    }
    for (size_t i = 0; r == RES_OK && i < n; i++)
        ret[i] = (struct address_use){ db_get_int(&rows, i, 0) != 0, db_get_int(&rows, i, 1) != 0, db_get_int(&rows, i, 2) };
    return r;
}

/* Locks the account, so that its addresses can be counted; the answer's columns are has (this address), count, is_own. */
static enum result look(struct tx *tx, int64_t account_id, struct str local, struct str domain, struct db_rows *rows)
{
    static const struct db_stmt lock = { "account_address_lock", "SELECT FROM account WHERE id = $1 AND state <> 4 FOR UPDATE" };
    static const struct db_stmt stmt = { "account_address_look",
        "SELECT count(*) FILTER (WHERE x.localpart = $2 AND d.name = $3), count(*), (SELECT address = $2 || '@' || $3 FROM account "
        "WHERE id = $1) FROM address x JOIN domain d ON d.id = x.domain_id WHERE x.account_id = $1" };
    const struct db_param params[] = { db_int8(account_id), db_text(local), db_text(domain) };
    CLEANUP(db_rows_freep) struct db_rows locked = { 0 };
    enum result r = tx_query(tx, &lock, params, 1, &locked);

    if (r == RES_OK && db_count(&locked) == 0)
        return RES_NOTFOUND;
    return r == RES_OK ? tx_query(tx, &stmt, params, ARRAY_LEN(params), rows) : r;
}

enum result account_address_add(struct db *db, int64_t account_id, struct str address, const struct audit *audit, bool *ret_made)
{
    static const struct db_stmt stmt = { "account_address_add",
        "INSERT INTO address (domain_id, localpart, account_id) SELECT id, $2, $1 FROM domain "
        "WHERE name = $3 AND kind = 0 AND deleted_at IS NULL FOR SHARE" };
    size_t at = str_rchr(address, '@');
    struct str local = str_sub(address, 0, at), domain = str_from(address, at + 1);
    const struct db_param params[] = { db_int8(account_id), db_text(local), db_text(domain) };
    CLEANUP(tx_rollbackp) struct tx *tx = NULL;
    CLEANUP(db_rows_freep) struct db_rows there = { 0 };
    CLEANUP(db_rows_freep) struct db_rows rows = { 0 };
    enum result r = tx_begin(db, STR_NULL, &tx);

    if (r == RES_OK)
        r = look(tx, account_id, local, domain, &there);
    if (r != RES_OK)
        return r;
    *ret_made = db_get_int(&there, 0, 0) == 0;
    if (!*ret_made)
        return RES_OK;
    if (db_get_int(&there, 0, 1) >= ACCOUNT_ADDRESSES_MOST)
        return RES_LIMIT;
    r = tx_query(tx, &stmt, params, ARRAY_LEN(params), &rows);
    if (r == RES_OK && db_affected(&rows) == 0)
        return RES_NOTFOUND;
    return r == RES_OK ? audit_commit(&tx, audit) : r;
}

enum result account_address_remove(struct db *db, int64_t account_id, struct str address, const struct audit *audit)
{
    static const struct db_stmt remove = { "account_address_remove",
        "DELETE FROM address WHERE account_id = $1 AND localpart = $2 AND domain_id = (SELECT id FROM domain WHERE name = $3)" };
    static const struct db_stmt leave = { "address_leave_aliases", "SELECT address_leave_aliases(ARRAY[$1])" };
    size_t at = str_rchr(address, '@');
    struct str local = str_sub(address, 0, at), domain = str_from(address, at + 1);
    const struct db_param params[] = { db_int8(account_id), db_text(local), db_text(domain) };
    const struct db_param whole[] = { db_text(address) };
    CLEANUP(tx_rollbackp) struct tx *tx = NULL;
    CLEANUP(db_rows_freep) struct db_rows there = { 0 };
    enum result r = tx_begin(db, STR_NULL, &tx);

    if (r == RES_OK)
        r = look(tx, account_id, local, domain, &there);
    if (r != RES_OK)
        return r;
    if (db_get_int(&there, 0, 0) == 0)
        return RES_NOTFOUND;
    if (db_get_int(&there, 0, 2) != 0)
        return RES_DENIED;
    r = tx_query(tx, &remove, params, ARRAY_LEN(params), NULL);
    if (r == RES_OK)
        r = tx_query(tx, &leave, whole, 1, NULL);
    return r == RES_OK ? audit_commit(&tx, audit) : r;
}
