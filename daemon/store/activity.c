#include "store/activity.h"
#include "config/settings.h"
#include "store/owner_letter.h"

#define MANY "'0.0.0.0/0'::cidr"
#define NETWORKS_AN_HOUR "50"
#define NETWORKS_KNOWN "500" /* of an account; of more, those last seen */

enum result activity_add(struct db *db, const struct activity *v, size_t n)
{
    static const struct db_stmt stmt = { "activity_add",
        "WITH x AS (SELECT u.account_id, date_trunc('hour', to_timestamp(u.last / 1e6)) AS hour, u.protocol, u.result::smallint, "
        "coalesce(network(set_masklen(nullif(u.ip, '')::inet, CASE family(nullif(u.ip, '')::inet) WHEN 4 THEN 24 ELSE 48 END)), " MANY ") AS network, "
        "nullif(u.ip, '')::inet AS ip, to_timestamp(u.first / 1e6) AS first_at, to_timestamp(u.last / 1e6) AS last_at, u.count "
        "FROM unnest($1::bigint[], $2::text[], $3::bigint[], $4::text[], $5::bigint[], $6::bigint[], $7::bigint[]) "
        "AS u (account_id, protocol, result, ip, first, last, count)), "
        "f AS (SELECT x.*, CASE WHEN x.result = 0 OR EXISTS (SELECT FROM sign_in_log l WHERE (l.account_id, l.hour, l.protocol, "
        "l.result, l.network) = (x.account_id, x.hour, x.protocol, x.result, x.network)) OR (SELECT count(*) FROM sign_in_log l "
        "WHERE l.account_id = x.account_id AND l.hour = x.hour) < " NETWORKS_AN_HOUR " THEN x.network ELSE " MANY " END AS place FROM x), "
        /* Where it signed in: what is new there and not the first of all is told to the owner. */
        "p AS (SELECT DISTINCT ON (x.account_id, x.network) x.account_id, x.network, x.protocol, x.ip, x.last_at FROM x "
        "JOIN account a ON a.id = x.account_id WHERE x.result = 0 AND x.network <> " MANY " ORDER BY x.account_id, x.network, x.last_at), "
        "k AS (INSERT INTO account_network AS o (account_id, network, seen_at) SELECT account_id, network, last_at FROM p "
        "ORDER BY account_id, network ON CONFLICT (account_id, network) DO UPDATE SET seen_at = excluded.seen_at "
        "WHERE o.seen_at < excluded.seen_at - interval '1 day' RETURNING o.account_id, o.network, o.xmax = 0 AS new), "
        "old AS (DELETE FROM account_network o WHERE o.account_id IN (SELECT account_id FROM k WHERE new) AND o.network IN "
        "(SELECT r.network FROM account_network r WHERE r.account_id = o.account_id ORDER BY r.seen_at DESC OFFSET " NETWORKS_KNOWN " - 1) "
        "AND NOT EXISTS (SELECT FROM k WHERE (k.account_id, k.network) = (o.account_id, o.network))), "
        "w AS (SELECT p.*, (SELECT count(*) FROM owner_letter l WHERE l.account_id = p.account_id AND l.kind = 3 "
        "AND l.at > now() - interval '1 day') + row_number() OVER (PARTITION BY p.account_id ORDER BY p.last_at) AS nth "
        "FROM p JOIN k USING (account_id, network) WHERE k.new AND $8 "
        "AND EXISTS (SELECT FROM account_network o WHERE o.account_id = p.account_id)), "
        "t AS (INSERT INTO owner_letter (account_id, kind, at, protocol, ip, is_last) SELECT account_id, 3, last_at, protocol, ip, nth = $9 "
        "FROM w WHERE nth <= $9) "
        "INSERT INTO sign_in_log AS s (account_id, hour, protocol, result, network, ip, first_at, last_at, count) "
        "SELECT account_id, hour, protocol, result, place, (array_agg(ip ORDER BY last_at DESC))[1], min(first_at), max(last_at), "
        "sum(count)::bigint FROM f GROUP BY account_id, hour, protocol, result, place "
        "ON CONFLICT (account_id, hour, protocol, result, network) DO UPDATE SET ip = excluded.ip, "
        "last_at = greatest(s.last_at, excluded.last_at), count = s.count + excluded.count" };
    CLEANUP(arena_releasep) struct arena a = { 0 };
    int64_t *numbers[5];
    struct str *texts[2];

    for (size_t k = 0; k < ARRAY_LEN(numbers); k++)
        numbers[k] = arena_array(&a, int64_t, n + 1);
    for (size_t k = 0; k < ARRAY_LEN(texts); k++)
        texts[k] = arena_array(&a, struct str, n + 1);
    for (size_t i = 0; i < n; i++) {
        numbers[0][i] = v[i].account_id;
        numbers[1][i] = v[i].result;
        numbers[2][i] = v[i].first_us;
        numbers[3][i] = v[i].last_us;
        numbers[4][i] = v[i].count;
        texts[0][i] = v[i].protocol;
        texts[1][i] = v[i].ip;
    }
    {
        const struct db_param params[] = { db_int8_array(&a, numbers[0], n), db_text_array(&a, texts[0], n),
                                           db_int8_array(&a, numbers[1], n), db_text_array(&a, texts[1], n),
                                           db_int8_array(&a, numbers[2], n), db_int8_array(&a, numbers[3], n),
                                           db_int8_array(&a, numbers[4], n), db_bool(settings_get()->notify_owner),
                                           db_int8(OWNER_NETWORKS_A_DAY) };

        return db_query(db, &stmt, params, ARRAY_LEN(params), NULL);
    }
}

enum result activity_list(struct db *db, int64_t account_id, int64_t before_us, size_t limit, struct arena *a,
                          struct activity **ret_v, size_t *ret_n, bool *ret_more)
{
    static const struct db_stmt stmt = { "activity_list",
        "SELECT l.result, l.protocol, l.ip, CASE WHEN l.network <> " MANY " THEN l.network::text END, l.first_at, l.last_at, l.count, "
        "l.result = 0 AND NOT EXISTS (SELECT FROM sign_in_log e WHERE e.account_id = $1 AND e.result = 0 "
        "AND e.network = l.network AND e.first_at < l.first_at) AND EXISTS (SELECT FROM sign_in_log e WHERE e.account_id = $1 "
        "AND e.result = 0 AND e.first_at < l.first_at) FROM sign_in_log l WHERE l.account_id = $1 "
        "AND ($2::timestamptz IS NULL OR l.last_at < $2) ORDER BY l.last_at DESC LIMIT $3" };
    const struct db_param params[] = { db_int8(account_id), db_time(before_us == INT64_MAX ? DB_NO_TIME : before_us),
                                       db_int8((int64_t)limit + 1) };
    CLEANUP(db_rows_freep) struct db_rows rows = { 0 };
    enum result r = db_query(db, &stmt, params, ARRAY_LEN(params), &rows);

    if (r != RES_OK)
        return r;
    *ret_n = MIN(db_count(&rows), limit);
    *ret_more = db_count(&rows) > limit;
    *ret_v = arena_array(a, struct activity, *ret_n + 1);
    for (size_t i = 0; i < *ret_n; i++)
        (*ret_v)[i] = (struct activity){ .account_id = account_id,
                                         .result = (enum activity_result)db_get_int(&rows, i, 0),
                                         .protocol = arena_str(a, db_get_str(&rows, i, 1)),
                                         .ip = db_get_inet(&rows, i, 2, a),
                                         .network = arena_str(a, db_get_str(&rows, i, 3)),
                                         .first_us = db_get_time(&rows, i, 4),
                                         .last_us = db_get_time(&rows, i, 5),
                                         .count = db_get_int(&rows, i, 6),
                                         .new_network = db_get_int(&rows, i, 7) != 0 };
    return RES_OK;
}

enum result activity_sweep(struct db *db)
{
    static const struct db_stmt stmt = { "activity_sweep", "DELETE FROM sign_in_log WHERE hour < now() - interval '30 days'" };

    return db_query(db, &stmt, NULL, 0, NULL);
}
