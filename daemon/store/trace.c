/* store/trace.c - reading the trace. */
#include "store/trace.h"

#include "config/settings.h"

#include "store/queue_filter.h"

#define DAY_S 86400
#define FORGET_BATCH 5000
#define FORGET_BATCHES 200 /* in an hour: a million refusals */
#define NEWEST 2000        /* hits of each kind that a search looks at first; more than a page */

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

/* An address in a list of whole ones, "joe@" and "@example.net"; each has its index. */
#define MATCH_ADDRESS(address, list)                                                                                   \
    "(lower(" address ") = ANY (" list ") OR substring(lower(" address ") from '^.*@') = ANY (" list ")"
#define MATCH_SENDER MATCH_ADDRESS("t.sender", "$1") " OR substring(lower(t.sender) from '@[^@]*$') = ANY ($1))"
/* Does the recipient r match?  $16: the domains of "@example.net". */
#define MATCH_RECIPIENT "($2::text[] IS NULL OR " MATCH_ADDRESS("r.recipient", "$2") " OR r.domain = ANY ($16)))"
#define IN_TIME(at) "($8::timestamptz IS NULL OR " at " >= $8) AND ($9::timestamptz IS NULL OR " at " < $9)"
/* Does the message t match? */
#define MATCH_MESSAGE                                                                                                  \
    "($1::text[] IS NULL OR " MATCH_SENDER ")"                                                                          \
    " AND ($3::text[] IS NULL OR t.account_id IN (SELECT id FROM account WHERE lower(address) = ANY ($3)))"             \
    " AND ($4::text IS NULL OR lower(t.subject) LIKE $4) AND ($5::text IS NULL OR t.message_id IN ($5, '<' || $5 || '>'))"                   \
    " AND ($6 = 0 OR (1 << t.direction) & $6 <> 0) AND ($7 = 0 OR (1 << t.outcome) & $7 <> 0)"                         \
    " AND " IN_TIME("t.at")                                                                                             \
    " AND ($17::text[] IS NULL OR t.client = ANY ($17::text[]::inet[]))"                                                \
    " AND ($13::text[] IS NULL OR " QUEUE_DOMAIN_SQL("t.sender") " = ANY ($13)"                                         \
    "  OR EXISTS (SELECT FROM trace_recipient r WHERE r.at = t.at AND r.trace_id = t.id AND r.domain = ANY ($13)))"
/* Only with recipients, only with a text: under an OR the planner would look at every message.  For each kind of hit a branch of
 * its own, which one index gives in order; of each the newest $22, all with a limit of NULL.  Those of recipients by time, in which
 * ids are nearly in order. */
#define NEWEST_HITS(branch, match)                                                                                     \
    "(SELECT " branch ", s.at, s.id FROM trace s WHERE " match " AND ($14 = 0 OR s.id < $14) AND " IN_TIME("s.at")     \
    " ORDER BY s.id DESC LIMIT $22)"
#define NEWEST_RECIPIENTS(branch, match)                                                                               \
    "(SELECT " branch ", s.at, s.trace_id FROM trace_recipient s WHERE " match " AND ($14 = 0 OR s.trace_id < $14)"    \
    " AND " IN_TIME("s.at") " ORDER BY s.at DESC LIMIT $22)"
#define RECIPIENTS_OF(branch, list, match)                                                                             \
    "SELECT h.* FROM unnest(" list ") WITH ORDINALITY u (x, n) CROSS JOIN LATERAL "                                    \
    NEWEST_RECIPIENTS(branch " + 10 * u.n", match " = u.x") " h"
#define HITS_OF_RECIPIENTS                                                                                             \
    "addressed (branch, at, id) AS MATERIALIZED (" RECIPIENTS_OF("1", "$2::text[]", "lower(s.recipient)")              \
    " UNION ALL " RECIPIENTS_OF("2", "$2::text[]", "substring(lower(s.recipient) from '^.*@')")                        \
    " UNION ALL " RECIPIENTS_OF("3", "$16::text[]", "s.domain") "), "
#define TEXT_IS_SENDER(t)                                                                                              \
    "(lower(" t ".sender) = $18 OR substring(lower(" t ".sender) from '^.*@') = $19"                                   \
    " OR substring(lower(" t ".sender) from '@[^@]*$') = $20)"
#define HITS_OF_TEXT                                                                                                   \
    "hits (branch, at, id) AS MATERIALIZED (SELECT 0, s.at, s.id FROM trace s WHERE s.id = $12"                        \
    " UNION ALL SELECT 0, s.at, s.id FROM trace s WHERE s.message_id IN ($11, '<' || $11 || '>')"                      \
    " UNION ALL " NEWEST_HITS("1", "lower(s.subject) LIKE $10")                                                        \
    " UNION ALL " NEWEST_HITS("2", TEXT_IS_SENDER("s"))                                                                \
    " UNION ALL " NEWEST_RECIPIENTS("3", "lower(s.recipient) = $18")                                                   \
    " UNION ALL " NEWEST_RECIPIENTS("4", "substring(lower(s.recipient) from '^.*@') = $19")                            \
    " UNION ALL " NEWEST_RECIPIENTS("5", "s.domain = $21") "), "
/* Among what something else narrows down each message is asked. */
#define HAS_TEXT                                                                                                       \
    " AND (t.id = $12 OR t.message_id IN ($11, '<' || $11 || '>') OR lower(t.subject) LIKE $10 OR " TEXT_IS_SENDER("t") " OR EXISTS" \
    "  (SELECT FROM trace_recipient r WHERE r.at = t.at AND r.trace_id = t.id AND (lower(r.recipient) = $18"            \
    "   OR substring(lower(r.recipient) from '^.*@') = $19 OR r.domain = $21)))"
/* Where the branches that were cut off end, the newest of these ends: what is older is not known. */
#define ENDS(table) "SELECT min(id) FROM " table " WHERE branch > 0 GROUP BY branch HAVING count(*) >= $22"
#define IS_HIT(table) " AND (t.at, t.id) IN (SELECT at, id FROM " table ") AND t.id >= (SELECT since FROM known)"
/* Always a row: without messages one whose id is NULL. */
#define LIST(name, hits, ends, more)                                                                                   \
    { name, "WITH " hits "known (since) AS MATERIALIZED (SELECT coalesce(max(id), 0) FROM (" ends ") e (id)),"         \
            " page AS MATERIALIZED (SELECT t.* FROM trace t WHERE " MATCH_MESSAGE more                                 \
            "  AND ($14 = 0 OR t.id < $14) ORDER BY t.id DESC LIMIT $15)"                                              \
            " SELECT " ROW_COLUMNS ", coalesce(f.recipient, ''), s.n, known.since FROM known LEFT JOIN page p ON true" \
            " LEFT JOIN account a ON a.id = p.account_id"                                                              \
            " LEFT JOIN LATERAL (SELECT r.recipient FROM trace_recipient r WHERE r.at = p.at AND r.trace_id = p.id AND " \
            MATCH_RECIPIENT " ORDER BY r.n LIMIT 1) f ON true"                                                         \
            " CROSS JOIN LATERAL (SELECT count(*) AS n FROM trace_recipient r WHERE r.at = p.at AND r.trace_id = p.id) s" \
            " ORDER BY p.id DESC" }

#define ROW_COLUMNS "p.id, p.at, p.size, p.direction, p.outcome, p.sender, p.subject, p.message_id, a.address"
enum row_column { R_ID, R_AT, R_SIZE, R_DIRECTION, R_OUTCOME, R_SENDER, R_SUBJECT, R_MESSAGE_ID, R_ACCOUNT, R_RECIPIENT, R_RECIPIENTS, R_KNOWN };

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

/* The domains of "@example.net". */
static struct str_list domains_of(struct str_list addresses, struct arena *a)
{
    struct str *v = arena_array(a, struct str, addresses.n);
    size_t n = 0;

    for (size_t i = 0; i < addresses.n; i++) {
        if (str_starts(addresses.v[i], STR("@")))
            v[n++] = str_from(addresses.v[i], 1);
    }
    return (struct str_list){ .v = v, .n = n };
}

static bool is_narrow(const struct trace_filter *f)
{
    return f->senders.n + f->recipients.n + f->accounts.n + f->ips.n > 0 || f->subject.p != NULL || f->message_id.p != NULL ||
           f->since != DB_NO_TIME || f->until != DB_NO_TIME;
}

/* The newest hits of every kind first; when they are too few, all of them. */
enum result trace_list(struct db *db, const struct trace_filter *filter, int64_t after, size_t limit, struct arena *a,
                       struct trace_row **ret_rows, size_t *ret_n, bool *ret_more)
{
    static const struct db_stmt stmts[2][2] = { /* without and with recipients, without and with a text */
        { LIST("trace_list", "", "SELECT 0", ""), LIST("trace_list_text", HITS_OF_TEXT, ENDS("hits"), IS_HIT("hits")) },
        { LIST("trace_list_to", HITS_OF_RECIPIENTS, ENDS("addressed"), IS_HIT("addressed")),
          LIST("trace_list_to_text", HITS_OF_RECIPIENTS HITS_OF_TEXT, "(" ENDS("addressed") ") UNION ALL (" ENDS("hits") ")",
               IS_HIT("addressed") IS_HIT("hits")) } };
    static const struct db_stmt narrow_text[2] = { /* without and with recipients */
        LIST("trace_list_narrow", "", "SELECT 0", HAS_TEXT),
        LIST("trace_list_to_narrow", HITS_OF_RECIPIENTS, ENDS("addressed"), IS_HIT("addressed") HAS_TEXT) };
    const struct db_stmt *stmt = &stmts[filter->recipients.n > 0][filter->text.p != NULL];
    size_t want = MIN(limit, (size_t)QUEUE_MAX_PAGE);
    struct queue_words w = queue_filter_words(filter->text, a);
    struct db_param params[] = {
        queue_filter_list(filter->senders, a), queue_filter_list(filter->recipients, a),
        queue_filter_list(filter->accounts, a), db_text(queue_filter_pattern(filter->subject, a)),
        db_text(queue_filter_message_id(filter->message_id)), db_int4((int32_t)filter->directions), db_int4((int32_t)filter->outcomes),
        db_time(filter->since), db_time(filter->until), db_text(queue_filter_pattern(filter->text, a)),
        db_text(queue_filter_message_id(filter->text)), db_int8(filter->text_id), queue_filter_list(filter->domains, a), db_int8(after),
        db_int8((int64_t)want + 1), queue_filter_list(domains_of(filter->recipients, a), a), queue_filter_list(filter->ips, a),
        db_text(w.address), db_text(w.local), db_text(w.domain), db_text(str_from(w.domain, 1)), db_int8(NEWEST),
    };
    CLEANUP(db_rows_freep) struct db_rows rows = { 0 };
    enum result r = db_query(db, stmt, params, ARRAY_LEN(params), &rows);

    if (r == RES_OK && db_count(&rows) <= want && db_get_int(&rows, 0, R_KNOWN) > 0) {
        params[ARRAY_LEN(params) - 1] = db_int8_null();
        db_rows_free(&rows);
        if (filter->text.p != NULL && is_narrow(filter))
            stmt = &narrow_text[filter->recipients.n > 0];
        r = db_query(db, stmt, params, ARRAY_LEN(params), &rows);
    }
    if (r != RES_OK)
        return r;
    *ret_more = db_count(&rows) > want;
    *ret_n = db_is_null(&rows, 0, R_ID) ? 0 : MIN(db_count(&rows), want);
    *ret_rows = arena_array(a, struct trace_row, *ret_n);
    for (size_t i = 0; i < *ret_n; i++)
        read_row(&rows, i, a, &(*ret_rows)[i]);
    return RES_OK;
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
        "SELECT " ROW_COLUMNS ", '', 0::bigint, p.listener, p.client, p.session, p.tls,"
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
    read_row(&rows, 0, a, &t->row);
    t->listener = arena_str(a, db_get_str(&rows, 0, 11));
    t->client = db_get_inet(&rows, 0, 12, a);
    t->session = arena_str(a, db_get_str(&rows, 0, 13));
    t->tls = arena_str(a, db_get_str(&rows, 0, 14));
    t->in_queue = db_get_int(&rows, 0, 15) != 0;
    *ret_sent = db_get_int(&rows, 0, 16) != 0;
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
