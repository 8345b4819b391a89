/* tests/store/support.h - a database of with-postgres, a coroutine around each test, and accounts to play with. */
#pragma once
#include "tests/support/cmocka.h"

#include "base/macros.h"
#include "db/db.h"

#include <libpq-fe.h>
#include <stdio.h>
#include <stdlib.h>

static inline const char *test_conninfo(void)
{
    const char *s = getenv("CORREIO_TEST_CONNINFO");

    assert_non_null(s);
    return s;
}

/* A second, blocking connection: for what another session does meanwhile. */
static inline PGconn *test_connect(void)
{
    PGconn *pg = PQconnectdb(test_conninfo());

    assert_int_equal(PQstatus(pg), CONNECTION_OK);
    return pg;
}

static inline void test_sql(PGconn *pg, const char *sql)
{
    PGresult *res = PQexec(pg, sql);

    if (PQresultStatus(res) != PGRES_COMMAND_OK && PQresultStatus(res) != PGRES_TUPLES_OK)
        fail_msg("%s: %s", sql, PQerrorMessage(pg));
    PQclear(res);
}

static inline int64_t test_number(PGconn *pg, const char *sql)
{
    PGresult *res = PQexec(pg, sql);
    int64_t v;

    if (PQresultStatus(res) != PGRES_TUPLES_OK || PQntuples(res) != 1)
        fail_msg("%s: %s", sql, PQerrorMessage(pg));
    v = strtoll(PQgetvalue(res, 0, 0), NULL, 10);
    PQclear(res);
    return v;
}

/* An account with an INBOX; ids by reference. */
static inline void test_account(PGconn *pg, const char *name, int64_t *ret_account, int64_t *ret_inbox)
{
    char sql[1024];

    test_sql(pg, "INSERT INTO domain (tenant_id, name) VALUES (1, 'example.test') ON CONFLICT DO NOTHING");
    snprintf(sql, sizeof(sql), "INSERT INTO account (tenant_id, domain_id, address) SELECT 1, id, '%s@example.test' FROM domain "
             "WHERE name = 'example.test' RETURNING id", name);
    *ret_account = test_number(pg, sql);
    snprintf(sql, sizeof(sql), "INSERT INTO account_state (account_id) VALUES (%lld) RETURNING account_id", (long long)*ret_account);
    (void)test_number(pg, sql);
    snprintf(sql, sizeof(sql), "INSERT INTO mailbox (account_id, name, uidvalidity) VALUES (%lld, 'INBOX', 1) RETURNING id",
             (long long)*ret_account);
    *ret_inbox = test_number(pg, sql);
}

/* Runs fn(arg) in a coroutine, with a loop that lives for it. */
static inline void test_run(coroutine_fn *fn, void *arg)
{
    assert_non_null(coroutine_spawn("test", fn, arg));
    loop_run();
}

/* The counters of account and mailbox agree with the rows (storage.md, "correioctl check store"). */
static inline void test_counters(PGconn *pg)
{
    assert_int_equal(test_number(pg,
        "SELECT count(*) FROM mailbox b WHERE (messages, unseen, deleted, bytes) IS DISTINCT FROM "
        "(SELECT (count(*), count(*) FILTER (WHERE flags & 1 = 0), count(*) FILTER (WHERE flags & 8 <> 0), "
        "coalesce(sum(size), 0)::bigint) FROM message m WHERE m.account_id = b.account_id AND m.mailbox_id = b.id)"), 0);
    assert_int_equal(test_number(pg,
        "SELECT count(*) FROM account_state s WHERE (used_messages, used_bytes) IS DISTINCT FROM "
        "(SELECT (count(*), coalesce(sum(size), 0)::bigint) FROM message m WHERE m.account_id = s.account_id)"), 0);
    assert_int_equal(test_number(pg,
        "SELECT count(*) FROM message m WHERE NOT EXISTS (SELECT FROM email e WHERE e.account_id = m.account_id AND e.id = m.email_id) "
        "OR NOT EXISTS (SELECT FROM blob b WHERE b.account_id = m.account_id AND b.email_id = m.email_id)"), 0);
}
