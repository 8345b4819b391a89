#include "store/pop3.h"
#include "store/mailbox.h"
#include "store/message_write.h"
#include "store/notify.h"

#include <stdlib.h>

#define PAGE 5000

enum result pop3_lock(struct db *db, const struct principal *who, struct str holder)
{
    static const struct db_stmt stmt = { "pop3_lock",
        "INSERT INTO pop3_lock (account_id, holder, until) VALUES ($1, $2, now() + interval '60 s') "
        "ON CONFLICT (account_id) DO UPDATE SET holder = $2, until = now() + interval '60 s' "
        "WHERE pop3_lock.until < now() RETURNING account_id" };
    const struct db_param params[] = { db_int8(who->account_id), db_text(holder) };
    CLEANUP(db_rows_freep) struct db_rows rows = { 0 };
    enum result r = db_query_as(db, who->token, &stmt, params, ARRAY_LEN(params), &rows);

    if (r != RES_OK)
        return r;
    return db_count(&rows) == 1 ? RES_OK : RES_EXISTS;
}

enum result pop3_unlock(struct db *db, const struct principal *who, struct str holder)
{
    static const struct db_stmt stmt = { "pop3_unlock", "DELETE FROM pop3_lock WHERE account_id = $1 AND holder = $2" };
    const struct db_param params[] = { db_int8(who->account_id), db_text(holder) };

    return db_query_as(db, who->token, &stmt, params, ARRAY_LEN(params), NULL);
}

enum result pop3_renew(struct db *db, struct str prefix)
{
    static const struct db_stmt stmt = { "pop3_renew",
        "UPDATE pop3_lock SET until = now() + interval '60 s' WHERE starts_with(holder, $1)" };
    const struct db_param params[] = { db_text(prefix) };

    return db_query(db, &stmt, params, ARRAY_LEN(params), NULL);
}

enum result pop3_quit(struct db *db, const struct principal *who, struct str holder, int64_t mailbox_id,
                      const int64_t *uids, size_t n, struct arena *a)
{
    static const struct db_stmt stmt = { "pop3_quit",
        "DELETE FROM pop3_lock WHERE account_id = $1 AND holder = $2 RETURNING account_id" };
    const struct db_param params[] = { db_int8(who->account_id), db_text(holder) };
    CLEANUP(db_rows_freep) struct db_rows rows = { 0 };
    CLEANUP(tx_rollbackp) struct tx *tx = NULL;
    enum result r;

    if (n == 0)
        return pop3_unlock(db, who, holder);
    r = tx_begin(db, who->token, &tx);
    if (r == RES_OK)
        r = tx_query(tx, &account_lock_stmt, params, 1, NULL);
    if (r == RES_OK)
        r = tx_query(tx, &stmt, params, ARRAY_LEN(params), &rows);
    if (r != RES_OK)
        return r;
    if (db_count(&rows) != 1)
        return RES_CONFLICT;
    r = message_remove(tx, who, mailbox_id, uids, n, a);
    if (r != RES_OK)
        return r;
    if (tx_commit(&tx) != RES_OK)
        return RES_TEMPFAIL;
    notify_changed(db, mailbox_id, 0);
    return RES_OK;
}

enum result pop3_list(struct db *db, const struct principal *who, int64_t *ret_mailbox_id, int64_t *ret_uidvalidity,
                      struct pop3_message **ret_v, size_t *ret_n)
{
    static const struct db_stmt box_stmt = { "pop3_inbox",
        "SELECT id, uidvalidity, messages FROM mailbox WHERE account_id = $1 AND name = 'INBOX'" };
    static const struct db_stmt list_stmt = { "pop3_list",
        "SELECT uid, size FROM message WHERE account_id = $1 AND mailbox_id = $2 AND uid > $3 ORDER BY uid LIMIT 5000" };
    CLEANUP(tx_rollbackp) struct tx *tx = NULL;
    CLEANUP(db_rows_freep) struct db_rows box = { 0 };
    const struct db_param id[] = { db_int8(who->account_id) };
    struct pop3_message *v = NULL;
    size_t n = 0, got = PAGE;
    enum result r = tx_begin_snapshot(db, who->token, &tx);

    if (r == RES_OK)
        r = tx_query(tx, &box_stmt, id, 1, &box);
    if (r == RES_OK && db_count(&box) == 0)
        r = RES_NOTFOUND;
    while (r == RES_OK && got == PAGE) {
        CLEANUP(db_rows_freep) struct db_rows rows = { 0 };
        const struct db_param params[] = { db_int8(who->account_id), db_int8(db_get_int(&box, 0, 0)),
                                           db_int8(n > 0 ? v[n - 1].uid : 0) };
        struct pop3_message *more;

        r = tx_query(tx, &list_stmt, params, ARRAY_LEN(params), &rows);
        got = db_count(&rows);
        more = realloc(v, (n + got + 1) * sizeof(*v));
        if (more == NULL)
            abort();
        v = more;
        for (size_t i = 0; i < got; i++)
            v[n++] = (struct pop3_message){ .uid = (uint32_t)db_get_int(&rows, i, 0),
                                            .size = (uint64_t)db_get_int(&rows, i, 1) };
    }
    if (r != RES_OK) {
        free(v);
        return r;
    }
    *ret_mailbox_id = db_get_int(&box, 0, 0);
    *ret_uidvalidity = db_get_int(&box, 0, 1);
    *ret_v = v;
    *ret_n = n;
    return RES_OK;
}

enum result pop3_read_small(struct db *db, const struct principal *who, int64_t mailbox_id, const int64_t *uids, size_t n,
                            struct arena *a, struct db_rows *ret_rows)
{
    static const struct db_stmt stmt = { "pop3_read_small",
        "SELECT m.uid, e.size, b.data FROM message m JOIN email e ON e.account_id = m.account_id AND e.id = m.email_id "
        "JOIN blob b ON b.account_id = e.account_id AND b.email_id = e.id AND b.n = 0 "
        "WHERE m.account_id = $1 AND m.mailbox_id = $2 AND m.uid = ANY ($3) AND e.frames = 1 ORDER BY m.uid" };
    const struct db_param params[] = { db_int8(who->account_id), db_int8(mailbox_id), db_int8_array(a, uids, n) };

    return db_query_as(db, who->token, &stmt, params, ARRAY_LEN(params), ret_rows);
}

struct pop3_small pop3_small_get(const struct db_rows *rows, size_t row)
{
    return (struct pop3_small){ .uid = (uint32_t)db_get_int(rows, row, 0),
                                .size = (uint64_t)db_get_int(rows, row, 1),
                                .frame = db_get_str(rows, row, 2) };
}
