#include "store/traffic.h"
#include "base/macros.h"

#include <assert.h>
#include <string.h>

enum result traffic_add(struct db *db, int64_t at_us, const int64_t n[COUNTERS_MAIL])
{
    /* All nodes take the minute's row before the hour's. */
    static const struct db_stmt stmt = { "traffic_add",
        "INSERT INTO traffic (step, at, accepted, delivered, deferred, refused) "
        "SELECT s, date_bin(make_interval(secs => s), $1, timestamptz 'epoch'), $2, $3, $4, $5 "
        "FROM unnest(ARRAY[60, 3600]) AS u (s) ORDER BY s "
        "ON CONFLICT (step, at) DO UPDATE SET accepted = traffic.accepted + excluded.accepted, "
        "delivered = traffic.delivered + excluded.delivered, deferred = traffic.deferred + excluded.deferred, "
        "refused = traffic.refused + excluded.refused" };
    const struct db_param params[] = { db_time(at_us), db_int8(n[COUNTERS_ACCEPTED]), db_int8(n[COUNTERS_DELIVERED]),
                                       db_int8(n[COUNTERS_DEFERRED]), db_int8(n[COUNTERS_REFUSED]) };

    return db_query(db, &stmt, params, ARRAY_LEN(params), NULL);
}

/* From which rows, in which steps; `goes_on`: the last step is the one that goes on. */
static const struct {
    int16_t row_s;
    int step_s, points;
    bool goes_on;
} ranges[TRAFFIC_RANGES] = {
    [TRAFFIC_HOUR] = { 60, 60, 60, false },
    [TRAFFIC_DAY] = { 60, 300, 288, true },
    [TRAFFIC_WEEK] = { 3600, 3600, 168, true },
    [TRAFFIC_MONTH] = { 3600, 7200, 360, true },
};

enum result traffic_get(struct db *db, enum traffic_range range, struct traffic_history *ret)
{
    /* A minute is written just behind its end: it counts as whole three seconds later. */
    static const struct db_stmt stmt = { "traffic_get",
        "WITH t AS (SELECT make_interval(secs => $2) AS step, date_bin(make_interval(secs => $2), "
        "CASE WHEN $4 THEN now() + make_interval(secs => $2) ELSE now() - interval '3 seconds' END, timestamptz 'epoch') AS until) "
        "SELECT t.until, ((extract(epoch FROM r.at - t.until)::bigint + $2::bigint * $3) / $2)::int, sum(r.accepted)::bigint, "
        "sum(r.delivered)::bigint, sum(r.deferred)::bigint, sum(r.refused)::bigint "
        "FROM t LEFT JOIN traffic r ON r.step = $1 AND r.at >= t.until - t.step * $3 AND r.at < t.until GROUP BY 1, 2" };
    const struct db_param params[] = { db_int2(ranges[range].row_s), db_int4(ranges[range].step_s), db_int4(ranges[range].points),
                                       db_bool(ranges[range].goes_on) };
    CLEANUP(db_rows_freep) struct db_rows rows = { 0 };
    enum result r = db_query(db, &stmt, params, ARRAY_LEN(params), &rows);

    if (r != RES_OK)
        return r;
    memset(ret, 0, sizeof(*ret));
    ret->step_s = ranges[range].step_s;
    ret->points = (size_t)ranges[range].points;
    assert(ret->points <= TRAFFIC_MAX_POINTS);
    for (size_t i = 0; i < db_count(&rows); i++) {
        int64_t at = db_get_int(&rows, i, 1);

        ret->until_us = db_get_time(&rows, i, 0);
        if (db_is_null(&rows, i, 1) || at < 0 || at >= ranges[range].points)
            continue;
        for (int kind = 0; kind < COUNTERS_MAIL; kind++)
            ret->n[kind][at] = db_get_int(&rows, i, 2 + kind);
    }
    return RES_OK;
}

enum result traffic_sweep(struct db *db)
{
    static const struct db_stmt stmt = { "traffic_sweep",
        "DELETE FROM traffic WHERE (step = 60 AND at < now() - interval '2 days') OR (step = 3600 AND at < now() - interval '35 days')" };

    return db_query(db, &stmt, NULL, 0, NULL);
}
