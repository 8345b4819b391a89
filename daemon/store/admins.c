#include "store/admins.h"

static enum result count(struct tx *tx, struct admins *ret)
{
    static const struct db_stmt stmt = { "admins_count",
        "SELECT count(*) FILTER (WHERE a.state IN (1, 2)), count(*) FROM account a JOIN domain d ON d.id = a.domain_id "
        "WHERE a.role = 2 AND a.state IN (0, 1, 2) AND d.state = 0 AND d.deleted_at IS NULL" };
    CLEANUP(db_rows_freep) struct db_rows rows = { 0 };

    if (tx_query(tx, &stmt, NULL, 0, &rows) != RES_OK)
        return RES_TEMPFAIL;
    *ret = (struct admins){ .able = db_get_int(&rows, 0, 0), .total = db_get_int(&rows, 0, 1) };
    return RES_OK;
}

enum result admins_begin(struct tx *tx, struct admins *ret)
{
    static const struct db_stmt lock = { "admins_lock", "SELECT pg_advisory_xact_lock(4712)" };

    if (tx_query(tx, &lock, NULL, 0, NULL) != RES_OK)
        return RES_TEMPFAIL;
    return count(tx, ret);
}

enum result admins_check(struct tx *tx, const struct admins *before)
{
    struct admins now;
    enum result r = count(tx, &now);

    if (r != RES_OK)
        return r;
    return (before->able > 0 && now.able == 0) || (before->total > 0 && now.total == 0) ? RES_DENIED : RES_OK;
}
