/* Mailboxes: names, and everything that reads (store/mailbox.h). */
#include "store/mailbox.h"

const struct db_stmt account_lock_stmt = { "account_lock",
    "SELECT modseq FROM account_state WHERE account_id = $1 FOR NO KEY UPDATE" };

static bool level_ok(struct str level)
{
    if (level.len == 0 || level.len > MAILBOX_LEVEL_MAX)
        return false;
    for (size_t i = 0; i < level.len; i++) {
        unsigned char c = (unsigned char)level.p[i];

        if (c < 0x20 || c == 0x7f || c == '%' || c == '*')
            return false;
    }
    return true;
}

enum result mailbox_name_check(struct arena *a, struct str name, struct str *ret_name)
{
    static const struct str inbox = STR("INBOX");
    struct str rest, level;

    if (str_ends(name, STR("/")))
        name.len--;
    if (name.len == 0 || name.len > MAILBOX_NAME_MAX || !str_is_utf8(name) || str_ends(name, STR("/")))
        return RES_INVALID;
    rest = name;
    while (str_split(&rest, '/', &level)) {
        if (!level_ok(level))
            return RES_INVALID;
    }
    if (str_istarts(name, inbox) && (name.len == inbox.len || name.p[inbox.len] == '/'))
        *ret_name = arena_printf(a, "INBOX%.*s", STR_ARG(str_from(name, inbox.len)));
    else
        *ret_name = arena_str(a, name);
    return RES_OK;
}

void mailbox_from_row(const struct db_rows *rows, size_t row, int column, struct arena *a, struct mailbox *ret)
{
    int64_t *const numbers[] = { &ret->uidvalidity, &ret->uidnext,  &ret->first_recent, &ret->highestmodseq,
                                 &ret->vanished_from, &ret->messages, &ret->unseen,       &ret->deleted,
                                 &ret->bytes };
    int64_t use;

    ret->id = db_get_int(rows, row, column++);
    ret->name = arena_str(a, db_get_str(rows, row, column++));
    for (size_t i = 0; i < ARRAY_LEN(numbers); i++)
        *numbers[i] = db_get_int(rows, row, column++);
    use = db_get_int(rows, row, column++);
    ret->special_use = use > SPECIAL_NONE && use < SPECIAL_USES ? (enum special_use)use : SPECIAL_NONE;
    ret->subscribed = db_get_int(rows, row, column) != 0;
}

static enum result one_mailbox(struct db *db, const struct principal *who, const struct db_stmt *stmt,
                               const struct db_param *params, size_t n, struct arena *a, struct mailbox *ret)
{
    CLEANUP(db_rows_freep) struct db_rows rows = { 0 };
    enum result r = db_query_as(db, who->token, stmt, params, n, &rows);

    if (r != RES_OK)
        return RES_TEMPFAIL;
    if (db_count(&rows) == 0)
        return RES_NOTFOUND;
    mailbox_from_row(&rows, 0, 0, a, ret);
    return RES_OK;
}

enum result mailbox_find(struct db *db, const struct principal *who, struct str name, struct arena *a,
                         struct mailbox *ret)
{
    static const struct db_stmt stmt = { "mailbox_find",
        "SELECT " MAILBOX_COLUMNS " FROM mailbox WHERE account_id = $1 AND name = $2" };
    const struct db_param params[] = { db_int8(who->account_id), db_text(name) };

    return one_mailbox(db, who, &stmt, params, ARRAY_LEN(params), a, ret);
}

enum result mailbox_get(struct db *db, const struct principal *who, int64_t id, struct arena *a, struct mailbox *ret)
{
    static const struct db_stmt stmt = { "mailbox_get",
        "SELECT " MAILBOX_COLUMNS " FROM mailbox WHERE account_id = $1 AND id = $2" };
    const struct db_param params[] = { db_int8(who->account_id), db_int8(id) };

    return one_mailbox(db, who, &stmt, params, ARRAY_LEN(params), a, ret);
}

enum result mailbox_list(struct db *db, const struct principal *who, struct arena *a, struct mailbox **ret_list,
                         size_t *ret_n)
{
    static const struct db_stmt stmt = { "mailbox_list",
        "SELECT " MAILBOX_COLUMNS " FROM mailbox WHERE account_id = $1 ORDER BY name COLLATE \"C\"" };
    const struct db_param params[] = { db_int8(who->account_id) };
    CLEANUP(db_rows_freep) struct db_rows rows = { 0 };
    struct mailbox *list;

    if (db_query_as(db, who->token, &stmt, params, ARRAY_LEN(params), &rows) != RES_OK)
        return RES_TEMPFAIL;
    list = arena_array(a, struct mailbox, db_count(&rows));
    for (size_t i = 0; i < db_count(&rows); i++)
        mailbox_from_row(&rows, i, 0, a, &list[i]);
    *ret_list = list;
    *ret_n = db_count(&rows);
    return RES_OK;
}

enum result mailbox_subscribed_names(struct db *db, const struct principal *who, struct arena *a,
                                     struct str **ret_names, size_t *ret_n)
{
    static const struct db_stmt stmt = { "mailbox_subscribed_names",
        "SELECT name FROM subscription WHERE account_id = $1 ORDER BY name COLLATE \"C\"" };
    const struct db_param params[] = { db_int8(who->account_id) };
    CLEANUP(db_rows_freep) struct db_rows rows = { 0 };
    struct str *names;

    if (db_query_as(db, who->token, &stmt, params, ARRAY_LEN(params), &rows) != RES_OK)
        return RES_TEMPFAIL;
    names = arena_array(a, struct str, db_count(&rows));
    for (size_t i = 0; i < db_count(&rows); i++)
        names[i] = arena_str(a, db_get_str(&rows, i, 0));
    *ret_names = names;
    *ret_n = db_count(&rows);
    return RES_OK;
}

enum result mailbox_count_recent(struct db *db, const struct principal *who, const struct mailbox *box,
                                 int64_t *ret_count)
{
    static const struct db_stmt stmt = { "mailbox_count_recent",
        "SELECT count(*) FROM message WHERE account_id = $1 AND mailbox_id = $2 AND uid >= $3" };
    const struct db_param params[] = { db_int8(who->account_id), db_int8(box->id), db_int8(box->first_recent) };
    CLEANUP(db_rows_freep) struct db_rows rows = { 0 };

    if (box->first_recent >= box->uidnext) {
        *ret_count = 0;
        return RES_OK;
    }
    if (db_query_as(db, who->token, &stmt, params, ARRAY_LEN(params), &rows) != RES_OK)
        return RES_TEMPFAIL;
    *ret_count = db_get_int(&rows, 0, 0);
    return RES_OK;
}

enum result mailbox_deleted_bytes(struct db *db, const struct principal *who, const struct mailbox *box,
                                  int64_t *ret_bytes)
{
    static const struct db_stmt stmt = { "mailbox_deleted_bytes",
        "SELECT coalesce(sum(size), 0)::bigint FROM message WHERE account_id = $1 AND mailbox_id = $2 AND flags & 8 <> 0" };
    const struct db_param params[] = { db_int8(who->account_id), db_int8(box->id) };
    CLEANUP(db_rows_freep) struct db_rows rows = { 0 };

    if (box->deleted == 0) {
        *ret_bytes = 0;
        return RES_OK;
    }
    if (db_query_as(db, who->token, &stmt, params, ARRAY_LEN(params), &rows) != RES_OK)
        return RES_TEMPFAIL;
    *ret_bytes = db_get_int(&rows, 0, 0);
    return RES_OK;
}
