#include "store/sent.h"
#include "base/macros.h"
#include "config/settings.h"

#include <string.h>

struct sent_limits sent_limits_of_all(void)
{
    const struct settings *s = settings_get();

    return (struct sent_limits){ s->recipients_per_hour > 0 ? s->recipients_per_hour : SENT_NO_LIMIT,
                                 s->recipients_per_day > 0 ? s->recipients_per_day : SENT_NO_LIMIT };
}

enum result sent_get(struct db *db, int64_t account_id, struct sent_use *ret)
{
    static const struct db_stmt stmt = { "sent_get",
        "SELECT coalesce(a.recipients_per_hour, d.recipients_per_hour, $2)::bigint, "
        "coalesce(a.recipients_per_day, d.recipients_per_day, $3)::bigint, n.hour, n.day "
        "FROM account a JOIN domain d ON d.id = a.domain_id CROSS JOIN LATERAL (SELECT coalesce(sum(recipients), 0)::bigint AS day, "
        "coalesce(sum(recipients) FILTER (WHERE at > now() - interval '1 hour'), 0)::bigint AS hour FROM sent "
        "WHERE account_id = a.id AND at > now() - interval '1 day') n WHERE a.id = $1" };
    const struct sent_limits all = sent_limits_of_all();
    const struct db_param params[] = { db_int8(account_id), db_int8(all.per_hour), db_int8(all.per_day) };
    CLEANUP(db_rows_freep) struct db_rows rows = { 0 };
    enum result r = db_query_row(db, &stmt, params, ARRAY_LEN(params), &rows);

    if (r != RES_OK)
        return r;
    *ret = (struct sent_use){ .limits = { db_get_int(&rows, 0, 0), db_get_int(&rows, 0, 1) },
                              .hour = db_get_int(&rows, 0, 2), .day = db_get_int(&rows, 0, 3) };
    return RES_OK;
}

enum result sent_hours(struct db *db, int64_t account_id, int64_t ret_v[SENT_HOURS])
{
    static const struct db_stmt stmt = { "sent_hours",
        "SELECT 23 - (extract(epoch FROM now() - at)::bigint / 3600), sum(recipients)::bigint FROM sent "
        "WHERE account_id = $1 AND at > now() - interval '1 day' GROUP BY 1" };
    const struct db_param params[] = { db_int8(account_id) };
    CLEANUP(db_rows_freep) struct db_rows rows = { 0 };
    enum result r = db_query(db, &stmt, params, ARRAY_LEN(params), &rows);

    if (r != RES_OK)
        return r;
    memset(ret_v, 0, SENT_HOURS * sizeof(ret_v[0]));
    for (size_t i = 0; i < db_count(&rows); i++) {
        int64_t hour = db_get_int(&rows, i, 0);

        if (hour >= 0 && hour < SENT_HOURS)
            ret_v[hour] = db_get_int(&rows, i, 1);
    }
    return RES_OK;
}

struct db_call sent_count(struct arena *a, const struct sent_now *v, size_t n)
{
    /* In the order of accounts, so that two of these cannot wait for each other. */
    static const struct db_stmt stmt = { "sent_count",
        "INSERT INTO sent (account_id, at, slot, recipients) SELECT u.account_id, date_bin('10 minutes', now(), timestamptz 'epoch'), "
        "pg_backend_pid() % 8, sum(u.n) FROM unnest($1::bigint[], $2::int[]) AS u (account_id, n) GROUP BY 1 ORDER BY 1 "
        "ON CONFLICT (account_id, at, slot) DO UPDATE SET recipients = sent.recipients + excluded.recipients" };
    int64_t *accounts = arena_array(a, int64_t, n);
    int32_t *counts = arena_array(a, int32_t, n);
    struct db_param *params = arena_array(a, struct db_param, 2);

    for (size_t i = 0; i < n; i++) {
        accounts[i] = v[i].account_id;
        counts[i] = v[i].recipients;
    }
    params[0] = db_int8_array(a, accounts, n);
    params[1] = db_int4_array(a, counts, n);
    return (struct db_call){ .stmt = &stmt, .params = params, .n = 2 };
}

enum result sent_sweep(struct db *db)
{
    static const struct db_stmt stmt = { "sent_sweep", "DELETE FROM sent WHERE at < now() - interval '25 hours'" };

    return db_query(db, &stmt, NULL, 0, NULL);
}
