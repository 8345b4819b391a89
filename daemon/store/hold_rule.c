#include "store/hold_rule.h"
#include "store/queue_filter.h"

#define IN_FORCE "(until IS NULL OR until > now())"
#define VISIBLE(domains)                                                                                               \
    "(" domains "::text[] IS NULL OR sender_domain = ANY (" domains ") OR " QUEUE_DOMAIN_SQL("sender") " = ANY (" domains "))"
#define COLUMNS "id, sender, sender_domain, destination, until, reason, created_by, created_at"

static void read_row(const struct db_rows *rows, size_t i, struct arena *a, struct hold_rule *v)
{
    *v = (struct hold_rule){
        .id = db_get_int(rows, i, 0), .sender = arena_str(a, db_get_str(rows, i, 1)),
        .sender_domain = arena_str(a, db_get_str(rows, i, 2)), .destination = arena_str(a, db_get_str(rows, i, 3)),
        .until = db_get_time(rows, i, 4), .reason = arena_str(a, db_get_str(rows, i, 5)),
        .created_by = arena_str(a, db_get_str(rows, i, 6)), .created_at = db_get_time(rows, i, 7),
    };
}

enum result hold_rule_list(struct db *db, int64_t after, struct str_list domains, size_t limit, struct arena *a,
                           struct hold_rule **ret_v, size_t *ret_n, bool *ret_more)
{
    static const struct db_stmt stmt = { "hold_rule_list",
        "SELECT " COLUMNS " FROM queue_hold_rule WHERE id > $1 AND " IN_FORCE " AND " VISIBLE("$2") " ORDER BY id LIMIT $3" };
    const struct db_param params[] = { db_int8(after), queue_filter_list(domains, a), db_int8((int64_t)limit + 1) };
    CLEANUP(db_rows_freep) struct db_rows rows = { 0 };
    enum result r = db_query(db, &stmt, params, ARRAY_LEN(params), &rows);

    if (r != RES_OK)
        return r;
    *ret_more = db_count(&rows) > limit;
    *ret_n = MIN(db_count(&rows), limit);
    *ret_v = arena_array(a, struct hold_rule, *ret_n);
    for (size_t i = 0; i < *ret_n; i++)
        read_row(&rows, i, a, &(*ret_v)[i]);
    return RES_OK;
}

enum result hold_rule_get(struct db *db, int64_t id, struct str_list domains, struct arena *a, struct hold_rule *ret)
{
    static const struct db_stmt stmt = { "hold_rule_get",
        "SELECT " COLUMNS " FROM queue_hold_rule WHERE id = $1 AND " IN_FORCE " AND " VISIBLE("$2") };
    const struct db_param params[] = { db_int8(id), queue_filter_list(domains, a) };
    CLEANUP(db_rows_freep) struct db_rows rows = { 0 };
    enum result r = db_query_row(db, &stmt, params, ARRAY_LEN(params), &rows);

    if (r != RES_OK)
        return r;
    read_row(&rows, 0, a, ret);
    return RES_OK;
}

enum result hold_rule_add(struct db *db, const struct hold_rule *v, const struct audit *audit, int64_t *ret_id)
{
    static const struct db_stmt stmt = { "hold_rule_add",
        "INSERT INTO queue_hold_rule (sender, sender_domain, destination, until, reason, created_by) SELECT $1, $2, $3, $4, $5, $6"
        " WHERE (SELECT count(*) FROM queue_hold_rule WHERE " IN_FORCE ") < $7 RETURNING id" };
    const struct db_param params[] = { db_text(v->sender), db_text(v->sender_domain), db_text(v->destination), db_time(v->until),
                                       db_text(v->reason), db_text(v->created_by), db_int4(HOLD_RULES_MAX) };
    CLEANUP(tx_rollbackp) struct tx *tx = NULL;
    CLEANUP(db_rows_freep) struct db_rows rows = { 0 };
    enum result r = tx_begin(db, STR_NULL, &tx);

    if (r == RES_OK)
        r = tx_query(tx, &stmt, params, ARRAY_LEN(params), &rows);
    if (r == RES_OK && db_count(&rows) == 0)
        return RES_LIMIT;
    if (r == RES_OK)
        r = audit_commit(&tx, audit);
    if (r == RES_OK)
        *ret_id = db_get_int(&rows, 0, 0);
    return r;
}

enum result hold_rule_remove(struct db *db, int64_t id, struct str_list domains, const struct audit *audit)
{
    static const struct db_stmt stmt = { "hold_rule_remove",
        "DELETE FROM queue_hold_rule WHERE id = $1 AND " IN_FORCE " AND " VISIBLE("$2") };
    CLEANUP(arena_releasep) struct arena a = { 0 };
    const struct db_param params[] = { db_int8(id), queue_filter_list(domains, &a) };
    CLEANUP(tx_rollbackp) struct tx *tx = NULL;
    CLEANUP(db_rows_freep) struct db_rows rows = { 0 };
    enum result r = tx_begin(db, STR_NULL, &tx);

    if (r == RES_OK)
        r = tx_query(tx, &stmt, params, ARRAY_LEN(params), &rows);
    if (r == RES_OK && db_affected(&rows) == 0)
        return RES_NOTFOUND;
    return r == RES_OK ? audit_commit(&tx, audit) : r;
}

enum result hold_rule_sweep(struct db *db)
{
    static const struct db_stmt stmt = { "hold_rule_sweep", "DELETE FROM queue_hold_rule WHERE until < now() - interval '1 hour'" };

    return db_query(db, &stmt, NULL, 0, NULL);
}
