#include "store/domain_dns.h"
#include "base/macros.h"

enum result domain_dns_put(struct db *db, int64_t domain_id, struct str found)
{
    static const struct db_stmt stmt = { "domain_dns_put",
        "INSERT INTO domain_dns (domain_id, found) VALUES ($1, $2) "
        "ON CONFLICT (domain_id) DO UPDATE SET checked_at = now(), found = excluded.found" };
    const struct db_param params[] = { db_int8(domain_id), db_json(found) };

    return db_query(db, &stmt, params, ARRAY_LEN(params), NULL);
}

enum result domain_dns_get(struct db *db, int64_t domain_id, struct arena *a, int64_t *ret_checked_us, struct str *ret_found)
{
    static const struct db_stmt stmt = { "domain_dns_get", "SELECT checked_at, found::text FROM domain_dns WHERE domain_id = $1" };
    const struct db_param params[] = { db_int8(domain_id) };
    CLEANUP(db_rows_freep) struct db_rows rows = { 0 };
    enum result r = db_query_row(db, &stmt, params, ARRAY_LEN(params), &rows);

    if (r != RES_OK)
        return r;
    *ret_checked_us = db_get_time(&rows, 0, 0);
    *ret_found = arena_str(a, db_get_str(&rows, 0, 1));
    return RES_OK;
}
