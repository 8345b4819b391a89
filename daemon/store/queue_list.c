/* store/queue_list.c - reading the queue for people. */
#include "store/queue_filter.h"

#include "store/queue.h"

#define LIST_COLUMNS                                                                                                   \
    "p.id, p.size, p.received_at, p.expires_at, p.version, p.subject, p.message_id, p.reverse_path, a.address,"        \
    " s.state, f.recipient, f.destination, s.recipients, s.destinations, s.attempts, s.next_at, u.reason, u.last_reply"
enum list_column {
    L_ID, L_SIZE, L_RECEIVED, L_EXPIRES, L_VERSION, L_SUBJECT, L_MESSAGE_ID, L_SENDER, L_ACCOUNT, L_STATE, L_RECIPIENT,
    L_DESTINATION, L_RECIPIENTS, L_DESTINATIONS, L_ATTEMPTS, L_NEXT, L_REASON, L_REPLY
};
/* page p: the messages; s: sums over their recipients; f: the first that matches; u: the most urgent one. */
#define LIST_FROM(order)                                                                                               \
    " FROM page p LEFT JOIN account a ON a.id = p.account_id"                                                          \
    " CROSS JOIN LATERAL (SELECT min(" QUEUE_STATE_SQL ") AS state, count(*) AS recipients,"                            \
    "   count(DISTINCT r.destination) AS destinations, max(r.attempts) AS attempts,"                                   \
    "   min(r.due_at) FILTER (WHERE " QUEUE_STATE_SQL " IN (1, 2)) AS next_at"                                         \
    "  FROM queue_recipient r WHERE r.queue_id = p.id) s"                                                              \
    " CROSS JOIN LATERAL (SELECT r.recipient, r.destination FROM queue_recipient r WHERE r.queue_id = p.id AND "       \
    QUEUE_MATCH_RECIPIENT " ORDER BY r.n LIMIT 1) f"                                                                   \
    " CROSS JOIN LATERAL (SELECT " QUEUE_REASON_SQL " AS reason, r.last_reply FROM queue_recipient r"                   \
    "  WHERE r.queue_id = p.id ORDER BY " QUEUE_STATE_SQL ", r.n LIMIT 1) u"                                           \
    " ORDER BY p.id" order

static void read_row(const struct db_rows *rows, size_t i, struct arena *a, struct queue_row *r)
{
    r->id = db_get_int(rows, i, L_ID);
    r->size = db_get_int(rows, i, L_SIZE);
    r->accepted_at = db_get_time(rows, i, L_RECEIVED);
    r->expires_at = db_get_time(rows, i, L_EXPIRES);
    r->version = db_get_int(rows, i, L_VERSION);
    r->subject = arena_str(a, db_get_str(rows, i, L_SUBJECT));
    r->message_id = arena_str(a, db_get_str(rows, i, L_MESSAGE_ID));
    r->sender = arena_str(a, db_get_str(rows, i, L_SENDER));
    r->account = arena_str(a, db_get_str(rows, i, L_ACCOUNT));
    r->state = (enum queue_state)db_get_int(rows, i, L_STATE);
    r->recipient = arena_str(a, db_get_str(rows, i, L_RECIPIENT));
    r->destination = arena_str(a, db_get_str(rows, i, L_DESTINATION));
    r->recipients = db_get_int(rows, i, L_RECIPIENTS);
    r->destinations = db_get_int(rows, i, L_DESTINATIONS);
    r->attempts = db_get_int(rows, i, L_ATTEMPTS);
    r->next_attempt_at = r->state == QUEUE_DEFERRED || r->state == QUEUE_SCHEDULED ? db_get_time(rows, i, L_NEXT) : DB_NO_TIME;
    r->reason = arena_str(a, db_get_str(rows, i, L_REASON));
    r->reply = arena_str(a, db_get_str(rows, i, L_REPLY));
}

/* $21: behind it, $22: how many, $23: how many of each kind of hit, NULL for all. */
#define LIST(name, text, from, order)                                                                                  \
    { name, "WITH page AS MATERIALIZED (SELECT m.* FROM queue_message m WHERE " QUEUE_MATCH text " AND " from("m.id")   \
            " ORDER BY m.id" order " LIMIT $22) SELECT " LIST_COLUMNS LIST_FROM(order) }
#define FROM_UP(id) id " > $21"
#define FROM_DOWN(id) "($21 = 0 OR " id " < $21)"
#define TEXT_HITS(from, order)                                                                                         \
    QUEUE_MATCH_TEXT(" AND " from("s.id") " ORDER BY s.id" order " LIMIT $23",                                          \
                     " AND " from("t.queue_id") " ORDER BY t.queue_id" order " LIMIT $23")

enum result queue_list(struct db *db, const struct queue_filter *filter, bool descending, int64_t after, size_t limit,
                       struct arena *a, struct queue_row **ret_rows, size_t *ret_n, bool *ret_more)
{
    static const struct db_stmt stmts[2][2] = { /* up and down, without and with a text */
        { LIST("queue_list", "", FROM_UP, ""), LIST("queue_list_text", TEXT_HITS(FROM_UP, ""), FROM_UP, "") },
        { LIST("queue_list_down", "", FROM_DOWN, " DESC"),
          LIST("queue_list_text_down", TEXT_HITS(FROM_DOWN, " DESC"), FROM_DOWN, " DESC") } };
    CLEANUP(db_rows_freep) struct db_rows rows = { 0 };
    struct db_param params[QUEUE_FILTER_PARAMS + 3];
    size_t n = MIN(limit, (size_t)QUEUE_MAX_PAGE), n_params = 0;
    bool text = filter->text.p != NULL;
    enum result r;

    queue_filter_params(filter, a, params);
    n_params = QUEUE_FILTER_PARAMS;
    params[n_params++] = db_int8(after);
    params[n_params++] = db_int8((int64_t)n + 1);
    if (text)
        params[n_params++] = queue_filter_is_text(filter) ? db_int8((int64_t)n + 1) : db_int8_null();
    r = db_query(db, &stmts[descending][text], params, n_params, &rows);
    if (r != RES_OK)
        return r;
    *ret_more = db_count(&rows) > n;
    *ret_n = MIN(db_count(&rows), n);
    *ret_rows = arena_array(a, struct queue_row, *ret_n);
    for (size_t i = 0; i < *ret_n; i++)
        read_row(&rows, i, a, &(*ret_rows)[i]);
    return RES_OK;
}

#define COUNT(name, text) { name, "SELECT count(*) FROM (SELECT FROM queue_message m WHERE " QUEUE_MATCH text " LIMIT $21) x" }

enum result queue_count(struct db *db, const struct queue_filter *filter, int64_t at_most, int64_t *ret_n)
{
    static const struct db_stmt stmts[2] = { COUNT("queue_count", ""), COUNT("queue_count_text", QUEUE_MATCH_TEXT("", "")) };
    CLEANUP(arena_releasep) struct arena a = { 0 };
    CLEANUP(db_rows_freep) struct db_rows rows = { 0 };
    struct db_param params[QUEUE_FILTER_PARAMS + 1];
    enum result r;

    queue_filter_params(filter, &a, params);
    params[QUEUE_FILTER_PARAMS] = db_int8(at_most);
    r = db_query(db, &stmts[filter->text.p != NULL], params, ARRAY_LEN(params), &rows);
    if (r == RES_OK)
        *ret_n = db_get_int(&rows, 0, 0);
    return r;
}

#define GROUPS(name, text)                                                                                             \
    { name,                                                                                                            \
      "SELECT key, count(DISTINCT queue_id), count(*), count(DISTINCT queue_id) FILTER (WHERE state IN (1, 2)),"        \
      "  count(DISTINCT queue_id) FILTER (WHERE state = 3), count(DISTINCT queue_id) FILTER (WHERE state = 0),"         \
      "  min(received_at), min(due_at) FILTER (WHERE state IN (1, 2)), mode() WITHIN GROUP (ORDER BY reason), max(last_reply)" \
      " FROM (SELECT r.queue_id, " QUEUE_STATE_SQL " AS state, " QUEUE_REASON_SQL " AS reason, r.due_at, r.last_reply," \
      "   m.received_at, CASE $21 WHEN 0 THEN r.destination WHEN 1 THEN m.reverse_path ELSE " QUEUE_REASON_SQL " END AS key" \
      "  FROM queue_message m JOIN queue_recipient r ON r.queue_id = m.id"                                              \
      "  WHERE " QUEUE_MATCH_MESSAGE " AND " QUEUE_MATCH_RECIPIENT text ") x"                                           \
      " GROUP BY key ORDER BY 3 DESC, 1 LIMIT $22" }

enum result queue_groups(struct db *db, const struct queue_filter *filter, enum queue_group_by by, size_t limit,
                         struct arena *a, struct queue_group **ret_groups, size_t *ret_n)
{
    static const struct db_stmt stmts[2] = { GROUPS("queue_groups", ""), GROUPS("queue_groups_text", QUEUE_MATCH_TEXT("", "")) };
    CLEANUP(db_rows_freep) struct db_rows rows = { 0 };
    struct db_param params[QUEUE_FILTER_PARAMS + 2];
    struct queue_group *v;
    enum result r;

    queue_filter_params(filter, a, params);
    params[QUEUE_FILTER_PARAMS] = db_int4((int32_t)by);
    params[QUEUE_FILTER_PARAMS + 1] = db_int8((int64_t)MIN(limit, (size_t)QUEUE_MAX_PAGE));
    r = db_query(db, &stmts[filter->text.p != NULL], params, ARRAY_LEN(params), &rows);
    if (r != RES_OK)
        return r;
    v = arena_array(a, struct queue_group, db_count(&rows));
    for (size_t i = 0; i < db_count(&rows); i++)
        v[i] = (struct queue_group){
            .key = arena_str(a, db_get_str(&rows, i, 0)), .messages = db_get_int(&rows, i, 1),
            .recipients = db_get_int(&rows, i, 2), .waiting = db_get_int(&rows, i, 3), .held = db_get_int(&rows, i, 4),
            .sending = db_get_int(&rows, i, 5), .oldest_accepted_at = db_get_time(&rows, i, 6),
            .next_attempt_at = db_get_time(&rows, i, 7), .reason = arena_str(a, db_get_str(&rows, i, 8)),
            .reply = arena_str(a, db_get_str(&rows, i, 9)),
        };
    *ret_groups = v;
    *ret_n = db_count(&rows);
    return RES_OK;
}

enum result queue_sum(struct db *db, struct queue_sums *ret)
{
    static const struct db_stmt stmt = { "queue_sum",
        "SELECT count(*), count(*) FILTER (WHERE state IN (1, 2)), count(*) FILTER (WHERE state = 3),"
        "  count(*) FILTER (WHERE state = 0), coalesce(sum(n), 0)::bigint, min(m.received_at) FILTER (WHERE state IN (1, 2))"
        " FROM (SELECT r.queue_id, min(" QUEUE_STATE_SQL ") AS state, count(*) AS n FROM queue_recipient r GROUP BY r.queue_id) s"
        " JOIN queue_message m ON m.id = s.queue_id" };
    CLEANUP(db_rows_freep) struct db_rows rows = { 0 };
    enum result r = db_query(db, &stmt, NULL, 0, &rows);

    if (r != RES_OK)
        return r;
    *ret = (struct queue_sums){ .messages = db_get_int(&rows, 0, 0), .waiting = db_get_int(&rows, 0, 1),
                                .held = db_get_int(&rows, 0, 2), .sending = db_get_int(&rows, 0, 3),
                                .recipients = db_get_int(&rows, 0, 4), .oldest_accepted_at = db_get_time(&rows, 0, 5) };
    return RES_OK;
}
