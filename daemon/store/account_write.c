/* Accounts: everything that writes (store/account.h, store/account_write.h). */
#include "store/account_write.h"
#include "store/account.h"
#include "store/admins.h"
#include "store/import.h"
#include "store/quota.h"

/* An account's role says what, these rows say where (store/domain_admin.h): at first in its own domain. */
static enum result set_admin_rows(struct tx *tx, int64_t account_id, enum account_role role)
{
    static const struct db_stmt add = { "account_admin_add",
        "INSERT INTO domain_admin (domain_id, account_id) SELECT domain_id, id FROM account WHERE id = $1 "
        "AND NOT EXISTS (SELECT FROM domain_admin WHERE account_id = $1)" };
    static const struct db_stmt clear = { "account_admin_clear", "DELETE FROM domain_admin WHERE account_id = $1" };
    const struct db_param params[] = { db_int8(account_id) };

    return tx_query(tx, role == ROLE_DOMAIN_ADMIN ? &add : &clear, params, 1, NULL);
}

/* What an account may have from its first moment on besides its row. */
static enum result complete(struct tx *tx, int64_t id, const struct account_write *w)
{
    static const struct db_stmt further = { "account_create_address",
        "INSERT INTO address (domain_id, localpart, account_id) SELECT id, $2, $1 FROM domain "
        "WHERE name = $3 AND kind = 0 AND deleted_at IS NULL FOR SHARE" };
    static const struct db_stmt state = { "account_create_state",
        "UPDATE account SET state = $2, state_before = CASE $2 WHEN 3 THEN 0 END, state_at = CASE $2 WHEN 3 THEN now() END, "
        "state_by = CASE $2 WHEN 3 THEN $3 END, frozen_before = CASE $2 WHEN 2 THEN 0 END, "
        "frozen_at = CASE $2 WHEN 2 THEN now() END, frozen_by = CASE $2 WHEN 2 THEN $3 END WHERE id = $1" };
    const struct db_param state_params[] = { db_int8(id), db_int4((int32_t)w->state), db_text(w->by) };
    enum result r = w->role == ROLE_DOMAIN_ADMIN ? set_admin_rows(tx, id, w->role) : RES_OK;

    for (size_t i = 0; i < w->n_further && r == RES_OK; i++) {
        size_t at = str_rchr(w->further[i], '@');
        const struct db_param params[] = { db_int8(id), db_text(str_sub(w->further[i], 0, at)),
                                           db_text(str_from(w->further[i], at + 1)) };
        CLEANUP(db_rows_freep) struct db_rows rows = { 0 };

        r = tx_query(tx, &further, params, ARRAY_LEN(params), &rows);
        if (r == RES_OK && db_affected(&rows) == 0)
            r = RES_NOTFOUND;
    }
    if (r == RES_OK && w->state != ACCOUNT_INVITED)
        r = tx_query(tx, &state, state_params, ARRAY_LEN(state_params), NULL);
    return r;
}

enum result account_create(struct db *db, const struct account_write *w, const struct audit *audit, int64_t *ret_id)
{
    /* special_use: store/mailbox.h.  UIDVALIDITY: a counter that never falls behind the clock. */
    static const struct db_stmt stmt = { "account_create",
        "WITH d AS (SELECT id, tenant_id FROM domain WHERE name = $2 AND kind = 0 AND deleted_at IS NULL FOR SHARE),"
        " a AS (INSERT INTO account (tenant_id, domain_id, address, name, role, state, language, delivery,"
        "   delivery_user, forward, forward_keep, recipients_per_hour, recipients_per_day)"
        "   SELECT tenant_id, id, $3, coalesce($4, ''), $5, 0, $6, $8, $9, $11, NOT $12, nullif($13, 0), nullif($14, 0) FROM d RETURNING id, domain_id),"
        " x AS (INSERT INTO address (domain_id, localpart, account_id) SELECT domain_id, $1, id FROM a),"
        " t AS (SELECT extract(epoch FROM now())::bigint AS now),"
        " s AS (INSERT INTO account_state (account_id, last_uidvalidity, quota_bytes, quota_messages)"
        "  SELECT a.id, t.now + 5, nullif($7, 0), nullif($10, 0) FROM a, t),"
        " m AS (INSERT INTO mailbox (account_id, name, uidvalidity, special_use)"
        "  SELECT a.id, v.name, t.now + v.n, v.special_use FROM a, t, (VALUES (0, 'INBOX', 0), (1, 'Drafts', 2),"
        "   (2, 'Sent', 4), (3, 'Junk', 3), (4, 'Trash', 5), (5, 'Archive', 1)) AS v (n, name, special_use))"
        " SELECT id FROM a" };
    size_t at = str_rchr(w->address, '@');
    CLEANUP(arena_releasep) struct arena a = { 0 };
    CLEANUP(tx_rollbackp) struct tx *tx = NULL;
    CLEANUP(db_rows_freep) struct db_rows rows = { 0 };
    int64_t id;
    enum result r;

    if (at == SIZE_MAX)
        return RES_INVALID;
    r = tx_begin(db, STR_NULL, &tx);
    if (r == RES_OK) {
        const struct db_param params[] = { db_text(str_sub(w->address, 0, at)), db_text(str_from(w->address, at + 1)),
                                           db_text(w->address), db_text(w->name), db_int2((int16_t)w->role),
                                           db_text(w->language), db_int8(w->quota_bytes), db_text(w->delivery),
                                           db_text(w->delivery_user), db_int8(w->quota_messages),
                                           db_text_array(&a, w->forward, w->n_forward), db_bool(w->forward_drop),
                                           db_int4((int32_t)w->limits.per_hour), db_int4((int32_t)w->limits.per_day) };

        r = tx_query(tx, &stmt, params, ARRAY_LEN(params), &rows);
    }
    if (r != RES_OK)
        return r;
    if (db_count(&rows) == 0)
        return RES_NOTFOUND;
    id = db_get_int(&rows, 0, 0);
    r = complete(tx, id, w);
    if (r == RES_OK && w->import_id != 0)
        r = import_mark(tx, w->import_id, w->import_line, IMPORT_CREATED);
    if (r == RES_OK)
        r = audit_commit(&tx, audit);
    if (r == RES_OK)
        *ret_id = id;
    return r;
}

static const struct db_stmt lock_live = { "account_lock_row",
    "SELECT id, version FROM account WHERE address = $1 AND state <> 4 FOR UPDATE" };

/* Begins a transaction that may take away an administrator, and locks the account's row by `stmt`. */
static enum result begin_locked(struct db *db, const struct db_stmt *stmt, struct str address, int64_t if_version, struct tx **tx,
                                struct admins *ret_admins, int64_t *ret_id)
{
    const struct db_param params[] = { db_text(address) };
    CLEANUP(db_rows_freep) struct db_rows rows = { 0 };
    enum result r = tx_begin(db, STR_NULL, tx);

    if (r == RES_OK)
        r = admins_begin(*tx, ret_admins);
    if (r == RES_OK)
        r = tx_query(*tx, stmt, params, 1, &rows);
    if (r != RES_OK)
        return RES_TEMPFAIL;
    if (db_count(&rows) == 0)
        return RES_NOTFOUND;
    if (if_version >= 0 && db_get_int(&rows, 0, 1) != if_version)
        return RES_CONFLICT;
    *ret_id = db_get_int(&rows, 0, 0);
    return RES_OK;
}

static enum result finish(struct tx **tx, const struct admins *admins, const struct audit *audit)
{
    enum result r = admins_check(*tx, admins);

    return r == RES_OK ? audit_commit(tx, audit) : r;
}

enum result account_update(struct db *db, const struct account_write *w, int64_t if_version, const struct audit *audit)
{
    static const struct db_stmt stmt = { "account_update",
        "UPDATE account SET name = coalesce($2, ''), role = $3, language = $4, delivery = $5,"
        " delivery_user = $6, forward = $7, forward_keep = NOT $8, recipients_per_hour = nullif($9, 0),"
        " recipients_per_day = nullif($10, 0), version = version + 1 WHERE id = $1" };
    static const struct db_stmt quota = { "account_quota",
        "WITH a AS (UPDATE account_state c SET quota_bytes = nullif($2, 0), quota_messages = nullif($3, 0) WHERE account_id = $1 "
        "AND (quota_bytes, quota_messages) IS DISTINCT FROM (nullif($2, 0), nullif($3, 0)) RETURNING " QUOTA_LEVELS ") " QUOTA_NOTE };
    CLEANUP(arena_releasep) struct arena a = { 0 };
    CLEANUP(tx_rollbackp) struct tx *tx = NULL;
    struct admins admins;
    int64_t id;
    enum result r = begin_locked(db, &lock_live, w->address, if_version, &tx, &admins, &id);

    if (r == RES_OK) {
        const struct db_param params[] = { db_int8(id), db_text(w->name), db_int2((int16_t)w->role), db_text(w->language),
                                           db_text(w->delivery), db_text(w->delivery_user),
                                           db_text_array(&a, w->forward, w->n_forward), db_bool(w->forward_drop),
                                           db_int4((int32_t)w->limits.per_hour), db_int4((int32_t)w->limits.per_day) };
        const struct db_param limit[] = { db_int8(id), db_int8(w->quota_bytes), db_int8(w->quota_messages) };

        r = tx_query(tx, &stmt, params, ARRAY_LEN(params), NULL);
        if (r == RES_OK)
            r = tx_query(tx, &quota, limit, ARRAY_LEN(limit), NULL);
        if (r == RES_OK)
            r = set_admin_rows(tx, id, w->role);
        if (r == RES_OK && w->import_id != 0)
            r = import_mark(tx, w->import_id, w->import_line, IMPORT_UPDATED);
    }
    return r == RES_OK ? finish(&tx, &admins, audit) : r;
}

enum result account_suspend(struct db *db, struct str address, struct str reason, struct str by, const struct audit *audit)
{
    static const struct db_stmt stmt = { "account_suspend",
        "WITH s AS (DELETE FROM session WHERE account_id = $1) UPDATE account SET state = 3, state_reason = $2, "
        "state_by = $3, state_before = CASE WHEN state = 3 THEN state_before ELSE state END, state_at = now(), version = version + 1 WHERE id = $1" };
    CLEANUP(tx_rollbackp) struct tx *tx = NULL;
    struct admins admins;
    int64_t id;
    enum result r = begin_locked(db, &lock_live, address, -1, &tx, &admins, &id);

    if (r == RES_OK) {
        const struct db_param params[] = { db_int8(id), db_text(reason), db_text(by) };

        r = tx_query(tx, &stmt, params, ARRAY_LEN(params), NULL);
    }
    return r == RES_OK ? finish(&tx, &admins, audit) : r;
}

enum result account_resume(struct db *db, struct str address, const struct audit *audit)
{
    static const struct db_stmt stmt = { "account_resume",
        "UPDATE account SET state = coalesce(state_before, 1), state_reason = NULL, state_by = NULL, state_before = NULL, "
        "state_at = now(), version = version + 1 WHERE id = $1 AND state = 3" };
    CLEANUP(tx_rollbackp) struct tx *tx = NULL;
    struct admins admins;
    int64_t id;
    enum result r = begin_locked(db, &lock_live, address, -1, &tx, &admins, &id);

    if (r == RES_OK) {
        const struct db_param params[] = { db_int8(id) };

        r = tx_query(tx, &stmt, params, ARRAY_LEN(params), NULL);
    }
    return r == RES_OK ? finish(&tx, &admins, audit) : r;
}

enum result account_remove(struct tx *tx, int64_t account_id, bool purge)
{
    static const struct db_stmt remove = { "account_remove",
        "WITH s AS (DELETE FROM session WHERE account_id = $1) UPDATE account SET deleted_from = state, state = 4, "
        "deleted_at = now(), version = version + 1 WHERE id = $1 AND state <> 4" };
    static const struct db_stmt release = { "account_release", "SELECT account_release($1)" };
    const struct db_param params[] = { db_int8(account_id) };
    enum result r = tx_query(tx, &remove, params, 1, NULL);

    return r == RES_OK && purge ? tx_query(tx, &release, params, 1, NULL) : r;
}

enum result account_delete(struct db *db, struct str address, bool purge, int64_t if_version, const struct audit *audit)
{
    static const struct db_stmt stmt = { "account_lock_any",
        "SELECT id, version FROM account WHERE address = $1 FOR UPDATE" };
    CLEANUP(tx_rollbackp) struct tx *tx = NULL;
    struct admins admins;
    int64_t id;
    enum result r = begin_locked(db, purge ? &stmt : &lock_live, address, if_version, &tx, &admins, &id);

    if (r == RES_OK)
        r = account_remove(tx, id, purge);
    return r == RES_OK ? finish(&tx, &admins, audit) : r;
}

enum result account_restore(struct db *db, struct str address, const struct audit *audit)
{
    static const struct db_stmt stmt = { "account_restore",
        "UPDATE account a SET state = a.deleted_from, deleted_from = NULL, deleted_at = NULL, version = a.version + 1 "
        "FROM domain d WHERE a.address = $1 AND a.state = 4 AND NOT a.purging AND d.id = a.domain_id AND d.deleted_at IS NULL" };
    const struct db_param params[] = { db_text(address) };
    CLEANUP(tx_rollbackp) struct tx *tx = NULL;
    CLEANUP(db_rows_freep) struct db_rows rows = { 0 };
    enum result r = tx_begin(db, STR_NULL, &tx);

    if (r == RES_OK)
        r = tx_query(tx, &stmt, params, 1, &rows);
    if (r == RES_OK && db_affected(&rows) == 0)
        return RES_NOTFOUND;
    return r == RES_OK ? audit_commit(&tx, audit) : r;
}
