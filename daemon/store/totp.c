#include "store/totp.h"
#include "store/owner_letter.h"

/* One statement that must touch a row. */
static enum result touch(struct db *db, const struct db_stmt *stmt, const struct db_param *params, size_t n, enum result none)
{
    CLEANUP(db_rows_freep) struct db_rows rows = { 0 };
    enum result r = db_query(db, stmt, params, n, &rows);

    if (r != RES_OK)
        return r;
    return db_affected(&rows) == 0 ? none : RES_OK;
}

enum result totp_state(struct db *db, int64_t account_id, struct totp_state *ret)
{
    static const struct db_stmt stmt = { "totp_state",
        "SELECT totp_at, (SELECT count(*) FROM credential WHERE account_id = $1 AND kind = 3) FROM account WHERE id = $1" };
    const struct db_param params[] = { db_int8(account_id) };
    CLEANUP(db_rows_freep) struct db_rows rows = { 0 };
    enum result r = db_query_row(db, &stmt, params, ARRAY_LEN(params), &rows);

    if (r != RES_OK)
        return r;
    *ret = (struct totp_state){ .since_us = db_get_time(&rows, 0, 0), .recovery_left = db_get_int(&rows, 0, 1) };
    return RES_OK;
}

enum result totp_begin(struct db *db, int64_t account_id, struct str key)
{
    static const struct db_stmt stmt = { "totp_begin",
        "INSERT INTO credential (account_id, kind, verifier, expires_at) VALUES ($1, 2, $2, now() + interval '15 minutes') "
        "ON CONFLICT (account_id) WHERE kind = 2 DO UPDATE SET verifier = $2, expires_at = now() + interval '15 minutes', "
        "created_at = now() WHERE credential.expires_at IS NOT NULL" };
    const struct db_param params[] = { db_int8(account_id), db_text(key) };
    enum result r = touch(db, &stmt, params, ARRAY_LEN(params), RES_EXISTS);

    return r == RES_CONFLICT ? RES_NOTFOUND : r;
}

enum result totp_key(struct db *db, int64_t account_id, bool waiting, struct arena *a, struct str *ret_key)
{
    static const struct db_stmt stmt = { "totp_key",
        "SELECT verifier FROM credential WHERE account_id = $1 AND kind = 2 "
        "AND CASE WHEN $2 THEN expires_at > now() ELSE expires_at IS NULL END" };
    const struct db_param params[] = { db_int8(account_id), db_bool(waiting) };
    CLEANUP(db_rows_freep) struct db_rows rows = { 0 };
    enum result r = db_query_row(db, &stmt, params, ARRAY_LEN(params), &rows);

    if (r != RES_OK)
        return r;
    *ret_key = arena_str(a, db_get_str(&rows, 0, 0));
    return RES_OK;
}

enum result totp_confirm(struct db *db, int64_t account_id, struct str key, int64_t step, const struct str *hashes)
{
    static const struct db_stmt stmt = { "totp_confirm",
        "WITH c AS (UPDATE credential SET expires_at = NULL, step = $3 WHERE account_id = $1 AND kind = 2 AND verifier = $2 "
        "AND expires_at > now() RETURNING account_id), "
        "o AS (DELETE FROM credential WHERE kind = 3 AND account_id IN (SELECT account_id FROM c)), "
        "i AS (INSERT INTO credential (account_id, kind, verifier) SELECT c.account_id, 3, h FROM c, unnest($4::text[]) AS h) "
        "UPDATE account SET totp_at = now(), version = version + 1 WHERE id IN (SELECT account_id FROM c)" };
    CLEANUP(arena_releasep) struct arena a = { 0 };
    const struct db_param params[] = { db_int8(account_id), db_text(key), db_int8(step),
                                       db_text_array(&a, hashes, TOTP_RECOVERY_CODES) };

    return touch(db, &stmt, params, ARRAY_LEN(params), RES_NOTFOUND);
}

enum result totp_remove(struct db *db, int64_t account_id)
{
    static const struct db_stmt stmt = { "totp_remove",
        "WITH c AS (DELETE FROM credential WHERE account_id = $1 AND kind IN (2, 3)) "
        "UPDATE account SET totp_at = NULL, version = version + 1 WHERE id = $1 AND totp_at IS NOT NULL" };
    const struct db_param params[] = { db_int8(account_id) };
    CLEANUP(db_rows_freep) struct db_rows rows = { 0 };
    CLEANUP(tx_rollbackp) struct tx *tx = NULL;
    enum result r = tx_begin(db, STR_NULL, &tx);

    if (r == RES_OK)
        r = tx_query(tx, &stmt, params, ARRAY_LEN(params), &rows);
    if (r == RES_OK && db_affected(&rows) > 0)
        r = owner_letter_add(tx, account_id, OWNER_TOTP_OFF, STR_NULL);
    if (r == RES_OK)
        r = tx_commit(&tx);
    return r == RES_CANCELLED ? RES_TEMPFAIL : r;
}

enum result totp_use_step(struct db *db, int64_t account_id, int64_t step)
{
    static const struct db_stmt stmt = { "totp_use_step",
        "UPDATE credential SET step = $2 WHERE account_id = $1 AND kind = 2 AND expires_at IS NULL AND step < $2" };
    const struct db_param params[] = { db_int8(account_id), db_int8(step) };

    return touch(db, &stmt, params, ARRAY_LEN(params), RES_DENIED);
}

enum result totp_use_recovery(struct db *db, int64_t account_id, struct str hash)
{
    static const struct db_stmt stmt = { "totp_use_recovery",
        "DELETE FROM credential WHERE account_id = $1 AND kind = 3 AND verifier = $2" };
    const struct db_param params[] = { db_int8(account_id), db_text(hash) };

    return touch(db, &stmt, params, ARRAY_LEN(params), RES_DENIED);
}

enum result totp_try(struct db *db, struct str session_hash, struct arena *a, struct credential_account *ret)
{
    static const struct db_stmt stmt = { "totp_try",
        "UPDATE session s SET tries = tries + 1 FROM account a JOIN domain d ON d.id = a.domain_id WHERE s.hash = $1 "
        "AND s.code_due AND s.tries < $2 AND s.created_at > now() - interval '5 minutes' AND a.id = s.account_id "
        "AND a.state < 3 AND d.state = 0 AND d.deleted_at IS NULL RETURNING a.id, a.address" };
    const struct db_param params[] = { db_bytea(session_hash), db_int4(TOTP_TRIES) };
    CLEANUP(db_rows_freep) struct db_rows rows = { 0 };
    enum result r = db_query_row(db, &stmt, params, ARRAY_LEN(params), &rows);

    if (r != RES_OK)
        return r;
    *ret = (struct credential_account){ .id = db_get_int(&rows, 0, 0), .address = arena_str(a, db_get_str(&rows, 0, 1)) };
    return RES_OK;
}

enum result totp_pass(struct db *db, struct str session_hash, struct str new_hash, struct str csrf, bool *ret_must_set_password)
{
    static const struct db_stmt stmt = { "totp_pass",
        "UPDATE session SET hash = $2, csrf = $3, code_due = false, created_at = now(), seen_at = now(), authenticated_at = now() "
        "WHERE hash = $1 AND code_due RETURNING must_set_password" };
    const struct db_param params[] = { db_bytea(session_hash), db_bytea(new_hash), db_text(csrf) };
    CLEANUP(db_rows_freep) struct db_rows rows = { 0 };
    enum result r = db_query_row(db, &stmt, params, ARRAY_LEN(params), &rows);

    if (r != RES_OK)
        return r;
    *ret_must_set_password = db_get_int(&rows, 0, 0) != 0;
    return RES_OK;
}

enum result session_renew(struct db *db, struct str session_hash, int64_t account_id, struct str new_hash)
{
    static const struct db_stmt stmt = { "session_renew",
        "UPDATE session SET hash = $3, authenticated_at = now() WHERE hash = $1 AND account_id = $2 AND NOT code_due" };
    const struct db_param params[] = { db_bytea(session_hash), db_int8(account_id), db_bytea(new_hash) };

    return touch(db, &stmt, params, ARRAY_LEN(params), RES_NOTFOUND);
}
