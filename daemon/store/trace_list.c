/* store/trace_list.c - the search of the trace.
 *
 * For what the filter names, one after the other, the newest FIND hits are looked up by their indexes.  The one whose hits reach
 * furthest back leads: its hits are read and asked for everything else, and the next step begins where they end.  No step depends
 * on how many messages there are, so an answer is a matter of its steps, and those of their time (ADR 27). */
#include "store/trace_list.h"
#include "store/queue_filter.h"
#include "store/trace_row.h"

#include <stdlib.h>
#include <string.h>

#define FIND 2000      /* hits of each part of the filter in one step; more than a page */
#define FIND_LEAST 100 /* and of each of its values, when they are many */
#define LOOK_MS 100    /* after that no further step is begun */
#define FAR_FUTURE_US INT64_C(253402300799000000) /* the last second of the year 9999 */

void trace_row_read(const struct db_rows *rows, size_t i, struct arena *a, struct trace_row *row)
{
    *row = (struct trace_row){
        .id = db_get_int(rows, i, TRACE_R_ID), .accepted_at = db_get_time(rows, i, TRACE_R_AT), .size = db_get_int(rows, i, TRACE_R_SIZE),
        .direction = (enum trace_direction)db_get_int(rows, i, TRACE_R_DIRECTION),
        .outcome = (enum trace_outcome)db_get_int(rows, i, TRACE_R_OUTCOME),
        .sender = arena_str(a, db_get_str(rows, i, TRACE_R_SENDER)), .subject = arena_str(a, db_get_str(rows, i, TRACE_R_SUBJECT)),
        .message_id = arena_str(a, db_get_str(rows, i, TRACE_R_MESSAGE_ID)),
        .account = arena_str(a, db_get_str(rows, i, TRACE_R_ACCOUNT)),
    };
}

/* ---- the newest hits ---- */

/* Of `table`: in [$1, $2), and of what was at $2 those with an id below $3; the newest $4 of the branch. */
#define NEWEST(table, id, branch, match)                                                                               \
    "(SELECT " branch ", s.at, s." id " FROM " table " s WHERE " match                                                 \
    " AND s.at >= $1 AND s.at <= $2 AND (s.at < $2 OR s." id " < $3) ORDER BY s.at DESC, s." id " DESC LIMIT $4)"
#define FOR_EACH(list) "SELECT h.* FROM unnest(" list ") WITH ORDINALITY u (x, n) CROSS JOIN LATERAL "
#define SENDERS(form, list, match) FOR_EACH(list) NEWEST("trace", "id", "10 * u.n + " form, match) " h"
#define RECIPIENTS(form, list, match) FOR_EACH(list) NEWEST("trace_recipient", "trace_id", "10 * u.n + " form, match) " h"

enum hit_column { H_BRANCH, H_AT, H_ID };

/* $5 whole addresses, $6 "joe@", $7 "@example.net" */
static const struct db_stmt senders_stmt = { "trace_find_senders",
    SENDERS("1", "$5::text[]", "lower(s.sender) = u.x")
    " UNION ALL " SENDERS("2", "$6::text[]", QUEUE_LOCAL_AT_SQL("s.sender") " = u.x")
    " UNION ALL " SENDERS("3", "$7::text[]", QUEUE_AT_DOMAIN_SQL("s.sender") " = u.x") };
static const struct db_stmt recipients_stmt = { "trace_find_recipients",
    RECIPIENTS("1", "$5::text[]", "lower(s.recipient) = u.x")
    " UNION ALL " RECIPIENTS("2", "$6::text[]", QUEUE_LOCAL_AT_SQL("s.recipient") " = u.x")
    " UNION ALL " RECIPIENTS("3", "$7::text[]", "s.domain = substr(u.x, 2)") };
static const struct db_stmt accounts_stmt = { "trace_find_accounts",
    "SELECT h.* FROM account u CROSS JOIN LATERAL " NEWEST("trace", "id", "u.id", "s.account_id = u.id")
    " h WHERE lower(u.address) = ANY ($5::text[])" };
static const struct db_stmt clients_stmt = { "trace_find_clients",
    FOR_EACH("$5::text[]") NEWEST("trace", "id", "u.n", "s.client = u.x::inet") " h" };
static const struct db_stmt kinds_stmt = { "trace_find_kinds",
    "SELECT h.* FROM unnest($5::int[]) o (x) CROSS JOIN unnest($6::int[]) d (x) CROSS JOIN LATERAL "
    NEWEST("trace", "id", "10::bigint * o.x + d.x", "s.outcome = o.x::int2 AND s.direction = d.x::int2") " h" };
/* By the index of ids: the planner would read the key, (at, id), from end to end. */
static const struct db_stmt id_stmt = { "trace_find_id",
    NEWEST("(SELECT at, id FROM trace WHERE id = $5 OFFSET 0)", "id", "0::bigint", "true") };
static const struct db_stmt message_id_stmt = { "trace_find_message_id",
    NEWEST("trace", "id", "0::bigint", "s.message_id IN ($5, '<' || $5 || '>')") };
static const struct db_stmt subject_stmt = { "trace_find_subject", NEWEST("trace", "id", "0::bigint", "lower(s.subject) LIKE $5") };
static const struct db_stmt all_stmt = { "trace_find_all", NEWEST("trace", "id", "0::bigint", "true") };

struct hits {
    struct trace_place *v;
    size_t n;
    struct trace_place end; /* what is older than that is not known; TRACE_END: everything is known */
};

struct search {
    struct db *db;
    const struct trace_filter *f;
    struct arena *a;
    struct queue_forms senders, recipients; /* of the filter */
    struct queue_words words;
    struct db_param outcomes, directions, domains;
    size_t want; /* rows of a page */
    int64_t since;
    struct trace_place before; /* where the step begins, exclusive */
    enum result (*lead)(struct search *s, struct hits *h); /* after the first step */
};

/* Descending; those that are known to the end come last. */
static int compare(struct trace_place x, struct trace_place y)
{
    if (x.at_us != y.at_us)
        return x.at_us > y.at_us ? -1 : 1;
    return (x.id < y.id) - (x.id > y.id);
}

static int compare_hits(const void *x, const void *y)
{
    return compare(*(const struct trace_place *)x, *(const struct trace_place *)y);
}

/* Adds the rows to the hits.  A branch with `most` of them may have more: it ends with its last. */
static void add_hits(struct search *s, const struct db_rows *rows, size_t most, struct hits *h)
{
    size_t n = db_count(rows), run = 0;
    struct trace_place *v = arena_array(s->a, struct trace_place, h->n + n);

    if (h->n > 0)
        memcpy(v, h->v, h->n * sizeof(*v));
    for (size_t i = 0; i < n; i++) {
        struct trace_place p = { db_get_time(rows, i, H_AT), db_get_int(rows, i, H_ID) };

        run = i > 0 && db_get_int(rows, i, H_BRANCH) == db_get_int(rows, i - 1, H_BRANCH) ? run + 1 : 1;
        if (run == most && (trace_is_end(h->end) || compare(p, h->end) < 0))
            h->end = p;
        v[h->n++] = p;
    }
    h->v = v;
}

/* Hits of each branch, when there are so many. */
static size_t share(size_t branches)
{
    return MAX(FIND / branches, (size_t)FIND_LEAST);
}

/* The newest hits, `most` of each branch.  A subject is planned for its words: the planner has to know how rare they are. */
static enum result find_by(struct search *s, size_t most, const struct db_stmt *stmt, const struct db_param *more, size_t n,
                           struct hits *h)
{
    struct db_param params[4 + 3] = { db_time(s->since), db_time(s->before.at_us), db_int8(s->before.id), db_int4((int32_t)most) };
    CLEANUP(db_rows_freep) struct db_rows rows = { 0 };
    enum result r;

    for (size_t i = 0; i < n; i++)
        params[4 + i] = more[i];
    r = stmt == &subject_stmt ? db_query(s->db, stmt, params, 4 + n, &rows) : db_query_generic(s->db, stmt, params, 4 + n, &rows);
    if (r == RES_OK)
        add_hits(s, &rows, most, h);
    return r;
}

static enum result find_addresses(struct search *s, const struct db_stmt *stmt, const struct queue_forms *forms, size_t values,
                                  struct hits *h)
{
    const struct db_param params[] = { forms->whole, forms->local, forms->domain };

    return find_by(s, share(values), stmt, params, ARRAY_LEN(params), h);
}

static enum result find_list(struct search *s, const struct db_stmt *stmt, struct str_list list, struct hits *h)
{
    const struct db_param params[] = { queue_filter_list(list, s->a) };

    return find_by(s, share(list.n), stmt, params, ARRAY_LEN(params), h);
}

static enum result find_message_id(struct search *s, struct str message_id, struct hits *h)
{
    const struct db_param params[] = { db_text(queue_filter_message_id(message_id)) };

    return find_by(s, FIND, &message_id_stmt, params, ARRAY_LEN(params), h);
}

static enum result find_subject(struct search *s, struct str part, struct hits *h)
{
    const struct db_param params[] = { db_text(queue_filter_pattern(part, s->a)) };

    return find_by(s, FIND, &subject_stmt, params, ARRAY_LEN(params), h);
}

/* Bits as numbers; no bit stands for all. */
static struct db_param numbers_of(unsigned bits, int32_t n, struct arena *a)
{
    int32_t *v = arena_array(a, int32_t, (size_t)n);
    size_t count = 0;

    for (int32_t i = 0; i < n; i++) {
        if (bits == 0 || (bits >> i & 1) != 0)
            v[count++] = i;
    }
    return db_int4_array(a, v, count);
}

/* ---- by each part of the filter ---- */

static enum result by_message_id(struct search *s, struct hits *h)
{
    return find_message_id(s, s->f->message_id, h);
}

static enum result by_clients(struct search *s, struct hits *h)
{
    return find_list(s, &clients_stmt, s->f->ips, h);
}

static enum result by_senders(struct search *s, struct hits *h)
{
    return find_addresses(s, &senders_stmt, &s->senders, s->f->senders.n, h);
}

static enum result by_recipients(struct search *s, struct hits *h)
{
    return find_addresses(s, &recipients_stmt, &s->recipients, s->f->recipients.n, h);
}

static enum result by_accounts(struct search *s, struct hits *h)
{
    return find_list(s, &accounts_stmt, s->f->accounts, h);
}

static enum result by_kinds(struct search *s, struct hits *h)
{
    const struct db_param params[] = { s->outcomes, s->directions };
    size_t outcomes = s->f->outcomes == 0 ? TRACE_OUTCOMES : (size_t)__builtin_popcount(s->f->outcomes);
    size_t directions = s->f->directions == 0 ? TRACE_DIRECTIONS : (size_t)__builtin_popcount(s->f->directions);

    return find_by(s, share(outcomes * directions), &kinds_stmt, params, ARRAY_LEN(params), h);
}

static enum result by_subject(struct search *s, struct hits *h)
{
    return find_subject(s, s->f->subject, h);
}

static enum result by_text(struct search *s, struct hits *h)
{
    const struct queue_words *w = &s->words;
    const struct queue_forms forms = { db_text_array(s->a, &w->address, 1), db_text_array(s->a, &w->local, w->local.p != NULL),
                                       db_text_array(s->a, &w->domain, w->domain.p != NULL) };
    const struct db_param id[] = { db_int8(s->f->text_id) };
    enum result r = s->f->text_id != 0 ? find_by(s, FIND, &id_stmt, id, ARRAY_LEN(id), h) : RES_OK;

    if (r == RES_OK)
        r = find_message_id(s, s->f->text, h);
    if (r == RES_OK)
        r = find_addresses(s, &senders_stmt, &forms, 1, h);
    if (r == RES_OK)
        r = find_addresses(s, &recipients_stmt, &forms, 1, h);
    return r == RES_OK ? find_subject(s, s->f->text, h) : r;
}

static enum result by_domains(struct search *s, struct hits *h)
{
    const struct queue_forms forms = { db_text_array(s->a, NULL, 0), db_text_array(s->a, NULL, 0), s->domains };
    enum result r = find_addresses(s, &senders_stmt, &forms, s->f->domains.n, h);

    return r == RES_OK ? find_addresses(s, &recipients_stmt, &forms, s->f->domains.n, h) : r;
}

static enum result by_time(struct search *s, struct hits *h)
{
    return find_by(s, s->want + 1, &all_stmt, NULL, 0, h); /* each of them matches */
}

/* What leads: the first part whose hits are all known, else the one that reaches furthest back.  What is rare as a rule comes first;
 * a text is five questions.  The steps after the first are led by the same. */
static enum result find(struct search *s, struct hits *ret)
{
    const struct trace_filter *f = s->f;
    const struct {
        bool named;
        enum result (*find)(struct search *s, struct hits *h);
    } parts[] = { { f->message_id.p != NULL, by_message_id }, { f->ips.n > 0, by_clients }, { f->senders.n > 0, by_senders },
                  { f->recipients.n > 0, by_recipients }, { f->accounts.n > 0, by_accounts },
                  { f->outcomes != 0 || f->directions != 0, by_kinds }, { f->subject.p != NULL, by_subject },
                  { f->domains.n > 0, by_domains }, { f->text.p != NULL, by_text } };

    if (s->lead != NULL)
        return s->lead(s, ret);
    for (size_t i = 0; i < ARRAY_LEN(parts) && (s->lead == NULL || !trace_is_end(ret->end)); i++) {
        struct hits h = { .end = TRACE_END };

        if (!parts[i].named)
            continue;
        if (parts[i].find(s, &h) != RES_OK)
            return RES_TEMPFAIL;
        if (s->lead == NULL || compare(ret->end, h.end) < 0) {
            *ret = h;
            s->lead = parts[i].find;
        }
    }
    if (s->lead != NULL)
        return RES_OK;
    s->lead = by_time;
    return by_time(s, ret);
}

/* ---- the messages themselves ---- */

/* Does the recipient r match? */
#define MATCH_RECIPIENT                                                                                                \
    "(lower(r.recipient) = ANY ($7) OR " QUEUE_LOCAL_AT_SQL("r.recipient") " = ANY ($8) OR '@' || r.domain = ANY ($9))"
#define HAS_RECIPIENT(match) "EXISTS (SELECT FROM trace_recipient r WHERE r.at = t.at AND r.trace_id = t.id AND (" match "))"
#define MATCH_TEXT                                                                                                     \
    "($17::text IS NULL OR t.id = $19 OR t.message_id IN ($18, '<' || $18 || '>') OR lower(t.subject) LIKE $17"        \
    " OR lower(t.sender) = $20 OR " QUEUE_LOCAL_AT_SQL("t.sender") " = $21 OR " QUEUE_AT_DOMAIN_SQL("t.sender") " = $22" \
    " OR " HAS_RECIPIENT("lower(r.recipient) = $20 OR " QUEUE_LOCAL_AT_SQL("r.recipient") " = $21 OR '@' || r.domain = $22") ")"
/* Does the message t match?  What costs a look at other tables comes last. */
#define MATCH                                                                                                          \
    "t.outcome = ANY ($13::int[]) AND t.direction = ANY ($14::int[]) AND ($15::text[] IS NULL OR t.client = ANY ($15::text[]::inet[]))" \
    " AND ($11::text IS NULL OR lower(t.subject) LIKE $11) AND ($12::text IS NULL OR t.message_id IN ($12, '<' || $12 || '>'))" \
    " AND ($10::text[] IS NULL OR t.account_id IN (SELECT id FROM account WHERE lower(address) = ANY ($10)))"          \
    " AND ($4::text[] IS NULL OR " QUEUE_ADDRESS_SQL("t.sender", "$4", "$5", "$6") ")"                                \
    " AND ($7::text[] IS NULL OR " HAS_RECIPIENT(MATCH_RECIPIENT) ")"                             \
    " AND ($16::text[] IS NULL OR " QUEUE_AT_DOMAIN_SQL("t.sender") " = ANY ($16) OR " HAS_RECIPIENT("'@' || r.domain = ANY ($16)") ")" \
    " AND " MATCH_TEXT

/* In the order of the hits, and no further than the page goes. */
static const struct db_stmt page_stmt = { "trace_list",
    "WITH page AS MATERIALIZED (SELECT t.* FROM (SELECT h.at, h.id FROM unnest($1::timestamptz[], $2::bigint[]) h (at, id)"
    "  ORDER BY h.at DESC, h.id DESC) h CROSS JOIN LATERAL (SELECT t.* FROM trace t WHERE t.at = h.at AND t.id = h.id AND " MATCH
    "  LIMIT 1) t ORDER BY h.at DESC, h.id DESC LIMIT $3)"
    " SELECT " TRACE_ROW_COLUMNS ", coalesce(f.recipient, ''), s.n FROM page p LEFT JOIN account a ON a.id = p.account_id"
    " LEFT JOIN LATERAL (SELECT r.recipient FROM trace_recipient r WHERE r.at = p.at AND r.trace_id = p.id"
    "  AND ($7::text[] IS NULL OR " MATCH_RECIPIENT ") ORDER BY r.n LIMIT 1) f ON true"
    " CROSS JOIN LATERAL (SELECT count(*) AS n FROM trace_recipient r WHERE r.at = p.at AND r.trace_id = p.id) s"
    " ORDER BY p.at DESC, p.id DESC" };
enum page_column { P_RECIPIENT = TRACE_R_COLUMNS, P_RECIPIENTS };

/* Sorts them, newest first, each once, and leaves out what is behind the end. */
static void put_in_order(struct hits *h)
{
    size_t n = 0;

    if (h->n > 0)
        qsort(h->v, h->n, sizeof(*h->v), compare_hits);
    for (size_t i = 0; i < h->n && (trace_is_end(h->end) || compare(h->v[i], h->end) <= 0); i++) {
        if (n == 0 || compare(h->v[n - 1], h->v[i]) != 0)
            h->v[n++] = h->v[i];
    }
    h->n = n;
}

/* At most `limit` of the hits that match everything, into rows. */
static enum result read_page(struct search *s, const struct hits *h, size_t limit, struct trace_row *rows, size_t *ret_n)
{
    const struct trace_filter *f = s->f;
    int64_t *at = arena_array(s->a, int64_t, h->n), *id = arena_array(s->a, int64_t, h->n);
    CLEANUP(db_rows_freep) struct db_rows found = { 0 };
    enum result r;

    for (size_t i = 0; i < h->n; i++) {
        at[i] = h->v[i].at_us;
        id[i] = h->v[i].id;
    }
    const struct db_param params[] = {
        db_time_array(s->a, at, h->n), db_int8_array(s->a, id, h->n), db_int8((int64_t)limit), s->senders.whole, s->senders.local,
        s->senders.domain, s->recipients.whole, s->recipients.local, s->recipients.domain, queue_filter_list(f->accounts, s->a),
        db_text(queue_filter_pattern(f->subject, s->a)), db_text(queue_filter_message_id(f->message_id)), s->outcomes, s->directions,
        queue_filter_list(f->ips, s->a), s->domains, db_text(queue_filter_pattern(f->text, s->a)),
        db_text(queue_filter_message_id(f->text)), db_int8(f->text_id), db_text(s->words.address), db_text(s->words.local),
        db_text(s->words.domain),
    };
    r = db_query_generic(s->db, &page_stmt, params, ARRAY_LEN(params), &found);
    *ret_n = r == RES_OK ? MIN(db_count(&found), limit) : 0;
    for (size_t i = 0; i < *ret_n; i++) {
        trace_row_read(&found, i, s->a, &rows[i]);
        rows[i].recipient = arena_str(s->a, db_get_str(&found, i, P_RECIPIENT));
        rows[i].recipients = db_get_int(&found, i, P_RECIPIENTS);
    }
    return r;
}

enum result trace_list(struct db *db, const struct trace_filter *filter, struct trace_place after, size_t limit, struct arena *a,
                       struct trace_row **ret_rows, size_t *ret_n, struct trace_place *ret_next)
{
    size_t want = MIN(limit, (size_t)QUEUE_MAX_PAGE), n = 0, more = 0;
    struct search s = {
        .db = db, .f = filter, .a = a, .senders = queue_filter_forms(filter->senders, a),
        .recipients = queue_filter_forms(filter->recipients, a), .words = queue_filter_words(filter->text, a),
        .outcomes = numbers_of(filter->outcomes, TRACE_OUTCOMES, a),
        .directions = numbers_of(filter->directions, TRACE_DIRECTIONS, a), .domains = queue_filter_at_domains(filter->domains, a),
        .want = want, .since = filter->since == DB_NO_TIME ? 0 : filter->since,
        .before = { filter->until == DB_NO_TIME ? FAR_FUTURE_US : filter->until, 0 },
    };
    struct trace_row *rows = arena_array(a, struct trace_row, want + 1);
    int64_t until = deadline_in(LOOK_MS);

    if (!trace_is_end(after) && compare(s.before, after) < 0)
        s.before = after;
    do {
        struct hits h = { .end = TRACE_END };

        if (find(&s, &h) != RES_OK)
            return RES_TEMPFAIL;
        put_in_order(&h);
        if (read_page(&s, &h, want - n + 1, rows + n, &more) != RES_OK)
            return RES_TEMPFAIL;
        n += more;
        s.before = h.end;
    } while (n < want && !trace_is_end(s.before) && loop_now() < until);
    if (n > want) {
        n = want;
        s.before = (struct trace_place){ rows[n - 1].accepted_at, rows[n - 1].id };
    }
    *ret_rows = rows;
    *ret_n = n;
    *ret_next = s.before;
    return RES_OK;
}
