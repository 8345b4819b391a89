/* Single statements and transactions over the pool. */
#include "db/db_internal.h"
#include "base/encode.h"
#include "base/fault.h"
#include "base/log.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#define SETTLE_MS 10000
#define MAX_BATCH 4096

static const struct db_stmt begin_stmt = { "begin", "BEGIN" };
static const struct db_stmt begin_snapshot_stmt = { "begin_snapshot", "BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY" };
static const struct db_stmt commit_stmt = { "commit", "COMMIT" };
static const struct db_stmt rollback_stmt = { "rollback", "ROLLBACK" };
/* In a rehearsal a transaction is a part of the one that is rolled back. */
static const struct db_stmt part_stmt = { "part", "SAVEPOINT part" };
static const struct db_stmt part_end_stmt = { "part_end", "RELEASE SAVEPOINT part" };
static const struct db_stmt part_back_stmt = { "part_back", "ROLLBACK TO SAVEPOINT part" };
static const struct db_stmt token_stmt = { "token", "SELECT set_config('correio.token', $1, true)" };
static const struct db_stmt generic_stmt = { "generic", "SELECT set_config('plan_cache_mode', 'force_generic_plan', true)" };
static const struct db_stmt notify_stmt = { "notify", "SELECT pg_notify($1, $2)" };

struct tx {
    struct db *db;
    struct conn *conn;
    bool begun, snapshot;
    struct str token; /* owned */
};

/* A statement of a rehearsal: when it fails, what was before it holds. */
static enum result rehearse_query(struct db *db, struct str token, const struct db_stmt *stmt, const struct db_param *params,
                                  size_t n, struct db_rows *rows)
{
    CLEANUP(tx_rollbackp) struct tx *tx = NULL;
    enum result r = tx_begin(db, token, &tx);

    if (r == RES_OK)
        r = tx_query(tx, stmt, params, n, rows);
    return r == RES_OK ? tx_commit(&tx) : r;
}

/* Runs the call, behind `first` (NULL: nothing) in the same implicit transaction. */
static enum result query(struct db *db, const struct db_call *first, const struct db_call *call, struct db_rows *rows)
{
    struct db_call calls[2] = { 0 };
    size_t n = 0, failed;
    struct conn *c;
    enum result r = pool_take(db, &c);

    if (r != RES_OK)
        return r;
    if (first != NULL)
        calls[n++] = *first;
    calls[n++] = *call;
    r = conn_run(c, calls, n, &failed);
    pool_give(db, c);
    if (r == RES_OK && rows != NULL) {
        *rows = calls[n - 1].rows;
        calls[n - 1].rows.res = NULL;
    }
    for (size_t i = 0; i < n; i++)
        db_rows_free(&calls[i].rows);
    return r;
}

enum result db_query_as(struct db *db, struct str token, const struct db_stmt *stmt, const struct db_param *params,
                        size_t n, struct db_rows *rows)
{
    const struct db_param token_param[] = { db_text(token) };
    const struct db_call first = { .stmt = &token_stmt, .params = token_param, .n = 1 };
    const struct db_call call = { .stmt = stmt, .params = params, .n = n };

    if (pool_only(db) != NULL)
        return rehearse_query(db, token, stmt, params, n, rows);
    return query(db, token.p != NULL ? &first : NULL, &call, rows);
}

enum result db_query(struct db *db, const struct db_stmt *stmt, const struct db_param *params, size_t n,
                     struct db_rows *rows)
{
    return db_query_as(db, STR_NULL, stmt, params, n, rows);
}

enum result db_query_generic(struct db *db, const struct db_stmt *stmt, const struct db_param *params, size_t n,
                             struct db_rows *rows)
{
    const struct db_call first = { .stmt = &generic_stmt }, call = { .stmt = stmt, .params = params, .n = n };

    return pool_plans_once(db) ? query(db, &first, &call, rows) : db_query(db, stmt, params, n, rows);
}

enum result db_query_row(struct db *db, const struct db_stmt *stmt, const struct db_param *params, size_t n,
                         struct db_rows *rows)
{
    enum result r = db_query_generic(db, stmt, params, n, rows);

    return r == RES_OK && db_count(rows) == 0 ? RES_NOTFOUND : r;
}

/* ---- rehearsals ---- */

/* One statement outside of what struct tx counts. */
static enum result say(struct conn *c, const struct db_stmt *stmt)
{
    struct db_call call = { .stmt = stmt };
    size_t failed;
    enum result r = conn_run(c, &call, 1, &failed);

    db_rows_free(&call.rows);
    return r;
}

enum result db_rehearse(struct db *db, struct db **ret_rehearsal)
{
    struct conn *c;
    enum result r = pool_take(db, &c);

    if (r != RES_OK)
        return r;
    r = say(c, &begin_stmt);
    if (r != RES_OK) {
        pool_give(db, c);
        return RES_TEMPFAIL;
    }
    *ret_rehearsal = pool_of_one(db, c);
    return RES_OK;
}

void db_rehearse_end(struct db *rehearsal)
{
    struct conn *c = pool_only(rehearsal);

    if (!c->broken && say(c, &rollback_stmt) != RES_OK)
        c->broken = true;
    pool_free_one(rehearsal);
}

/* ---- transactions ---- */

static enum result begin(struct db *db, struct str token, bool snapshot, struct tx **ret_tx)
{
    struct conn *c;
    struct tx *tx;
    enum result r = pool_take(db, &c);

    if (r != RES_OK)
        return r;
    tx = calloc(1, sizeof(*tx));
    if (tx == NULL)
        abort();
    *tx = (struct tx){ .db = db, .conn = c, .snapshot = snapshot };
    if (token.p != NULL) {
        char *copy = malloc(token.len + 1);

        if (copy == NULL)
            abort();
        memcpy(copy, token.p, token.len);
        tx->token = str_of(copy, token.len);
    }
    *ret_tx = tx;
    return RES_OK;
}

enum result tx_begin(struct db *db, struct str token, struct tx **ret_tx)
{
    return begin(db, token, false, ret_tx);
}

enum result tx_begin_snapshot(struct db *db, struct str token, struct tx **ret_tx)
{
    return begin(db, token, true, ret_tx);
}

/* Runs head (BEGIN and the token, at the first time), the calls and tail in one pipeline. */
static enum result run(struct tx *tx, struct db_call *calls, size_t n, struct db_call *tail, size_t tail_n,
                       size_t *ret_failed)
{
    const struct db_param token_param[] = { db_text(tx->token) };
    struct db_call *all = calloc(n + tail_n + 2, sizeof(*all));
    size_t head = 0, failed = 0;
    enum result r;

    assert(n + tail_n <= MAX_BATCH);
    if (all == NULL)
        abort();
    if (!tx->begun) {
        all[head++] = (struct db_call){ .stmt = pool_only(tx->db) != NULL ? &part_stmt
                                                : tx->snapshot            ? &begin_snapshot_stmt
                                                                          : &begin_stmt };
        if (tx->token.p != NULL)
            all[head++] = (struct db_call){ .stmt = &token_stmt, .params = token_param, .n = 1 };
    }
    if (n > 0)
        memcpy(all + head, calls, n * sizeof(*calls));
    if (tail_n > 0)
        memcpy(all + head + n, tail, tail_n * sizeof(*tail));
    r = conn_run(tx->conn, all, head + n + tail_n, &failed);
    tx->begun = true;
    for (size_t i = 0; i < head; i++)
        db_rows_free(&all[i].rows);
    if (n > 0)
        memcpy(calls, all + head, n * sizeof(*calls));
    if (tail_n > 0)
        memcpy(tail, all + head + n, tail_n * sizeof(*tail));
    free(all);
    if (ret_failed != NULL)
        *ret_failed = failed >= head ? failed - head : 0;
    return r;
}

enum result tx_batch(struct tx *tx, struct db_call *calls, size_t n, size_t *ret_failed)
{
    return run(tx, calls, n, NULL, 0, ret_failed);
}

enum result tx_query(struct tx *tx, const struct db_stmt *stmt, const struct db_param *params, size_t n,
                     struct db_rows *rows)
{
    struct db_call call = { .stmt = stmt, .params = params, .n = n };
    enum result r = run(tx, &call, 1, NULL, 0, NULL);

    if (r == RES_OK && rows != NULL)
        *rows = call.rows;
    else
        db_rows_free(&call.rows);
    return r;
}

static void release(struct tx *tx)
{
    pool_give(tx->db, tx->conn);
    free((char *)(uintptr_t)tx->token.p);
    free(tx);
}

void tx_rollbackp(struct tx **txp)
{
    struct tx *tx = *txp;

    if (tx == NULL)
        return;
    *txp = NULL;
    if (tx->begun && !tx->conn->broken &&
        say(tx->conn, pool_only(tx->db) != NULL ? &part_back_stmt : &rollback_stmt) != RES_OK)
        tx->conn->broken = true;
    release(tx);
}

enum result tx_batch_commit(struct tx **txp, struct db_call *calls, size_t n, const struct db_notice *notices,
                            size_t n_notices, size_t *ret_failed)
{
    struct tx *tx = *txp;
    struct db_param params[DB_MAX_NOTICES][2];
    bool rehearsed = pool_only(tx->db) != NULL;
    struct db_call tail[1 + DB_MAX_NOTICES] = { { .stmt = rehearsed ? &part_end_stmt : &commit_stmt } };
    size_t failed = SIZE_MAX;
    bool rolled_back;
    enum result r;

    if (!tx->begun && n == 0) {
        *txp = NULL;
        release(tx);
        return RES_OK;
    }
    assert(n_notices <= DB_MAX_NOTICES);
    if (rehearsed)
        n_notices = 0;
    for (size_t i = 0; i < n_notices; i++) {
        params[i][0] = db_text(str_c(notices[i].channel));
        params[i][1] = db_text(notices[i].payload);
        tail[1 + i] = (struct db_call){ .stmt = &notify_stmt, .params = params[i], .n = 2 };
    }
    fault_point("db-before-commit");
    r = run(tx, calls, n, tail, 1 + n_notices, &failed);
    fault_point("db-after-commit");
    if (tx->conn->broken) {
        *txp = NULL;
        release(tx);
        return RES_CANCELLED;
    }
    if (ret_failed != NULL)
        *ret_failed = failed;
    if (r != RES_OK && failed < n) { /* a statement: the commit was not tried */
        tx_rollbackp(txp);
        return r == RES_CANCELLED ? RES_TEMPFAIL : r;
    }
    /* COMMIT of a transaction that failed before says ROLLBACK.  A NOTIFY that fails changes nothing. */
    rolled_back = tail[0].rows.res == NULL || strcmp(PQcmdStatus(tail[0].rows.res), rehearsed ? "RELEASE" : "COMMIT") != 0;
    for (size_t i = 0; i <= n_notices; i++)
        db_rows_free(&tail[i].rows);
    if (rolled_back) {
        tx_rollbackp(txp);
        return RES_TEMPFAIL;
    }
    *txp = NULL;
    release(tx);
    return RES_OK;
}

enum result tx_commit(struct tx **tx)
{
    return tx_batch_commit(tx, NULL, 0, NULL, 0, NULL);
}

enum result tx_commit_notify(struct tx **tx, const char *channel, struct str payload)
{
    const struct db_notice notice = { channel, payload };

    return tx_batch_commit(tx, NULL, 0, &notice, 1, NULL);
}

int tx_backend(const struct tx *tx)
{
    return PQbackendPID(tx->conn->pg);
}

/* The number may be given to a new process: one that started after we began to wait is not ours. */
enum result db_settle_backend(struct db *db, int backend)
{
    static const struct db_stmt stmt = { "backend_alive",
        "SELECT EXISTS (SELECT FROM pg_stat_activity WHERE pid = $1 AND (backend_start IS NULL OR backend_start < $2))" };
    const struct db_param params[] = { db_int4(backend), db_time(wall_us()) };
    int64_t deadline = deadline_in(SETTLE_MS);

    while (loop_now() < deadline) {
        CLEANUP(db_rows_freep) struct db_rows rows = { 0 };

        if (db_query(db, &stmt, params, 2, &rows) == RES_OK && db_get_int(&rows, 0, 0) == 0)
            return RES_OK;
        coroutine_wait(deadline_in(100), false);
    }
    return RES_TEMPFAIL;
}

enum result db_settle(struct db *db, int64_t xid)
{
    static const struct db_stmt stmt = { "xact_status", "SELECT pg_xact_status($1::bigint::text::xid8)" };
    const struct db_param params[] = { db_int8(xid) };
    int64_t deadline = deadline_in(SETTLE_MS);

    while (loop_now() < deadline) {
        CLEANUP(db_rows_freep) struct db_rows rows = { 0 };
        enum result r = db_query(db, &stmt, params, 1, &rows);

        if (r == RES_INVALID) /* "in the future": it was lost in a crash */
            return RES_OK;
        if (r == RES_OK && !str_eq(db_get_str(&rows, 0, 0), STR("in progress")))
            return RES_OK;
        coroutine_wait(deadline_in(100), false);
    }
    return RES_TEMPFAIL;
}
