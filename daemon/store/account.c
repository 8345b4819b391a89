#include "store/account.h"

#define COLUMNS                                                                                                    \
    "a.id, a.address, a.name, a.role, a.state, a.language, a.state_at, a.state_reason, a.state_by, s.quota_bytes, " \
    "s.used_bytes, s.used_messages, i.at, i.protocol, i.ip, a.created_at, a.version, " \
    "a.delivery, a.delivery_user, s.quota_messages, a.forward, a.forward_keep, a.frozen_at, a.frozen_reason, a.frozen_by, a.deleted_at, a.recipients_per_hour, a.recipients_per_day, n.hour, n.day"
#define TABLES                                                                                                     \
    "account a JOIN domain d ON d.id = a.domain_id LEFT JOIN account_state s ON s.account_id = a.id "              \
    "LEFT JOIN LATERAL (SELECT at, protocol, ip FROM sign_in WHERE account_id = a.id ORDER BY at DESC LIMIT 1) i ON true " \
    "CROSS JOIN LATERAL (SELECT coalesce(sum(recipients), 0)::bigint AS day, coalesce(sum(recipients) FILTER "      \
    "(WHERE at > now() - interval '1 hour'), 0)::bigint AS hour FROM sent WHERE account_id = a.id "                \
    "AND at > now() - interval '1 day') n "

/* $1 states, $2 roles, $3 domains, $4 text, $5 limited, $6 visible domains */
#define MATCHES                                                                                                    \
    "NOT a.purging AND d.deleted_at IS NULL AND CASE WHEN $1 = 0 THEN a.state <> 4 ELSE $1 & (1 << a.state) <> 0 END  AND ($2 = 0 OR $2 & (1 << a.role) <> 0) "              \
    "AND (cardinality($3::text[]) = 0 OR d.name = ANY ($3)) "                                                      \
    "AND ($4::text IS NULL OR strpos(a.address, $4) > 0 OR strpos(lower(a.name), $4) > 0) "                        \
    "AND (NOT $5 OR d.name = ANY ($6))"

static struct account from_row(const struct db_rows *rows, size_t row, struct arena *a)
{
    struct account account = {
        .id = db_get_int(rows, row, 0),
        .address = arena_str(a, db_get_str(rows, row, 1)),
        .name = arena_str(a, db_get_str(rows, row, 2)),
        .role = (enum account_role)db_get_int(rows, row, 3),
        .state = (enum account_state)db_get_int(rows, row, 4),
        .language = arena_str(a, db_get_str(rows, row, 5)),
        .state_us = db_get_time(rows, row, 6),
        .state_reason = arena_str(a, db_get_str(rows, row, 7)),
        .state_by = arena_str(a, db_get_str(rows, row, 8)),
        .quota_bytes = db_get_int(rows, row, 9),
        .used_bytes = db_get_int(rows, row, 10),
        .used_messages = db_get_int(rows, row, 11),
        .sign_in_us = db_get_time(rows, row, 12),
        .sign_in_protocol = arena_str(a, db_get_str(rows, row, 13)),
        .sign_in_ip = db_get_inet(rows, row, 14, a),
        .created_us = db_get_time(rows, row, 15),
        .version = db_get_int(rows, row, 16),
        .delivery = arena_str(a, db_get_str(rows, row, 17)),
        .delivery_user = arena_str(a, db_get_str(rows, row, 18)),
        .quota_messages = db_get_int(rows, row, 19),
        .forward_keep = db_get_int(rows, row, 21) != 0,
        .frozen_us = db_get_time(rows, row, 22),
        .frozen_reason = arena_str(a, db_get_str(rows, row, 23)),
        .frozen_by = arena_str(a, db_get_str(rows, row, 24)),
        .deleted_us = db_get_time(rows, row, 25),
        .limits = { db_get_int(rows, row, 26), db_get_int(rows, row, 27) },
        .sent_hour = db_get_int(rows, row, 28),
        .sent_day = db_get_int(rows, row, 29),
    };

    account.n_forward = db_get_str_array(rows, row, 20, a, &account.forward);
    return account;
}

enum result account_list(struct db *db, const struct account_filter *f, bool descending, struct str after, size_t limit,
                         struct arena *a, struct account **ret_v, size_t *ret_n, bool *ret_more)
{
    static const struct db_stmt up = { "account_list",
        "SELECT " COLUMNS " FROM " TABLES "WHERE " MATCHES
        " AND ($7::text IS NULL OR a.address > $7) ORDER BY a.address LIMIT $8" };
    static const struct db_stmt down = { "account_list_down",
        "SELECT " COLUMNS " FROM " TABLES "WHERE " MATCHES
        " AND ($7::text IS NULL OR a.address < $7) ORDER BY a.address DESC LIMIT $8" };
    const struct db_param params[] = { db_int4((int32_t)f->states), db_int4((int32_t)f->roles),
                                       db_text_array(a, f->domains, f->n_domains), db_text(f->text),
                                       db_bool(f->visible.limited), db_text_array(a, f->visible.domains, f->visible.n),
                                       db_text(after), db_int8((int64_t)limit + 1) };
    CLEANUP(db_rows_freep) struct db_rows rows = { 0 };
    enum result r = db_query(db, descending ? &down : &up, params, ARRAY_LEN(params), &rows);
    struct account *v;
    size_t n;

    if (r != RES_OK)
        return r;
    n = MIN(db_count(&rows), limit);
    v = arena_array(a, struct account, n + 1);
    for (size_t i = 0; i < n; i++)
        v[i] = from_row(&rows, i, a);
    *ret_v = v;
    *ret_n = n;
    *ret_more = db_count(&rows) > limit;
    return RES_OK;
}

enum result account_count(struct db *db, const struct account_filter *f, int64_t at_most, int64_t *ret_n)
{
    static const struct db_stmt stmt = { "account_count",
        "SELECT count(*) FROM (SELECT FROM account a JOIN domain d ON d.id = a.domain_id WHERE " MATCHES " LIMIT $7) x" };
    CLEANUP(arena_releasep) struct arena a = { 0 };
    const struct db_param params[] = { db_int4((int32_t)f->states), db_int4((int32_t)f->roles),
                                       db_text_array(&a, f->domains, f->n_domains), db_text(f->text),
                                       db_bool(f->visible.limited), db_text_array(&a, f->visible.domains, f->visible.n),
                                       db_int8(at_most) };
    CLEANUP(db_rows_freep) struct db_rows rows = { 0 };
    enum result r = db_query(db, &stmt, params, ARRAY_LEN(params), &rows);

    if (r == RES_OK)
        *ret_n = db_get_int(&rows, 0, 0);
    return r;
}

static enum result get(struct db *db, const struct db_stmt *stmt, struct str address, const struct visible *visible, struct arena *a,
                       struct account *ret)
{
    const struct db_param params[] = { db_text(address), db_bool(visible->limited),
                                       db_text_array(a, visible->domains, visible->n) };
    CLEANUP(db_rows_freep) struct db_rows rows = { 0 };
    enum result r = db_query_row(db, stmt, params, ARRAY_LEN(params), &rows);

    if (r != RES_OK)
        return r;
    *ret = from_row(&rows, 0, a);
    return RES_OK;
}

enum result account_get(struct db *db, struct str address, const struct visible *visible, struct arena *a,
                        struct account *ret)
{
    static const struct db_stmt stmt = { "account_get",
        "SELECT " COLUMNS " FROM " TABLES "WHERE a.address = $1 AND a.state <> 4 AND (NOT $2 OR d.name = ANY ($3))" };

    return get(db, &stmt, address, visible, a, ret);
}

enum result account_find(struct db *db, const struct str *addresses, size_t n, struct arena *a, struct account **ret_v,
                         size_t *ret_n)
{
    static const struct db_stmt stmt = { "account_find", "SELECT " COLUMNS " FROM " TABLES "WHERE a.address = ANY ($1)" };
    const struct db_param params[] = { db_text_array(a, addresses, n) };
    CLEANUP(db_rows_freep) struct db_rows rows = { 0 };
    enum result r = db_query(db, &stmt, params, ARRAY_LEN(params), &rows);

    if (r != RES_OK)
        return r;
    *ret_n = db_count(&rows);
    *ret_v = arena_array(a, struct account, *ret_n + 1);
    for (size_t i = 0; i < *ret_n; i++)
        (*ret_v)[i] = from_row(&rows, i, a);
    return RES_OK;
}

enum result account_get_deleted(struct db *db, struct str address, const struct visible *visible, struct arena *a,
                                struct account *ret)
{
    static const struct db_stmt stmt = { "account_get_deleted",
        "SELECT " COLUMNS " FROM " TABLES "WHERE a.address = $1 AND a.state = 4 AND NOT a.purging AND d.deleted_at IS NULL "
        "AND (NOT $2 OR d.name = ANY ($3))" };

    return get(db, &stmt, address, visible, a, ret);
}
