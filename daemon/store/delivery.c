#include "store/delivery.h"

enum result mailbox_place_find(struct db *db, int64_t account_id, struct str local, struct arena *a,
                               struct mailbox_place *ret)
{
    static const struct db_stmt stmt = { "mailbox_place_find",
        "SELECT coalesce(a.delivery, d.delivery), a.delivery IS NULL, coalesce(a.delivery_user, d.delivery_user),"
        " a.address, CASE WHEN d.subaddress <> '' AND strpos($2, d.subaddress) > 0"
        "  THEN substr($2, strpos($2, d.subaddress) + length(d.subaddress)) ELSE '' END"
        " FROM account a JOIN domain d ON d.id = a.domain_id WHERE a.id = $1 AND a.state <> 4" };
    const struct db_param params[] = { db_int8(account_id), db_text(arena_lower(a, local)) };
    CLEANUP(db_rows_freep) struct db_rows rows = { 0 };
    enum result r = db_query_row(db, &stmt, params, ARRAY_LEN(params), &rows);
    struct str address;
    size_t at;

    if (r != RES_OK)
        return r;
    address = arena_str(a, db_get_str(&rows, 0, 3));
    at = str_rchr(address, '@');
    *ret = (struct mailbox_place){ .target = arena_str(a, db_get_str(&rows, 0, 0)),
                                   .of_domain = db_get_int(&rows, 0, 1) != 0,
                                   .unix_user = arena_str(a, db_get_str(&rows, 0, 2)),
                                   .local = str_sub(address, 0, at),
                                   .domain = str_from(address, at + 1),
                                   .extension = arena_str(a, db_get_str(&rows, 0, 4)) };
    return RES_OK;
}

enum result unix_account_find(struct db *db, struct str unix_user, struct arena *a, struct unix_account *ret)
{
    static const struct db_stmt stmt = {
        "unix_account_find",
        "SELECT a.id, a.address, a.state >= 2, a.delivery_user IS NOT NULL FROM account a JOIN domain d ON d.id = "
        "a.domain_id"
        " WHERE a.state <> 4 AND d.state = 0 AND d.deleted_at IS NULL AND (a.delivery_user = $1"
        "  OR (a.delivery_user IS NULL AND d.delivery_user = '%u' AND a.address = $1 || '@' || d.name))"
        " ORDER BY a.delivery_user NULLS LAST, a.id LIMIT 2"
    };
    const struct db_param params[] = { db_text(unix_user) };
    CLEANUP(db_rows_freep) struct db_rows rows = { 0 };
    enum result r = db_query(db, &stmt, params, ARRAY_LEN(params), &rows);

    if (r != RES_OK)
        return r;
    if (db_count(&rows) == 0 || (db_count(&rows) > 1 && db_get_int(&rows, 0, 3) == db_get_int(&rows, 1, 3)))
        return RES_NOTFOUND;
    *ret = (struct unix_account){ .id = db_get_int(&rows, 0, 0), .address = arena_str(a, db_get_str(&rows, 0, 1)),
                                  .frozen = db_get_int(&rows, 0, 2) != 0 };
    return RES_OK;
}

enum result queue_move(struct db *db, const struct queue_job *job, struct str lease, struct str destination)
{
    static const struct db_stmt move = { "queue_move", "UPDATE queue_recipient SET destination = $4, program = NULL, due_at = now(), "
                                                       "lease_by = NULL, attempts = greatest(attempts - 1, 0)"
                                                       " WHERE queue_id = $1 AND n = $2 AND lease_by = $3" };
    static const struct db_stmt wake = { "queue_move_wake",
        "INSERT INTO queue_destination (destination, due_at) VALUES ($1, now())"
        " ON CONFLICT (destination) DO UPDATE SET due_at = least(queue_destination.due_at, excluded.due_at)" };
    const struct db_param move_params[] = { db_int8(job->message->id), db_int4(job->n), db_text(lease),
                                            db_text(destination) };
    const struct db_param wake_params[] = { db_text(destination) };
    struct db_call calls[] = { { .stmt = &move, .params = move_params, .n = ARRAY_LEN(move_params) },
                               { .stmt = &wake, .params = wake_params, .n = ARRAY_LEN(wake_params) } };
    CLEANUP(tx_rollbackp) struct tx *tx = NULL;
    enum result r = tx_begin(db, STR_NULL, &tx);

    if (r != RES_OK)
        return r;
    r = tx_batch_commit(&tx, calls, ARRAY_LEN(calls), NULL, 0, NULL);
    for (size_t i = 0; i < ARRAY_LEN(calls); i++)
        db_rows_free(&calls[i].rows);
    return r == RES_OK ? RES_OK : RES_TEMPFAIL; /* in doubt: the lease ends by itself, or it is there */
}
