#include "store/routing.h"
#include "mail/address.h"
#include "config/settings.h"
#include "store/script.h"

/* The local part without its sub-address. */
#define WITHOUT_SUBADDRESS(d) "CASE WHEN " d ".subaddress = '' THEN $2 ELSE split_part($2, " d ".subaddress, 1) END"

/* $1 domain, $2 local part.  What the address is exactly, or without sub-address: most mail. */
#define FIND_NEAR                                                                                                  \
    "LEFT JOIN LATERAL (SELECT x.account_id, x.alias_id, CASE WHEN x.localpart = $2 THEN 0 ELSE 1 END AS match "   \
    "FROM address x WHERE x.domain_id = d.id AND x.localpart IN ($2, " WITHOUT_SUBADDRESS("d") ") "                \
    "ORDER BY x.localpart = $2 DESC LIMIT 1) x ON true "

/* By pattern, then in the domain that this one is an alias of. */
#define FIND_FAR                                                                                                   \
    "LEFT JOIN domain t ON t.id = d.alias_of AND t.deleted_at IS NULL AND t.state = 0 "                            \
    "LEFT JOIN LATERAL (SELECT * FROM ("                                                                           \
    "SELECT x.account_id, x.alias_id, 2 AS match, 0 AS rank, length(x.localpart) AS len FROM address x "           \
    "WHERE x.domain_id = d.id AND x.pattern IS NOT NULL AND $2 LIKE x.pattern "                                    \
    "UNION ALL SELECT x.account_id, x.alias_id, 3, CASE WHEN x.localpart = $2 THEN 1 ELSE 2 END, 0 FROM address x " \
    "WHERE x.domain_id = t.id AND x.localpart IN ($2, " WITHOUT_SUBADDRESS("t") ") "                               \
    "UNION ALL SELECT x.account_id, x.alias_id, 3, 3, length(x.localpart) FROM address x "                         \
    "WHERE x.domain_id = t.id AND x.pattern IS NOT NULL AND $2 LIKE x.pattern"                                     \
    ") u ORDER BY rank, len DESC LIMIT 1) x ON true "

enum { ROW_DOMAIN_KIND, ROW_DOMAIN_STATE, ROW_MATCH, ROW_CATCH_ALL, ROW_ACCOUNT, ROW_ADDRESS, ROW_ELSEWHERE, ROW_FORWARD,
       ROW_FORWARD_KEEP, ROW_DOMAIN_ID, ROW_INBOX, ROW_QUOTA_BYTES, ROW_USED_BYTES, ROW_QUOTA_MESSAGES, ROW_USED_MESSAGES,
       ROW_ALIAS, ROW_MEMBERS, ROW_SENDERS, ROW_ALLOWED, ROW_FILTERED, ROW_TAKEN };

/* $3: Junk and Trash are counted apart (store/quota.h). */
#define SELECT_FACTS(catch_all)                                                                                    \
    "SELECT d.kind, d.state, x.match, " catch_all ", a.id, coalesce(a.address, l.address), "                       \
    "coalesce(a.delivery, h.delivery) <> 'store', a.forward, a.forward_keep, a.domain_id, m.id, "                  \
    "s.quota_bytes, s.used_bytes - k.bytes, s.quota_messages, s.used_messages - k.messages, l.id, "                 \
    "(SELECT array_agg(am.address ORDER BY am.n) FROM alias_member am WHERE am.alias_id = l.id), "                 \
    "array_position(ARRAY['anyone', 'domain', 'members', 'list'], l.who_may_send) - 1, l.allowed_senders, "        \
    SCRIPTS_EXIST("a.id", "a.domain_id") ", x.account_id "                                                         \
    "FROM domain d "
#define JOIN_FACTS                                                                                                 \
    "LEFT JOIN account a ON a.id = x.account_id AND a.state <> 4 "                                                 \
    "LEFT JOIN domain h ON h.id = a.domain_id "                                                                    \
    "LEFT JOIN account_state s ON s.account_id = a.id "                                                            \
    "LEFT JOIN LATERAL (SELECT coalesce(sum(bytes), 0)::bigint AS bytes, coalesce(sum(messages), 0)::bigint AS messages " \
    "FROM mailbox WHERE $3 AND account_id = a.id AND special_use IN (3, 5)) k ON true "                            \
    "LEFT JOIN mailbox m ON m.account_id = a.id AND m.name = 'INBOX' "                                             \
    "LEFT JOIN alias l ON l.id = x.alias_id AND l.state = 0 AND (l.expires_at IS NULL OR l.expires_at > now()) "   \
    "WHERE d.name = $1 AND d.deleted_at IS NULL"

static int64_t quota_of(const struct db_rows *rows, int column)
{
    return db_is_null(rows, 0, column) ? -1 : db_get_int(rows, 0, column);
}

static void read_account(const struct db_rows *rows, struct arena *a, struct route_facts *f)
{
    f->kind = FACT_ACCOUNT;
    f->account_id = db_get_int(rows, 0, ROW_ACCOUNT);
    f->elsewhere = db_get_int(rows, 0, ROW_ELSEWHERE) != 0;
    f->filtered = db_get_int(rows, 0, ROW_FILTERED) != 0;
    f->n_forward = db_get_str_array(rows, 0, ROW_FORWARD, a, &f->forward);
    f->forward_keep = db_get_int(rows, 0, ROW_FORWARD_KEEP) != 0;
    f->domain_id = db_get_int(rows, 0, ROW_DOMAIN_ID);
    f->inbox_id = db_get_int(rows, 0, ROW_INBOX);
    f->quota_bytes = quota_of(rows, ROW_QUOTA_BYTES);
    f->quota_messages = quota_of(rows, ROW_QUOTA_MESSAGES);
    f->used_bytes = db_get_int(rows, 0, ROW_USED_BYTES);
    f->used_messages = db_get_int(rows, 0, ROW_USED_MESSAGES);
}

static void read_alias(const struct db_rows *rows, struct arena *a, struct route_facts *f)
{
    f->kind = FACT_ALIAS;
    if (!db_is_null(rows, 0, ROW_MEMBERS))
        f->n_members = db_get_str_array(rows, 0, ROW_MEMBERS, a, &f->members);
    f->senders = (enum route_senders)db_get_int(rows, 0, ROW_SENDERS);
    f->n_allowed = db_get_str_array(rows, 0, ROW_ALLOWED, a, &f->allowed);
}

/* RES_NOTFOUND: nobody there yet; *ret_catch_all is the domain's, STR_NULL if it has none. */
static enum result look(struct db *db, const struct db_stmt *stmt, struct str local, struct str domain, struct arena *a,
                        struct route_facts *ret, struct str *ret_catch_all)
{
    const struct db_param params[] = { db_text(domain), db_text(address_fold_local(a, local)), db_bool(settings_get()->quota_apart) };
    CLEANUP(db_rows_freep) struct db_rows rows = { 0 };
    enum result r = db_query(db, stmt, params, ARRAY_LEN(params), &rows);

    *ret = (struct route_facts){ .kind = FACT_REMOTE };
    if (r != RES_OK || db_count(&rows) == 0)
        return r;
    ret->match = (enum route_match)db_get_int(&rows, 0, ROW_MATCH);
    ret->address = arena_str(a, db_get_str(&rows, 0, ROW_ADDRESS));
    *ret_catch_all = arena_str(a, db_get_str(&rows, 0, ROW_CATCH_ALL));
    if (db_get_int(&rows, 0, ROW_DOMAIN_STATE) != 0) {
        ret->kind = FACT_DISABLED;
    } else if (db_get_int(&rows, 0, ROW_DOMAIN_KIND) == 1) {
        ret->kind = FACT_RELAY;
    } else if (!db_is_null(&rows, 0, ROW_ACCOUNT)) {
        read_account(&rows, a, ret);
    } else if (!db_is_null(&rows, 0, ROW_ALIAS)) {
        read_alias(&rows, a, ret);
    } else {
        ret->kind = FACT_UNKNOWN;
        return db_is_null(&rows, 0, ROW_TAKEN) ? RES_NOTFOUND : RES_OK; /* a deleted account's is nobody else's */
    }
    return RES_OK;
}

enum result routing_find(struct db *db, struct str local, struct str domain, struct arena *a, struct route_facts *ret)
{
    static const struct db_stmt near = { "routing_find", SELECT_FACTS("NULL") FIND_NEAR JOIN_FACTS };
    static const struct db_stmt far = { "routing_find_far", SELECT_FACTS("coalesce(d.catch_all, t.catch_all)") FIND_FAR JOIN_FACTS };
    struct str catch_all = STR_NULL;
    enum result r = look(db, &near, local, domain, a, ret, &catch_all);

    if (r == RES_NOTFOUND)
        r = look(db, &far, local, domain, a, ret, &catch_all);
    if (r != RES_NOTFOUND)
        return r;
    if (catch_all.p != NULL) {
        *ret = (struct route_facts){ .kind = FACT_ALIAS, .match = MATCHED_CATCH_ALL, .n_members = 1,
                                     .address = arena_printf(a, "%.*s@%.*s", STR_ARG(local), STR_ARG(domain)),
                                     .members = arena_new(a, struct str) };
        ret->members[0] = catch_all;
    }
    return RES_OK;
}

enum result routing_may_send_as(struct db *db, int64_t account_id, struct str local, struct str domain, bool *ret_may)
{
#define MAY_SEND                                                                                                   \
    "SELECT EXISTS (SELECT FROM account WHERE id = x.account_id AND id = $3 AND state <> 4) OR EXISTS "            \
    "(SELECT FROM alias l JOIN account a ON a.id = $3 AND a.state <> 4 WHERE l.id = x.alias_id "                   \
    "AND CASE WHEN l.send_as IS NULL THEN EXISTS (SELECT FROM alias_member am "                                    \
    "WHERE am.alias_id = l.id AND am.address = a.address) ELSE a.address = ANY (l.send_as) END) FROM domain d "
    static const struct db_stmt stmts[] = {
        { "routing_may_send_as", MAY_SEND FIND_NEAR "WHERE d.name = $1 AND d.deleted_at IS NULL" },
        { "routing_may_send_as_far", MAY_SEND FIND_FAR "WHERE d.name = $1 AND d.deleted_at IS NULL" } };
    CLEANUP(arena_releasep) struct arena a = { 0 };
    const struct db_param params[] = { db_text(domain), db_text(address_fold_local(&a, local)), db_int8(account_id) };

    *ret_may = false;
    for (size_t i = 0; i < ARRAY_LEN(stmts) && !*ret_may; i++) {
        CLEANUP(db_rows_freep) struct db_rows rows = { 0 };
        enum result r = db_query(db, &stmts[i], params, ARRAY_LEN(params), &rows);

        if (r != RES_OK)
            return r;
        *ret_may = db_count(&rows) == 1 && db_get_int(&rows, 0, 0) != 0;
    }
    return RES_OK;
}

enum result routing_postmaster(struct db *db, struct arena *a, struct str *ret_address)
{
    static const struct db_stmt stmt = { "routing_postmaster",
        "SELECT address FROM account WHERE role = 2 AND state IN (0, 1, 2) ORDER BY id LIMIT 1" };
    CLEANUP(db_rows_freep) struct db_rows rows = { 0 };
    enum result r = db_query_row(db, &stmt, NULL, 0, &rows);

    if (r != RES_OK)
        return r;
    *ret_address = arena_str(a, db_get_str(&rows, 0, 0));
    return RES_OK;
}
