/* db/db.h - PostgreSQL: a pool of libpq connections in pipeline mode, used from coroutines.
 *
 * Statements are prepared once a connection, at their first use; parameters are only ever $n.  Results come in binary
 * form.  A connection that fails is opened again with a back-off; the call that met the failure gets RES_TEMPFAIL
 * (already logged).  Every function that talks to the server suspends.
 *
 * Errors of a statement: SQLSTATE 23505 -> RES_EXISTS, 23503 -> RES_CONFLICT, 23514 and class 22 -> RES_INVALID,
 * 40001, 40P01, 55P03 -> RES_TEMPFAIL, all else RES_TEMPFAIL and an error line. */
#pragma once
#include "base/arena.h"
#include "base/result.h"
#include "base/str.h"
#include "io/coroutine.h"

struct db;
struct tx;

struct db_stmt {
    const char *name; /* unique in the program */
    const char *sql;
};

/* Opens a pool of at most `size` connections, made when needed.  conninfo is libpq's and is copied.  Never fails. */
struct db *db_new(const char *conninfo, unsigned size);
/* db_query_generic and db_query_row of this pool plan a statement once, for all values, though the role has each planned for its
 * values (plan_cache_mode; sql/roles.sql): for a look-up by key the planning costs several times what the look-up does. */
void db_plan_once(struct db *db);
/* Closes idle connections at once and the others when they come back.  Waits for nobody. */
void db_free(struct db *db);

/* What would happen: a db of one connection of `db`, whose every statement belongs to one transaction that db_rehearse_end
 * rolls back.  What was written is seen by what is read behind it, commits hold until the end, and nobody is notified.
 * For one coroutine.  RES_TEMPFAIL, logged. */
enum result db_rehearse(struct db *db, struct db **ret_rehearsal) SUSPENDS NODISCARD;
void db_rehearse_end(struct db *rehearsal) SUSPENDS;

/* ---- parameters ---- */
struct db_param {
    uint32_t oid;
    int len; /* -1: NULL */
    const char *p; /* NULL: the bytes are in `own` */
    char own[8];
};
struct db_param db_int8(int64_t v);
struct db_param db_int4(int32_t v);
struct db_param db_int2(int16_t v);
struct db_param db_bool(bool v);
struct db_param db_text(struct str s);  /* STR_NULL: NULL.  Must be UTF-8 without NUL */
struct db_param db_bytea(struct str s); /* STR_NULL: NULL */
struct db_param db_time(int64_t us);    /* timestamptz from microseconds since 1970; DB_NO_TIME: NULL */
struct db_param db_inet(struct str ip); /* an address as text; STR_NULL or not an address: NULL */
struct db_param db_json(struct str s);  /* jsonb from JSON text */
struct db_param db_int8_null(void);
struct db_param db_int4_null(void);
struct db_param db_int8_array(struct arena *a, const int64_t *v, size_t n);
struct db_param db_time_array(struct arena *a, const int64_t *us, size_t n); /* timestamptz[] */
struct db_param db_int4_array(struct arena *a, const int32_t *v, size_t n);
struct db_param db_text_array(struct arena *a, const struct str *v, size_t n);
struct db_param db_bytea_array(struct arena *a, const struct str *v, size_t n);
#define DB_NO_TIME INT64_MIN

/* ---- results ---- */
struct db_rows {
    struct pg_result *res; /* NULL: none */
};
void db_rows_free(struct db_rows *rows);
#define db_rows_freep db_rows_free
size_t db_count(const struct db_rows *rows);
/* Rows that an INSERT, UPDATE or DELETE touched. */
int64_t db_affected(const struct db_rows *rows);
bool db_is_null(const struct db_rows *rows, size_t row, int column);
/* int2, int4, int8, bool; NULL: 0.  Not numeric: sum() and the like are cast to bigint in the statement. */
int64_t db_get_int(const struct db_rows *rows, size_t row, int column);
struct str db_get_str(const struct db_rows *rows, size_t row, int column); /* text, bytea, json; NULL: STR_NULL; view */
int64_t db_get_time(const struct db_rows *rows, size_t row, int column); /* microseconds since 1970; NULL: DB_NO_TIME */
/* inet as text, in the arena (no /32); NULL: STR_NULL. */
struct str db_get_inet(const struct db_rows *rows, size_t row, int column, struct arena *a);
/* Arrays of one dimension, in the arena; NULL elements are left out. */
size_t db_get_int_array(const struct db_rows *rows, size_t row, int column, struct arena *a, int64_t **ret_v);
size_t db_get_str_array(const struct db_rows *rows, size_t row, int column, struct arena *a, struct str **ret_v);

/* ---- one statement ---- */
/* Runs stmt in a transaction of its own.  rows may be NULL. */
enum result db_query(struct db *db, const struct db_stmt *stmt, const struct db_param *params, size_t n,
                     struct db_rows *rows) SUSPENDS NODISCARD;
/* The same of a statement for which one plan is right whatever the values are (db_plan_once). */
enum result db_query_generic(struct db *db, const struct db_stmt *stmt, const struct db_param *params, size_t n,
                             struct db_rows *rows) SUSPENDS NODISCARD;
/* The same as db_query_generic of a statement that has to give a row.  RES_NOTFOUND: it gave none. */
enum result db_query_row(struct db *db, const struct db_stmt *stmt, const struct db_param *params, size_t n,
                         struct db_rows *rows) SUSPENDS NODISCARD;
/* The same as the holder of `token` (store/principal.h): set_config('correio.token', token, true) goes before it in
 * the same implicit transaction. */
enum result db_query_as(struct db *db, struct str token, const struct db_stmt *stmt, const struct db_param *params,
                        size_t n, struct db_rows *rows) SUSPENDS NODISCARD;

/* ---- transactions ---- */
/* Takes a connection.  BEGIN (READ COMMITTED) and the token (STR_NULL: none) travel with the first statement.  Never
 * wait for a peer while you hold a tx. */
enum result tx_begin(struct db *db, struct str token, struct tx **ret_tx) SUSPENDS NODISCARD;
/* The same with REPEATABLE READ READ ONLY: one snapshot for several reads. */
enum result tx_begin_snapshot(struct db *db, struct str token, struct tx **ret_tx) SUSPENDS NODISCARD;
enum result tx_query(struct tx *tx, const struct db_stmt *stmt, const struct db_param *params, size_t n,
                     struct db_rows *rows) SUSPENDS NODISCARD;

struct db_call {
    const struct db_stmt *stmt;
    const struct db_param *params;
    size_t n;
    struct db_rows rows; /* set when it ran; the caller frees */
    enum result result;  /* RES_CANCELLED: not run, since one before it failed */
    bool prepares;       /* db's own: its preparation goes before it */
};
/* Sends all calls in one pipeline and waits for all answers: one round trip.  RES_OK when all are.  The result of the
 * first that failed otherwise (*ret_failed, when not NULL, is its index); the tx must then be rolled back. */
enum result tx_batch(struct tx *tx, struct db_call *calls, size_t n, size_t *ret_failed) SUSPENDS NODISCARD;

/* Sets *tx to NULL and gives the connection back, whatever happens.  RES_OK: committed.  RES_TEMPFAIL: not committed.
 * RES_CANCELLED: in doubt (the connection broke at COMMIT): ask db_settle, then look. */
enum result tx_commit(struct tx **tx) SUSPENDS NODISCARD;
/* The same, and then, in the same pipeline, pg_notify(channel, payload): sent only when the commit succeeded. */
enum result tx_commit_notify(struct tx **tx, const char *channel, struct str payload) SUSPENDS NODISCARD;

struct db_notice {
    const char *channel;
    struct str payload; /* at most 7,900 bytes */
};
#define DB_MAX_NOTICES 4
/* The calls, the commit and the notifications in one pipeline: one round trip.  When a call fails the transaction is
 * rolled back and its result returned, *ret_failed being its index; *tx is NULL in every case. */
enum result tx_batch_commit(struct tx **tx, struct db_call *calls, size_t n, const struct db_notice *notices,
                            size_t n_notices, size_t *ret_failed) SUSPENDS NODISCARD;
/* For CLEANUP: rolls back when *tx is not NULL. */
void tx_rollbackp(struct tx **tx) SUSPENDS;

/* The server process that runs tx, for db_settle_backend. */
int tx_backend(const struct tx *tx);
/* Waits (at most 10 s) until that server process is gone: what it was told to commit is then committed or lost.
 * RES_OK: now look whether its work is there.  RES_TEMPFAIL: nobody can say yet. */
enum result db_settle_backend(struct db *db, int backend) SUSPENDS NODISCARD;
/* Waits (at most 10 s) until transaction `xid` (pg_current_xact_id() as int8) is no longer running.  RES_OK: now look
 * whether its work is there.  RES_TEMPFAIL: nobody can say yet. */
enum result db_settle(struct db *db, int64_t xid) SUSPENDS NODISCARD;

/* ---- notifications ---- */
/* Calls fn(arg, payload) on the loop for every NOTIFY on `channel` (a C identifier), over one connection a pool that
 * exists only for this.  After a reconnect it is called with STR_NULL: anything may have been missed. */
typedef void db_notify_fn(void *arg, struct str payload);
void db_listen(struct db *db, const char *channel, db_notify_fn *fn, void *arg); /* at start, before the loop runs */
