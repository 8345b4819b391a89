/* A database with the queue's tables, and the bodies of tests run in coroutines. */
#pragma once
#include "tests/support/database.h"

#include "base/macros.h"
#include "store/queue.h"

static PGconn *owner;
static struct db *db;

static inline int64_t count(const char *what)
{
    char sql[512];

    (void)snprintf(sql, sizeof(sql), "SELECT count(*) FROM %s", what);
    return strtoll(database_sql(owner, sql), NULL, 10);
}

static inline int64_t number(const char *expression)
{
    char sql[512];

    (void)snprintf(sql, sizeof(sql), "SELECT (%s)::bigint", expression);
    return strtoll(database_sql(owner, sql), NULL, 10);
}

/* A message to `n` recipients of a destination, one frame. */
static inline int64_t add_with(struct db *pool, const char *destination, size_t n)
{
    CLEANUP(arena_releasep) struct arena a = { 0 };
    CLEANUP(tx_rollbackp) struct tx *tx = NULL;
    struct queue_new_recipient *r = arena_array(&a, struct queue_new_recipient, n);
    struct str frame = STR("bytes");
    struct queue_new m = { .reverse_path = STR("alice@here.test"), .ret = 'H', .envid = STR("e1"), .expire_s = 3600,
                           .size = 5, .header_size = 5, .frames = &frame, .nframes = 1, .body_flags = QUEUE_8BITMIME,
                           .subject = STR("ol\xc3\xa1"), .message_id = STR("<1@here.test>"), .direction = TRACE_OUT,
                           .client = STR("192.0.2.1"), .session = STR("s1"), .listener = STR("submission"),
                           .recipients = r, .nrecipients = n };

    for (size_t i = 0; i < n; i++)
        r[i] = (struct queue_new_recipient){ .recipient = arena_printf(&a, "r%zu@%s", i, destination), .lane = QUEUE_NORMAL,
                                             .destination = str_c(destination), .orcpt = i == 0 ? STR("rfc822;x") : STR_NULL };
    assert_int_equal(queue_ids(pool, 1, &m.id), RES_OK);
    assert_int_equal(tx_begin(pool, STR_NULL, &tx), RES_OK);
    assert_int_equal(queue_insert(tx, &m, 1), RES_OK);
    assert_int_equal(tx_commit_notify(&tx, "queue", STR("")), RES_OK);
    return m.id;
}

static inline int64_t add(const char *destination, size_t n)
{
    return add_with(db, destination, n);
}

/* The same as the role that fills the queue, for tests of roles that may not. */
static inline int64_t add_as_smtp(const char *destination, size_t n)
{
    struct db *pool = db_new(database_conninfo("correio_smtp"), 1);
    int64_t id = add_with(pool, destination, n);

    db_free(pool);
    return id;
}

/* SQL of the test's own, for rows that coroutines of this process may have locked: while the process waits in libpq they
 * cannot go on, so it waits outside. */
static inline void patient_sql(const char *sql)
{
    PGresult *res;

    (void)database_sql(owner, "SET lock_timeout = '20ms'");
    while (PQresultStatus(res = PQexec(owner, sql)) != PGRES_COMMAND_OK) {
        const char *state = PQresultErrorField(res, PG_DIAG_SQLSTATE);

        if (state == NULL || (strcmp(state, "55P03") != 0 && strcmp(state, "40P01") != 0))
            fail_msg("%s in: %.200s", PQerrorMessage(owner), sql);
        PQclear(res);
        assert_int_equal(coroutine_sleep(5), RES_OK);
    }
    PQclear(res);
    (void)database_sql(owner, "SET lock_timeout = 0");
}

#define CLEAR_SQL                                                                                                      \
    "TRUNCATE queue_message, queue_blob, queue_recipient, queue_destination, queue_undo, trace, trace_recipient,"       \
    " trace_event, domain, account CASCADE"

static void clear(void)
{
    (void)database_sql(owner, CLEAR_SQL);
}

static const char *test_role; /* as whom the bodies run */

static void run_body(void *arg)
{
    db = db_new(database_conninfo(test_role), 2);
    (*(void (**)(void))arg)();
    db_free(db);
    loop_stop();
}

static void run(void **state)
{
    clear();
    assert_non_null(coroutine_spawn("test", run_body, *state));
    loop_run();
}

static int group_setup(void **state)
{
    (void)state;
    owner = database_connect(database_name, "none");
    return 0;
}

static int group_teardown(void **state)
{
    (void)state;
    PQfinish(owner);
    database_drop();
    return 0;
}


struct body {
    const char *name;
    void (*run)(void);
};

/* Runs the bodies, each over an empty queue, as `role`. */
static int run_bodies(const char *group, const char *role, struct body *bodies, size_t n)
{
    struct CMUnitTest tests[32] = { 0 };

    assert_true(n <= ARRAY_LEN(tests));
    test_role = role;
    for (size_t i = 0; i < n; i++)
        tests[i] = (struct CMUnitTest){ .name = bodies[i].name, .test_func = run, .initial_state = &bodies[i].run };
    if (!database_create()) {
        (void)printf("skipped: CORREIO_TEST_CONNINFO is not set\n");
        return 0;
    }
    return _cmocka_run_group_tests(group, tests, n, group_setup, group_teardown);
}
