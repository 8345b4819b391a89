#include "store/account.h"

static enum result run(struct db *db, const struct db_stmt *stmt, const struct db_param *params, size_t n,
                       const struct audit *audit)
{
    CLEANUP(tx_rollbackp) struct tx *tx = NULL;
    CLEANUP(db_rows_freep) struct db_rows rows = { 0 };
    enum result r = tx_begin(db, STR_NULL, &tx);

    if (r == RES_OK)
        r = tx_query(tx, stmt, params, n, &rows);
    if (r != RES_OK)
        return r;
    return db_count(&rows) == 0 ? RES_NOTFOUND : audit_commit(&tx, audit);
}

enum result account_freeze(struct db *db, struct str address, struct str reason, struct str by, const struct audit *audit)
{
    static const struct db_stmt stmt = { "account_freeze",
        "UPDATE account SET state = CASE state WHEN 3 THEN 3 ELSE 2 END, "
        "state_before = CASE state WHEN 3 THEN 2 ELSE state_before END, frozen_at = now(), frozen_reason = $2, frozen_by = $3, "
        "frozen_before = coalesce(frozen_before, CASE state WHEN 3 THEN coalesce(state_before, 1) ELSE state END), "
        "version = version + 1 WHERE address = $1 AND state <> 4 RETURNING id" };
    const struct db_param params[] = { db_text(address), db_text(reason), db_text(by) };

    return run(db, &stmt, params, ARRAY_LEN(params), audit);
}

enum result account_unfreeze(struct db *db, struct str address, const struct audit *audit)
{
    static const struct db_stmt stmt = { "account_unfreeze",
        "UPDATE account SET state = CASE state WHEN 2 THEN coalesce(frozen_before, 1) ELSE state END, "
        "state_before = CASE state_before WHEN 2 THEN coalesce(frozen_before, 1) ELSE state_before END, "
        "frozen_at = NULL, frozen_reason = NULL, frozen_by = NULL, frozen_before = NULL, "
        "version = version + CASE WHEN frozen_at IS NULL THEN 0 ELSE 1 END WHERE address = $1 AND state <> 4 RETURNING id" };
    const struct db_param params[] = { db_text(address) };

    return run(db, &stmt, params, ARRAY_LEN(params), audit);
}

enum result account_hold_rest(struct db *db, int64_t account_id)
{
    static const struct db_stmt stmt = { "account_hold_rest",
        "UPDATE queue_recipient r SET state = 1 FROM queue_message m WHERE m.account_id = $1 AND r.queue_id = m.id AND r.state = 0" };
    const struct db_param params[] = { db_int8(account_id) };

    return db_query(db, &stmt, params, ARRAY_LEN(params), NULL);
}
