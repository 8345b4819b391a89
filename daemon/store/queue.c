/* store/queue.c - the relay's side of the queue: claims, leases, and keeping queue_destination right.
 *
 * queue_destination.due_at says when somebody should look: never later than the destination's next due job.  It is set
 * while its row is locked, by a statement that is younger than the lock; so a job that came meanwhile is seen. */
#include "store/queue.h"

#define LEASE "interval '60 seconds'"

/* Up to $2 due jobs of one destination under lease $1, lane by lane, with their messages. */
#define CLAIM(destination)                                                                                             \
    " l0 AS MATERIALIZED (SELECT queue_id, n FROM queue_recipient WHERE state = 0 AND destination = " destination      \
    "   AND lane = 0 AND due_at <= now() ORDER BY due_at LIMIT $2 FOR UPDATE SKIP LOCKED),"                            \
    " l1 AS MATERIALIZED (SELECT queue_id, n FROM queue_recipient WHERE state = 0 AND destination = " destination      \
    "   AND lane = 1 AND due_at <= now() ORDER BY due_at LIMIT $2 - (SELECT count(*) FROM l0) FOR UPDATE SKIP LOCKED)," \
    " l2 AS MATERIALIZED (SELECT queue_id, n FROM queue_recipient WHERE state = 0 AND destination = " destination      \
    "   AND lane = 2 AND due_at <= now() ORDER BY due_at"                                                              \
    "   LIMIT $2 - (SELECT count(*) FROM l0) - (SELECT count(*) FROM l1) FOR UPDATE SKIP LOCKED),"                     \
    " c AS (UPDATE queue_recipient q SET due_at = now() + " LEASE ", lease_by = $1, attempts = attempts + 1,"           \
    "     undo_id = NULL"                                                                                              \
    "   FROM (SELECT * FROM l0 UNION ALL SELECT * FROM l1 UNION ALL SELECT * FROM l2) d"                               \
    "   WHERE q.queue_id = d.queue_id AND q.n = d.n"                                                                   \
    "   RETURNING q.queue_id, q.n, q.recipient, q.orcpt, q.notify, q.attempts, q.delay_told, q.last_reply,"        \
    "     q.program, q.folder, q.flags)"

#define CLAIMED                                                                                                        \
    " now(), c.n, c.recipient, c.orcpt, c.notify, c.attempts, c.delay_told, c.last_reply,"                             \
    " m.id, m.account_id, m.reverse_path, m.envid, m.message_id, m.ret, m.received_at, m.expires_at, m.size,"          \
    " m.header_size, m.frames, m.body_flags, c.program, c.folder, c.flags, m.deliver_by, m.by_mode"

enum column {
    C_DESTINATION, C_NOW, C_N, C_RECIPIENT, C_ORCPT, C_NOTIFY, C_ATTEMPTS, C_DELAY_TOLD, C_LAST_REPLY, C_ID, C_ACCOUNT,
    C_REVERSE_PATH, C_ENVID, C_MESSAGE_ID, C_RET, C_RECEIVED, C_EXPIRES, C_SIZE, C_HEADER_SIZE, C_FRAMES, C_BODY_FLAGS, C_PROGRAM,
    C_FOLDER, C_FLAGS, C_DELIVER_BY, C_BY_MODE
};

static struct queue_envelope *read_envelope(const struct db_rows *rows, size_t row, struct str destination, struct arena *a)
{
    struct queue_envelope *m = arena_new(a, struct queue_envelope);
    struct str ret = db_get_str(rows, row, C_RET);

    m->id = db_get_int(rows, row, C_ID);
    m->account_id = db_get_int(rows, row, C_ACCOUNT);
    m->reverse_path = arena_str(a, db_get_str(rows, row, C_REVERSE_PATH));
    m->envid = arena_str(a, db_get_str(rows, row, C_ENVID));
    m->message_id = arena_str(a, db_get_str(rows, row, C_MESSAGE_ID));
    m->ret = ret.len == 1 ? ret.p[0] : 0;
    m->received_at = db_get_time(rows, row, C_RECEIVED);
    m->expires_at = db_get_time(rows, row, C_EXPIRES);
    m->bounce = str_eq(destination, QUEUE_RETURN);
    m->size = db_get_int(rows, row, C_SIZE);
    m->header_size = db_get_int(rows, row, C_HEADER_SIZE);
    m->frames = (int)db_get_int(rows, row, C_FRAMES);
    m->body_flags = (unsigned)db_get_int(rows, row, C_BODY_FLAGS);
    if (!db_is_null(rows, row, C_DELIVER_BY))
        m->by = deliver_by_of(db_get_time(rows, row, C_DELIVER_BY), db_get_str(rows, row, C_BY_MODE));
    return m;
}

/* The rows are sorted by message; one without a job stands for a destination that had none. */
static void read_batch(const struct db_rows *rows, struct str lease, int limit, struct arena *a, struct queue_batch *ret)
{
    struct queue_envelope *message = NULL;

    *ret = (struct queue_batch){ .lease = arena_str(a, lease) };
    ret->destination = arena_str(a, db_get_str(rows, 0, C_DESTINATION));
    ret->now = db_get_time(rows, 0, C_NOW);
    ret->jobs = arena_array(a, struct queue_job, db_count(rows));
    for (size_t i = 0; i < db_count(rows); i++) {
        struct queue_job *job = &ret->jobs[ret->n];

        if (db_is_null(rows, i, C_ID))
            continue;
        if (message == NULL || message->id != db_get_int(rows, i, C_ID))
            message = read_envelope(rows, i, ret->destination, a);
        job->message = message;
        job->n = (int)db_get_int(rows, i, C_N);
        job->attempts = (int)db_get_int(rows, i, C_ATTEMPTS);
        job->notify = (unsigned)db_get_int(rows, i, C_NOTIFY);
        job->delay_told = db_get_int(rows, i, C_DELAY_TOLD) != 0;
        job->recipient = arena_str(a, db_get_str(rows, i, C_RECIPIENT));
        job->orcpt = arena_str(a, db_get_str(rows, i, C_ORCPT));
        job->last_reply = arena_str(a, db_get_str(rows, i, C_LAST_REPLY));
        job->program = arena_str(a, db_get_str(rows, i, C_PROGRAM));
        job->folder = arena_str(a, db_get_str(rows, i, C_FOLDER));
        job->flags = (int)db_get_int(rows, i, C_FLAGS);
        ret->n++;
    }
    ret->more = ret->n == (size_t)limit;
}

/* When the destination's next job is due, or its next lease ends. */
#define NEXT_DUE                                                                                                       \
    "least((SELECT min(due_at) FROM queue_recipient WHERE state = 0 AND destination = $1 AND lane = 0),"               \
    " (SELECT min(due_at) FROM queue_recipient WHERE state = 0 AND destination = $1 AND lane = 1),"                    \
    " (SELECT min(due_at) FROM queue_recipient WHERE state = 0 AND destination = $1 AND lane = 2),"                    \
    " 'infinity'::timestamptz)"

/* An administrator wants no attempts there for a while; a row of queue_destination. */
#define PAUSED "(paused_until IS NOT NULL AND paused_until > now())"

/* A slot of the destination that was served least recently, among those that `which` names. */
#define CLAIM_SLOT(which)                                                                                              \
    "WITH p AS MATERIALIZED (SELECT destination FROM queue_destination"                                                \
    "   WHERE in_flight < max_in_flight AND due_at <= now() AND NOT " PAUSED " AND " which                             \
    "   ORDER BY served_at LIMIT 1 FOR UPDATE SKIP LOCKED),"                                                           \
    " s AS (UPDATE queue_destination d SET in_flight = in_flight + 1, served_at = clock_timestamp()"                   \
    "   FROM p WHERE d.destination = p.destination)," CLAIM("(SELECT destination FROM p)")                             \
    " SELECT p.destination," CLAIMED                                                                                   \
    " FROM p LEFT JOIN (c JOIN queue_message m ON m.id = c.queue_id) ON true ORDER BY m.id, c.n"

static enum result claim_slot(struct db *db, const struct db_stmt *claim, struct str lease, int limit, struct arena *a,
                              struct queue_batch *ret)
{
    static const struct db_stmt drained = { "queue_claim_drained",
        "UPDATE queue_destination SET due_at = " NEXT_DUE " WHERE destination = $1" };
    const struct db_param params[] = { db_text(lease), db_int4(limit) };
    CLEANUP(tx_rollbackp) struct tx *tx = NULL;
    CLEANUP(db_rows_freep) struct db_rows rows = { 0 };
    enum result r = tx_begin(db, STR_NULL, &tx);

    if (r == RES_OK)
        r = tx_query(tx, claim, params, ARRAY_LEN(params), &rows);
    if (r != RES_OK)
        return r;
    if (db_count(&rows) == 0)
        return RES_NOTFOUND;
    read_batch(&rows, lease, limit, a, ret);
    if (!ret->more) { /* nobody else needs to come for what is not there */
        const struct db_param destination[] = { db_text(ret->destination) };
        struct db_call call = { .stmt = &drained, .params = destination, .n = 1 };

        r = tx_batch_commit(&tx, &call, 1, NULL, 0, NULL);
        db_rows_free(&call.rows);
    } else {
        r = tx_commit(&tx);
    }
    return r == RES_OK ? RES_OK : RES_TEMPFAIL; /* in doubt: the leases end by themselves */
}

enum result queue_claim(struct db *db, struct str lease, int limit, struct arena *a, struct queue_batch *ret)
{
    static const struct db_stmt claim = { "queue_claim", CLAIM_SLOT("destination <> '.mda'") };

    return claim_slot(db, &claim, lease, limit, a, ret);
}

enum result queue_claim_mda(struct db *db, struct str lease, int limit, struct arena *a, struct queue_batch *ret)
{
    static const struct db_stmt claim = { "queue_claim_mda", CLAIM_SLOT("destination = '.mda'") };

    return claim_slot(db, &claim, lease, limit, a, ret);
}

enum result queue_claim_more(struct db *db, struct str destination, struct str lease, int limit, struct arena *a,
                             struct queue_batch *ret)
{
    static const struct db_stmt stmt = { "queue_claim_more",
        "WITH" CLAIM("(SELECT $3::text WHERE NOT EXISTS (SELECT FROM queue_destination WHERE destination = $3 AND " PAUSED "))")
        " SELECT $3," CLAIMED " FROM c JOIN queue_message m ON m.id = c.queue_id ORDER BY m.id, c.n" };
    const struct db_param params[] = { db_text(lease), db_int4(limit), db_text(destination) };
    CLEANUP(db_rows_freep) struct db_rows rows = { 0 };
    enum result r = db_query_row(db, &stmt, params, ARRAY_LEN(params), &rows);

    if (r != RES_OK)
        return r;
    read_batch(&rows, lease, limit, a, ret);
    return RES_OK;
}

enum result queue_release(struct db *db, struct str destination)
{
    static const struct db_stmt lock = { "queue_release_lock",
        "SELECT FROM queue_destination WHERE destination = $1 FOR NO KEY UPDATE" };
    static const struct db_stmt release = { "queue_release",
        "UPDATE queue_destination SET in_flight = greatest(in_flight - 1, 0), due_at = " NEXT_DUE
        " WHERE destination = $1" };
    const struct db_param params[] = { db_text(destination) };
    struct db_call calls[] = { { .stmt = &lock, .params = params, .n = 1 }, { .stmt = &release, .params = params, .n = 1 } };
    CLEANUP(tx_rollbackp) struct tx *tx = NULL;
    enum result r = tx_begin(db, STR_NULL, &tx);

    if (r != RES_OK)
        return r;
    r = tx_batch_commit(&tx, calls, ARRAY_LEN(calls), NULL, 0, NULL);
    for (size_t i = 0; i < ARRAY_LEN(calls); i++)
        db_rows_free(&calls[i].rows);
    return r == RES_OK ? RES_OK : RES_TEMPFAIL; /* in doubt: queue_heal puts it right */
}

/* Leased rows are due within the lease's time, or were a moment ago: the index on due_at finds them. */
#define LEASED_NOW "state = 0 AND due_at BETWEEN now() - " LEASE " AND now() + " LEASE

enum result queue_renew(struct db *db, const struct str *leases, size_t n)
{
    static const struct db_stmt stmt = { "queue_renew",
        "UPDATE queue_recipient SET due_at = now() + " LEASE " WHERE " LEASED_NOW " AND lease_by = ANY ($1)" };
    CLEANUP(arena_releasep) struct arena a = { 0 };
    const struct db_param params[] = { db_text_array(&a, leases, n) };

    return n == 0 ? RES_OK : db_query(db, &stmt, params, ARRAY_LEN(params), NULL);
}

enum result queue_give_back(struct db *db, struct str lease)
{
    static const struct db_stmt stmt = { "queue_give_back",
        "UPDATE queue_recipient SET due_at = now(), lease_by = NULL, attempts = greatest(attempts - 1, 0)"
        " WHERE " LEASED_NOW " AND lease_by = $1" };
    const struct db_param params[] = { db_text(lease) };

    return db_query(db, &stmt, params, ARRAY_LEN(params), NULL);
}

enum result queue_free_predecessor(struct db *db, struct str prefix, int64_t *ret_freed)
{
    static const struct db_stmt stmt = { "queue_free_predecessor",
        "WITH o AS (SELECT queue_id, n, lease_by FROM queue_recipient WHERE " LEASED_NOW
        "   AND starts_with(lease_by, $1) FOR UPDATE),"
        " f AS (UPDATE queue_recipient q SET due_at = now(), lease_by = NULL FROM o"
        "   WHERE q.queue_id = o.queue_id AND q.n = o.n RETURNING q.destination, o.lease_by AS was),"
        " s AS (SELECT destination, count(DISTINCT was) AS slots, count(*) AS jobs FROM f GROUP BY destination),"
        " d AS (UPDATE queue_destination d SET due_at = least(due_at, now()),"
        "   in_flight = greatest(in_flight - s.slots::int, 0) FROM s WHERE d.destination = s.destination)"
        " SELECT coalesce(sum(jobs), 0)::bigint FROM s" };
    const struct db_param params[] = { db_text(prefix) };
    CLEANUP(db_rows_freep) struct db_rows rows = { 0 };
    enum result r = db_query(db, &stmt, params, ARRAY_LEN(params), &rows);

    if (r == RES_OK)
        *ret_freed = db_get_int(&rows, 0, 0);
    return r;
}

enum result queue_heal(struct db *db)
{
    /* The names by jumps through the index: a million waiting jobs of ten destinations cost ten look-ups. */
    static const struct db_stmt due = { "queue_heal_due",
        "WITH RECURSIVE names AS ("
        "  (SELECT destination FROM queue_recipient WHERE state = 0 ORDER BY destination LIMIT 1)"
        "  UNION ALL SELECT (SELECT r.destination FROM queue_recipient r WHERE r.state = 0 AND"
        "    r.destination > names.destination ORDER BY r.destination LIMIT 1) FROM names WHERE names.destination IS NOT NULL)"
        " INSERT INTO queue_destination (destination, due_at)"
        " SELECT n.destination, min(l.due_at) FROM names n CROSS JOIN generate_series(0, 2) AS lane"
        "  CROSS JOIN LATERAL (SELECT due_at FROM queue_recipient r WHERE r.state = 0 AND r.destination = n.destination"
        "    AND r.lane = lane ORDER BY due_at LIMIT 1) l"
        " WHERE n.destination IS NOT NULL GROUP BY n.destination ORDER BY n.destination"
        " ON CONFLICT (destination) DO UPDATE SET due_at = excluded.due_at WHERE queue_destination.due_at > excluded.due_at" };
    static const struct db_stmt lock = { "queue_heal_lock",
        "SELECT FROM queue_destination WHERE in_flight > 0 ORDER BY destination FOR NO KEY UPDATE" };
    static const struct db_stmt flight = { "queue_heal_in_flight",
        "UPDATE queue_destination d SET in_flight = l.leases FROM (SELECT x.destination, (SELECT count(DISTINCT lease_by)"
        "   FROM queue_recipient r WHERE r.state = 0 AND r.destination = x.destination AND r.lane IN (0, 1, 2)"
        "   AND r.due_at > now() AND r.due_at <= now() + " LEASE " AND r.lease_by IS NOT NULL)::int AS leases"
        "  FROM queue_destination x WHERE x.in_flight > 0) l"
        " WHERE d.destination = l.destination AND d.in_flight > l.leases" };
    static const struct db_stmt empty = { "queue_heal_empty",
        "DELETE FROM queue_destination d WHERE due_at = 'infinity' AND in_flight = 0 AND max_in_flight = 20 AND NOT " PAUSED
        " AND NOT EXISTS (SELECT FROM queue_recipient r WHERE r.state = 0 AND r.destination = d.destination)" };
    struct db_call calls[] = { { .stmt = &lock }, { .stmt = &flight } };
    CLEANUP(tx_rollbackp) struct tx *tx = NULL;
    enum result r = db_query(db, &due, NULL, 0, NULL);

    if (r == RES_OK)
        r = tx_begin(db, STR_NULL, &tx);
    if (r == RES_OK)
        r = tx_batch_commit(&tx, calls, ARRAY_LEN(calls), NULL, 0, NULL);
    for (size_t i = 0; i < ARRAY_LEN(calls); i++)
        db_rows_free(&calls[i].rows);
    if (r == RES_OK)
        r = db_query(db, &empty, NULL, 0, NULL);
    return r == RES_OK ? RES_OK : RES_TEMPFAIL;
}

enum result queue_sweep(struct db *db)
{
    static const struct db_stmt stmt = { "queue_sweep",
        "WITH d AS (DELETE FROM queue_message m WHERE received_at < now() - interval '1 hour'"
        "   AND NOT EXISTS (SELECT FROM queue_recipient r WHERE r.queue_id = m.id) RETURNING id)"
        " DELETE FROM queue_blob b USING d WHERE b.queue_id = d.id" };

    return db_query(db, &stmt, NULL, 0, NULL);
}

/* ---- routing ---- */

enum result queue_domain(struct db *db, struct str name, struct arena *a, struct queue_domain *ret)
{
    static const struct db_stmt stmt = { "queue_domain",
        "SELECT kind, route FROM domain WHERE name = $1 AND state = 0 AND deleted_at IS NULL" };
    const struct db_param params[] = { db_text(name) };
    CLEANUP(db_rows_freep) struct db_rows rows = { 0 };
    enum result r = db_query(db, &stmt, params, ARRAY_LEN(params), &rows);

    if (r != RES_OK)
        return r;
    *ret = (struct queue_domain){ .kind = QUEUE_DOMAIN_REMOTE };
    if (db_count(&rows) == 0)
        return RES_OK;
    ret->kind = db_get_int(&rows, 0, 0) == 1 ? QUEUE_DOMAIN_RELAY : QUEUE_DOMAIN_LOCAL;
    ret->route = arena_str(a, db_get_str(&rows, 0, 1));
    return RES_OK;
}

enum result queue_language(struct db *db, int64_t account_id, struct str address, struct arena *a, struct str *ret)
{
    static const struct db_stmt stmt = { "queue_language",
        "SELECT coalesce((SELECT coalesce(a.language, d.language) FROM account a JOIN domain d ON d.id = a.domain_id"
        "  WHERE a.id = $1), (SELECT language FROM domain WHERE name = $2))" };
    size_t at = str_rchr(address, '@');
    const struct db_param params[] = { db_int8(account_id),
                                       db_text(at == SIZE_MAX ? STR("") : arena_lower(a, str_from(address, at + 1))) };
    CLEANUP(db_rows_freep) struct db_rows rows = { 0 };
    enum result r = db_query(db, &stmt, params, ARRAY_LEN(params), &rows);

    if (r == RES_OK)
        *ret = arena_str(a, db_get_str(&rows, 0, 0));
    return r;
}
