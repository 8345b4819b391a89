#include "store/import.h"

#define LEASE "interval '15 seconds'"
#define PIECE 1000 /* lines of one statement */

static enum result add_lines(struct tx *tx, int64_t id, const struct import_line *v, size_t n)
{
    static const struct db_stmt stmt = { "import_add_lines",
        "INSERT INTO import_line (operation_id, line, address, body, with_password)"
        " SELECT $1, x.line, x.address, x.body, x.with_password <> 0 FROM unnest($2::int[], $3::text[], $4::text[], $5::int[])"
        " x (line, address, body, with_password)" };
    CLEANUP(arena_releasep) struct arena a = { 0 };
    int32_t *lines = arena_array(&a, int32_t, n), *with_password = arena_array(&a, int32_t, n);
    struct str *addresses = arena_array(&a, struct str, n), *bodies = arena_array(&a, struct str, n);

    for (size_t i = 0; i < n; i++) {
        lines[i] = (int32_t)v[i].line;
        addresses[i] = v[i].address;
        bodies[i] = v[i].body;
        with_password[i] = v[i].with_password;
    }
    const struct db_param params[] = { db_int8(id), db_int4_array(&a, lines, n), db_text_array(&a, addresses, n),
                                       db_text_array(&a, bodies, n), db_int4_array(&a, with_password, n) };

    return tx_query(tx, &stmt, params, ARRAY_LEN(params), NULL);
}

enum result import_begin(struct db *db, struct str actor, struct str caller, bool updates, struct str worker,
                         const struct import_line *v, size_t n, const struct audit *audit, int64_t *ret_id)
{
    static const struct db_stmt stmt = { "import_begin",
        "WITH o AS (INSERT INTO operation (action, actor, total) SELECT $1, $2, $3"
        "  WHERE (SELECT count(*) < $7 AND count(*) FILTER (WHERE actor = $2) < $8 FROM operation WHERE action = $1 AND state = 0)"
        "  RETURNING id)"
        " INSERT INTO import (operation_id, caller, updates, worker, leased_until)"
        " SELECT id, $4, $5, $6, now() + " LEASE " FROM o RETURNING operation_id" };
    const struct db_param params[] = { db_int2(OPERATION_IMPORT), db_text(actor), db_int8((int64_t)n), db_text(caller),
                                       db_bool(updates), db_text(worker), db_int8(IMPORTS_AT_ONCE), db_int8(IMPORTS_OF_ONE) };
    CLEANUP(tx_rollbackp) struct tx *tx = NULL;
    CLEANUP(db_rows_freep) struct db_rows rows = { 0 };
    enum result r = tx_begin(db, STR_NULL, &tx);

    if (r == RES_OK)
        r = tx_query(tx, &stmt, params, ARRAY_LEN(params), &rows);
    if (r == RES_OK && db_count(&rows) == 0)
        return RES_LIMIT;
    for (size_t at = 0; at < n && r == RES_OK; at += PIECE)
        r = add_lines(tx, db_get_int(&rows, 0, 0), v + at, MIN(n - at, (size_t)PIECE));
    if (r == RES_OK)
        r = audit_commit(&tx, audit);
    if (r == RES_OK)
        *ret_id = db_get_int(&rows, 0, 0);
    return r;
}

enum result import_take(struct db *db, struct str worker, struct arena *a, struct import_work *ret)
{
    static const struct db_stmt stmt = { "import_take",
        "UPDATE import SET worker = $1, turn_at = now(), leased_until = now() + " LEASE " WHERE operation_id = (SELECT i.operation_id FROM operation o"
        " JOIN import i ON i.operation_id = o.id WHERE o.state = 0 AND o.action = $2 AND (i.worker = $1 OR i.leased_until < now())"
        " ORDER BY i.turn_at LIMIT 1 FOR UPDATE OF i SKIP LOCKED) RETURNING operation_id, caller, updates" };
    const struct db_param params[] = { db_text(worker), db_int2(OPERATION_IMPORT) };
    CLEANUP(db_rows_freep) struct db_rows rows = { 0 };
    enum result r = db_query_row(db, &stmt, params, ARRAY_LEN(params), &rows);

    if (r != RES_OK)
        return r;
    *ret = (struct import_work){ db_get_int(&rows, 0, 0), arena_str(a, db_get_str(&rows, 0, 1)), db_get_int(&rows, 0, 2) != 0 };
    return RES_OK;
}

static enum import_outcome outcome_of(const struct db_rows *rows, size_t row, int column)
{
    return db_is_null(rows, row, column) ? IMPORT_OUTCOMES : (enum import_outcome)db_get_int(rows, row, column);
}

enum result import_next(struct db *db, int64_t id, struct str worker, struct arena *a, struct import_line *ret)
{
    static const struct db_stmt stmt = { "import_next",
        "WITH i AS (UPDATE import x SET leased_until = now() + " LEASE " FROM operation o WHERE o.id = x.operation_id"
        "  AND o.action = $3 AND o.state = 0 AND x.worker = $2 RETURNING x.operation_id)"
        " SELECT l.line, l.address, l.body, l.with_password, l.outcome FROM i JOIN import_line l USING (operation_id)"
        " WHERE i.operation_id = $1 AND NOT l.done ORDER BY l.line LIMIT 1" };
    const struct db_param params[] = { db_int8(id), db_text(worker), db_int2(OPERATION_IMPORT) };
    CLEANUP(db_rows_freep) struct db_rows rows = { 0 };
    enum result r = db_query_row(db, &stmt, params, ARRAY_LEN(params), &rows);

    if (r != RES_OK)
        return r;
    *ret = (struct import_line){ .line = (unsigned)db_get_int(&rows, 0, 0), .address = arena_str(a, db_get_str(&rows, 0, 1)),
                                 .body = arena_str(a, db_get_str(&rows, 0, 2)), .with_password = db_get_int(&rows, 0, 3) != 0,
                                 .outcome = outcome_of(&rows, 0, 4), .code = STR(""), .detail = STR("") };
    return RES_OK;
}

enum result import_mark(struct tx *tx, int64_t id, unsigned line, enum import_outcome outcome)
{
    static const struct db_stmt stmt = { "import_mark",
        "UPDATE import_line SET outcome = $3 WHERE operation_id = $1 AND line = $2 AND outcome IS NULL AND NOT done" };
    const struct db_param params[] = { db_int8(id), db_int4((int32_t)line), db_int2((int16_t)outcome) };
    CLEANUP(db_rows_freep) struct db_rows rows = { 0 };
    enum result r = tx_query(tx, &stmt, params, ARRAY_LEN(params), &rows);

    return r == RES_OK && db_affected(&rows) == 0 ? RES_CONFLICT : r;
}

enum result import_done(struct db *db, int64_t id, const struct import_line *v)
{
    static const struct db_stmt stmt = { "import_done",
        "WITH l AS (UPDATE import_line SET done = true, body = NULL, outcome = $3, invited = $4, code = $5, detail = $6"
        "  WHERE operation_id = $1 AND line = $2 AND NOT done RETURNING outcome),"
        " i AS (UPDATE import SET created = created + (outcome = 0)::int, updated = updated + (outcome = 1)::int,"
        "  unchanged = unchanged + (outcome = 2)::int, failed = failed + (outcome = 3)::int FROM l WHERE operation_id = $1)"
        " UPDATE operation SET done = done + 1, changed = changed + (outcome < 2)::int,"
        "  state = CASE WHEN state = 0 AND done + 1 = total THEN 1 ELSE state END,"
        "  finished_at = CASE WHEN state = 0 AND done + 1 = total THEN now() ELSE finished_at END FROM l WHERE id = $1" };
    const struct db_param params[] = { db_int8(id), db_int4((int32_t)v->line), db_int2((int16_t)v->outcome), db_bool(v->invited),
                                       db_text(v->code), db_text(v->detail) };

    return db_query(db, &stmt, params, ARRAY_LEN(params), NULL);
}

enum result import_lines(struct db *db, int64_t id, const struct import_filter *f, unsigned after, size_t limit, struct arena *a,
                         struct import_line **ret_v, size_t *ret_n, bool *ret_more)
{
    static const struct db_stmt there = { "import_there",
        "SELECT FROM import i JOIN operation o ON o.id = i.operation_id WHERE o.id = $1 AND ($2::text IS NULL OR o.actor = $2)" };
    static const struct db_stmt stmt = { "import_lines",
        "SELECT line, address, outcome, invited, code, detail FROM import_line WHERE operation_id = $1 AND done AND line > $2"
        " AND ($3 = 0 OR $3 & (1 << outcome) <> 0) AND (NOT $4 OR invited) AND (NOT $5 OR code <> '') ORDER BY line LIMIT $6" };
    const struct db_param there_params[] = { db_int8(id), db_text(f->actor) };
    const struct db_param params[] = { db_int8(id), db_int4((int32_t)after), db_int4((int32_t)f->outcomes), db_bool(f->invited),
                                       db_bool(f->noted), db_int8((int64_t)limit + 1) };
    CLEANUP(db_rows_freep) struct db_rows found = { 0 };
    CLEANUP(db_rows_freep) struct db_rows rows = { 0 };
    enum result r = db_query_row(db, &there, there_params, ARRAY_LEN(there_params), &found);
    struct import_line *v;
    size_t n;

    if (r == RES_OK)
        r = db_query(db, &stmt, params, ARRAY_LEN(params), &rows);
    if (r != RES_OK)
        return r;
    n = MIN(db_count(&rows), limit);
    v = arena_array(a, struct import_line, n + 1);
    for (size_t i = 0; i < n; i++)
        v[i] = (struct import_line){ .line = (unsigned)db_get_int(&rows, i, 0), .address = arena_str(a, db_get_str(&rows, i, 1)),
                                     .outcome = outcome_of(&rows, i, 2), .invited = db_get_int(&rows, i, 3) != 0,
                                     .code = arena_str(a, db_get_str(&rows, i, 4)), .detail = arena_str(a, db_get_str(&rows, i, 5)) };
    *ret_v = v;
    *ret_n = n;
    *ret_more = db_count(&rows) > limit;
    return RES_OK;
}
