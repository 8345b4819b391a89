#include "store/alias.h"
#include "route/expand.h"

#define COLUMNS                                                                                                    \
    "l.id, l.address, (SELECT array_agg(m.address ORDER BY m.address) FROM alias_member m WHERE m.alias_id = l.id), " \
    "l.created_at, l.version, l.who_may_send, l.allowed_senders, l.send_as, l.state, l.expires_at"

/* $1 domains, $2 members, $3 text, $4 limited, $5 visible domains */
#define MATCHES                                                                                                    \
    "d.deleted_at IS NULL AND (cardinality($1::text[]) = 0 OR d.name = ANY ($1)) "                                 \
    "AND (cardinality($2::text[]) = 0 OR EXISTS "                                                                  \
    "(SELECT FROM alias_member m WHERE m.alias_id = l.id AND m.address = ANY ($2))) "                              \
    "AND ($3::text IS NULL OR strpos(l.address, $3) > 0 OR EXISTS "                                                \
    "(SELECT FROM alias_member m WHERE m.alias_id = l.id AND strpos(m.address, $3) > 0)) "                         \
    "AND (NOT $4 OR d.name = ANY ($5))"

static struct alias from_row(const struct db_rows *rows, size_t row, struct arena *a)
{
    struct alias alias = { .id = db_get_int(rows, row, 0),
                           .address = arena_str(a, db_get_str(rows, row, 1)),
                           .created_us = db_get_time(rows, row, 3),
                           .version = db_get_int(rows, row, 4),
                           .who_may_send = arena_str(a, db_get_str(rows, row, 5)),
                           .has_send_as = !db_is_null(rows, row, 7),
                           .disabled = db_get_int(rows, row, 8) != 0,
                           .expires_us = db_get_time(rows, row, 9) };

    alias.n_allowed_senders = db_get_str_array(rows, row, 6, a, &alias.allowed_senders);
    if (alias.has_send_as)
        alias.n_send_as = db_get_str_array(rows, row, 7, a, &alias.send_as);
    if (!db_is_null(rows, row, 2))
        alias.n_members = db_get_str_array(rows, row, 2, a, &alias.members);
    return alias;
}

enum result alias_list(struct db *db, const struct alias_filter *f, bool descending, struct str after, size_t limit,
                       struct arena *a, struct alias **ret_v, size_t *ret_n, bool *ret_more)
{
    static const struct db_stmt up = { "alias_list",
        "SELECT " COLUMNS " FROM alias l JOIN domain d ON d.id = l.domain_id WHERE " MATCHES
        " AND ($6::text IS NULL OR l.address > $6) ORDER BY l.address LIMIT $7" };
    static const struct db_stmt down = { "alias_list_down",
        "SELECT " COLUMNS " FROM alias l JOIN domain d ON d.id = l.domain_id WHERE " MATCHES
        " AND ($6::text IS NULL OR l.address < $6) ORDER BY l.address DESC LIMIT $7" };
    const struct db_param params[] = { db_text_array(a, f->domains, f->n_domains), db_text_array(a, f->members, f->n_members),
                                       db_text(f->text), db_bool(f->visible.limited),
                                       db_text_array(a, f->visible.domains, f->visible.n), db_text(after),
                                       db_int8((int64_t)limit + 1) };
    CLEANUP(db_rows_freep) struct db_rows rows = { 0 };
    enum result r = db_query(db, descending ? &down : &up, params, ARRAY_LEN(params), &rows);
    struct alias *v;
    size_t n;

    if (r != RES_OK)
        return r;
    n = MIN(db_count(&rows), limit);
    v = arena_array(a, struct alias, n + 1);
    for (size_t i = 0; i < n; i++)
        v[i] = from_row(&rows, i, a);
    *ret_v = v;
    *ret_n = n;
    *ret_more = db_count(&rows) > limit;
    return RES_OK;
}

enum result alias_count(struct db *db, const struct alias_filter *f, int64_t at_most, int64_t *ret_n)
{
    static const struct db_stmt stmt = { "alias_count",
        "SELECT count(*) FROM (SELECT FROM alias l JOIN domain d ON d.id = l.domain_id WHERE " MATCHES " LIMIT $6) x" };
    CLEANUP(arena_releasep) struct arena a = { 0 };
    const struct db_param params[] = { db_text_array(&a, f->domains, f->n_domains),
                                       db_text_array(&a, f->members, f->n_members), db_text(f->text),
                                       db_bool(f->visible.limited), db_text_array(&a, f->visible.domains, f->visible.n),
                                       db_int8(at_most) };
    CLEANUP(db_rows_freep) struct db_rows rows = { 0 };
    enum result r = db_query(db, &stmt, params, ARRAY_LEN(params), &rows);

    if (r == RES_OK)
        *ret_n = db_get_int(&rows, 0, 0);
    return r;
}

enum result alias_get(struct db *db, struct str address, const struct visible *visible, struct arena *a, struct alias *ret)
{
    static const struct db_stmt stmt = { "alias_get",
        "SELECT " COLUMNS " FROM alias l JOIN domain d ON d.id = l.domain_id WHERE l.address = $1 "
        "AND d.deleted_at IS NULL AND (NOT $2 OR d.name = ANY ($3))" };
    const struct db_param params[] = { db_text(address), db_bool(visible->limited),
                                       db_text_array(a, visible->domains, visible->n) };
    CLEANUP(db_rows_freep) struct db_rows rows = { 0 };
    enum result r = db_query_row(db, &stmt, params, ARRAY_LEN(params), &rows);

    if (r != RES_OK)
        return r;
    *ret = from_row(&rows, 0, a);
    return RES_OK;
}

enum result alias_check_members(struct db *db, const struct str *members, size_t n, struct arena *a,
                                enum alias_member_kind *ret_kinds)
{
    static const struct db_stmt stmt = { "alias_check_members",
        "SELECT CASE WHEN d.id IS NULL THEN 0 WHEN x.account_id IS NOT NULL THEN 1 WHEN x.alias_id IS NOT NULL "
        "OR d.catch_all IS NOT NULL THEN 2 ELSE 3 END "
        "FROM unnest($1::text[], $2::text[]) WITH ORDINALITY AS u (localpart, domain, n) "
        "LEFT JOIN domain d ON d.name = u.domain AND d.kind = 0 AND d.deleted_at IS NULL "
        "LEFT JOIN LATERAL (SELECT x.account_id, x.alias_id FROM address x WHERE x.domain_id = d.id AND (x.localpart = u.localpart "
        "OR (d.subaddress <> '' AND x.localpart = split_part(u.localpart, d.subaddress, 1)) "
        "OR (x.pattern IS NOT NULL AND u.localpart LIKE x.pattern)) ORDER BY x.localpart = u.localpart DESC LIMIT 1) x ON true "
        "ORDER BY u.n" };
    struct str *locals = arena_array(a, struct str, n), *domains = arena_array(a, struct str, n);
    CLEANUP(db_rows_freep) struct db_rows rows = { 0 };
    enum result r;

    for (size_t i = 0; i < n; i++) {
        size_t at = str_rchr(members[i], '@');

        locals[i] = str_sub(members[i], 0, at);
        domains[i] = str_from(members[i], at == SIZE_MAX ? members[i].len : at + 1);
    }
    {
        const struct db_param params[] = { db_text_array(a, locals, n), db_text_array(a, domains, n) };

        r = db_query(db, &stmt, params, ARRAY_LEN(params), &rows);
    }
    if (r != RES_OK)
        return r;
    if (db_count(&rows) != n)
        return RES_TEMPFAIL;
    for (size_t i = 0; i < n; i++)
        ret_kinds[i] = (enum alias_member_kind)db_get_int(&rows, i, 0);
    return RES_OK;
}

/* Makes the row, or finds it and counts its version up. */
static enum result take_row(struct tx *tx, struct str address, bool create, int64_t if_version, int64_t *ret_id)
{
    static const struct db_stmt insert = { "alias_insert",
        "WITH d AS (SELECT id, tenant_id FROM domain WHERE name = $2 AND kind = 0 AND deleted_at IS NULL FOR SHARE),"
        " l AS (INSERT INTO alias (tenant_id, domain_id, address) SELECT tenant_id, id, $3 FROM d RETURNING id, domain_id),"
        " x AS (INSERT INTO address (domain_id, localpart, alias_id) SELECT domain_id, $1, id FROM l)"
        " SELECT id, 1::bigint FROM l" };
    static const struct db_stmt update = { "alias_touch",
        "UPDATE alias SET version = version + 1 WHERE address = $1 RETURNING id, version - 1" };
    size_t at = str_rchr(address, '@');
    const struct db_param whole[] = { db_text(address) };
    const struct db_param parts[] = { db_text(str_sub(address, 0, at)), db_text(str_from(address, at + 1)), db_text(address) };
    CLEANUP(db_rows_freep) struct db_rows rows = { 0 };
    enum result r = create ? tx_query(tx, &insert, parts, ARRAY_LEN(parts), &rows) : tx_query(tx, &update, whole, 1, &rows);

    if (r != RES_OK)
        return r;
    if (db_count(&rows) == 0)
        return RES_NOTFOUND;
    if (!create && if_version >= 0 && db_get_int(&rows, 0, 1) != if_version)
        return RES_CONFLICT;
    *ret_id = db_get_int(&rows, 0, 0);
    return RES_OK;
}

/* Aliases in aliases: does one lead to itself, or are there too many in a row? */
static enum result check_depth(struct tx *tx, int64_t id)
{
    static const struct db_stmt stmt = { "alias_depth",
        "WITH RECURSIVE down (id, depth) AS (SELECT $1, 1 UNION SELECT l.id, d.depth + 1 FROM down d "
        "JOIN alias_member m ON m.alias_id = d.id JOIN alias l ON l.address = m.address WHERE d.depth <= $2), "
        "up (id, depth) AS (SELECT $1, 1 UNION SELECT m.alias_id, u.depth + 1 FROM up u JOIN alias l ON l.id = u.id "
        "JOIN alias_member m ON m.address = l.address WHERE u.depth <= $2) "
        "SELECT EXISTS (SELECT FROM down WHERE id = $1 AND depth > 1), "
        "(SELECT max(depth) FROM down) + (SELECT max(depth) FROM up) - 1" };
    const struct db_param params[] = { db_int8(id), db_int4(ROUTE_MAX_DEPTH) };
    CLEANUP(db_rows_freep) struct db_rows rows = { 0 };
    enum result r = tx_query(tx, &stmt, params, ARRAY_LEN(params), &rows);

    if (r != RES_OK)
        return r;
    if (db_get_int(&rows, 0, 0) != 0)
        return RES_DENIED;
    return db_get_int(&rows, 0, 1) > ROUTE_MAX_DEPTH ? RES_LIMIT : RES_OK;
}

static enum result write_members(struct tx *tx, int64_t id, const struct alias *alias, struct arena *a)
{
    static const struct db_stmt clear = { "alias_clear", "DELETE FROM alias_member WHERE alias_id = $1" };
    static const struct db_stmt fill = { "alias_fill",
        "INSERT INTO alias_member (alias_id, n, address) SELECT $1, n, address "
        "FROM unnest($2::text[]) WITH ORDINALITY AS u (address, n)" };
    static const struct db_stmt rest = { "alias_rest",
        "UPDATE alias SET who_may_send = $2, allowed_senders = $3, send_as = CASE WHEN $4 THEN $5::text[] END, state = $6, "
        "expires_at = $7 WHERE id = $1" };
    const struct db_param members[] = { db_int8(id), db_text_array(a, alias->members, alias->n_members) };
    const struct db_param values[] = { db_int8(id), db_text(alias->who_may_send),
                                       db_text_array(a, alias->allowed_senders, alias->n_allowed_senders),
                                       db_bool(alias->has_send_as), db_text_array(a, alias->send_as, alias->n_send_as),
                                       db_int2(alias->disabled), db_time(alias->expires_us) };
    enum result r = tx_query(tx, &clear, members, 1, NULL);

    if (r == RES_OK)
        r = tx_query(tx, &fill, members, ARRAY_LEN(members), NULL);
    return r == RES_OK ? tx_query(tx, &rest, values, ARRAY_LEN(values), NULL) : r;
}

enum result alias_put(struct db *db, const struct alias *alias, bool create, int64_t if_version, const struct audit *audit)
{
    /* Aliases are written one at a time, so that two of them cannot become members of each other. */
    static const struct db_stmt lock = { "alias_lock", "SELECT pg_advisory_xact_lock(4713)" };
    CLEANUP(arena_releasep) struct arena a = { 0 };
    CLEANUP(tx_rollbackp) struct tx *tx = NULL;
    int64_t id;
    enum result r = tx_begin(db, STR_NULL, &tx);

    if (r == RES_OK)
        r = tx_query(tx, &lock, NULL, 0, NULL);
    if (r == RES_OK)
        r = take_row(tx, alias->address, create, if_version, &id);
    if (r == RES_OK)
        r = write_members(tx, id, alias, &a);
    if (r == RES_OK)
        r = check_depth(tx, id);
    return r == RES_OK ? audit_commit(&tx, audit) : r;
}

enum result alias_delete(struct db *db, struct str address, int64_t if_version, const struct audit *audit)
{
    static const struct db_stmt stmt = { "alias_delete", "DELETE FROM alias WHERE address = $1 RETURNING version" };
    const struct db_param params[] = { db_text(address) };
    CLEANUP(tx_rollbackp) struct tx *tx = NULL;
    CLEANUP(db_rows_freep) struct db_rows rows = { 0 };
    enum result r = tx_begin(db, STR_NULL, &tx);

    if (r == RES_OK)
        r = tx_query(tx, &stmt, params, 1, &rows);
    if (r != RES_OK)
        return r;
    if (db_count(&rows) == 0)
        return RES_NOTFOUND;
    if (if_version >= 0 && db_get_int(&rows, 0, 0) != if_version)
        return RES_CONFLICT;
    return audit_commit(&tx, audit);
}
