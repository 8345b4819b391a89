/* store/queue_purge.c - what an administrator wanted to go goes, once that can no longer be taken back.
 *
 * The messages are locked first, by id, as everywhere; what another node has just now is left to it. */
#include "base/fault.h"
#include "store/queue_internal.h"

struct purge {
    struct tx *tx;
    struct arena *a;
    int64_t *ids;
    size_t n;
};

static enum result lock(struct purge *p, bool *ret_more)
{
    static const struct db_stmt find = { "queue_purge_find",
        "SELECT DISTINCT queue_id FROM (SELECT queue_id FROM queue_recipient WHERE state IN (2, 4) AND due_at <= now()"
        " ORDER BY due_at LIMIT $1) x ORDER BY 1" };
    static const struct db_stmt lock = { "queue_purge_lock",
        "SELECT id FROM queue_message WHERE id = ANY ($1) ORDER BY id FOR UPDATE SKIP LOCKED" };
    const struct db_param params[] = { db_int4(QUEUE_CHUNK) };
    CLEANUP(db_rows_freep) struct db_rows found = { 0 };
    CLEANUP(db_rows_freep) struct db_rows locked = { 0 };
    enum result r = tx_query(p->tx, &find, params, 1, &found);

    if (r != RES_OK || db_count(&found) == 0)
        return r;
    queue_read_ids(&found, p->a, &p->ids, &p->n);
    const struct db_param ids[] = { db_int8_array(p->a, p->ids, p->n) };

    r = tx_query(p->tx, &lock, ids, 1, &locked);
    if (r == RES_OK)
        queue_read_ids(&locked, p->a, &p->ids, &p->n);
    *ret_more = r == RES_OK && p->n > 0; /* there may be more; when all are locked, somebody else is at it */
    return r;
}

/* The statements look at the rows again under the lock: an undo may have been there first. */
static enum result remove_all(struct purge *p)
{
    static const struct db_stmt give_back = { "queue_purge_return",
        "UPDATE queue_recipient SET state = 0, due_at = now(), home = coalesce(home, destination), destination = '.return',"
        "  undo_id = NULL WHERE queue_id = ANY ($1) AND state = 4 AND due_at <= now()" };
    static const struct db_stmt delete = { "queue_purge_delete",
        "WITH d AS (DELETE FROM queue_recipient WHERE queue_id = ANY ($1) AND state = 2 AND due_at <= now()"
        "   RETURNING queue_id, n, undo_id),"
        " t AS (UPDATE trace_recipient t SET outcome = 5 FROM d JOIN queue_message m ON m.id = d.queue_id"
        "  WHERE t.at = m.received_at AND t.trace_id = d.queue_id AND t.n = d.n)"
        " INSERT INTO trace_event (at, trace_id, n, kind, actor, reply, reason)"
        " SELECT DISTINCT ON (m.id) m.received_at, m.id, -1, 7, u.actor, u.reason, 'removed-by-admin'"
        "  FROM d JOIN queue_message m ON m.id = d.queue_id LEFT JOIN queue_undo u ON u.id = d.undo_id ORDER BY m.id, d.n" };
    static const struct db_stmt outcomes = { "queue_purge_outcomes",
        "UPDATE trace t SET outcome = (SELECT r.outcome FROM trace_recipient r WHERE r.at = t.at AND r.trace_id = t.id"
        "   ORDER BY array_position('{0,3,4,5,2,1,6}'::int[], r.outcome::int) LIMIT 1)"
        " FROM queue_message m WHERE m.id = ANY ($1) AND t.at = m.received_at AND t.id = m.id"
        "  AND NOT EXISTS (SELECT FROM queue_recipient q WHERE q.queue_id = m.id)"
        "  AND EXISTS (SELECT FROM trace_recipient r WHERE r.at = t.at AND r.trace_id = t.id)" };
    static const struct db_stmt gone = { "queue_purge_gone",
        "WITH d AS (DELETE FROM queue_message m WHERE id = ANY ($1)"
        "   AND NOT EXISTS (SELECT FROM queue_recipient q WHERE q.queue_id = m.id) RETURNING id)"
        " DELETE FROM queue_blob b USING d WHERE b.queue_id = d.id" };
    const struct db_param ids[] = { db_int8_array(p->a, p->ids, p->n) };
    const struct db_notice notices[] = { { "queue_changed", queue_changed(p->a, p->ids, p->n) }, { "queue", STR("") } };
    struct db_call calls[] = { { .stmt = &give_back, .params = ids, .n = 1 }, { .stmt = &delete, .params = ids, .n = 1 },
                               { .stmt = &outcomes, .params = ids, .n = 1 },  { .stmt = &gone, .params = ids, .n = 1 },
                               { .stmt = &queue_version_stmt, .params = ids, .n = 1 },
                               { .stmt = &queue_wake_stmt, .params = ids, .n = 1 } };
    enum result r;

    fault_point("queue-before-purge");
    r = tx_batch_commit(&p->tx, calls, ARRAY_LEN(calls), notices, ARRAY_LEN(notices), NULL);
    fault_point("queue-after-purge");
    for (size_t i = 0; i < ARRAY_LEN(calls); i++)
        db_rows_free(&calls[i].rows);
    return r == RES_OK ? RES_OK : RES_TEMPFAIL; /* in doubt: the next time it is there, or it is done */
}

enum result queue_purge(struct db *db, bool *ret_more)
{
    CLEANUP(arena_releasep) struct arena a = { 0 };
    struct purge p = { .a = &a };
    enum result r = tx_begin(db, STR_NULL, &p.tx);

    *ret_more = false;
    if (r == RES_OK)
        r = lock(&p, ret_more);
    if (r == RES_OK && p.n > 0)
        r = remove_all(&p);
    tx_rollbackp(&p.tx);
    return r;
}
