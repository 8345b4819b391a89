#include "store/destination.h"
#include "store/queue_admin.h"

#define PAUSED "(d.paused_until IS NOT NULL AND d.paused_until > now())"
#define COLUMNS                                                                                                        \
    "d.destination, w.n, w.failing, h.n, w.due_at, w.reason, w.last_reply, d.in_flight, d.max_in_flight, " PAUSED      \
    ", d.paused_at, nullif(d.paused_until, 'infinity'), d.paused_by, d.paused_reason, d.version"
/* Sums over the destination d, over DESTINATION_COUNT_MAX of its recipients. */
#define SUMS                                                                                                           \
    " CROSS JOIN LATERAL (SELECT count(*) AS n, min(due_at) AS due_at, count(*) FILTER (WHERE attempts > 0) AS failing,"\
    "   max(reason) AS reason, max(last_reply) AS last_reply FROM (SELECT due_at, attempts, reason, last_reply"        \
    "   FROM queue_recipient WHERE state = 0 AND destination = d.destination LIMIT 1000) x) w"                         \
    " CROSS JOIN LATERAL (SELECT count(*) AS n FROM (SELECT FROM queue_recipient WHERE state = 1"                      \
    "   AND destination = d.destination LIMIT 1000) x) h"

static void read_row(const struct db_rows *rows, size_t i, struct arena *a, struct destination *d)
{
    *d = (struct destination){
        .name = arena_str(a, db_get_str(rows, i, 0)), .waiting = db_get_int(rows, i, 1), .failing = db_get_int(rows, i, 2),
        .held = db_get_int(rows, i, 3), .oldest_due_at = db_get_time(rows, i, 4), .reason = arena_str(a, db_get_str(rows, i, 5)),
        .reply = arena_str(a, db_get_str(rows, i, 6)), .in_flight = (int)db_get_int(rows, i, 7),
        .max_in_flight = (int)db_get_int(rows, i, 8), .paused = db_get_int(rows, i, 9) != 0,
        .paused_at = db_get_time(rows, i, 10), .paused_until = db_get_time(rows, i, 11),
        .paused_by = arena_str(a, db_get_str(rows, i, 12)), .paused_reason = arena_str(a, db_get_str(rows, i, 13)),
        .version = db_get_int(rows, i, 14),
    };
}

enum result destination_list(struct db *db, struct str after, struct str prefix, bool only_paused, size_t limit, struct arena *a,
                             struct destination **ret_v, size_t *ret_n, bool *ret_more)
{
    static const struct db_stmt stmt = { "destination_list",
        "SELECT " COLUMNS " FROM (SELECT * FROM queue_destination d WHERE ($1::text IS NULL OR destination > $1)"
        "  AND ($2::text IS NULL OR starts_with(destination, $2)) AND (NOT $3 OR " PAUSED ") AND destination <> '.return'"
        "  ORDER BY destination LIMIT $4) d" SUMS " ORDER BY d.destination" };
    size_t want = MIN(limit, (size_t)QUEUE_MAX_PAGE);
    const struct db_param params[] = { db_text(after), db_text(prefix), db_bool(only_paused), db_int8((int64_t)want + 1) };
    CLEANUP(db_rows_freep) struct db_rows rows = { 0 };
    enum result r = db_query(db, &stmt, params, ARRAY_LEN(params), &rows);

    if (r != RES_OK)
        return r;
    *ret_more = db_count(&rows) > want;
    *ret_n = MIN(db_count(&rows), want);
    *ret_v = arena_array(a, struct destination, *ret_n);
    for (size_t i = 0; i < *ret_n; i++)
        read_row(&rows, i, a, &(*ret_v)[i]);
    return RES_OK;
}

enum result destination_get(struct db *db, struct str name, struct arena *a, struct destination *ret)
{
    static const struct db_stmt stmt = { "destination_get",
        "SELECT " COLUMNS " FROM queue_destination d" SUMS " WHERE d.destination = $1 AND d.destination <> '.return'" };
    const struct db_param params[] = { db_text(name) };
    CLEANUP(db_rows_freep) struct db_rows rows = { 0 };
    enum result r = db_query_row(db, &stmt, params, ARRAY_LEN(params), &rows);

    if (r != RES_OK)
        return r;
    read_row(&rows, 0, a, ret);
    return RES_OK;
}

enum result destination_put(struct db *db, const struct destination_write *v, int64_t if_version, const struct audit *audit)
{
    /* The time of a pause that goes on is that of its beginning. */
    static const struct db_stmt stmt = { "destination_put",
        "INSERT INTO queue_destination AS d (destination, max_in_flight, paused_until, paused_at, paused_by, paused_reason, version)"
        " SELECT $1, $2, CASE WHEN $3 THEN coalesce($4, 'infinity') END, CASE WHEN $3 THEN now() END,"
        "  CASE WHEN $3 THEN $5 END, CASE WHEN $3 THEN $6 END, 1 WHERE $7 <= 0"
        "  OR EXISTS (SELECT FROM queue_destination WHERE destination = $1)"
        " ON CONFLICT (destination) DO UPDATE SET max_in_flight = excluded.max_in_flight, paused_until = excluded.paused_until,"
        "  paused_at = CASE WHEN " PAUSED " AND excluded.paused_until IS NOT NULL THEN d.paused_at ELSE excluded.paused_at END,"
        "  paused_by = excluded.paused_by, paused_reason = excluded.paused_reason, version = d.version + 1,"
        "  due_at = least(d.due_at, now()) WHERE $7 < 0 OR d.version = $7"
        " RETURNING version" };
    const struct db_param params[] = { db_text(v->name), db_int4(v->max_in_flight), db_bool(v->paused), db_time(v->paused_until),
                                       db_text(v->actor), db_text(v->reason), db_int8(if_version) };
    CLEANUP(tx_rollbackp) struct tx *tx = NULL;
    CLEANUP(db_rows_freep) struct db_rows rows = { 0 };
    enum result r = tx_begin(db, STR_NULL, &tx);

    if (r == RES_OK)
        r = tx_query(tx, &stmt, params, ARRAY_LEN(params), &rows);
    if (r == RES_OK && db_count(&rows) == 0)
        return RES_CONFLICT;
    if (r == RES_OK)
        r = audit_add(tx, audit);
    if (r == RES_OK)
        r = tx_commit_notify(&tx, "queue", STR(""));
    return r == RES_OK ? RES_OK : RES_TEMPFAIL;
}
