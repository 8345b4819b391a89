#include "store/figures.h"

#define MINUTE_US INT64_C(60000000)

enum result figures_get(struct db *db, struct arena *a, struct figures *ret)
{
    static const struct db_stmt stmt = { "figures",
        "SELECT split_part(current_setting('server_version'), ' ', 1), "
        "EXISTS (SELECT FROM account WHERE state <> 4 AND address <> 'admin@localhost'), "
        "EXISTS (SELECT FROM mailbox WHERE uidnext > 1), first.name, COALESCE(first.wrong = 0, false), "
        "(SELECT count(*) FROM domain WHERE deleted_at IS NULL), (SELECT count(*) FROM account WHERE state <> 4) "
        "FROM (VALUES (1)) AS one LEFT JOIN LATERAL (SELECT d.name, "
        "(SELECT (SELECT count(*) FROM jsonb_array_elements(c.found->'records') AS r WHERE NOT (r->>'optional')::boolean "
        "AND r->>'state' <> 'found') FROM domain_dns c WHERE c.domain_id = d.id) AS wrong "
        "FROM domain d WHERE d.kind = 0 AND d.deleted_at IS NULL AND d.name <> 'localhost' ORDER BY d.state, d.id LIMIT 1) AS first ON true" };
    CLEANUP(db_rows_freep) struct db_rows rows = { 0 };
    enum result r = db_query(db, &stmt, NULL, 0, &rows);

    if (r != RES_OK)
        return r;
    *ret = (struct figures){ .database_version = arena_str(a, db_get_str(&rows, 0, 0)),
                             .has_account = db_get_int(&rows, 0, 1) != 0,
                             .has_mail = db_get_int(&rows, 0, 2) != 0,
                             .first_domain = arena_str(a, db_get_str(&rows, 0, 3)),
                             .first_domain_right = db_get_int(&rows, 0, 4) != 0,
                             .domains = db_get_int(&rows, 0, 5),
                             .accounts = db_get_int(&rows, 0, 6) };
    if (db_is_null(&rows, 0, 3))
        ret->first_domain = STR_NULL;
    return RES_OK;
}

enum result figures_hour(struct db *db, struct figures_hour *ret)
{
    /* Kinds and results of events: store/trace.h.  An event is never older than its message is kept. */
    static const struct db_stmt stmt = { "figures_hour",
        "WITH t AS (SELECT date_trunc('minute', now()) AS until) "
        "SELECT t.until, date_trunc('minute', e.happened_at), count(*) FILTER (WHERE e.kind = 1 AND e.result = 2), "
        "count(*) FILTER (WHERE e.kind IN (5, 6)) FROM t LEFT JOIN trace_event e ON e.happened_at >= t.until - interval '1 hour' "
        "AND e.happened_at < t.until AND e.kind IN (1, 5, 6) GROUP BY 1, 2" };
    CLEANUP(db_rows_freep) struct db_rows rows = { 0 };
    struct figures_hour out = { 0 };
    enum result r = db_query(db, &stmt, NULL, 0, &rows);

    if (r != RES_OK)
        return r;
    for (size_t i = 0; i < db_count(&rows); i++) {
        int64_t at;

        out.until_us = db_get_time(&rows, i, 0);
        if (db_is_null(&rows, i, 1))
            continue;
        at = FIGURES_MINUTES - (out.until_us - db_get_time(&rows, i, 1)) / MINUTE_US;
        if (at < 0 || at >= FIGURES_MINUTES)
            continue;
        out.deferred[at] = db_get_int(&rows, i, 2);
        out.bounced[at] = db_get_int(&rows, i, 3);
    }
    *ret = out;
    return RES_OK;
}
