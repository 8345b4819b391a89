#include "store/credential.h"
#include "store/owner_letter.h"

#define ACCOUNT_COLUMNS "a.id, a.address, a.language, a.role, a.state, d.state = 0 AND d.deleted_at IS NULL, now(), " \
    "a.totp_at IS NOT NULL"

static struct credential_account account_from_row(struct arena *a, const struct db_rows *rows, size_t row)
{
    return (struct credential_account){
        .id = db_get_int(rows, row, 0),
        .address = arena_str(a, db_get_str(rows, row, 1)),
        .language = arena_str(a, db_get_str(rows, row, 2)),
        .role = (int)db_get_int(rows, row, 3),
        .state = (enum account_state)db_get_int(rows, row, 4),
        .domain_active = db_get_int(rows, row, 5) != 0,
        .now_us = db_get_time(rows, row, 6),
        .totp = db_get_int(rows, row, 7) != 0,
    };
}

enum result credential_find(struct db *db, struct str address, struct str protocol, struct str app, struct arena *a,
                            struct credential_account *ret_account, struct credential **ret_v, size_t *ret_n)
{
    static const struct db_stmt stmt = { "credential_find",
        "SELECT " ACCOUNT_COLUMNS ", c.id, c.kind, c.verifier FROM account a JOIN domain d ON d.id = a.domain_id "
        "LEFT JOIN credential c ON c.account_id = a.id AND (c.kind = 0 OR (c.kind = 1 AND c.verifier = $3 "
        "AND $2 = ANY (c.protocols))) WHERE a.address = $1 ORDER BY c.kind DESC LIMIT 2" };
    const struct db_param params[] = { db_text(address), db_text(protocol), db_text(app) };
    CLEANUP(db_rows_freep) struct db_rows rows = { 0 };
    enum result r = db_query_row(db, &stmt, params, ARRAY_LEN(params), &rows);
    size_t n = 0;

    if (r != RES_OK)
        return r;
    *ret_account = account_from_row(a, &rows, 0);
    *ret_v = arena_array(a, struct credential, db_count(&rows));
    for (size_t i = 0; i < db_count(&rows); i++) {
        if (db_is_null(&rows, i, 8))
            continue;
        (*ret_v)[n++] = (struct credential){ .id = db_get_int(&rows, i, 8),
                                             .kind = (enum credential_kind)db_get_int(&rows, i, 9),
                                             .verifier = arena_str(a, db_get_str(&rows, i, 10)) };
    }
    *ret_n = n;
    return RES_OK;
}

enum result credential_set_password(struct db *db, int64_t account_id, struct str verifier, struct str keep_session)
{
    static const struct db_stmt account_stmt = { "credential_activate",
        "UPDATE account SET state = CASE WHEN state = 0 THEN 1 ELSE state END, "
        "state_before = CASE WHEN state_before = 0 THEN 1 ELSE state_before END, "
        "frozen_before = CASE WHEN frozen_before = 0 THEN 1 ELSE frozen_before END, version = version + 1 "
        "WHERE id = $1 AND state <> 4 RETURNING id" };
    /* A new row: sessions that began by the old one are over (store/presence.h). */
    static const struct db_stmt old_stmt = { "credential_drop_password",
        "DELETE FROM credential WHERE account_id = $1 AND kind = 0" };
    static const struct db_stmt password_stmt = { "credential_set_password",
        "INSERT INTO credential (account_id, kind, verifier) VALUES ($1, 0, $2)" };
    static const struct db_stmt links_stmt = { "credential_void_links",
        "DELETE FROM credential WHERE account_id = $1 AND kind = 4" };
    static const struct db_stmt sessions_stmt = { "credential_end_sessions",
        "DELETE FROM session WHERE account_id = $1 AND ($2::bytea IS NULL OR hash <> $2)" };
    const struct db_param id[] = { db_int8(account_id) };
    const struct db_param password[] = { db_int8(account_id), db_text(verifier) };
    const struct db_param session[] = { db_int8(account_id), db_bytea(keep_session) };
    CLEANUP(tx_rollbackp) struct tx *tx = NULL;
    struct db_call calls[] = {
        { .stmt = &account_stmt, .params = id, .n = 1 },
        { .stmt = &old_stmt, .params = id, .n = 1 },
        { .stmt = &password_stmt, .params = password, .n = 2 },
        { .stmt = &links_stmt, .params = id, .n = 1 },
        { .stmt = &sessions_stmt, .params = session, .n = 2 },
    };
    enum result r = tx_begin(db, STR_NULL, &tx);
    bool found, changed;

    if (r != RES_OK)
        return r;
    r = tx_batch(tx, calls, ARRAY_LEN(calls), NULL);
    found = r == RES_OK && db_count(&calls[0].rows) == 1;
    changed = found && db_affected(&calls[1].rows) > 0; /* the first one is no news */
    for (size_t i = 0; i < ARRAY_LEN(calls); i++)
        db_rows_free(&calls[i].rows);
    if (r == RES_CONFLICT || (r == RES_OK && !found)) /* no such account */
        return RES_NOTFOUND;
    if (r == RES_OK && changed)
        r = owner_letter_add(tx, account_id, OWNER_PASSWORD, STR_NULL);
    if (r != RES_OK)
        return r;
    r = tx_commit(&tx);
    return r == RES_CANCELLED ? RES_TEMPFAIL : r;
}

enum result credential_rehash(struct db *db, int64_t credential_id, struct str old, struct str verifier)
{
    static const struct db_stmt stmt = { "credential_rehash",
        "UPDATE credential SET verifier = $3 WHERE id = $1 AND verifier = $2" };
    const struct db_param params[] = { db_int8(credential_id), db_text(old), db_text(verifier) };

    return db_query(db, &stmt, params, ARRAY_LEN(params), NULL);
}

enum result credential_used(struct db *db, int64_t account_id, int64_t credential_id, struct str protocol, struct str ip)
{
    static const struct db_stmt stmt = { "credential_used",
        "WITH c AS (UPDATE credential SET last_used_at = now(), last_used_protocol = $2, last_used_ip = $3 WHERE id = $4 "
        "AND kind = 1 AND (last_used_at < now() - interval '1 minute' OR last_used_protocol <> $2) IS NOT FALSE) "
        "INSERT INTO sign_in (account_id, protocol, at, ip) VALUES ($1, $2, now(), $3) ON CONFLICT (account_id, protocol) "
        "DO UPDATE SET at = now(), ip = $3 WHERE sign_in.at < now() - interval '1 minute'" };
    const struct db_param params[] = { db_int8(account_id), db_text(protocol), db_inet(ip), db_int8(credential_id) };

    return db_query(db, &stmt, params, ARRAY_LEN(params), NULL);
}

enum result credential_link_add(struct db *db, int64_t account_id, struct str hash, int64_t expires_us)
{
    static const struct db_stmt stmt = { "credential_link_add",
        "WITH old AS (DELETE FROM credential WHERE account_id = $1 AND kind = 4) "
        "INSERT INTO credential (account_id, kind, verifier, expires_at) VALUES ($1, 4, $2, $3)" };
    const struct db_param params[] = { db_int8(account_id), db_text(hash), db_time(expires_us) };
    enum result r = db_query(db, &stmt, params, ARRAY_LEN(params), NULL);

    return r == RES_CONFLICT ? RES_NOTFOUND : r;
}

enum result credential_link_take(struct db *db, struct str hash, struct arena *a, struct credential_account *ret)
{
    static const struct db_stmt stmt = { "credential_link_take",
        "WITH l AS (DELETE FROM credential WHERE kind = 4 AND verifier = $1 RETURNING account_id, expires_at) "
        "SELECT " ACCOUNT_COLUMNS " FROM l JOIN account a ON a.id = l.account_id JOIN domain d ON d.id = a.domain_id "
        "WHERE l.expires_at > now()" };
    const struct db_param params[] = { db_text(hash) };
    CLEANUP(db_rows_freep) struct db_rows rows = { 0 };
    enum result r = db_query_row(db, &stmt, params, ARRAY_LEN(params), &rows);

    if (r != RES_OK)
        return r;
    *ret = account_from_row(a, &rows, 0);
    return RES_OK;
}

enum result credential_first_admin(struct db *db, struct arena *a, struct credential_account *ret)
{
    static const struct db_stmt stmt = { "credential_first_admin",
        "SELECT " ACCOUNT_COLUMNS " FROM account a JOIN domain d ON d.id = a.domain_id "
        "WHERE a.role = 2 AND a.state < 3 ORDER BY a.id LIMIT 1" };
    CLEANUP(db_rows_freep) struct db_rows rows = { 0 };
    enum result r = db_query_row(db, &stmt, NULL, 0, &rows);

    if (r != RES_OK)
        return r;
    *ret = account_from_row(a, &rows, 0);
    return RES_OK;
}

enum result credential_session_add(struct db *db, struct str hash, int64_t account_id, struct str csrf, struct str ip,
                                   struct str user_agent, bool must_set_password, bool code_due)
{
    static const struct db_stmt stmt = { "credential_session_add",
        "INSERT INTO session (hash, account_id, csrf, ip, user_agent, must_set_password, code_due) VALUES ($1, $2, $3, $4, $5, $6, $7)" };
    const struct db_param params[] = { db_bytea(hash), db_int8(account_id), db_text(csrf), db_inet(ip),
                                       db_text(user_agent), db_bool(must_set_password), db_bool(code_due) };

    return db_query(db, &stmt, params, ARRAY_LEN(params), NULL);
}
