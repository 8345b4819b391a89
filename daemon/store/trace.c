/* store/trace.c - reading one trace; keeping them. */
#include "store/trace.h"

#include "config/settings.h"

#include "store/queue_filter.h"
#include "store/trace_row.h"

#define DAY_S 86400
#define FORGET_BATCH 5000
#define FORGET_BATCHES 200 /* in an hour: a million refusals */

enum result trace_maintain(struct db *db)
{
    static const struct db_stmt stmt = { "trace_maintain", "SELECT trace_partitions($1, $2)" };
    static const struct db_stmt forget = { "trace_forget", "SELECT trace_forget_refused($1, $2)" };
    static const struct str tables[] = { STR("trace"), STR("trace_recipient"), STR("trace_event") };
    int32_t keep = (int32_t)(settings_get()->trace_keep_s / DAY_S), keep_refused = (int32_t)(settings_get()->trace_keep_refused_s / DAY_S);
    enum result r = RES_OK;

    for (size_t i = 0; i < ARRAY_LEN(tables) && r == RES_OK; i++) { /* never two of them in one transaction */
        const struct db_param params[] = { db_int4(keep), db_text(tables[i]) };

        r = db_query(db, &stmt, params, ARRAY_LEN(params), NULL);
    }
    for (int i = 0; i < FORGET_BATCHES && r == RES_OK && keep_refused < keep; i++) {
        const struct db_param params[] = { db_int4(keep_refused), db_int4(FORGET_BATCH) };
        CLEANUP(db_rows_freep) struct db_rows rows = { 0 };

        r = db_query(db, &forget, params, ARRAY_LEN(params), &rows);
        if (r == RES_OK && db_get_int(&rows, 0, 0) < FORGET_BATCH)
            break;
    }
    return r;
}

/* ---- what became of some ---- */

#define VISIBLE                                                                                                        \
    "($2::text[] IS NULL OR " QUEUE_DOMAIN_SQL("p.sender") " = ANY ($2) OR EXISTS"                                      \
    "  (SELECT FROM trace_recipient r WHERE r.at = p.at AND r.trace_id = p.id AND r.domain = ANY ($2)))"

enum result trace_outcomes(struct db *db, const int64_t *ids, size_t n, struct str_list domains, int *ret)
{
    static const struct db_stmt stmt = { "trace_outcomes",
        "SELECT u.n - 1, p.outcome FROM unnest($1::bigint[]) WITH ORDINALITY AS u (id, n) JOIN trace p ON p.id = u.id WHERE " VISIBLE };
    CLEANUP(arena_releasep) struct arena a = { 0 };
    const struct db_param params[] = { db_int8_array(&a, ids, n), queue_filter_list(domains, &a) };
    CLEANUP(db_rows_freep) struct db_rows rows = { 0 };
    enum result r = db_query(db, &stmt, params, ARRAY_LEN(params), &rows);

    for (size_t i = 0; i < n; i++)
        ret[i] = -1;
    for (size_t i = 0; r == RES_OK && i < db_count(&rows); i++)
        ret[db_get_int(&rows, i, 0)] = (int)db_get_int(&rows, i, 1);
    return r;
}

/* ---- one ---- */

static enum result read_trace(struct db *db, int64_t id, struct str_list domains, int64_t account_id, struct arena *a,
                              struct trace *t, bool *ret_sent)
{
    static const struct db_stmt stmt = { "trace_get",
        "SELECT " TRACE_ROW_COLUMNS ", p.listener, p.client, p.session, p.tls,"
        "  EXISTS (SELECT FROM queue_message m WHERE m.id = p.id), p.account_id IS NOT DISTINCT FROM $3"
        " FROM trace p LEFT JOIN account a ON a.id = p.account_id"
        " WHERE p.id = $1 AND " VISIBLE
        " AND ($3 = 0 OR p.account_id = $3 OR EXISTS"
        "  (SELECT FROM trace_recipient r WHERE r.at = p.at AND r.trace_id = p.id AND r.account_id = $3))" };
    const struct db_param params[] = { db_int8(id), queue_filter_list(domains, a), db_int8(account_id) };
    CLEANUP(db_rows_freep) struct db_rows rows = { 0 };
    enum result r = db_query_row(db, &stmt, params, ARRAY_LEN(params), &rows);

    if (r != RES_OK)
        return r;
    trace_row_read(&rows, 0, a, &t->row);
    t->listener = arena_str(a, db_get_str(&rows, 0, 9));
    t->client = db_get_inet(&rows, 0, 10, a);
    t->session = arena_str(a, db_get_str(&rows, 0, 11));
    t->tls = arena_str(a, db_get_str(&rows, 0, 12));
    t->in_queue = db_get_int(&rows, 0, 13) != 0;
    *ret_sent = db_get_int(&rows, 0, 14) != 0;
    return RES_OK;
}

/* only: 0, or the account whose recipients and their events are read. */
static enum result read_recipients(struct db *db, int64_t only, struct arena *a, struct trace *t)
{
    static const struct db_stmt stmt = { "trace_get_recipients",
        "SELECT n, recipient, outcome FROM trace_recipient WHERE at = $1 AND trace_id = $2 AND ($3 = 0 OR account_id = $3)"
        " ORDER BY n" };
    const struct db_param params[] = { db_time(t->row.accepted_at), db_int8(t->row.id), db_int8(only) };
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

static enum result read_events(struct db *db, int64_t only, struct arena *a, struct trace *t)
{
    static const struct db_stmt stmt = { "trace_get_events",
        "SELECT happened_at, kind, n, seq, result, coalesce(CASE WHEN actor IS NOT NULL THEN reply END, reason), actor, host,"
        "  address, session, code, reply, milliseconds, mailbox, rule"
        " FROM trace_event e WHERE at = $1 AND trace_id = $2 AND ($4 = 0 OR kind = 0 OR EXISTS (SELECT FROM trace_recipient r"
        "  WHERE r.at = $1 AND r.trace_id = $2 AND r.n = e.n AND r.account_id = $4)) ORDER BY happened_at, kind, n LIMIT $3" };
    const struct db_param params[] = { db_time(t->row.accepted_at), db_int8(t->row.id), db_int4(TRACE_MAX_EVENTS), db_int8(only) };
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
            .mailbox = arena_str(a, db_get_str(&rows, i, 13)), .rule = arena_str(a, db_get_str(&rows, i, 14)),
        };
    return RES_OK;
}

static enum result read_all(struct db *db, int64_t id, struct str_list domains, int64_t account_id, struct arena *a,
                            struct trace **ret)
{
    struct trace *t = arena_new(a, struct trace);
    bool sent = false;
    enum result r = read_trace(db, id, domains, account_id, a, t, &sent);
    int64_t only = sent ? 0 : account_id;

    if (r == RES_OK)
        r = read_recipients(db, only, a, t);
    if (r == RES_OK)
        r = read_events(db, only, a, t);
    if (r == RES_OK)
        *ret = t;
    return r;
}

enum result trace_get(struct db *db, int64_t id, struct str_list domains, struct arena *a, struct trace **ret)
{
    return read_all(db, id, domains, 0, a, ret);
}

enum result trace_get_mine(struct db *db, int64_t id, int64_t account_id, struct arena *a, struct trace **ret)
{
    return read_all(db, id, (struct str_list){ 0 }, account_id, a, ret);
}
