#include "db/db_internal.h"
#include "base/log.h"
#include "io/watch.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#define CONNECT_MS 10000
#define ANSWER_MS 90000 /* above statement_timeout: the server gives up first */
#define MAX_PARAMS 40
#define SESSION_OPTIONS                                                                                            \
    "-c synchronous_commit=on -c statement_timeout=60s -c lock_timeout=30s -c idle_in_transaction_session_timeout=60s " \
    "-c timezone=UTC -c jit=off -c max_parallel_workers_per_gather=0 -c client_min_messages=warning"

/* ---- the socket ---- */

static void drop_notice(void *arg, const PGresult *res)
{
    (void)arg;
    log_debug("db-notice", F_C("text", PQresultErrorField(res, PG_DIAG_MESSAGE_PRIMARY)));
}

static struct str first_line(const char *text)
{
    struct str s = str_c(text), line;

    return str_split(&s, '\n', &line) ? line : STR("");
}

static enum result finish_connect(struct conn *c)
{
    int64_t deadline = deadline_in(CONNECT_MS);
    PostgresPollingStatusType want = PGRES_POLLING_WRITING;

    while (want != PGRES_POLLING_OK) {
        struct watch *w;
        enum result r;

        if (want == PGRES_POLLING_FAILED || PQsocket(c->pg) < 0)
            return RES_TEMPFAIL;
        w = watch_new(PQsocket(c->pg)); /* libpq may have gone on to the next host, with another socket */
        r = watch_wait(w, want == PGRES_POLLING_READING ? WATCH_READ : WATCH_WRITE, deadline, false, false);
        watch_free(w, false);
        if (r != RES_OK)
            return RES_TEMPFAIL;
        want = PQconnectPoll(c->pg);
    }
    return RES_OK;
}

enum result conn_open(const char *conninfo, struct conn **ret_conn)
{
    const char *keys[] = { "dbname", "options", "fallback_application_name", NULL };
    const char *values[] = { conninfo, SESSION_OPTIONS, "correio", NULL };
    struct conn *c = calloc(1, sizeof(*c));

    if (c == NULL)
        abort();
    c->pg = PQconnectStartParams(keys, values, 1);
    if (c->pg == NULL)
        abort();
    PQsetNoticeReceiver(c->pg, drop_notice, NULL);
    if (PQstatus(c->pg) == CONNECTION_BAD || finish_connect(c) != RES_OK || PQsetnonblocking(c->pg, 1) != 0) {
        log_warn("db-connect-failed", F_STR("error", first_line(PQerrorMessage(c->pg))));
        conn_close(c);
        return RES_TEMPFAIL;
    }
    c->watch = watch_new(PQsocket(c->pg));
    *ret_conn = c;
    return RES_OK;
}

void conn_close(struct conn *c)
{
    watch_free(c->watch, false);
    PQfinish(c->pg);
    free(c->prepared);
    free(c);
}

bool conn_alive(struct conn *c)
{
    char byte;

    if (recv(PQsocket(c->pg), &byte, 1, MSG_PEEK | MSG_DONTWAIT) < 0 && errno == EAGAIN)
        return true;
    /* Something came while nobody had asked: a farewell, a notice, or the end. */
    return PQconsumeInput(c->pg) == 1 && PQstatus(c->pg) == CONNECTION_OK &&
           recv(PQsocket(c->pg), &byte, 1, MSG_PEEK | MSG_DONTWAIT) < 0 && errno == EAGAIN;
}

static enum result lost(struct conn *c)
{
    if (!c->broken)
        log_warn("db-lost", F_STR("error", first_line(PQerrorMessage(c->pg))));
    c->broken = true;
    return RES_TEMPFAIL;
}

enum result conn_wait_input(struct conn *c, int64_t deadline)
{
    if (watch_wait(c->watch, WATCH_READ, deadline, false, false) != RES_OK)
        return lost(c);
    return PQconsumeInput(c->pg) == 1 ? RES_OK : lost(c);
}

static enum result flush(struct conn *c, int64_t deadline)
{
    for (;;) {
        int left = PQflush(c->pg);

        if (left == 0)
            return RES_OK;
        if (left < 0 || watch_wait(c->watch, WATCH_READ | WATCH_WRITE, deadline, false, false) != RES_OK)
            return lost(c);
        if (PQconsumeInput(c->pg) != 1) /* or both sides may wait for room for ever */
            return lost(c);
    }
}

static enum result next_result(struct conn *c, int64_t deadline, PGresult **ret_res)
{
    while (PQisBusy(c->pg)) {
        enum result r = conn_wait_input(c, deadline);

        if (r != RES_OK)
            return r;
    }
    *ret_res = PQgetResult(c->pg);
    return PQstatus(c->pg) == CONNECTION_OK ? RES_OK : (PQclear(*ret_res), lost(c));
}

/* ---- prepared statements ---- */

static size_t slot_of(const struct conn *c, const struct db_stmt *stmt)
{
    size_t i = ((uintptr_t)stmt >> 4) * 0x9e3779b97f4a7c15u >> 32;

    for (i &= c->prepared_cap - 1; c->prepared[i] != NULL && c->prepared[i] != stmt; i = (i + 1) & (c->prepared_cap - 1))
        ;
    return i;
}

static bool is_prepared(const struct conn *c, const struct db_stmt *stmt)
{
    return c->prepared_cap > 0 && c->prepared[slot_of(c, stmt)] == stmt;
}

static void mark_prepared(struct conn *c, const struct db_stmt *stmt)
{
    if (c->prepared_used * 2 >= c->prepared_cap) {
        const struct db_stmt **old = c->prepared;
        size_t cap = c->prepared_cap;

        c->prepared_cap = cap == 0 ? 64 : cap * 2;
        c->prepared = calloc(c->prepared_cap, sizeof(c->prepared[0]));
        if (c->prepared == NULL)
            abort();
        for (size_t i = 0; i < cap; i++) {
            if (old[i] != NULL)
                c->prepared[slot_of(c, old[i])] = old[i];
        }
        free(old);
    }
    c->prepared[slot_of(c, stmt)] = stmt;
    c->prepared_used++;
}

/* ---- a pipeline ---- */

static int text_format(uint32_t oid)
{
    return oid == 869 || oid == 3802 ? 0 : 1; /* inet and jsonb travel as text */
}

/* Queues the call, and before it its preparation. */
static bool send_call(struct conn *c, const struct db_call *call, bool prepare)
{
    CLEANUP(arena_releasep) struct arena scratch = { 0 };
    Oid types[MAX_PARAMS];
    const char *values[MAX_PARAMS];
    int lengths[MAX_PARAMS], formats[MAX_PARAMS];

    assert(call->n <= MAX_PARAMS);
    for (size_t i = 0; i < call->n; i++) {
        const struct db_param *p = &call->params[i];

        types[i] = p->oid;
        values[i] = p->len < 0 ? NULL : p->p != NULL ? p->p : p->own;
        lengths[i] = p->len;
        formats[i] = text_format(p->oid);
        if (formats[i] == 0 && p->len >= 0) /* libpq takes text as C strings */
            values[i] = arena_cstr(&scratch, str_of(values[i], (size_t)p->len));
    }
    if (prepare && PQsendPrepare(c->pg, call->stmt->name, call->stmt->sql, (int)call->n, types) != 1)
        return false;
    return PQsendQueryPrepared(c->pg, call->stmt->name, (int)call->n, values, lengths, formats, 1) == 1;
}

static enum result result_of(struct conn *c, const struct db_stmt *stmt, PGresult *res)
{
    ExecStatusType status = PQresultStatus(res);
    const char *state;

    if (status == PGRES_TUPLES_OK || status == PGRES_COMMAND_OK)
        return RES_OK;
    if (status == PGRES_PIPELINE_ABORTED)
        return RES_CANCELLED;
    state = PQresultErrorField(res, PG_DIAG_SQLSTATE);
    snprintf(c->sqlstate, sizeof(c->sqlstate), "%s", state != NULL ? state : "");
    if (strcmp(c->sqlstate, "23505") == 0)
        return RES_EXISTS;
    if (strcmp(c->sqlstate, "23503") == 0)
        return RES_CONFLICT;
    if (strcmp(c->sqlstate, "23514") == 0 || strncmp(c->sqlstate, "22", 2) == 0)
        return RES_INVALID;
    log_error("db-statement", F_C("statement", stmt->name), F_C("sqlstate", c->sqlstate),
              F_C("error", PQresultErrorField(res, PG_DIAG_MESSAGE_PRIMARY)));
    return RES_TEMPFAIL;
}

/* The one result of a command and the NULL behind it. */
static enum result take_one(struct conn *c, int64_t deadline, PGresult **ret_res)
{
    PGresult *res = NULL, *end = NULL;
    enum result r = next_result(c, deadline, &res);

    if (r != RES_OK)
        return r;
    r = next_result(c, deadline, &end);
    if (r != RES_OK || end != NULL) {
        PQclear(res);
        PQclear(end);
        return lost(c);
    }
    *ret_res = res;
    return RES_OK;
}

static enum result take_call(struct conn *c, struct db_call *call, bool prepared_now, int64_t deadline)
{
    PGresult *res;
    enum result r;

    if (prepared_now) {
        r = take_one(c, deadline, &res);
        if (r != RES_OK)
            return r;
        call->result = result_of(c, call->stmt, res);
        PQclear(res);
        if (call->result == RES_OK)
            mark_prepared(c, call->stmt);
    }
    r = take_one(c, deadline, &res);
    if (r != RES_OK)
        return r;
    if (!prepared_now || call->result == RES_OK)
        call->result = result_of(c, call->stmt, res);
    if (call->result == RES_OK)
        call->rows.res = res;
    else
        PQclear(res);
    return RES_OK;
}

static void forget(struct db_call *calls, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        db_rows_free(&calls[i].rows);
        calls[i].result = RES_TEMPFAIL;
    }
}

/* True when calls[i] must be prepared before it runs: unknown here, and not the same as an earlier one of the batch. */
static bool needs_prepare(const struct conn *c, const struct db_call *calls, size_t i)
{
    if (is_prepared(c, calls[i].stmt))
        return false;
    for (size_t k = 0; k < i; k++) {
        if (calls[k].stmt == calls[i].stmt)
            return false;
    }
    return true;
}

enum result conn_run(struct conn *c, struct db_call *calls, size_t n, size_t *ret_failed)
{
    int64_t deadline = deadline_in(ANSWER_MS);
    enum result first = RES_OK;
    PGresult *sync = NULL;

    c->sqlstate[0] = '\0';
    for (size_t i = 0; i < n; i++) {
        calls[i].rows.res = NULL;
        calls[i].result = RES_CANCELLED;
        calls[i].prepares = needs_prepare(c, calls, i);
        if (!send_call(c, &calls[i], calls[i].prepares))
            return lost(c);
    }
    if (PQpipelineSync(c->pg) != 1 || flush(c, deadline) != RES_OK)
        return lost(c);
    for (size_t i = 0; i < n; i++) {
        if (take_call(c, &calls[i], calls[i].prepares, deadline) != RES_OK) {
            forget(calls, n);
            return RES_TEMPFAIL;
        }
        if (first == RES_OK && calls[i].result != RES_OK) {
            first = calls[i].result;
            *ret_failed = i;
        }
    }
    if (next_result(c, deadline, &sync) != RES_OK || PQresultStatus(sync) != PGRES_PIPELINE_SYNC) {
        PQclear(sync);
        forget(calls, n);
        return lost(c);
    }
    PQclear(sync);
    return first;
}
