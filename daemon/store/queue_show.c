/* store/queue_show.c - one message of the queue, and its attempts. */
#include "store/queue.h"
#include "store/queue_filter.h"

static enum result read_message(struct db *db, int64_t id, struct str_list domains, struct arena *a, struct queue_message *m)
{
    static const struct db_stmt stmt = { "queue_get",
        "SELECT m.size, m.received_at, m.expires_at, m.version, m.account_id, m.message_id, m.subject, m.reverse_path,"
        "  a.address, m.envid, t.listener, t.client, t.session, t.tls, h.happened_at, h.actor, h.reply"
        " FROM queue_message m LEFT JOIN account a ON a.id = m.account_id"
        " LEFT JOIN trace t ON t.at = m.received_at AND t.id = m.id"
        " LEFT JOIN LATERAL (SELECT happened_at, actor, reply FROM trace_event e WHERE e.at = m.received_at"
        "   AND e.trace_id = m.id AND e.kind = 8 ORDER BY happened_at DESC LIMIT 1) h ON true"
        " WHERE m.id = $1 AND " QUEUE_VISIBLE_SQL("$2") };
    const struct db_param params[] = { db_int8(id), queue_filter_list(domains, a) };
    CLEANUP(db_rows_freep) struct db_rows rows = { 0 };
    enum result r = db_query_row(db, &stmt, params, ARRAY_LEN(params), &rows);

    if (r != RES_OK)
        return r;
    *m = (struct queue_message){
        .id = id, .size = db_get_int(&rows, 0, 0), .accepted_at = db_get_time(&rows, 0, 1),
        .expires_at = db_get_time(&rows, 0, 2), .version = db_get_int(&rows, 0, 3), .account_id = db_get_int(&rows, 0, 4),
        .message_id = arena_str(a, db_get_str(&rows, 0, 5)), .subject = arena_str(a, db_get_str(&rows, 0, 6)),
        .sender = arena_str(a, db_get_str(&rows, 0, 7)), .account = arena_str(a, db_get_str(&rows, 0, 8)),
        .envid = arena_str(a, db_get_str(&rows, 0, 9)), .listener = arena_str(a, db_get_str(&rows, 0, 10)),
        .client = db_get_inet(&rows, 0, 11, a), .session = arena_str(a, db_get_str(&rows, 0, 12)),
        .tls = arena_str(a, db_get_str(&rows, 0, 13)), .held_at = db_get_time(&rows, 0, 14),
        .held_by = arena_str(a, db_get_str(&rows, 0, 15)), .held_reason = arena_str(a, db_get_str(&rows, 0, 16)),
    };
    return RES_OK;
}

/* Those in the queue, and from the trace those that are done, with the reason of their last attempt. */
static enum result read_recipients(struct db *db, struct queue_message *m, struct arena *a)
{
    static const struct db_stmt stmt = { "queue_get_recipients",
        "SELECT coalesce(r.n, t.n) AS n, coalesce(r.recipient, t.recipient), r.destination, r.queue_id IS NULL AS done,"
        "  CASE WHEN r.queue_id IS NULL THEN 0 ELSE " QUEUE_STATE_SQL " END, t.outcome, coalesce(r.attempts, e.seq, 0), r.due_at,"
        "  CASE WHEN r.queue_id IS NULL THEN e.reason ELSE " QUEUE_REASON_SQL " END, coalesce(r.last_reply, e.reply), r.notify,"
        "  r.orcpt, r.home IS NOT NULL AND r.destination <> '.return', r.lane"
        " FROM (SELECT * FROM queue_recipient WHERE queue_id = $1) r"
        " FULL JOIN (SELECT n, recipient, outcome FROM trace_recipient WHERE at = $2 AND trace_id = $1) t ON t.n = r.n"
        " LEFT JOIN LATERAL (SELECT seq, reason, reply FROM trace_event e WHERE e.at = $2 AND e.trace_id = $1 AND e.n = t.n"
        "   AND e.kind = 1 AND r.queue_id IS NULL ORDER BY happened_at DESC LIMIT 1) e ON true"
        " ORDER BY 1" };
    const struct db_param params[] = { db_int8(m->id), db_time(m->accepted_at) };
    CLEANUP(db_rows_freep) struct db_rows rows = { 0 };
    enum result r = db_query(db, &stmt, params, ARRAY_LEN(params), &rows);

    if (r != RES_OK)
        return r;
    m->state = QUEUE_REMOVING;
    m->next_attempt_at = DB_NO_TIME;
    m->priority = 2; /* none yet */
    m->recipients = arena_array(a, struct queue_item, db_count(&rows));
    m->nrecipients = db_count(&rows);
    for (size_t i = 0; i < m->nrecipients; i++) {
        struct queue_item *item = &m->recipients[i];

        *item = (struct queue_item){
            .n = (int)db_get_int(&rows, i, 0), .address = arena_str(a, db_get_str(&rows, i, 1)),
            .destination = arena_str(a, db_get_str(&rows, i, 2)), .done = db_get_int(&rows, i, 3) != 0,
            .state = (enum queue_state)db_get_int(&rows, i, 4), .outcome = (enum trace_outcome)db_get_int(&rows, i, 5),
            .attempts = db_get_int(&rows, i, 6), .reason = arena_str(a, db_get_str(&rows, i, 8)),
            .next_attempt_at = DB_NO_TIME, .reply = arena_str(a, db_get_str(&rows, i, 9)),
            .notify = (unsigned)db_get_int(&rows, i, 10), .orcpt = arena_str(a, db_get_str(&rows, i, 11)),
            .rerouted = db_get_int(&rows, i, 12) != 0,
        };
        if (item->done)
            continue;
        if (m->priority == 2)
            m->priority = 1 - (int)db_get_int(&rows, i, 13);
        if (item->state == QUEUE_DEFERRED || item->state == QUEUE_SCHEDULED) {
            item->next_attempt_at = db_get_time(&rows, i, 7);
            if (m->next_attempt_at == DB_NO_TIME || item->next_attempt_at < m->next_attempt_at)
                m->next_attempt_at = item->next_attempt_at;
        }
        m->state = MIN(m->state, item->state);
        m->held |= item->state == QUEUE_HELD;
    }
    if (m->priority == 2)
        m->priority = 0;
    return RES_OK;
}

enum result queue_get(struct db *db, int64_t id, struct str_list domains, struct arena *a, struct queue_message **ret)
{
    struct queue_message *m = arena_new(a, struct queue_message);
    enum result r = read_message(db, id, domains, a, m);

    if (r == RES_OK)
        r = read_recipients(db, m, a);
    if (r == RES_OK)
        *ret = m;
    return r;
}

enum result queue_source(struct db *db, int64_t id, struct str_list domains, struct body_source *ret)
{
    static const struct db_stmt stmt = { "queue_source",
        "SELECT m.size, m.header_size, m.frames FROM queue_message m WHERE m.id = $1 AND " QUEUE_VISIBLE_SQL("$2") };
    CLEANUP(arena_releasep) struct arena a = { 0 };
    const struct db_param params[] = { db_int8(id), queue_filter_list(domains, &a) };
    CLEANUP(db_rows_freep) struct db_rows rows = { 0 };
    enum result r = db_query_row(db, &stmt, params, ARRAY_LEN(params), &rows);

    if (r != RES_OK)
        return r;
    *ret = (struct body_source){ .db = db, .id = id,
                                 .shape = { .size = (uint64_t)db_get_int(&rows, 0, 0),
                                            .header_size = (uint64_t)db_get_int(&rows, 0, 1),
                                            .frames = (unsigned)db_get_int(&rows, 0, 2) } };
    return RES_OK;
}

static void read_attempt(const struct db_rows *rows, size_t i, struct arena *a, struct queue_attempt *v)
{
    *v = (struct queue_attempt){
        .n = (int)db_get_int(rows, i, 0), .number = (int)db_get_int(rows, i, 1), .at = db_get_time(rows, i, 2),
        .milliseconds = db_is_null(rows, i, 3) ? -1 : db_get_int(rows, i, 3), .host = arena_str(a, db_get_str(rows, i, 4)),
        .address = db_get_inet(rows, i, 5, a), .tls = arena_str(a, db_get_str(rows, i, 6)),
        .phase = arena_str(a, db_get_str(rows, i, 7)), .session = arena_str(a, db_get_str(rows, i, 8)),
        .result = (int)db_get_int(rows, i, 9), .reason = arena_str(a, db_get_str(rows, i, 10)),
        .code = (int)db_get_int(rows, i, 11), .enhanced = arena_str(a, db_get_str(rows, i, 12)),
        .reply = arena_str(a, db_get_str(rows, i, 13)), .dialogue = arena_str(a, db_get_str(rows, i, 14)),
    };
}

enum result queue_attempts(struct db *db, int64_t id, int n, struct queue_attempt_key after, size_t limit, struct arena *a,
                           struct queue_attempt **ret_rows, size_t *ret_n, bool *ret_more)
{
    static const struct db_stmt stmt = { "queue_attempts",
        "SELECT n, seq, happened_at, milliseconds, host, address, tls, phase, session, result, reason, code, enhanced, reply,"
        "  dialogue FROM trace_event WHERE trace_id = $1 AND kind = 1 AND ($2 < 0 OR n = $2)"
        "  AND ($3::timestamptz IS NULL OR (happened_at, n) < ($3, $4)) ORDER BY happened_at DESC, n DESC LIMIT $5" };
    size_t want = MIN(limit, (size_t)QUEUE_MAX_PAGE);
    const struct db_param params[] = { db_int8(id), db_int4(n), db_time(after.at == 0 ? DB_NO_TIME : after.at),
                                       db_int4(after.n), db_int8((int64_t)want + 1) };
    CLEANUP(db_rows_freep) struct db_rows rows = { 0 };
    enum result r = db_query(db, &stmt, params, ARRAY_LEN(params), &rows);

    if (r != RES_OK)
        return r;
    *ret_more = db_count(&rows) > want;
    *ret_n = MIN(db_count(&rows), want);
    *ret_rows = arena_array(a, struct queue_attempt, *ret_n);
    for (size_t i = 0; i < *ret_n; i++)
        read_attempt(&rows, i, a, &(*ret_rows)[i]);
    return RES_OK;
}
