/* Mailboxes: everything that writes (store/mailbox.h).  Each transaction locks the account's row first. */
#include "store/mailbox.h"
#include "store/message_write.h"
#include "store/notify.h"

/* Begins a transaction and takes the account's lock.  RES_NOTFOUND: there is no such account. */
static enum result begin_locked(struct db *db, const struct principal *who, struct tx **tx)
{
    const struct db_param params[] = { db_int8(who->account_id) };
    CLEANUP(db_rows_freep) struct db_rows rows = { 0 };
    enum result r = tx_begin(db, who->token, tx);

    if (r == RES_OK)
        r = tx_query(*tx, &account_lock_stmt, params, ARRAY_LEN(params), &rows);
    if (r != RES_OK)
        return RES_TEMPFAIL;
    return db_count(&rows) == 1 ? RES_OK : RES_NOTFOUND;
}

static enum result commit(struct tx **tx)
{
    return tx_commit(tx) == RES_OK ? RES_OK : RES_TEMPFAIL;
}

/* Inserts the mailbox row. */
static enum result insert_mailbox(struct tx *tx, const struct principal *who, struct str name, enum special_use use,
                                  int64_t *ret_id)
{
    static const struct db_stmt stmt = { "mailbox_insert",
        "WITH a AS (UPDATE account_state SET modseq = modseq + 1,"
        "  last_uidvalidity = greatest(last_uidvalidity + 1, extract(epoch FROM clock_timestamp())::bigint)"
        "  WHERE account_id = $1 AND (SELECT count(*) FROM mailbox WHERE account_id = $1) < $4"
        "  RETURNING modseq, last_uidvalidity),"
        " s AS (DELETE FROM subscription WHERE account_id = $1 AND name = $2 RETURNING name)"
        " INSERT INTO mailbox (account_id, name, uidvalidity, highestmodseq, special_use, subscribed)"
        " SELECT $1, $2, a.last_uidvalidity, a.modseq, $3, EXISTS (SELECT FROM s) FROM a RETURNING id" };
    const struct db_param params[] = { db_int8(who->account_id), db_text(name), db_int2((int16_t)use),
                                       db_int4(MAILBOX_COUNT_MAX) };
    CLEANUP(db_rows_freep) struct db_rows rows = { 0 };
    enum result r = tx_query(tx, &stmt, params, ARRAY_LEN(params), &rows);

    if (r != RES_OK)
        return r == RES_EXISTS ? RES_EXISTS : RES_TEMPFAIL;
    if (db_count(&rows) == 0)
        return RES_LIMIT;
    *ret_id = db_get_int(&rows, 0, 0);
    return RES_OK;
}

enum result mailbox_create(struct db *db, const struct principal *who, struct str name, enum special_use use,
                           int64_t *ret_id)
{
    CLEANUP(tx_rollbackp) struct tx *tx = NULL;
    enum result r = begin_locked(db, who, &tx);
    int64_t id;

    if (r == RES_OK)
        r = insert_mailbox(tx, who, name, use, &id);
    if (r == RES_OK)
        r = commit(&tx);
    if (r == RES_OK)
        *ret_id = id;
    return r;
}

static enum result find_id(struct tx *tx, const struct principal *who, struct str name, int64_t *ret_id)
{
    static const struct db_stmt stmt = { "mailbox_id", "SELECT id FROM mailbox WHERE account_id = $1 AND name = $2" };
    const struct db_param params[] = { db_int8(who->account_id), db_text(name) };
    CLEANUP(db_rows_freep) struct db_rows rows = { 0 };

    if (tx_query(tx, &stmt, params, ARRAY_LEN(params), &rows) != RES_OK)
        return RES_TEMPFAIL;
    if (db_count(&rows) == 0)
        return RES_NOTFOUND;
    *ret_id = db_get_int(&rows, 0, 0);
    return RES_OK;
}

enum result mailbox_delete(struct db *db, const struct principal *who, struct str name)
{
    static const struct db_stmt remove = { "mailbox_remove",
        "WITH d AS (DELETE FROM mailbox WHERE account_id = $1 AND id = $2 RETURNING name, subscribed),"
        " n AS (DELETE FROM annotation WHERE account_id = $1 AND mailbox_id = $2)"
        " INSERT INTO subscription (account_id, name) SELECT $1, name FROM d WHERE subscribed"
        " ON CONFLICT DO NOTHING" };
    CLEANUP(tx_rollbackp) struct tx *tx = NULL;
    struct db_param params[2] = { db_int8(who->account_id) };
    int64_t id = 0;
    enum result r;

    if (str_eq(name, STR("INBOX")))
        return RES_DENIED;
    r = begin_locked(db, who, &tx);
    if (r == RES_OK)
        r = find_id(tx, who, name, &id);
    if (r == RES_OK)
        r = message_remove_all(tx, who, id);
    if (r != RES_OK)
        return r;
    params[1] = db_int8(id);
    if (tx_query(tx, &remove, params, ARRAY_LEN(params), NULL) != RES_OK)
        return RES_TEMPFAIL;
    r = commit(&tx);
    if (r == RES_OK)
        notify_changed(db, id, 0);
    return r;
}

/* Annotations are preserved on INBOX when it is renamed (RFC 5464, 4.1). */
static enum result copy_annotations(struct tx *tx, const struct principal *who, int64_t from, int64_t to)
{
    static const struct db_stmt stmt = { "mailbox_copy_annotations",
        "INSERT INTO annotation (account_id, mailbox_id, name, value) SELECT $1, $3, name, value FROM annotation"
        " WHERE account_id = $1 AND mailbox_id = $2" };
    const struct db_param params[] = { db_int8(who->account_id), db_int8(from), db_int8(to) };

    return tx_query(tx, &stmt, params, ARRAY_LEN(params), NULL) == RES_OK ? RES_OK : RES_TEMPFAIL;
}

/* INBOX stays, its messages go to a new mailbox (RFC 3501, 6.3.5). */
static enum result rename_inbox(struct db *db, struct tx **tx, const struct principal *who, struct str to)
{
    int64_t inbox = 0, id = 0;
    enum result r = find_id(*tx, who, STR("INBOX"), &inbox);

    if (r == RES_OK)
        r = insert_mailbox(*tx, who, to, SPECIAL_NONE, &id);
    if (r == RES_OK)
        r = message_move_all(*tx, who, inbox, id);
    if (r == RES_OK)
        r = copy_annotations(*tx, who, inbox, id);
    if (r == RES_OK)
        r = commit(tx);
    if (r != RES_OK)
        return r;
    notify_changed(db, inbox, 0);
    notify_changed(db, id, 0);
    return RES_OK;
}

enum result mailbox_rename(struct db *db, const struct principal *who, struct str from, struct str to)
{
    static const struct db_stmt longest = { "mailbox_rename_longest",
        "SELECT coalesce(max(octet_length(name)), 0), count(*) FILTER (WHERE name = $3 OR starts_with(name, $3 || '/'))"
        " FROM mailbox WHERE account_id = $1 AND (name IN ($2, $3) OR starts_with(name, $2 || '/')"
        "  OR starts_with(name, $3 || '/'))" };
    static const struct db_stmt move = { "mailbox_rename",
        "WITH s AS (DELETE FROM subscription WHERE account_id = $1 AND (name = $3 OR starts_with(name, $3 || '/')))"
        " UPDATE mailbox SET name = $3 || substr(name, length($2) + 1)"
        " WHERE account_id = $1 AND (name = $2 OR starts_with(name, $2 || '/'))" };
    const struct db_param params[] = { db_int8(who->account_id), db_text(from), db_text(to) };
    CLEANUP(tx_rollbackp) struct tx *tx = NULL;
    CLEANUP(db_rows_freep) struct db_rows rows = { 0 }, moved = { 0 };
    enum result r;

    if (str_starts(to, from) && (to.len == from.len || to.p[from.len] == '/'))
        return str_eq(to, from) ? RES_EXISTS : RES_INVALID;
    r = begin_locked(db, who, &tx);
    if (r != RES_OK)
        return r;
    if (str_eq(from, STR("INBOX")))
        return rename_inbox(db, &tx, who, to);
    if (tx_query(tx, &longest, params, ARRAY_LEN(params), &rows) != RES_OK)
        return RES_TEMPFAIL;
    if (db_get_int(&rows, 0, 1) > 0)
        return RES_EXISTS;
    if (db_get_int(&rows, 0, 0) - (int64_t)from.len + (int64_t)to.len > MAILBOX_NAME_MAX)
        return RES_LIMIT;
    if (tx_query(tx, &move, params, ARRAY_LEN(params), &moved) != RES_OK)
        return RES_TEMPFAIL;
    if (db_affected(&moved) == 0)
        return RES_NOTFOUND;
    return commit(&tx);
}

enum result mailbox_subscribe(struct db *db, const struct principal *who, struct str name)
{
    static const struct db_stmt stmt = { "mailbox_subscribe",
        "UPDATE mailbox SET subscribed = true WHERE account_id = $1 AND name = $2" };
    const struct db_param params[] = { db_int8(who->account_id), db_text(name) };
    CLEANUP(tx_rollbackp) struct tx *tx = NULL;
    CLEANUP(db_rows_freep) struct db_rows rows = { 0 };
    enum result r = begin_locked(db, who, &tx);

    if (r != RES_OK)
        return r;
    if (tx_query(tx, &stmt, params, ARRAY_LEN(params), &rows) != RES_OK)
        return RES_TEMPFAIL;
    return db_affected(&rows) == 0 ? RES_NOTFOUND : commit(&tx);
}

enum result mailbox_unsubscribe(struct db *db, const struct principal *who, struct str name)
{
    static const struct db_stmt stmt = { "mailbox_unsubscribe",
        "WITH s AS (DELETE FROM subscription WHERE account_id = $1 AND name = $2)"
        " UPDATE mailbox SET subscribed = false WHERE account_id = $1 AND name = $2" };
    const struct db_param params[] = { db_int8(who->account_id), db_text(name) };
    CLEANUP(tx_rollbackp) struct tx *tx = NULL;
    enum result r = begin_locked(db, who, &tx);

    if (r != RES_OK)
        return r;
    if (tx_query(tx, &stmt, params, ARRAY_LEN(params), NULL) != RES_OK)
        return RES_TEMPFAIL;
    return commit(&tx);
}

enum result mailbox_claim_recent(struct db *db, const struct principal *who, int64_t id, int64_t below,
                                 int64_t *ret_first)
{
    static const struct db_stmt stmt = { "mailbox_claim_recent",
        "UPDATE mailbox b SET first_recent = greatest(b.first_recent, $3)"
        " FROM (SELECT first_recent FROM mailbox WHERE account_id = $1 AND id = $2) o"
        " WHERE b.account_id = $1 AND b.id = $2 RETURNING o.first_recent" };
    const struct db_param params[] = { db_int8(who->account_id), db_int8(id), db_int8(below) };
    CLEANUP(tx_rollbackp) struct tx *tx = NULL;
    CLEANUP(db_rows_freep) struct db_rows rows = { 0 };
    enum result r = begin_locked(db, who, &tx);

    if (r != RES_OK)
        return r;
    if (tx_query(tx, &stmt, params, ARRAY_LEN(params), &rows) != RES_OK)
        return RES_TEMPFAIL;
    if (db_count(&rows) == 0)
        return RES_NOTFOUND;
    *ret_first = db_get_int(&rows, 0, 0);
    return commit(&tx);
}
