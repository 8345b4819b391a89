#include "store/credential.h"
#include "store/owner_letter.h"

#define COLUMNS                                                                                                    \
    "id, name, array_to_string(protocols, ' '), created_at, last_used_at, last_used_protocol, last_used_ip"

static struct app_password from_row(const struct db_rows *rows, size_t row, struct arena *a)
{
    return (struct app_password){
        .id = db_get_int(rows, row, 0),
        .name = arena_str(a, db_get_str(rows, row, 1)),
        .protocols = arena_str(a, db_get_str(rows, row, 2)),
        .created_us = db_get_time(rows, row, 3),
        .used_us = db_get_time(rows, row, 4),
        .used_protocol = arena_str(a, db_get_str(rows, row, 5)),
        .used_ip = db_get_inet(rows, row, 6, a),
    };
}

enum result app_password_add(struct db *db, int64_t account_id, struct str name, struct str protocols, struct str hash,
                             struct arena *a, struct app_password *ret)
{
    static const struct db_stmt lock = { "app_password_lock",
        "SELECT FROM account WHERE id = $1 AND state <> 4 FOR NO KEY UPDATE" };
    static const struct db_stmt insert = { "app_password_add",
        "INSERT INTO credential (account_id, kind, name, protocols, verifier) SELECT $1, 1, $2, string_to_array($3, ' '), $4 "
        "WHERE (SELECT count(*) FROM credential WHERE account_id = $1 AND kind = 1) < $5 RETURNING " COLUMNS };
    const struct db_param id[] = { db_int8(account_id) };
    const struct db_param params[] = { db_int8(account_id), db_text(name), db_text(protocols), db_text(hash),
                                       db_int4(APP_PASSWORDS_MAX) };
    struct db_call calls[] = { { .stmt = &lock, .params = id, .n = 1 },
                               { .stmt = &insert, .params = params, .n = ARRAY_LEN(params) } };
    CLEANUP(tx_rollbackp) struct tx *tx = NULL;
    enum result r = tx_begin(db, STR_NULL, &tx);

    if (r == RES_OK)
        r = tx_batch(tx, calls, ARRAY_LEN(calls), NULL);
    if (r == RES_OK && db_count(&calls[0].rows) == 0)
        r = RES_NOTFOUND;
    else if (r == RES_OK && db_count(&calls[1].rows) == 0)
        r = RES_LIMIT;
    else if (r == RES_OK)
        *ret = from_row(&calls[1].rows, 0, a);
    for (size_t i = 0; i < ARRAY_LEN(calls); i++)
        db_rows_free(&calls[i].rows);
    if (r == RES_OK)
        r = owner_letter_add(tx, account_id, OWNER_APP_PASSWORD, name);
    if (r == RES_OK)
        r = tx_commit(&tx);
    return r == RES_CANCELLED ? RES_TEMPFAIL : r;
}

enum result app_password_list(struct db *db, int64_t account_id, struct arena *a, struct app_password **ret_v, size_t *ret_n)
{
    static const struct db_stmt stmt = { "app_password_list",
        "SELECT " COLUMNS " FROM credential WHERE account_id = $1 AND kind = 1 ORDER BY id LIMIT $2" };
    const struct db_param params[] = { db_int8(account_id), db_int4(APP_PASSWORDS_MAX) };
    CLEANUP(db_rows_freep) struct db_rows rows = { 0 };
    enum result r = db_query(db, &stmt, params, ARRAY_LEN(params), &rows);

    if (r != RES_OK)
        return r;
    *ret_n = db_count(&rows);
    *ret_v = arena_array(a, struct app_password, *ret_n + 1);
    for (size_t i = 0; i < *ret_n; i++)
        (*ret_v)[i] = from_row(&rows, i, a);
    return RES_OK;
}

enum result app_password_remove(struct db *db, int64_t account_id, int64_t id)
{
    static const struct db_stmt stmt = { "app_password_remove",
        "DELETE FROM credential WHERE id = $1 AND account_id = $2 AND kind = 1" };
    const struct db_param params[] = { db_int8(id), db_int8(account_id) };
    CLEANUP(db_rows_freep) struct db_rows rows = { 0 };
    enum result r = db_query(db, &stmt, params, ARRAY_LEN(params), &rows);

    if (r != RES_OK)
        return r;
    return db_affected(&rows) == 0 ? RES_NOTFOUND : RES_OK;
}
