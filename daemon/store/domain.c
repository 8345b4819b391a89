#include "store/domain.h"
#include "store/account_write.h"
#include "store/admins.h"

#define COLUMNS                                                                                                    \
    "d.id, d.name, d.kind, d.route, d.state, d.language, "                                                         \
    "(SELECT count(*) FROM account a WHERE a.domain_id = d.id AND a.state <> 4), "                                 \
    "(SELECT count(*) FROM alias l WHERE l.domain_id = d.id), d.created_at, d.version, d.delivery, d.delivery_user, " \
    "d.quota_bytes, CASE WHEN d.quota_bytes IS NOT NULL THEN (SELECT coalesce(sum(s.used_bytes), 0)::bigint FROM account a " \
    "JOIN account_state s ON s.account_id = a.id WHERE a.domain_id = d.id AND a.state <> 4) END, " \
    "(SELECT t.name FROM domain t WHERE t.id = d.alias_of), d.catch_all, d.subaddress, d.deleted_at, " \
    "d.recipients_per_hour, d.recipients_per_day"

/* $1 kinds, $2 states, $3 text, $4 limited, $5 domains */
#define MATCHES                                                                                                    \
    "NOT d.purging AND ($1 = 0 OR $1 & (1 << d.kind) <> 0) AND CASE WHEN $2 = 0 THEN d.deleted_at IS NULL "         \
    "ELSE $2 & (CASE WHEN d.deleted_at IS NULL THEN 1 << d.state ELSE 4 END) <> 0 END "                             \
    "AND ($3::text IS NULL OR strpos(d.name, $3) > 0) AND (NOT $4 OR d.name = ANY ($5))"

static struct domain from_row(const struct db_rows *rows, size_t row, struct arena *a)
{
    return (struct domain){
        .id = db_get_int(rows, row, 0),
        .name = arena_str(a, db_get_str(rows, row, 1)),
        .kind = (enum domain_kind)db_get_int(rows, row, 2),
        .route = arena_str(a, db_get_str(rows, row, 3)),
        .disabled = db_get_int(rows, row, 4) != 0,
        .language = arena_str(a, db_get_str(rows, row, 5)),
        .accounts = db_get_int(rows, row, 6),
        .aliases = db_get_int(rows, row, 7),
        .created_us = db_get_time(rows, row, 8),
        .version = db_get_int(rows, row, 9),
        .delivery = arena_str(a, db_get_str(rows, row, 10)),
        .delivery_user = arena_str(a, db_get_str(rows, row, 11)),
        .quota_bytes = db_get_int(rows, row, 12),
        .used_bytes = db_get_int(rows, row, 13),
        .alias_of = arena_str(a, db_get_str(rows, row, 14)),
        .catch_all = arena_str(a, db_get_str(rows, row, 15)),
        .subaddress = arena_str(a, db_get_str(rows, row, 16)),
        .deleted_us = db_get_time(rows, row, 17),
        .limits = { db_get_int(rows, row, 18), db_get_int(rows, row, 19) },
    };
}

enum result domain_list(struct db *db, const struct domain_filter *f, bool descending, struct str after, size_t limit,
                        struct arena *a, struct domain **ret_v, size_t *ret_n, bool *ret_more)
{
    static const struct db_stmt up = { "domain_list",
        "SELECT " COLUMNS " FROM domain d WHERE " MATCHES " AND ($6::text IS NULL OR d.name > $6) ORDER BY d.name LIMIT $7" };
    static const struct db_stmt down = { "domain_list_down",
        "SELECT " COLUMNS " FROM domain d WHERE " MATCHES
        " AND ($6::text IS NULL OR d.name < $6) ORDER BY d.name DESC LIMIT $7" };
    const struct db_param params[] = { db_int4((int32_t)f->kinds), db_int4((int32_t)f->states), db_text(f->text),
                                       db_bool(f->visible.limited), db_text_array(a, f->visible.domains, f->visible.n),
                                       db_text(after), db_int8((int64_t)limit + 1) };
    CLEANUP(db_rows_freep) struct db_rows rows = { 0 };
    enum result r = db_query(db, descending ? &down : &up, params, ARRAY_LEN(params), &rows);
    struct domain *v;
    size_t n;

    if (r != RES_OK)
        return r;
    n = MIN(db_count(&rows), limit);
    v = arena_array(a, struct domain, n + 1);
    for (size_t i = 0; i < n; i++)
        v[i] = from_row(&rows, i, a);
    *ret_v = v;
    *ret_n = n;
    *ret_more = db_count(&rows) > limit;
    return RES_OK;
}

enum result domain_count(struct db *db, const struct domain_filter *f, int64_t at_most, int64_t *ret_n)
{
    static const struct db_stmt stmt = { "domain_count",
        "SELECT count(*) FROM (SELECT FROM domain d WHERE " MATCHES " LIMIT $6) x" };
    CLEANUP(arena_releasep) struct arena a = { 0 };
    const struct db_param params[] = { db_int4((int32_t)f->kinds), db_int4((int32_t)f->states), db_text(f->text),
                                       db_bool(f->visible.limited), db_text_array(&a, f->visible.domains, f->visible.n),
                                       db_int8(at_most) };
    CLEANUP(db_rows_freep) struct db_rows rows = { 0 };
    enum result r = db_query(db, &stmt, params, ARRAY_LEN(params), &rows);

    if (r == RES_OK)
        *ret_n = db_get_int(&rows, 0, 0);
    return r;
}

static enum result get(struct db *db, const struct db_stmt *stmt, struct str name, const struct visible *visible, struct arena *a,
                       struct domain *ret)
{
    const struct db_param params[] = { db_text(name), db_bool(visible->limited),
                                       db_text_array(a, visible->domains, visible->n) };
    CLEANUP(db_rows_freep) struct db_rows rows = { 0 };
    enum result r = db_query_row(db, stmt, params, ARRAY_LEN(params), &rows);

    if (r != RES_OK)
        return r;
    *ret = from_row(&rows, 0, a);
    return RES_OK;
}

enum result domain_get(struct db *db, struct str name, const struct visible *visible, struct arena *a, struct domain *ret)
{
    static const struct db_stmt stmt = { "domain_get",
        "SELECT " COLUMNS " FROM domain d WHERE d.name = $1 AND d.deleted_at IS NULL AND (NOT $2 OR d.name = ANY ($3))" };

    return get(db, &stmt, name, visible, a, ret);
}

enum result domain_get_deleted(struct db *db, struct str name, const struct visible *visible, struct arena *a,
                               struct domain *ret)
{
    static const struct db_stmt stmt = { "domain_get_deleted",
        "SELECT " COLUMNS " FROM domain d WHERE d.name = $1 AND d.deleted_at IS NOT NULL AND NOT d.purging "
        "AND (NOT $2 OR d.name = ANY ($3))" };

    return get(db, &stmt, name, visible, a, ret);
}

enum result domain_serves(struct db *db, struct str name, bool *ret_serves)
{
    static const struct db_stmt stmt = { "domain_serves",
        "SELECT FROM domain WHERE name = $1 AND kind = 0 AND state = 0 AND deleted_at IS NULL" };
    const struct db_param params[] = { db_text(name) };
    CLEANUP(db_rows_freep) struct db_rows rows = { 0 };
    enum result r = db_query(db, &stmt, params, ARRAY_LEN(params), &rows);

    *ret_serves = r == RES_OK && db_count(&rows) > 0;
    return r;
}

/* $9: the name of the domain that it stands for. */
#define ALIAS_OF "(SELECT t.id FROM domain t WHERE t.name = $9 AND t.kind = 0 AND t.deleted_at IS NULL)"

enum result domain_create(struct db *db, const struct domain_write *w, const struct audit *audit)
{
    static const struct db_stmt stmt = { "domain_create",
        "INSERT INTO domain (tenant_id, name, kind, route, state, language, delivery, delivery_user, quota_bytes, alias_of, "
        "catch_all, subaddress, recipients_per_hour, recipients_per_day) SELECT (SELECT min(id) FROM tenant), $1, $2, $3, $4, $5, coalesce($6, 'store'), $7, nullif($8, 0), "
        ALIAS_OF ", $10, coalesce($11, '+'), nullif($12, 0), nullif($13, 0) WHERE $9::text IS NULL OR " ALIAS_OF " IS NOT NULL" };
    const struct db_param params[] = { db_text(w->name), db_int2((int16_t)w->kind), db_text(w->route),
                                       db_int2(w->disabled), db_text(w->language), db_text(w->delivery),
                                       db_text(w->delivery_user), db_int8(w->quota_bytes), db_text(w->alias_of),
                                       db_text(w->catch_all), db_text(w->subaddress), db_int4((int32_t)w->limits.per_hour),
                                       db_int4((int32_t)w->limits.per_day) };
    CLEANUP(tx_rollbackp) struct tx *tx = NULL;
    CLEANUP(db_rows_freep) struct db_rows rows = { 0 };
    enum result r = tx_begin(db, STR_NULL, &tx);

    if (r == RES_OK)
        r = tx_query(tx, &stmt, params, ARRAY_LEN(params), &rows);
    if (r == RES_OK && db_affected(&rows) == 0)
        return RES_INVALID;
    return r == RES_OK ? audit_commit(&tx, audit) : r;
}

static const struct db_stmt lock_live = { "domain_lock",
    "SELECT id FROM domain WHERE name = $1 AND deleted_at IS NULL FOR UPDATE" };

/* Locks the domain's row, by `stmt`, against changes and against new accounts. */
static enum result lock(struct tx *tx, const struct db_stmt *stmt, struct str name, int64_t if_version, struct arena *a,
                        struct domain *ret)
{
    static const struct db_stmt read_stmt = { "domain_read", "SELECT " COLUMNS " FROM domain d WHERE d.name = $1" };
    const struct db_param params[] = { db_text(name) };
    CLEANUP(db_rows_freep) struct db_rows locked = { 0 };
    CLEANUP(db_rows_freep) struct db_rows rows = { 0 };
    enum result r = tx_query(tx, stmt, params, 1, &locked);

    if (r == RES_OK && db_count(&locked) == 0)
        return RES_NOTFOUND;
    if (r == RES_OK) /* a second statement: its snapshot has what others committed before we had the lock */
        r = tx_query(tx, &read_stmt, params, 1, &rows);
    if (r != RES_OK)
        return RES_TEMPFAIL;
    *ret = from_row(&rows, 0, a);
    return if_version >= 0 && ret->version != if_version ? RES_CONFLICT : RES_OK;
}

enum result domain_update(struct db *db, const struct domain_write *w, int64_t if_version, const struct audit *audit)
{
    static const struct db_stmt stmt = { "domain_update",
        "UPDATE domain SET kind = $2, route = $3, state = $4, language = $5, delivery = coalesce($6, 'store'), delivery_user = $7, "
        "quota_bytes = nullif($8, 0), alias_of = " ALIAS_OF ", catch_all = $10, subaddress = coalesce($11, '+'), "
        "recipients_per_hour = nullif($12, 0), recipients_per_day = nullif($13, 0), "
        "version = version + 1 WHERE id = $1 AND ($9::text IS NULL OR " ALIAS_OF " <> $1)" };
    CLEANUP(arena_releasep) struct arena a = { 0 };
    CLEANUP(tx_rollbackp) struct tx *tx = NULL;
    CLEANUP(db_rows_freep) struct db_rows rows = { 0 };
    struct admins admins;
    struct domain old;
    enum result r = tx_begin(db, STR_NULL, &tx);

    if (r == RES_OK)
        r = admins_begin(tx, &admins);
    if (r == RES_OK)
        r = lock(tx, &lock_live, w->name, if_version, &a, &old);
    if (r != RES_OK)
        return r;
    if (w->kind != DOMAIN_LOCAL && old.kind == DOMAIN_LOCAL && old.accounts + old.aliases > 0)
        return RES_LIMIT;
    {
        const struct db_param params[] = { db_int8(old.id), db_int2((int16_t)w->kind), db_text(w->route),
                                           db_int2(w->disabled), db_text(w->language), db_text(w->delivery),
                                           db_text(w->delivery_user), db_int8(w->quota_bytes), db_text(w->alias_of),
                                           db_text(w->catch_all), db_text(w->subaddress), db_int4((int32_t)w->limits.per_hour),
                                       db_int4((int32_t)w->limits.per_day) };

        r = tx_query(tx, &stmt, params, ARRAY_LEN(params), &rows);
    }
    if (r == RES_OK && db_affected(&rows) == 0)
        return RES_INVALID;
    if (r == RES_OK)
        r = admins_check(tx, &admins);
    return r == RES_OK ? audit_commit(&tx, audit) : r;
}

enum result domain_delete(struct db *db, struct str name, bool force, bool purge, int64_t if_version, const struct audit *audit)
{
    static const struct db_stmt lock_any = { "domain_lock_any", "SELECT id FROM domain WHERE name = $1 FOR UPDATE" };
    static const struct db_stmt accounts_stmt = { "domain_accounts",
        "SELECT id FROM account WHERE domain_id = $1 AND (state <> 4 OR ($2 AND NOT purging)) ORDER BY id FOR UPDATE" };
    /* No domain has a blank. */
    static const struct db_stmt remove_stmt = { "domain_delete",
        "UPDATE domain SET deleted_at = now(), purging = $2, name = CASE WHEN $2 THEN 'deleted ' || id || ' ' || name ELSE name END, "
        "version = version + 1 WHERE id = $1" };
    CLEANUP(arena_releasep) struct arena a = { 0 };
    CLEANUP(tx_rollbackp) struct tx *tx = NULL;
    CLEANUP(db_rows_freep) struct db_rows accounts = { 0 };
    struct admins admins;
    struct domain old;
    enum result r = tx_begin(db, STR_NULL, &tx);

    if (r == RES_OK)
        r = admins_begin(tx, &admins);
    if (r == RES_OK)
        r = lock(tx, purge ? &lock_any : &lock_live, name, if_version, &a, &old);
    if (r != RES_OK)
        return r;
    if (old.accounts + old.aliases > 0 && !force)
        return RES_LIMIT;
    {
        const struct db_param params[] = { db_int8(old.id), db_bool(purge) };

        r = tx_query(tx, &accounts_stmt, params, ARRAY_LEN(params), &accounts);
        for (size_t i = 0; r == RES_OK && i < db_count(&accounts); i++)
            r = account_remove(tx, db_get_int(&accounts, i, 0), purge);
        if (r == RES_OK)
            r = tx_query(tx, &remove_stmt, params, ARRAY_LEN(params), NULL);
    }
    if (r == RES_OK)
        r = admins_check(tx, &admins);
    return r == RES_OK ? audit_commit(&tx, audit) : r;
}

enum result domain_restore(struct db *db, struct str name, const struct audit *audit)
{
    /* What was deleted in the domain's own transaction has its time. */
    static const struct db_stmt stmt = { "domain_restore",
        "WITH d AS (SELECT id, deleted_at FROM domain WHERE name = $1 AND deleted_at IS NOT NULL AND NOT purging FOR UPDATE), "
        "a AS (UPDATE account a SET state = a.deleted_from, deleted_from = NULL, deleted_at = NULL, version = a.version + 1 FROM d "
        "WHERE a.domain_id = d.id AND a.state = 4 AND NOT a.purging AND a.deleted_at = d.deleted_at) "
        "UPDATE domain x SET deleted_at = NULL, version = x.version + 1 FROM d WHERE x.id = d.id" };
    const struct db_param params[] = { db_text(name) };
    CLEANUP(tx_rollbackp) struct tx *tx = NULL;
    CLEANUP(db_rows_freep) struct db_rows rows = { 0 };
    enum result r = tx_begin(db, STR_NULL, &tx);

    if (r == RES_OK)
        r = tx_query(tx, &stmt, params, 1, &rows);
    if (r == RES_OK && db_affected(&rows) == 0)
        return RES_NOTFOUND;
    return r == RES_OK ? audit_commit(&tx, audit) : r;
}
