#include "store/routing.h"

enum { ROW_DOMAIN_KIND, ROW_DOMAIN_STATE, ROW_ACCOUNT, ROW_ACCOUNT_STATE, ROW_INBOX, ROW_QUOTA_BYTES, ROW_USED_BYTES,
       ROW_QUOTA_MESSAGES, ROW_USED_MESSAGES, ROW_ALIAS, ROW_MEMBERS };

/* The best match of an address in its domain: exact, then without sub-address. */
#define FIND_ADDRESS                                                                                               \
    "LEFT JOIN LATERAL (SELECT x.account_id, x.alias_id FROM address x WHERE x.domain_id = d.id "                  \
    "AND x.localpart IN ($2, CASE WHEN d.subaddress = '' THEN $2 ELSE split_part($2, d.subaddress, 1) END) "       \
    "ORDER BY x.localpart = $2 DESC LIMIT 1) x ON true "

enum result routing_find(struct db *db, struct str local, struct str domain, struct arena *a, struct routing *ret)
{
    static const struct db_stmt stmt = { "routing_find",
        "SELECT d.kind, d.state, a.id, a.state, m.id, s.quota_bytes, s.used_bytes, s.quota_messages, s.used_messages, l.id, "
        "CASE WHEN l.id IS NOT NULL THEN (SELECT array_agg(am.address ORDER BY am.n) FROM alias_member am WHERE am.alias_id = l.id) "
        "WHEN a.id IS NULL AND d.catch_all IS NOT NULL THEN ARRAY[d.catch_all] END "
        "FROM domain d " FIND_ADDRESS
        "LEFT JOIN account a ON a.id = x.account_id AND a.state <> 4 "
        "LEFT JOIN account_state s ON s.account_id = a.id "
        "LEFT JOIN mailbox m ON m.account_id = a.id AND m.name = 'INBOX' "
        "LEFT JOIN alias l ON l.id = x.alias_id AND l.state = 0 AND (l.expires_at IS NULL OR l.expires_at > now()) "
        "WHERE d.name = $1 AND d.deleted_at IS NULL" };
    const struct db_param params[] = { db_text(domain), db_text(arena_lower(a, local)) };
    CLEANUP(db_rows_freep) struct db_rows rows = { 0 };
    enum result r = db_query(db, &stmt, params, ARRAY_LEN(params), &rows);
    struct routing out = { .kind = ROUTING_REMOTE };

    if (r != RES_OK)
        return r;
    if (db_count(&rows) == 0) {
        *ret = out;
        return RES_OK;
    }
    if (db_get_int(&rows, 0, ROW_DOMAIN_STATE) != 0) {
        out.kind = ROUTING_DISABLED;
    } else if (db_get_int(&rows, 0, ROW_DOMAIN_KIND) == 1) {
        out.kind = ROUTING_RELAY;
    } else if (!db_is_null(&rows, 0, ROW_ACCOUNT)) {
        out.kind = ROUTING_ACCOUNT;
        out.account_id = db_get_int(&rows, 0, ROW_ACCOUNT);
        out.account_state = (int)db_get_int(&rows, 0, ROW_ACCOUNT_STATE);
        out.inbox_id = db_get_int(&rows, 0, ROW_INBOX);
        out.quota_bytes = db_is_null(&rows, 0, ROW_QUOTA_BYTES) ? -1 : db_get_int(&rows, 0, ROW_QUOTA_BYTES);
        out.quota_messages = db_is_null(&rows, 0, ROW_QUOTA_MESSAGES) ? -1 : db_get_int(&rows, 0, ROW_QUOTA_MESSAGES);
        out.used_bytes = db_get_int(&rows, 0, ROW_USED_BYTES);
        out.used_messages = db_get_int(&rows, 0, ROW_USED_MESSAGES);
    } else if (!db_is_null(&rows, 0, ROW_MEMBERS)) {
        out.kind = ROUTING_ALIAS;
        out.n_members = db_get_str_array(&rows, 0, ROW_MEMBERS, a, &out.members);
    } else {
        out.kind = ROUTING_UNKNOWN;
    }
    *ret = out;
    return RES_OK;
}

enum result routing_may_send_as(struct db *db, int64_t account_id, struct str local, struct str domain, bool *ret_may)
{
    static const struct db_stmt stmt = { "routing_may_send_as",
        "SELECT x.account_id IS NOT DISTINCT FROM $3 OR EXISTS (SELECT FROM alias_member am JOIN account a ON a.id = $3 "
        "WHERE am.alias_id = x.alias_id AND am.address = a.address) "
        "FROM domain d " FIND_ADDRESS "WHERE d.name = $1 AND d.deleted_at IS NULL" };
    CLEANUP(arena_releasep) struct arena a = { 0 };
    const struct db_param params[] = { db_text(domain), db_text(arena_lower(&a, local)), db_int8(account_id) };
    CLEANUP(db_rows_freep) struct db_rows rows = { 0 };
    enum result r = db_query(db, &stmt, params, ARRAY_LEN(params), &rows);

    if (r != RES_OK)
        return r;
    *ret_may = db_count(&rows) == 1 && db_get_int(&rows, 0, 0) != 0;
    return RES_OK;
}

enum result routing_postmaster(struct db *db, struct arena *a, struct str *ret_address)
{
    static const struct db_stmt stmt = { "routing_postmaster",
        "SELECT address FROM account WHERE role = 2 AND state IN (0, 1, 2) ORDER BY id LIMIT 1" };
    CLEANUP(db_rows_freep) struct db_rows rows = { 0 };
    enum result r = db_query(db, &stmt, NULL, 0, &rows);

    if (r != RES_OK)
        return r;
    if (db_count(&rows) == 0)
        return RES_NOTFOUND;
    *ret_address = arena_str(a, db_get_str(&rows, 0, 0));
    return RES_OK;
}
