/* LISTEN: one connection a pool, only for this, opened again with a back-off. */
#include "db/db_internal.h"
#include "base/log.h"
#include "base/strbuf.h"

#include <stdlib.h>
#include <string.h>

#define MAX_CHANNELS 8
#define RETRY_MS 1000

struct listener {
    struct db *db;
    struct conn *conn; /* NULL: not connected */
    struct {
        const char *channel;
        db_notify_fn *fn;
        void *arg;
    } channels[MAX_CHANNELS];
    unsigned n;
    bool running;
    struct listener *next;
};

static struct listener *listeners;

static void tell_all(struct listener *l)
{
    for (unsigned i = 0; i < l->n; i++)
        l->channels[i].fn(l->channels[i].arg, STR_NULL);
}

static void dispatch(struct listener *l)
{
    PGnotify *note;

    while ((note = PQnotifies(l->conn->pg)) != NULL) {
        for (unsigned i = 0; i < l->n; i++) {
            if (strcmp(l->channels[i].channel, note->relname) == 0)
                l->channels[i].fn(l->channels[i].arg, str_c(note->extra));
        }
        PQfreemem(note);
    }
}

/* LISTENs to every channel, in one simple query. */
static enum result subscribe(struct listener *l)
{
    CLEANUP(strbuf_release) struct strbuf sql = { .max = 1024 };
    PGresult *res;
    bool ok = true;

    for (unsigned i = 0; i < l->n; i++)
        strbuf_addf(&sql, "LISTEN %s;", l->channels[i].channel);
    if (PQsendQuery(l->conn->pg, sql.p) != 1)
        return RES_TEMPFAIL;
    for (;;) {
        while (PQisBusy(l->conn->pg)) {
            if (conn_wait_input(l->conn, deadline_in(30000)) != RES_OK)
                return RES_TEMPFAIL;
        }
        res = PQgetResult(l->conn->pg);
        if (res == NULL)
            return ok ? RES_OK : RES_TEMPFAIL;
        ok = ok && PQresultStatus(res) == PGRES_COMMAND_OK;
        PQclear(res);
    }
}

static void listen_run(void *arg)
{
    struct listener *l = arg;

    while (!coroutine_cancelled()) {
        if (conn_open(pool_conninfo(l->db), &l->conn) == RES_OK && subscribe(l) == RES_OK) {
            tell_all(l);
            do
                dispatch(l);
            while (conn_wait_input(l->conn, NO_DEADLINE) == RES_OK);
        }
        if (l->conn != NULL)
            conn_close(l->conn);
        l->conn = NULL;
        coroutine_sleep(RETRY_MS);
    }
}

void db_listen(struct db *db, const char *channel, db_notify_fn *fn, void *arg)
{
    struct listener *l = listeners;

    while (l != NULL && l->db != db)
        l = l->next;
    if (l == NULL) {
        l = calloc(1, sizeof(*l));
        if (l == NULL)
            abort();
        l->db = db;
        l->next = listeners;
        listeners = l;
    }
    if (l->n == MAX_CHANNELS)
        abort();
    l->channels[l->n].channel = channel;
    l->channels[l->n].fn = fn;
    l->channels[l->n].arg = arg;
    l->n++;
    if (!l->running) /* starts at the next turn of the loop: all that register at start are in its first LISTEN */
        l->running = coroutine_spawn("db-listen", listen_run, l) != NULL;
}
