/* store/queue_insert.c - adding messages to the queue: one statement a message, then the destinations. */
#include "store/queue.h"

#include <stdlib.h>

#define MAX_SUBJECT 998
#define MAX_MESSAGE_ID 255 /* what is longer would not fit the trace's index */

enum result queue_ids(struct db *db, size_t n, int64_t *ret_ids)
{
    static const struct db_stmt stmt = { "queue_ids", "SELECT nextval('queue_id_seq') FROM generate_series(1, $1)" };
    const struct db_param params[] = { db_int4((int32_t)n) };
    CLEANUP(db_rows_freep) struct db_rows rows = { 0 };
    enum result r = db_query(db, &stmt, params, ARRAY_LEN(params), &rows);

    if (r != RES_OK)
        return r;
    if (db_count(&rows) != n)
        return RES_TEMPFAIL;
    for (size_t i = 0; i < n; i++)
        ret_ids[i] = db_get_int(&rows, i, 0);
    return RES_OK;
}

/* Derived text never refuses a message. */
static struct str text_or_null(struct str s, size_t max)
{
    if (s.p == NULL || !str_is_utf8(s))
        return STR_NULL;
    if (s.len > max) {
        s.len = max;
        while (s.len > 0 && !str_is_utf8(s))
            s.len--;
    }
    return s;
}

static enum trace_outcome outcome_of(const struct queue_new *m)
{
    for (size_t i = 0; i < m->nrecipients; i++) {
        if (m->recipients[i].outcome == TRACE_WAITING)
            return TRACE_WAITING;
    }
    return m->nrecipients > 0 ? m->recipients[0].outcome : TRACE_DELIVERED;
}

#define DOMAIN_OF(address) "lower(substring(" address " from '[^@]*$'))"
/* The rule h holds the recipient u; rules about the sender hold all. */
#define HOLDS "(h.destination IS NULL OR h.destination = u.destination)"

/* $1-$13 the message, $14-$20 and $28-$30 its recipients, $21-$24 where it came from, $25 whether anyone
 * waits, $31-$34 the mark that must be taken (nothing is added when it cannot be), $35 and $36 until when it is
 * to be delivered.  The rules that hold mail are read once, before the recipients: with none it is a look at an empty
 * table. */
static const struct db_stmt insert_stmt = { "queue_insert",
    "WITH " MARK_TAKE("$31", "$32", "$33", "$34::bigint") ","
    " go AS (SELECT WHERE $33 IS NULL OR EXISTS (SELECT FROM taken)),"
    " m AS (INSERT INTO queue_message (id, account_id, reverse_path, ret, envid, expires_at, size, header_size, frames,"
    "   body_flags, subject, message_id, deliver_by, by_mode)"
    "  SELECT $1, nullif($2, 0), $3, nullif($4, ''), $5,"
    "   least(now() + make_interval(secs => $6::bigint), CASE WHEN $36 LIKE 'R%' THEN $35::timestamptz END), $7, $8, $9, $10, $11,"
    "   $12, $35, $36::text"
    "  FROM go WHERE $25),"
    " b AS (INSERT INTO queue_blob (queue_id, n, data)"
    "  SELECT $1, f.n - 1, f.data FROM go, unnest($13::bytea[]) WITH ORDINALITY AS f(data, n) WHERE $25),"
    " u AS (SELECT (n - 1)::int AS n, recipient, orcpt, notify, destination, lane, outcome, account_id,"
    "   program, folder, flags"
    "  FROM go, unnest($14::text[], $15::text[], $16::int[], $17::text[], $18::int[], $19::int[], $20::bigint[],"
    "    $28::text[], $29::text[], $30::int[])"
    "   WITH ORDINALITY AS x(recipient, orcpt, notify, destination, lane, outcome, account_id, program, folder, flags, n)),"
    " h AS MATERIALIZED (SELECT id, destination, reason, created_by FROM queue_hold_rule WHERE $25"
    "  AND (until IS NULL OR until > now()) AND (sender = lower($3) OR sender_domain = " DOMAIN_OF("$3")
    "   OR destination = ANY ($17::text[]))),"
    " r AS (INSERT INTO queue_recipient (queue_id, n, recipient, orcpt, notify, destination, lane, program, folder, flags,"
    "   state)"
    "  SELECT $1, n, recipient, nullif(orcpt, ''), notify, destination, lane, nullif(program, ''), nullif(folder, ''), flags,"
    "   CASE WHEN EXISTS (SELECT FROM h WHERE " HOLDS ") THEN 1 ELSE 0 END FROM u WHERE outcome = 0),"
    " t AS (INSERT INTO trace (at, id, direction, outcome, sender, account_id, subject, message_id, size, client, session,"
    "   listener, tls)"
    "  SELECT now(), $1, $26, $27, $3, nullif($2, 0), $11, $12, $7, $21, $22, $23, $24 FROM go),"
    " tr AS (INSERT INTO trace_recipient (at, trace_id, n, recipient, account_id, domain, outcome)"
    "  SELECT now(), $1, n, recipient, nullif(account_id, 0), " DOMAIN_OF("recipient") ", outcome FROM u)"
    " INSERT INTO trace_event (at, trace_id, n, kind, session, actor, reply)"
    "  SELECT now(), $1, -1, 0, $22, NULL::text, NULL::text FROM go UNION ALL"
    "  (SELECT now(), $1, -1, 8, NULL, h.created_by, h.reason FROM h WHERE EXISTS (SELECT FROM u WHERE u.outcome = 0 AND " HOLDS ")"
    "   ORDER BY h.id LIMIT 1)" };

/* A new job makes its destination due now.  $1: sorted names. */
static const struct db_stmt destination_stmt = { "queue_insert_destination",
    "INSERT INTO queue_destination (destination) SELECT name FROM unnest($1::text[]) AS name"
    " ON CONFLICT (destination) DO UPDATE SET due_at = least(queue_destination.due_at, now())" };

#define INSERT_PARAMS 36

static void insert_params(struct arena *a, const struct queue_new *m, struct db_param *p)
{
    size_t n = m->nrecipients;
    struct str *recipients = arena_array(a, struct str, n), *orcpts = arena_array(a, struct str, n);
    struct str *destinations = arena_array(a, struct str, n), *programs = arena_array(a, struct str, n);
    struct str *folders = arena_array(a, struct str, n);
    int32_t *flags = arena_array(a, int32_t, n), *notify = arena_array(a, int32_t, n), *lanes = arena_array(a, int32_t, n), *outcomes = arena_array(a, int32_t, n);
    int64_t *accounts = arena_array(a, int64_t, n);
    enum trace_outcome outcome = outcome_of(m);

    for (size_t i = 0; i < n; i++) {
        const struct queue_new_recipient *r = &m->recipients[i];

        recipients[i] = r->recipient;
        orcpts[i] = r->orcpt;
        destinations[i] = r->destination;
        notify[i] = (int32_t)r->notify;
        lanes[i] = (int32_t)r->lane;
        outcomes[i] = (int32_t)r->outcome;
        accounts[i] = r->account_id;
        programs[i] = r->program;
        folders[i] = r->folder;
        flags[i] = r->flags;
    }
    const struct db_param params[INSERT_PARAMS] = {
        db_int8(m->id), db_int8(m->account_id), db_text(m->reverse_path),
        db_text(arena_printf(a, "%.*s", m->ret != 0, &m->ret)), db_text(m->envid), db_int8(m->expire_s), db_int8(m->size),
        db_int8(m->header_size), db_int2((int16_t)m->nframes), db_int2((int16_t)m->body_flags),
        db_text(text_or_null(m->subject, MAX_SUBJECT)),
        db_text(m->message_id.len <= MAX_MESSAGE_ID ? text_or_null(m->message_id, MAX_MESSAGE_ID) : STR_NULL),
        db_bytea_array(a, m->frames, m->frames != NULL ? m->nframes : 0), db_text_array(a, recipients, n),
        db_text_array(a, orcpts, n), db_int4_array(a, notify, n), db_text_array(a, destinations, n),
        db_int4_array(a, lanes, n), db_int4_array(a, outcomes, n), db_int8_array(a, accounts, n), db_inet(m->client),
        db_text(m->session), db_text(m->listener), db_text(m->tls), db_bool(outcome == TRACE_WAITING),
        db_int2((int16_t)m->direction), db_int2((int16_t)outcome), db_text_array(a, programs, n),
        db_text_array(a, folders, n), db_int4_array(a, flags, n), db_int8(m->mark.account_id),
        db_int2((int16_t)m->mark.kind), db_bytea(m->mark.key), db_int8(m->mark.seconds),
        db_time(m->by.at_us != 0 ? m->by.at_us : DB_NO_TIME), db_text(deliver_by_mode(&m->by)),
    };

    memcpy(p, params, sizeof(params));
}

static int compare_str(const void *a, const void *b)
{
    return str_cmp(*(const struct str *)a, *(const struct str *)b);
}

/* The destinations of all waiting recipients, sorted, each once. */
static size_t destinations_of(struct arena *a, const struct queue_new *v, size_t n, struct str **ret)
{
    size_t all = 0, unique = 0;
    struct str *names;

    for (size_t i = 0; i < n; i++)
        all += v[i].nrecipients;
    names = arena_array(a, struct str, all);
    all = 0;
    for (size_t i = 0; i < n; i++) {
        for (size_t k = 0; k < v[i].nrecipients; k++) {
            if (v[i].recipients[k].outcome == TRACE_WAITING)
                names[all++] = v[i].recipients[k].destination;
        }
    }
    if (all > 1)
        qsort(names, all, sizeof(*names), compare_str);
    for (size_t i = 0; i < all; i++) {
        if (unique == 0 || !str_eq(names[unique - 1], names[i]))
            names[unique++] = names[i];
    }
    *ret = names;
    return unique;
}

enum result queue_insert(struct tx *tx, const struct queue_new *v, size_t n)
{
    CLEANUP(arena_releasep) struct arena a = { 0 };
    struct db_call *calls;
    struct db_param names_param;
    struct str *names;
    size_t n_names, n_calls;
    enum result r;

    calls = arena_array(&a, struct db_call, n + 1);
    for (size_t i = 0; i < n; i++) {
        struct db_param *params = arena_array(&a, struct db_param, INSERT_PARAMS);

        insert_params(&a, &v[i], params);
        calls[i] = (struct db_call){ .stmt = &insert_stmt, .params = params, .n = INSERT_PARAMS };
    }
    n_names = destinations_of(&a, v, n, &names);
    names_param = db_text_array(&a, names, n_names);
    n_calls = n_names > 0 ? n + 1 : n;
    if (n_names > 0)
        calls[n] = (struct db_call){ .stmt = &destination_stmt, .params = &names_param, .n = 1 };
    r = tx_batch(tx, calls, n_calls, NULL);
    for (size_t i = 0; i < n_calls; i++)
        db_rows_free(&calls[i].rows);
    return r;
}
