#include "store/owner_letter.h"
#include "config/settings.h"

enum result owner_letter_add(struct tx *tx, int64_t account_id, enum owner_letter_kind kind, struct str name)
{
    static const struct db_stmt stmt = { "owner_letter_add",
        "INSERT INTO owner_letter (account_id, kind, name, is_last) SELECT $1, $2, $3, n.written = $4 - 1 FROM "
        "(SELECT count(*) AS written FROM owner_letter WHERE account_id = $1 AND kind = $2 AND at > now() - interval '1 day') n "
        "WHERE n.written < $4" };
    const struct db_param params[] = { db_int8(account_id), db_int2((int16_t)kind), db_text(name), db_int8(OWNER_LETTERS_A_DAY) };

    return settings_get()->notify_owner ? tx_query(tx, &stmt, params, ARRAY_LEN(params), NULL) : RES_OK;
}

enum result owner_letter_list(struct db *db, int most, struct arena *a, struct owner_letter_due **ret_v, size_t *ret_n)
{
    static const struct db_stmt stmt = { "owner_letter_list",
        "SELECT l.id, l.account_id, l.kind, l.at, a.address, coalesce(a.language, d.language), l.name, l.protocol, l.ip, l.is_last "
        "FROM owner_letter l JOIN account a ON a.id = l.account_id JOIN domain d ON d.id = a.domain_id "
        "WHERE l.queue_id IS NULL AND a.state <> 4 ORDER BY l.id LIMIT $1" };
    const struct db_param params[] = { db_int4(most) };
    CLEANUP(db_rows_freep) struct db_rows rows = { 0 };
    enum result r = db_query(db, &stmt, params, ARRAY_LEN(params), &rows);

    if (r != RES_OK)
        return r;
    *ret_n = db_count(&rows);
    *ret_v = arena_array(a, struct owner_letter_due, *ret_n + 1);
    for (size_t i = 0; i < *ret_n; i++)
        (*ret_v)[i] = (struct owner_letter_due){
            .id = db_get_int(&rows, i, 0),
            .account_id = db_get_int(&rows, i, 1),
            .kind = (enum owner_letter_kind)db_get_int(&rows, i, 2),
            .at_us = db_get_time(&rows, i, 3),
            .address = arena_str(a, db_get_str(&rows, i, 4)),
            .language = arena_str(a, db_get_str(&rows, i, 5)),
            .name = arena_str(a, db_get_str(&rows, i, 6)),
            .protocol = arena_str(a, db_get_str(&rows, i, 7)),
            .ip = db_get_inet(&rows, i, 8, a),
            .is_last = db_get_int(&rows, i, 9) != 0,
        };
    return RES_OK;
}

enum result owner_letter_send(struct db *db, int64_t id, const struct queue_new *letter)
{
    static const struct db_stmt stmt = { "owner_letter_send",
        "UPDATE owner_letter SET queue_id = $2 WHERE id = $1 AND queue_id IS NULL" };
    const struct db_param params[] = { db_int8(id), db_int8(letter->id) };
    const struct db_notice notice = { "queue", STR("") };
    CLEANUP(db_rows_freep) struct db_rows rows = { 0 };
    CLEANUP(tx_rollbackp) struct tx *tx = NULL;
    enum result r = tx_begin(db, STR_NULL, &tx);

    if (r == RES_OK)
        r = tx_query(tx, &stmt, params, ARRAY_LEN(params), &rows);
    if (r == RES_OK && db_affected(&rows) == 0)
        r = RES_CONFLICT;
    if (r == RES_OK)
        r = queue_insert(tx, letter, 1);
    if (r == RES_OK)
        r = tx_batch_commit(&tx, NULL, 0, &notice, 1, NULL);
    return r == RES_CANCELLED ? RES_TEMPFAIL : r; /* in doubt: the list tells whether it is still to be made */
}

enum result owner_letter_sweep(struct db *db)
{
    static const struct db_stmt stmt = { "owner_letter_sweep",
        "DELETE FROM owner_letter WHERE at < now() - CASE WHEN queue_id IS NULL THEN interval '7 days' ELSE interval '1 day' END" };

    return db_query(db, &stmt, NULL, 0, NULL);
}
