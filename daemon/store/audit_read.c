#include "store/audit_read.h"

enum result audit_list(struct db *db, const struct audit_filter *filter, int64_t after, size_t limit, struct arena *a,
                       struct audit_row **ret_rows, size_t *ret_n, bool *ret_more)
{
    static const struct db_stmt stmt = { "audit_list",
        "SELECT id, at, actor::text, action, objects, before::text, after::text, result, request_id, encode(hash, 'hex') FROM audit "
        "WHERE ($1 = 0 OR id < $1) AND ($2::text IS NULL OR actor->>'name' = $2) "
        "AND ($3::text IS NULL OR action = $3 OR ($3 LIKE '%.' AND starts_with(action, $3))) "
        "AND ($4::text IS NULL OR objects @> ARRAY[$4]) AND ($5::timestamptz IS NULL OR at >= $5) "
        "AND ($6::timestamptz IS NULL OR at < $6) ORDER BY id DESC LIMIT $7" };
    const struct db_param params[] = { db_int8(after), db_text(filter->actor), db_text(filter->action), db_text(filter->object),
                                       db_time(filter->since), db_time(filter->until), db_int8((int64_t)limit + 1) };
    CLEANUP(db_rows_freep) struct db_rows rows = { 0 };
    enum result r = db_query(db, &stmt, params, ARRAY_LEN(params), &rows);

    if (r != RES_OK)
        return r;
    *ret_more = db_count(&rows) > limit;
    *ret_n = MIN(db_count(&rows), limit);
    *ret_rows = arena_array(a, struct audit_row, *ret_n);
    for (size_t i = 0; i < *ret_n; i++) {
        struct audit_row *row = &(*ret_rows)[i];

        *row = (struct audit_row){ .id = db_get_int(&rows, i, 0), .at = db_get_time(&rows, i, 1),
                                   .actor = arena_str(a, db_get_str(&rows, i, 2)), .action = arena_str(a, db_get_str(&rows, i, 3)),
                                   .before = arena_str(a, db_get_str(&rows, i, 5)), .after = arena_str(a, db_get_str(&rows, i, 6)),
                                   .result = arena_str(a, db_get_str(&rows, i, 7)), .request_id = arena_str(a, db_get_str(&rows, i, 8)),
                                   .hash = arena_str(a, db_get_str(&rows, i, 9)) };
        row->n_objects = db_get_str_array(&rows, i, 4, a, &row->objects);
    }
    return RES_OK;
}

enum result audit_news(struct db *db, int64_t after, size_t limit, struct arena *a, struct audit_news **ret_v, size_t *ret_n)
{
    static const struct db_stmt stmt = { "audit_news", "SELECT id, action FROM audit WHERE id > $1 ORDER BY id LIMIT $2" };
    const struct db_param params[] = { db_int8(after), db_int8((int64_t)limit) };
    CLEANUP(db_rows_freep) struct db_rows rows = { 0 };
    enum result r = db_query(db, &stmt, params, ARRAY_LEN(params), &rows);

    if (r != RES_OK)
        return r;
    *ret_n = db_count(&rows);
    *ret_v = arena_array(a, struct audit_news, *ret_n + 1);
    for (size_t i = 0; i < *ret_n; i++)
        (*ret_v)[i] = (struct audit_news){ db_get_int(&rows, i, 0), arena_str(a, db_get_str(&rows, i, 1)) };
    return RES_OK;
}

enum result audit_newest(struct db *db, int64_t *ret)
{
    static const struct db_stmt stmt = { "audit_newest", "SELECT coalesce(max(id), 0) FROM audit" };
    CLEANUP(db_rows_freep) struct db_rows rows = { 0 };
    enum result r = db_query(db, &stmt, NULL, 0, &rows);

    if (r == RES_OK)
        *ret = db_get_int(&rows, 0, 0);
    return r;
}

enum result audit_verify(struct db *db, int64_t after, int64_t limit, struct arena *a, struct audit_proof *ret)
{
    static const struct db_stmt stmt = { "audit_verify",
        "WITH r AS MATERIALIZED (SELECT * FROM audit WHERE id > $1 ORDER BY id LIMIT $2), "
        "c AS (SELECT id, hash, hash = sha256(lag(hash, 1, coalesce((SELECT hash FROM audit WHERE id <= $1 ORDER BY id DESC LIMIT 1), "
        "''::bytea)) OVER (ORDER BY id) || " AUDIT_HASHED("extract(epoch FROM at)", "actor", "action", "objects", "before", "after",
                                                           "result", "request_id") ") AS ok FROM r) "
        "SELECT count(*), coalesce(max(id), 0), (SELECT encode(hash, 'hex') FROM c ORDER BY id DESC LIMIT 1), "
        "coalesce(min(id) FILTER (WHERE NOT ok), 0), EXISTS (SELECT FROM audit WHERE id > (SELECT max(id) FROM r)) FROM c" };
    const struct db_param params[] = { db_int8(after), db_int8(limit) };
    CLEANUP(db_rows_freep) struct db_rows rows = { 0 };
    enum result r = db_query(db, &stmt, params, ARRAY_LEN(params), &rows);

    if (r != RES_OK)
        return r;
    *ret = (struct audit_proof){ .rows = db_get_int(&rows, 0, 0), .last = db_get_int(&rows, 0, 1),
                                 .hash = arena_str(a, db_get_str(&rows, 0, 2)), .wrong = db_get_int(&rows, 0, 3),
                                 .more = db_get_int(&rows, 0, 4) != 0 };
    return RES_OK;
}
