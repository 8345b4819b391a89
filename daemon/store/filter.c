#include "store/filter.h"

#include <stdlib.h>
#include <string.h>

enum result mark_seen(struct db *db, int64_t account_id, enum sieve_mark_kind kind, struct str key, bool *ret)
{
    static const struct db_stmt stmt = { "mark_seen",
        "SELECT EXISTS (SELECT FROM sieve_mark WHERE account_id = $1 AND kind = $2 AND hash = sha256($3) AND until >= now())" };
    const struct db_param params[] = { db_int8(account_id), db_int2((int16_t)kind), db_bytea(key) };
    CLEANUP(db_rows_freep) struct db_rows rows = { 0 };
    enum result r = db_query(db, &stmt, params, ARRAY_LEN(params), &rows);

    if (r == RES_OK)
        *ret = db_get_int(&rows, 0, 0) != 0;
    return r;
}

static int by_mark(const void *x, const void *y)
{
    const struct sieve_mark_row *a = x, *b = y;

    if (a->account_id != b->account_id)
        return a->account_id < b->account_id ? -1 : 1;
    if (a->kind != b->kind)
        return a->kind < b->kind ? -1 : 1;
    return str_cmp(a->key, b->key);
}

enum result mark_set(struct tx *tx, const struct sieve_mark_row *v, size_t n)
{
    static const struct db_stmt stmt = { "mark_set",
        "INSERT INTO sieve_mark AS k (account_id, kind, hash, until) "
        "VALUES ($1, $2, sha256($3), now() + make_interval(secs => $4::bigint)) "
        "ON CONFLICT (account_id, kind, hash) DO UPDATE SET until = excluded.until WHERE k.until < now() OR $5" };
    CLEANUP(arena_releasep) struct arena a = { 0 };
    struct sieve_mark_row *sorted = arena_array(&a, struct sieve_mark_row, n);
    struct db_call *calls = arena_array(&a, struct db_call, n);
    enum result r;

    if (n == 0)
        return RES_OK;
    memcpy(sorted, v, n * sizeof(*v));
    qsort(sorted, n, sizeof(*sorted), by_mark);
    for (size_t i = 0; i < n; i++) {
        struct db_param *p = arena_array(&a, struct db_param, 5);

        p[0] = db_int8(sorted[i].account_id);
        p[1] = db_int2((int16_t)sorted[i].kind);
        p[2] = db_bytea(sorted[i].key);
        p[3] = db_int8(sorted[i].seconds);
        p[4] = db_bool(sorted[i].refresh);
        calls[i] = (struct db_call){ .stmt = &stmt, .params = p, .n = 5 };
    }
    r = tx_batch(tx, calls, n, NULL);
    for (size_t i = 0; i < n; i++)
        db_rows_free(&calls[i].rows);
    return r;
}

enum result mark_sweep(struct db *db, int most)
{
    static const struct db_stmt stmt = { "mark_sweep",
        "DELETE FROM sieve_mark WHERE (account_id, kind, hash) IN "
        "(SELECT account_id, kind, hash FROM sieve_mark WHERE until < now() ORDER BY until LIMIT $1 FOR UPDATE SKIP LOCKED)" };
    const struct db_param params[] = { db_int4(most) };

    return db_query(db, &stmt, params, ARRAY_LEN(params), NULL);
}

enum result filter_annotation(struct db *db, int64_t account_id, int64_t mailbox_id, struct str name, struct arena *a,
                              struct str *ret)
{
    static const struct db_stmt stmt = { "filter_annotation",
        "SELECT value FROM annotation WHERE account_id = $1 AND mailbox_id = $2 AND name = $3" };
    const struct db_param params[] = { db_int8(account_id), db_int8(mailbox_id), db_text(arena_lower(a, name)) };
    CLEANUP(db_rows_freep) struct db_rows rows = { 0 };
    enum result r = db_query_row(db, &stmt, params, ARRAY_LEN(params), &rows);

    if (r != RES_OK)
        return r;
    *ret = arena_str(a, db_get_str(&rows, 0, 0));
    return RES_OK;
}

enum result filter_account(struct db *db, int64_t account_id, struct arena *a, struct filter_account *ret)
{
    static const struct db_stmt stmt = { "filter_account",
        "SELECT c.address, d.subaddress, coalesce(c.language, d.language, ''), (SELECT array_agg(x.localpart || '@' || o.name) "
        "FROM address x JOIN domain o ON o.id = x.domain_id WHERE x.account_id = c.id), c.state = 2 "
        "FROM account c JOIN domain d ON d.id = c.domain_id WHERE c.id = $1" };
    const struct db_param params[] = { db_int8(account_id) };
    CLEANUP(db_rows_freep) struct db_rows rows = { 0 };
    enum result r = db_query_row(db, &stmt, params, ARRAY_LEN(params), &rows);

    if (r != RES_OK)
        return r;
    *ret = (struct filter_account){ .address = arena_str(a, db_get_str(&rows, 0, 0)),
                                    .separator = arena_str(a, db_get_str(&rows, 0, 1)),
                                    .language = arena_str(a, db_get_str(&rows, 0, 2)) };
    ret->frozen = db_get_int(&rows, 0, 4) != 0;
    if (!db_is_null(&rows, 0, 3))
        ret->n_addresses = db_get_str_array(&rows, 0, 3, a, &ret->addresses);
    return RES_OK;
}

enum result filter_list(struct db *db, int64_t account_id, struct str alias, struct arena *a, struct str **ret_v,
                        size_t *ret_n)
{
    static const struct db_stmt stmt = { "filter_list",
        "SELECT (SELECT array_agg(m.address ORDER BY m.n) FROM alias_member m WHERE m.alias_id = l.id) "
        "FROM alias l JOIN account c ON c.tenant_id = l.tenant_id WHERE c.id = $1 AND l.address = $2 AND l.state = 0" };
    const struct db_param params[] = { db_int8(account_id), db_text(arena_lower(a, alias)) };
    CLEANUP(db_rows_freep) struct db_rows rows = { 0 };
    enum result r = db_query_row(db, &stmt, params, ARRAY_LEN(params), &rows);

    if (r != RES_OK)
        return r;
    *ret_v = NULL;
    *ret_n = db_is_null(&rows, 0, 0) ? 0 : db_get_str_array(&rows, 0, 0, a, ret_v);
    return RES_OK;
}
