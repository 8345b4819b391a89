/* store/trace_mine.c - a person's own mail in the trace. */
#include "store/trace_mine.h"

#include "store/queue_filter.h"

#define BEFORE(at, id) "($2::timestamptz IS NULL OR (" at ", " id ") < ($2, $3))"
#define OUTCOME(outcome) "($6 = 0 OR (1 << " outcome ") & $6 <> 0)"
#define TEXT(recipient)                                                                                                \
    "($7::text IS NULL OR lower(t.subject) LIKE $7 OR lower(t.sender) LIKE $7 OR " recipient ")"

enum result trace_mine(struct db *db, int64_t account_id, const struct mine_filter *filter, struct trace_place after, size_t limit,
                       struct arena *a, struct mine_row **ret_rows, size_t *ret_n, struct trace_place *ret_next)
{
    static const struct db_stmt stmt = { "trace_mine",
        /* Each way has its index and ends after a page; a message that one sent oneself is `sent`. */
        "WITH hits AS MATERIALIZED ("
        " (SELECT t.at, t.id, 1 AS way, NULL::int AS n FROM trace t WHERE t.account_id = $1 AND $5 IN (0, 2, 3) AND " BEFORE("t.at", "t.id")
        "   AND " OUTCOME("t.outcome") " AND " TEXT("EXISTS (SELECT FROM trace_recipient r WHERE r.at = t.at"
        "    AND r.trace_id = t.id AND lower(r.recipient) LIKE $7)") " ORDER BY t.at DESC, t.id DESC LIMIT $4)"
        " UNION ALL"
        " (SELECT r.at, r.trace_id, 0, min(r.n) FROM trace_recipient r JOIN trace t ON t.at = r.at AND t.id = r.trace_id"
        "   WHERE r.account_id = $1 AND $5 IN (0, 1, 3) AND " BEFORE("r.at", "r.trace_id")
        "   AND t.account_id IS DISTINCT FROM $1 AND " OUTCOME("r.outcome") " AND " TEXT("lower(r.recipient) LIKE $7")
        "   GROUP BY r.at, r.trace_id ORDER BY r.at DESC, r.trace_id DESC LIMIT $4)),"
        " page AS MATERIALIZED (SELECT * FROM hits ORDER BY at DESC, id DESC LIMIT $4)"
        " SELECT p.id, p.at, t.size, p.way, CASE WHEN p.way = 1 THEN t.outcome ELSE f.outcome END, t.sender, t.subject,"
        "  t.message_id, f.recipient, CASE WHEN p.way = 1 THEN s.n ELSE 1 END, e.mailbox, e.rule, e.reply"
        " FROM page p JOIN trace t ON t.at = p.at AND t.id = p.id"
        " LEFT JOIN LATERAL (SELECT r.n, r.recipient, r.outcome FROM trace_recipient r WHERE r.at = p.at AND r.trace_id = p.id"
        "  AND (p.n IS NULL OR r.n = p.n) ORDER BY r.n LIMIT 1) f ON true"
        " LEFT JOIN LATERAL (SELECT e.mailbox, e.rule, e.reply FROM trace_event e WHERE e.at = p.at AND e.trace_id = p.id"
        "  AND e.n = f.n AND e.reply IS NOT NULL AND e.actor IS NULL ORDER BY e.happened_at DESC, e.seq DESC LIMIT 1) e ON true"
        " CROSS JOIN LATERAL (SELECT count(*) AS n FROM trace_recipient r WHERE r.at = p.at AND r.trace_id = p.id) s"
        " ORDER BY p.at DESC, p.id DESC" };
    size_t want = MIN(limit, (size_t)QUEUE_MAX_PAGE);
    const struct db_param params[] = {
        db_int8(account_id), db_time(after.at_us), db_int8(after.id), db_int8((int64_t)want + 1), db_int4((int32_t)filter->ways),
        db_int4((int32_t)filter->outcomes), db_text(queue_filter_pattern(filter->text, a)),
    };
    CLEANUP(db_rows_freep) struct db_rows rows = { 0 };
    enum result r = db_query(db, &stmt, params, ARRAY_LEN(params), &rows);

    if (r != RES_OK)
        return r;
    *ret_n = MIN(db_count(&rows), want);
    *ret_rows = arena_array(a, struct mine_row, *ret_n);
    for (size_t i = 0; i < *ret_n; i++)
        (*ret_rows)[i] = (struct mine_row){
            .id = db_get_int(&rows, i, 0), .at_us = db_get_time(&rows, i, 1),
            .size = db_is_null(&rows, i, 2) ? -1 : db_get_int(&rows, i, 2), .way = (enum mine_way)db_get_int(&rows, i, 3),
            .outcome = (enum trace_outcome)db_get_int(&rows, i, 4), .sender = arena_str(a, db_get_str(&rows, i, 5)),
            .subject = arena_str(a, db_get_str(&rows, i, 6)), .message_id = arena_str(a, db_get_str(&rows, i, 7)),
            .recipient = arena_str(a, db_get_str(&rows, i, 8)), .recipients = db_get_int(&rows, i, 9),
            .mailbox = arena_str(a, db_get_str(&rows, i, 10)), .rule = arena_str(a, db_get_str(&rows, i, 11)),
            .reply = arena_str(a, db_get_str(&rows, i, 12)),
        };
    *ret_next = db_count(&rows) > want ? (struct trace_place){ (*ret_rows)[want - 1].at_us, (*ret_rows)[want - 1].id } : TRACE_END;
    return RES_OK;
}
