/* store/trace.c - reading the trace. */
#include "store/trace.h"

#include "store/queue_filter.h"

enum result trace_maintain(struct db *db)
{
    static const struct db_stmt stmt = { "trace_maintain", "SELECT trace_partitions($1, $2)" };
    static const struct str tables[] = { STR("trace"), STR("trace_recipient"), STR("trace_event") };
    enum result r = RES_OK;

    for (size_t i = 0; i < ARRAY_LEN(tables) && r == RES_OK; i++) { /* never two of them in one transaction */
        const struct db_param params[] = { db_int4(TRACE_KEEP_DAYS), db_text(tables[i]) };

        r = db_query(db, &stmt, params, ARRAY_LEN(params), NULL);
    }
    return r;
}

/* Does the recipient r match? */
#define MATCH_RECIPIENT "($2::text[] IS NULL OR " QUEUE_ADDRESS_SQL("r.recipient", "$2") ")"
/* Does the message t match? */
#define MATCH_MESSAGE                                                                                                  \
    "($1::text[] IS NULL OR " QUEUE_ADDRESS_SQL("t.sender", "$1") ")"                                                  \
    " AND ($3::text[] IS NULL OR t.account_id IN (SELECT id FROM account WHERE lower(address) = ANY ($3)))"             \
    " AND ($4::text IS NULL OR lower(t.subject) LIKE $4) AND ($5::text IS NULL OR t.message_id = $5)"                   \
    " AND ($6 = 0 OR (1 << t.direction) & $6 <> 0) AND ($7 = 0 OR (1 << t.outcome) & $7 <> 0)"                         \
    " AND ($8::timestamptz IS NULL OR t.at >= $8) AND ($9::timestamptz IS NULL OR t.at < $9)"                           \
    " AND ($10::text IS NULL OR t.id = $12 OR t.message_id = $11 OR lower(t.sender) LIKE $10 OR lower(t.subject) LIKE $10" \
    "  OR EXISTS (SELECT FROM trace_recipient r WHERE r.at = t.at AND r.trace_id = t.id AND lower(r.recipient) LIKE $10))" \
    " AND ($13::text[] IS NULL OR " QUEUE_DOMAIN_SQL("t.sender") " = ANY ($13)"                                         \
    "  OR EXISTS (SELECT FROM trace_recipient r WHERE r.at = t.at AND r.trace_id = t.id AND r.domain = ANY ($13)))"    \
    " AND ($2::text[] IS NULL OR EXISTS (SELECT FROM trace_recipient r WHERE r.at = t.at AND r.trace_id = t.id AND "    \
    MATCH_RECIPIENT "))"

#define ROW_COLUMNS "p.id, p.at, p.size, p.direction, p.outcome, p.sender, p.subject, p.message_id, a.address"
enum row_column { R_ID, R_AT, R_SIZE, R_DIRECTION, R_OUTCOME, R_SENDER, R_SUBJECT, R_MESSAGE_ID, R_ACCOUNT, R_RECIPIENT, R_RECIPIENTS };

static void read_row(const struct db_rows *rows, size_t i, struct arena *a, struct trace_row *row)
{
    *row = (struct trace_row){
        .id = db_get_int(rows, i, R_ID), .accepted_at = db_get_time(rows, i, R_AT), .size = db_get_int(rows, i, R_SIZE),
        .direction = (enum trace_direction)db_get_int(rows, i, R_DIRECTION),
        .outcome = (enum trace_outcome)db_get_int(rows, i, R_OUTCOME), .sender = arena_str(a, db_get_str(rows, i, R_SENDER)),
        .subject = arena_str(a, db_get_str(rows, i, R_SUBJECT)),
        .message_id = arena_str(a, db_get_str(rows, i, R_MESSAGE_ID)),
        .account = arena_str(a, db_get_str(rows, i, R_ACCOUNT)),
        .recipient = arena_str(a, db_get_str(rows, i, R_RECIPIENT)), .recipients = db_get_int(rows, i, R_RECIPIENTS),
    };
}

enum result trace_list(struct db *db, const struct trace_filter *filter, int64_t after, size_t limit, struct arena *a,
                       struct trace_row **ret_rows, size_t *ret_n, bool *ret_more)
{
    static const struct db_stmt stmt = { "trace_list",
        "WITH page AS MATERIALIZED (SELECT t.* FROM trace t WHERE " MATCH_MESSAGE
        "  AND ($14 = 0 OR t.id < $14) ORDER BY t.id DESC LIMIT $15)"
        " SELECT " ROW_COLUMNS ", coalesce(f.recipient, ''), s.n FROM page p LEFT JOIN account a ON a.id = p.account_id"
        " LEFT JOIN LATERAL (SELECT r.recipient FROM trace_recipient r WHERE r.at = p.at AND r.trace_id = p.id AND "
        MATCH_RECIPIENT " ORDER BY r.n LIMIT 1) f ON true"
        " CROSS JOIN LATERAL (SELECT count(*) AS n FROM trace_recipient r WHERE r.at = p.at AND r.trace_id = p.id) s"
        " ORDER BY p.id DESC" };
    size_t want = MIN(limit, (size_t)QUEUE_MAX_PAGE);
    const struct db_param params[] = {
        queue_filter_list(filter->senders, a), queue_filter_list(filter->recipients, a),
        queue_filter_list(filter->accounts, a), db_text(queue_filter_pattern(filter->subject, a)),
        db_text(filter->message_id), db_int4((int32_t)filter->directions), db_int4((int32_t)filter->outcomes),
        db_time(filter->since), db_time(filter->until), db_text(queue_filter_pattern(filter->text, a)),
        db_text(filter->text), db_int8(filter->text_id), queue_filter_list(filter->domains, a), db_int8(after),
        db_int8((int64_t)want + 1),
    };
    CLEANUP(db_rows_freep) struct db_rows rows = { 0 };
    enum result r = db_query(db, &stmt, params, ARRAY_LEN(params), &rows);

    if (r != RES_OK)
        return r;
    *ret_more = db_count(&rows) > want;
    *ret_n = MIN(db_count(&rows), want);
    *ret_rows = arena_array(a, struct trace_row, *ret_n);
    for (size_t i = 0; i < *ret_n; i++)
        read_row(&rows, i, a, &(*ret_rows)[i]);
    return RES_OK;
}

/* ---- one ---- */

static enum result read_trace(struct db *db, int64_t id, struct str_list domains, struct arena *a, struct trace *t)
{
    static const struct db_stmt stmt = { "trace_get",
        "SELECT " ROW_COLUMNS ", '', 0::bigint, p.listener, p.client, p.session, p.tls,"
        "  EXISTS (SELECT FROM queue_message m WHERE m.id = p.id)"
        " FROM trace p LEFT JOIN account a ON a.id = p.account_id"
        " WHERE p.id = $1 AND ($2::text[] IS NULL OR " QUEUE_DOMAIN_SQL("p.sender") " = ANY ($2) OR EXISTS"
        "  (SELECT FROM trace_recipient r WHERE r.at = p.at AND r.trace_id = p.id AND r.domain = ANY ($2)))" };
    const struct db_param params[] = { db_int8(id), queue_filter_list(domains, a) };
    CLEANUP(db_rows_freep) struct db_rows rows = { 0 };
    enum result r = db_query(db, &stmt, params, ARRAY_LEN(params), &rows);

    if (r != RES_OK)
        return r;
    if (db_count(&rows) == 0)
        return RES_NOTFOUND;
    read_row(&rows, 0, a, &t->row);
    t->listener = arena_str(a, db_get_str(&rows, 0, 11));
    t->client = db_get_inet(&rows, 0, 12, a);
    t->session = arena_str(a, db_get_str(&rows, 0, 13));
    t->tls = arena_str(a, db_get_str(&rows, 0, 14));
    t->in_queue = db_get_int(&rows, 0, 15) != 0;
    return RES_OK;
}

static enum result read_recipients(struct db *db, struct arena *a, struct trace *t)
{
    static const struct db_stmt stmt = { "trace_get_recipients",
        "SELECT n, recipient, outcome FROM trace_recipient WHERE at = $1 AND trace_id = $2 ORDER BY n" };
    const struct db_param params[] = { db_time(t->row.accepted_at), db_int8(t->row.id) };
    CLEANUP(db_rows_freep) struct db_rows rows = { 0 };
    enum result r = db_query(db, &stmt, params, ARRAY_LEN(params), &rows);

    if (r != RES_OK)
        return r;
    t->nrecipients = db_count(&rows);
    t->recipients = arena_array(a, struct trace_recipient, t->nrecipients);
    for (size_t i = 0; i < t->nrecipients; i++)
        t->recipients[i] = (struct trace_recipient){ (int)db_get_int(&rows, i, 0), arena_str(a, db_get_str(&rows, i, 1)),
                                                     (enum trace_outcome)db_get_int(&rows, i, 2) };
    t->row.recipient = t->nrecipients > 0 ? t->recipients[0].address : STR("");
    t->row.recipients = (int64_t)t->nrecipients;
    return RES_OK;
}

static enum result read_events(struct db *db, struct arena *a, struct trace *t)
{
    static const struct db_stmt stmt = { "trace_get_events",
        "SELECT happened_at, kind, n, seq, result, coalesce(CASE WHEN actor IS NOT NULL THEN reply END, reason), actor, host,"
        "  address, session, code, reply, milliseconds"
        " FROM trace_event WHERE at = $1 AND trace_id = $2 ORDER BY happened_at, kind, n LIMIT $3" };
    const struct db_param params[] = { db_time(t->row.accepted_at), db_int8(t->row.id), db_int4(TRACE_MAX_EVENTS) };
    CLEANUP(db_rows_freep) struct db_rows rows = { 0 };
    enum result r = db_query(db, &stmt, params, ARRAY_LEN(params), &rows);

    if (r != RES_OK)
        return r;
    t->nevents = db_count(&rows);
    t->events = arena_array(a, struct trace_event, t->nevents);
    for (size_t i = 0; i < t->nevents; i++)
        t->events[i] = (struct trace_event){
            .at = db_get_time(&rows, i, 0), .kind = (enum trace_kind)db_get_int(&rows, i, 1),
            .n = (int)db_get_int(&rows, i, 2), .number = (int)db_get_int(&rows, i, 3),
            .result = db_is_null(&rows, i, 4) ? -1 : (int)db_get_int(&rows, i, 4),
            .reason = arena_str(a, db_get_str(&rows, i, 5)), .actor = arena_str(a, db_get_str(&rows, i, 6)),
            .host = arena_str(a, db_get_str(&rows, i, 7)), .address = db_get_inet(&rows, i, 8, a),
            .session = arena_str(a, db_get_str(&rows, i, 9)), .code = (int)db_get_int(&rows, i, 10),
            .reply = arena_str(a, db_get_str(&rows, i, 11)),
            .milliseconds = db_is_null(&rows, i, 12) ? -1 : db_get_int(&rows, i, 12),
        };
    return RES_OK;
}

enum result trace_get(struct db *db, int64_t id, struct str_list domains, struct arena *a, struct trace **ret)
{
    struct trace *t = arena_new(a, struct trace);
    enum result r = read_trace(db, id, domains, a, t);

    if (r == RES_OK)
        r = read_recipients(db, a, t);
    if (r == RES_OK)
        r = read_events(db, a, t);
    if (r == RES_OK)
        *ret = t;
    return r;
}
