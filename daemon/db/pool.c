#include "db/db_internal.h"
#include "base/log.h"

#include <stdlib.h>
#include <string.h>

#define TAKE_MS 10000       /* at most so long for a free connection */
#define RETRY_FIRST_MS 100  /* after a failed connect: doubled up to ... */
#define RETRY_LAST_MS 2000

struct db {
    char *conninfo;
    unsigned size, open;
    struct conn *idle;
    struct waitlist waiters;
    int64_t retry_at, retry_ms; /* no connect before; the present back-off */
    bool closing, plan_once;
    struct conn *only; /* pool_of_one: of `of` */
    struct db *of;
};

struct db *db_new(const char *conninfo, unsigned size)
{
    struct db *db = calloc(1, sizeof(*db));

    if (db == NULL || (db->conninfo = strdup(conninfo)) == NULL)
        abort();
    db->size = size;
    return db;
}

void db_plan_once(struct db *db)
{
    db->plan_once = true;
}

bool pool_plans_once(const struct db *db)
{
    return db->plan_once;
}

static void free_when_empty(struct db *db)
{
    if (db->open > 0)
        return;
    free(db->conninfo);
    free(db);
}

void db_free(struct db *db)
{
    db->closing = true;
    while (db->idle != NULL) {
        struct conn *c = db->idle;

        db->idle = c->next;
        db->open--;
        conn_close(c);
    }
    free_when_empty(db);
}

struct db *pool_of_one(struct db *db, struct conn *c)
{
    struct db *one = calloc(1, sizeof(*one));

    if (one == NULL)
        abort();
    one->only = c;
    one->of = db;
    return one;
}

void pool_free_one(struct db *one)
{
    pool_give(one->of, one->only);
    free(one);
}

struct conn *pool_only(const struct db *db)
{
    return db->only;
}

const char *pool_conninfo(const struct db *db)
{
    return db->conninfo;
}

static enum result open_one(struct db *db, struct conn **ret_conn)
{
    enum result r;

    if (loop_now() < db->retry_at) {
        /* Somebody tried a moment ago: wait for the end of the back-off when it is near, else say so at once. */
        if (db->retry_at - loop_now() > RETRY_FIRST_MS * 2)
            return RES_TEMPFAIL;
        coroutine_sleep(db->retry_at - loop_now());
    }
    r = conn_open(db->conninfo, ret_conn);
    if (r == RES_OK) {
        db->retry_at = db->retry_ms = 0;
        return RES_OK;
    }
    db->retry_ms = db->retry_ms == 0 ? RETRY_FIRST_MS : MIN(db->retry_ms * 2, RETRY_LAST_MS);
    db->retry_at = deadline_in(db->retry_ms);
    return r;
}

enum result pool_take(struct db *db, struct conn **ret_conn)
{
    int64_t deadline = deadline_in(TAKE_MS);

    if (db->only != NULL) {
        *ret_conn = db->only;
        return db->only->broken ? RES_TEMPFAIL : RES_OK;
    }
    for (;;) {
        struct conn *c = db->idle;
        enum result r;

        if (c != NULL) {
            db->idle = c->next;
            if (conn_alive(c)) {
                *ret_conn = c;
                return RES_OK;
            }
            conn_close(c);
            db->open--;
            continue;
        }
        if (db->open < db->size) {
            db->open++; /* the place is ours while we connect */
            r = open_one(db, ret_conn);
            if (r == RES_OK && PQenterPipelineMode((*ret_conn)->pg) == 1)
                return RES_OK;
            if (r == RES_OK)
                conn_close(*ret_conn);
            db->open--;
            waitlist_wake_one(&db->waiters);
            return RES_TEMPFAIL;
        }
        r = waitlist_wait(&db->waiters, deadline, false);
        if (r != RES_OK) {
            log_warn("db-pool-busy", F_INT("size", db->size));
            return RES_TEMPFAIL;
        }
    }
}

void pool_give(struct db *db, struct conn *c)
{
    if (c == db->only)
        return;
    if (c->broken || db->closing) {
        conn_close(c);
        db->open--;
        if (db->closing)
            free_when_empty(db);
        else
            waitlist_wake_one(&db->waiters);
        return;
    }
    c->next = db->idle;
    db->idle = c;
    waitlist_wake_one(&db->waiters);
}
