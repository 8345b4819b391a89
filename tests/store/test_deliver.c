/* The accepting transaction: counters, quota, a mailbox removed under a delivery, a busy account in a batch, a message
 * that the database refuses among good ones, and many deliveries over the same accounts at once. */
#include "tests/store/support.h"

#include "deliver/deliver.h"

#include <uv.h>

#define MESSAGE "Return-Path: <a@example.org>\r\nSubject: test\r\nMessage-ID: <1@example.org>\r\n\r\nbody\r\n"

static PGconn *pg;
static struct db *db;
static struct deliver *deliver;
static unsigned running;

struct job {
    struct accept_target targets[4];
    size_t n;
    struct str message;
    enum result result;
    bool done;
};

static void deliver_job(void *arg)
{
    struct job *j = arg;
    const struct queue_new envelope = { .reverse_path = STR("a@example.org"), .expire_s = 3600, .direction = TRACE_IN };
    struct accept_message m = { .message = j->message.p != NULL ? j->message : STR(MESSAGE), .return_path_len = 30,
                                 .targets = j->targets, .n_targets = j->n, .envelope = &envelope };

    assert_int_equal(deliver_id(deliver, &m.id), RES_OK);
    j->result = deliver_submit(deliver, &m);
    j->done = true;
    if (--running == 0)
        loop_stop();
}

static void start(struct job *j)
{
    running++;
    assert_non_null(coroutine_spawn("job", deliver_job, j));
}

static struct job job_for(const char *name, int64_t *ret_account)
{
    struct job j = { .n = 1 };

    test_account(pg, name, &j.targets[0].account_id, &j.targets[0].mailbox_id);
    j.targets[0].recipient = STR("x@example.test");
    *ret_account = j.targets[0].account_id;
    return j;
}

static int setup(void **state)
{
    (void)state;
    pg = test_connect();
    db = db_new(test_conninfo(), 4);
    deliver = deliver_new(db);
    return 0;
}

static void test_two_mailboxes(void **state)
{
    int64_t a, b;
    struct job j = job_for("two-a", &a), k = job_for("two-b", &b);

    (void)state;
    j.targets[1] = k.targets[0];
    j.n = 2;
    start(&j);
    loop_run();
    assert_int_equal(j.result, RES_OK);
    assert_int_equal(test_number(pg, "SELECT count(*) FROM message WHERE uid = 1 AND modseq = 2"), 2);
    assert_int_equal(test_number(pg, "SELECT count(DISTINCT received_as) FROM email"), 1);
    test_counters(pg);
}

static void test_over_quota(void **state)
{
    int64_t a, b;
    char sql[200];
    struct job full = job_for("quota-a", &a), other = job_for("quota-b", &b), both;

    (void)state;
    snprintf(sql, sizeof(sql), "UPDATE account_state SET quota_messages = 0 WHERE account_id = %lld", (long long)a);
    test_sql(pg, sql);
    both = full;
    both.targets[1] = other.targets[0];
    both.n = 2;
    start(&full);
    start(&both);
    loop_run();
    assert_int_equal(full.result, RES_LIMIT); /* alone: nothing is stored */
    assert_int_equal(both.result, RES_OK);    /* the other has it; this one waits in the queue */
    assert_int_equal(both.targets[0].result, RES_LIMIT);
    assert_int_equal(both.targets[1].result, RES_OK);
    assert_int_equal(test_number(pg, "SELECT count(*) FROM queue_recipient WHERE destination = '.local'"), 1);
    test_counters(pg);
}

static void test_refused_by_the_database(void **state)
{
    int64_t a, b;
    char sql[200];
    struct job bad = job_for("bad-a", &a), good = job_for("bad-b", &b);

    (void)state;
    snprintf(sql, sizeof(sql), "UPDATE mailbox SET uidnext = 4294967296 WHERE account_id = %lld", (long long)a);
    test_sql(pg, sql);
    start(&bad); /* both go in one batch */
    start(&good);
    loop_run();
    assert_int_equal(bad.result, RES_INVALID);
    assert_int_equal(good.result, RES_OK);
    test_counters(pg);
}

/* ---- with another session in between ---- */

static PGconn *other;
static struct job *watched;

static void finish_other(void *arg)
{
    const char *sql = arg;

    coroutine_wait(deadline_in(400), false);
    assert_false(watched->done); /* it waits for the other session */
    test_sql(other, sql);
    test_sql(other, "COMMIT");
}

static void test_busy_account(void **state)
{
    int64_t a, b;
    char sql[200];
    struct job busy = job_for("busy-a", &a), free_one = job_for("busy-b", &b);

    (void)state;
    other = test_connect();
    watched = &busy;
    snprintf(sql, sizeof(sql), "UPDATE account_state SET modseq = modseq + 1 WHERE account_id = %lld", (long long)a);
    test_sql(other, "BEGIN");
    test_sql(other, sql);
    start(&busy);
    start(&free_one);
    coroutine_spawn("other", finish_other, (void *)(uintptr_t)"SELECT 1");
    while (!free_one.done)
        uv_run(loop_get(), UV_RUN_ONCE);
    assert_int_equal(free_one.result, RES_OK); /* a busy account delays only its own mail */
    assert_false(busy.done);
    loop_run();
    assert_int_equal(busy.result, RES_OK);
    PQfinish(other);
    test_counters(pg);
}

static void test_mailbox_removed(void **state)
{
    int64_t a;
    char sql[200], remove[200];
    struct job j = job_for("gone-a", &a);

    (void)state;
    other = test_connect();
    watched = &j;
    snprintf(sql, sizeof(sql), "SELECT FROM account_state WHERE account_id = %lld FOR NO KEY UPDATE", (long long)a);
    snprintf(remove, sizeof(remove), "DELETE FROM mailbox WHERE account_id = %lld", (long long)a);
    test_sql(other, "BEGIN");
    test_sql(other, sql);
    start(&j);
    coroutine_spawn("other", finish_other, remove);
    loop_run();
    assert_int_equal(j.result, RES_LIMIT);
    PQfinish(other);
    test_counters(pg);
}

static void test_large(void **state)
{
    int64_t a, b;
    struct job j = job_for("large-a", &a), k = job_for("large-b", &b);
    size_t len = 3 << 20;
    char *text = malloc(len);

    (void)state;
    memset(text, 'x', len);
    for (size_t i = 78; i + 1 < len; i += 80)
        memcpy(text + i, "\r\n", 2);
    memcpy(text, MESSAGE, sizeof(MESSAGE) - 1);
    j.message = str_of(text, len);
    j.targets[1] = k.targets[0];
    j.n = 2;
    start(&j);
    loop_run();
    assert_int_equal(j.result, RES_OK);
    assert_int_equal(test_number(pg, "SELECT count(*) FROM blob WHERE n = 12"), 2); /* header, and 12 frames of body */
    assert_int_equal(test_number(pg, "SELECT count(*) FROM (SELECT n, data FROM blob WHERE n > 0 GROUP BY n, data "
                                     "HAVING count(*) = 2) same"), 12);
    free(text);
    test_counters(pg);
}

#define CROWD 200
static void test_crowd(void **state)
{
    static struct job jobs[CROWD];
    struct job accounts[6];
    int64_t before = test_number(pg, "SELECT count(*) FROM message"), id;

    (void)state;
    for (size_t i = 0; i < 6; i++) {
        char name[20];

        snprintf(name, sizeof(name), "crowd-%zu", i);
        accounts[i] = job_for(name, &id);
    }
    for (size_t i = 0; i < CROWD; i++) { /* every order of three accounts */
        jobs[i] = accounts[i % 6];
        jobs[i].targets[1] = accounts[(i * 5 + 1) % 6].targets[0];
        jobs[i].n = jobs[i].targets[1].account_id == jobs[i].targets[0].account_id ? 1 : 2;
        start(&jobs[i]);
    }
    loop_run();
    for (size_t i = 0; i < CROWD; i++) {
        assert_int_equal(jobs[i].result, RES_OK);
        before += (int64_t)jobs[i].n;
    }
    assert_int_equal(test_number(pg, "SELECT count(*) FROM message"), before);
    test_counters(pg);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_two_mailboxes), cmocka_unit_test(test_over_quota),
        cmocka_unit_test(test_refused_by_the_database), cmocka_unit_test(test_busy_account),
        cmocka_unit_test(test_mailbox_removed), cmocka_unit_test(test_large), cmocka_unit_test(test_crowd),
    };

    return cmocka_run_group_tests_name("deliver", tests, setup, NULL);
}
