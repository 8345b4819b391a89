#include "store/script.h"

#include <string.h>

/* $1-$3: the owner. */
#define OWNED                                                                                                      \
    "coalesce(s.account_id, 0) = $1 AND coalesce(s.domain_id, 0) = $2 AND s.place = $3"
#define N_OWNER 3

static void bind_owner(struct db_param *p, const struct script_owner *o)
{
    p[0] = db_int8(o->account_id);
    p[1] = db_int8(o->domain_id);
    p[2] = db_int2((int16_t)o->place);
}

/* ---- reading ---- */

#define COLUMNS "s.id, s.name, octet_length(s.content), s.active, s.changed_at, s.version"

static struct script from_row(const struct db_rows *rows, size_t row, struct arena *a)
{
    return (struct script){ .id = db_get_int(rows, row, 0),
                            .name = arena_str(a, db_get_str(rows, row, 1)),
                            .size = db_get_int(rows, row, 2),
                            .active = db_get_int(rows, row, 3) != 0,
                            .changed_us = db_get_time(rows, row, 4),
                            .version = db_get_int(rows, row, 5) };
}

enum result script_list(struct db *db, const struct script_owner *owner, struct arena *a, struct script **ret_v,
                        size_t *ret_n)
{
    static const struct db_stmt stmt = { "script_list",
        "SELECT " COLUMNS " FROM sieve_script s WHERE " OWNED " ORDER BY s.name" };
    struct db_param params[N_OWNER];
    CLEANUP(db_rows_freep) struct db_rows rows = { 0 };
    enum result r;

    bind_owner(params, owner);
    r = db_query(db, &stmt, params, ARRAY_LEN(params), &rows);
    if (r != RES_OK)
        return r;
    *ret_n = db_count(&rows);
    *ret_v = arena_array(a, struct script, *ret_n + 1);
    for (size_t i = 0; i < *ret_n; i++)
        (*ret_v)[i] = from_row(&rows, i, a);
    return RES_OK;
}

enum result script_get(struct db *db, const struct script_owner *owner, struct str name, struct arena *a,
                       struct script *ret)
{
    static const struct db_stmt stmt = { "script_get",
        "SELECT " COLUMNS ", s.content FROM sieve_script s WHERE " OWNED " AND s.name = $4" };
    struct db_param params[N_OWNER + 1] = { [N_OWNER] = db_text(name) };
    CLEANUP(db_rows_freep) struct db_rows rows = { 0 };
    enum result r;

    bind_owner(params, owner);
    r = db_query_row(db, &stmt, params, ARRAY_LEN(params), &rows);
    if (r != RES_OK)
        return r;
    *ret = from_row(&rows, 0, a);
    ret->content = arena_str(a, db_get_str(&rows, 0, 6));
    return RES_OK;
}

/* ---- writing ---- */

/* Those who write one owner's scripts wait for each other: of the number, and of the active one. */
static enum result begin(struct db *db, const struct script_owner *owner, struct tx **ret_tx)
{
    static const struct db_stmt lock = { "script_lock", "SELECT pg_advisory_xact_lock(4714, hashtext($1::text))" };
    CLEANUP(arena_releasep) struct arena a = { 0 };
    CLEANUP(tx_rollbackp) struct tx *tx = NULL;
    const struct db_param key[] = { db_text(arena_printf(&a, "%lld/%lld", (long long)owner->account_id,
                                                         (long long)owner->domain_id)) };
    enum result r = tx_begin(db, STR_NULL, &tx);

    if (r == RES_OK)
        r = tx_query(tx, &lock, key, ARRAY_LEN(key), NULL);
    if (r != RES_OK)
        return r;
    *ret_tx = tx;
    tx = NULL;
    return RES_OK;
}

enum result script_put(struct db *db, const struct script_owner *owner, struct str name, struct str content,
                       int64_t if_version, const struct audit *audit)
{
    static const struct db_stmt look = { "script_look",
        "SELECT (SELECT s.version FROM sieve_script s WHERE " OWNED " AND s.name = $4), "
        "(SELECT count(*) FROM sieve_script s WHERE " OWNED ")" };
    static const struct db_stmt put = { "script_put",
        "INSERT INTO sieve_script AS s (account_id, domain_id, place, name, content, hash) "
        "VALUES (nullif($1, 0), nullif($2, 0), $3, $4, $5, sha256(convert_to($5, 'UTF8'))) "
        "ON CONFLICT (coalesce(account_id, 0), coalesce(domain_id, 0), place, name) DO UPDATE "
        "SET content = excluded.content, hash = excluded.hash, changed_at = now(), version = s.version + 1" };
    CLEANUP(tx_rollbackp) struct tx *tx = NULL;
    CLEANUP(db_rows_freep) struct db_rows rows = { 0 };
    struct db_param params[N_OWNER + 2] = { [N_OWNER] = db_text(name), [N_OWNER + 1] = db_text(content) };
    int64_t version;
    enum result r;

    if (content.len > SCRIPT_MAX_BYTES)
        return RES_LIMIT;
    bind_owner(params, owner);
    r = begin(db, owner, &tx);
    if (r == RES_OK)
        r = tx_query(tx, &look, params, N_OWNER + 1, &rows);
    if (r != RES_OK)
        return r;
    version = db_get_int(&rows, 0, 0); /* 0: there is none */
    if (if_version >= 0 && version != if_version)
        return RES_CONFLICT;
    if (version == 0 && db_get_int(&rows, 0, 1) >= SCRIPT_MAX_COUNT)
        return RES_LIMIT;
    r = tx_query(tx, &put, params, ARRAY_LEN(params), NULL);
    return r == RES_OK ? audit_commit(&tx, audit) : r;
}

/* Only one of a person's is active at any moment: the others go first. */
static const struct db_stmt clear_active = { "script_clear",
    "UPDATE sieve_script s SET active = false, version = s.version + 1 WHERE " OWNED
    " AND s.active AND s.name IS DISTINCT FROM $4" };

enum result script_change(struct db *db, const struct script_owner *owner, struct str name,
                          const struct script_change *change, int64_t if_version, const struct audit *audit)
{
    static const struct db_stmt look = { "script_look_one",
        "SELECT s.version FROM sieve_script s WHERE " OWNED " AND s.name = $4" };
    static const struct db_stmt set = { "script_set",
        "UPDATE sieve_script s SET name = coalesce($5, s.name), active = CASE WHEN $6 THEN $7 ELSE s.active END, "
        "version = s.version + 1 WHERE " OWNED " AND s.name = $4 AND (s.name <> $5 OR ($6 AND s.active <> $7))" };
    CLEANUP(tx_rollbackp) struct tx *tx = NULL;
    CLEANUP(db_rows_freep) struct db_rows rows = { 0 };
    struct db_param params[N_OWNER + 4] = { [N_OWNER] = db_text(name),
                                            [N_OWNER + 1] = db_text(change->name),
                                            [N_OWNER + 2] = db_bool(change->sets_active),
                                            [N_OWNER + 3] = db_bool(change->active) };
    enum result r = begin(db, owner, &tx);

    bind_owner(params, owner);
    if (r == RES_OK)
        r = tx_query(tx, &look, params, N_OWNER + 1, &rows);
    if (r != RES_OK)
        return r;
    if (db_count(&rows) == 0)
        return RES_NOTFOUND;
    if (if_version >= 0 && db_get_int(&rows, 0, 0) != if_version)
        return RES_CONFLICT;
    if (change->sets_active && change->active && owner->place == SCRIPT_PERSONAL)
        r = tx_query(tx, &clear_active, params, N_OWNER + 1, NULL);
    if (r == RES_OK)
        r = tx_query(tx, &set, params, ARRAY_LEN(params), NULL);
    return r == RES_OK ? audit_commit(&tx, audit) : r;
}

enum result script_deactivate(struct db *db, const struct script_owner *owner, const struct audit *audit)
{
    CLEANUP(tx_rollbackp) struct tx *tx = NULL;
    struct db_param params[N_OWNER + 1] = { [N_OWNER] = db_text(STR_NULL) };
    enum result r = begin(db, owner, &tx);

    bind_owner(params, owner);
    if (r == RES_OK)
        r = tx_query(tx, &clear_active, params, ARRAY_LEN(params), NULL);
    return r == RES_OK ? audit_commit(&tx, audit) : r;
}

enum result script_delete(struct db *db, const struct script_owner *owner, struct str name, int64_t if_version,
                          bool even_active, const struct audit *audit)
{
    static const struct db_stmt stmt = { "script_delete",
        "DELETE FROM sieve_script s WHERE " OWNED " AND s.name = $4 RETURNING s.version, s.active" };
    CLEANUP(tx_rollbackp) struct tx *tx = NULL;
    CLEANUP(db_rows_freep) struct db_rows rows = { 0 };
    struct db_param params[N_OWNER + 1] = { [N_OWNER] = db_text(name) };
    enum result r = begin(db, owner, &tx);

    bind_owner(params, owner);
    if (r == RES_OK)
        r = tx_query(tx, &stmt, params, ARRAY_LEN(params), &rows);
    if (r != RES_OK)
        return r;
    if (db_count(&rows) == 0)
        return RES_NOTFOUND;
    if ((if_version >= 0 && db_get_int(&rows, 0, 0) != if_version) || (db_get_int(&rows, 0, 1) != 0 && !even_active))
        return RES_CONFLICT;
    return audit_commit(&tx, audit);
}

/* ---- for delivery ---- */

#define REF_COLUMNS "s.id, s.place, s.name, s.hash"

static void copy_hash(struct str hash, unsigned char ret[static SCRIPT_HASH_BYTES])
{
    memcpy(ret, hash.p, MIN(hash.len, (size_t)SCRIPT_HASH_BYTES));
}

static struct script_ref ref_from_row(const struct db_rows *rows, size_t row, struct arena *a)
{
    struct script_ref ref = { .id = db_get_int(rows, row, 0),
                              .place = (enum script_place)db_get_int(rows, row, 1),
                              .name = arena_str(a, db_get_str(rows, row, 2)) };

    copy_hash(db_get_str(rows, row, 3), ref.hash);
    return ref;
}

enum result script_chain(struct db *db, int64_t account_id, struct arena *a, struct script_ref **ret_v, size_t *ret_n)
{
    static const struct db_stmt stmt = { "script_chain",
        "SELECT " REF_COLUMNS " FROM (" /* three questions: each has its index */
        "SELECT 2 AS turn, f.* FROM sieve_script f WHERE f.account_id = $1 AND f.active AND f.place = 0 UNION ALL "
        "SELECT CASE f.place WHEN 1 THEN 1 ELSE 3 END, f.* FROM sieve_script f WHERE f.active AND f.place IN (1, 2) "
        "AND f.domain_id = (SELECT domain_id FROM account WHERE id = $1) UNION ALL "
        "SELECT CASE f.place WHEN 1 THEN 0 ELSE 4 END, f.* FROM sieve_script f WHERE f.active AND f.place IN (1, 2) "
        "AND f.account_id IS NULL AND f.domain_id IS NULL) s ORDER BY s.turn, s.name" };
    const struct db_param params[] = { db_int8(account_id) };
    CLEANUP(db_rows_freep) struct db_rows rows = { 0 };
    enum result r = db_query(db, &stmt, params, ARRAY_LEN(params), &rows);

    if (r != RES_OK)
        return r;
    *ret_n = db_count(&rows);
    *ret_v = arena_array(a, struct script_ref, *ret_n + 1);
    for (size_t i = 0; i < *ret_n; i++)
        (*ret_v)[i] = ref_from_row(&rows, i, a);
    return RES_OK;
}

static enum result find_ref(struct db *db, const struct db_stmt *stmt, const struct db_param *params, size_t n,
                            struct arena *a, struct script_ref *ret)
{
    CLEANUP(db_rows_freep) struct db_rows rows = { 0 };
    enum result r = db_query_row(db, stmt, params, n, &rows);

    if (r != RES_OK)
        return r;
    *ret = ref_from_row(&rows, 0, a);
    return RES_OK;
}

enum result script_find(struct db *db, int64_t account_id, bool global, struct str name, struct arena *a,
                        struct script_ref *ret)
{
    static const struct db_stmt stmt = { "script_find",
        "SELECT " REF_COLUMNS " FROM sieve_script s, account c WHERE c.id = $1 AND s.name = $2 AND CASE WHEN $3 "
        "THEN s.place = 3 AND (s.domain_id = c.domain_id OR s.domain_id IS NULL) ELSE s.place = 0 AND s.account_id = $1 END "
        "ORDER BY s.domain_id NULLS LAST LIMIT 1" };
    const struct db_param params[] = { db_int8(account_id), db_text(name), db_bool(global) };

    return find_ref(db, &stmt, params, ARRAY_LEN(params), a, ret);
}

enum result script_find_imap(struct db *db, int64_t account_id, struct str name, struct arena *a, struct script_ref *ret)
{
    static const struct db_stmt stmt = { "script_find_imap",
        "SELECT " REF_COLUMNS " FROM sieve_script s, account c WHERE c.id = $1 AND s.name = $2 AND "
        "((s.account_id = $1 AND s.place = 0) OR (s.account_id IS NULL AND s.place = 4 AND "
        "(s.domain_id = c.domain_id OR s.domain_id IS NULL))) "
        "ORDER BY s.account_id NULLS LAST, s.domain_id NULLS LAST LIMIT 1" };
    const struct db_param params[] = { db_int8(account_id), db_text(name) };

    return find_ref(db, &stmt, params, ARRAY_LEN(params), a, ret);
}

enum result script_content(struct db *db, int64_t id, struct arena *a, struct str *ret_text,
                           unsigned char ret_hash[static SCRIPT_HASH_BYTES])
{
    static const struct db_stmt stmt = { "script_content", "SELECT content, hash FROM sieve_script WHERE id = $1" };
    const struct db_param params[] = { db_int8(id) };
    CLEANUP(db_rows_freep) struct db_rows rows = { 0 };
    enum result r = db_query_row(db, &stmt, params, ARRAY_LEN(params), &rows);

    if (r != RES_OK)
        return r;
    *ret_text = arena_str(a, db_get_str(&rows, 0, 0));
    copy_hash(db_get_str(&rows, 0, 1), ret_hash);
    return RES_OK;
}
