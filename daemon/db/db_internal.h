/* db/db_internal.h - one connection in pipeline mode, and the pool's hold on it. */
#pragma once
#include "db/db.h"

#include <libpq-fe.h>

struct conn {
    PGconn *pg;
    struct watch *watch;
    bool broken;
    char sqlstate[6];                /* of the last failed statement */
    const struct db_stmt **prepared; /* open addressing by pointer; size is a power of two */
    size_t prepared_used, prepared_cap;
    struct conn *next;
};

/* Connects; the session is set for durable commits and bounded statements.  RES_TEMPFAIL: logged. */
enum result conn_open(const char *conninfo, struct conn **ret_conn) SUSPENDS NODISCARD;
void conn_close(struct conn *c);
/* Whether an idle connection is still usable: the server may have closed it meanwhile. */
bool conn_alive(struct conn *c);

/* Sends the calls (each prepared first where this connection does not know it) and one Sync, and takes the answers.
 * RES_OK when all succeeded; else the first failure, with its index.  c->broken when the connection was lost. */
enum result conn_run(struct conn *c, struct db_call *calls, size_t n, size_t *ret_failed) SUSPENDS NODISCARD;

/* Waits for the socket until libpq has read something.  RES_TEMPFAIL: lost. */
enum result conn_wait_input(struct conn *c, int64_t deadline) SUSPENDS NODISCARD;

/* The pool. */
enum result pool_take(struct db *db, struct conn **ret_conn) SUSPENDS NODISCARD;
void pool_give(struct db *db, struct conn *c);
const char *pool_conninfo(const struct db *db);
bool pool_plans_once(const struct db *db);
/* A pool of this one connection alone, taken from `db`, which gets it back: for db_rehearse. */
struct db *pool_of_one(struct db *db, struct conn *c);
void pool_free_one(struct db *one);
struct conn *pool_only(const struct db *db); /* NULL: it is a common pool */

