/* Recipients are counted by the transaction that accepts the message: once, for who submitted it, and not when it fails. */
#include "tests/store/support.h"

#include "deliver/deliver.h"
#include "store/sent.h"

#define MESSAGE "Return-Path: <>\r\nSubject: sent\r\n\r\nbody\r\n"
#define RETURN_PATH 17

static PGconn *pg;
static struct db *db;
static int64_t sender, other, inbox, other_inbox;

static enum result submit(struct deliver *d, int64_t by, size_t to, int64_t mailbox)
{
    struct accept_target target = { .account_id = other, .mailbox_id = mailbox, .recipient = STR("x@example.test") };
    struct accept_message m = { .message = STR(MESSAGE), .return_path_len = RETURN_PATH, .targets = &target, .n_targets = 1,
                                .sent_by = by, .sent_to = to };

    assert_int_equal(deliver_id(d, &m.id), RES_OK);
    return deliver_submit(d, &m);
}

static void expect(int64_t hour, int64_t day)
{
    struct sent_use use;

    assert_int_equal(sent_get(db, sender, &use), RES_OK);
    assert_int_equal(use.hour, hour);
    assert_int_equal(use.day, day);
}

static void play(void *arg)
{
    int64_t hours[SENT_HOURS];
    struct sent_use use;

    expect(0, 0);
    assert_int_equal(submit(arg, sender, 3, other_inbox), RES_OK);
    assert_int_equal(submit(arg, 0, 9, other_inbox), RES_OK); /* from outside: nobody's */
    assert_int_equal(submit(arg, sender, 2, other_inbox), RES_OK);
    expect(5, 5);
    test_sql(pg, "UPDATE sent SET at = at - interval '2 hours'");
    assert_int_equal(submit(arg, sender, 1, other_inbox), RES_OK);
    expect(1, 6);
    assert_int_equal(sent_hours(db, sender, hours), RES_OK);
    assert_int_equal(hours[SENT_HOURS - 1], 1);
    assert_int_equal(hours[SENT_HOURS - 3] + hours[SENT_HOURS - 4], 5);
    test_sql(pg, "UPDATE sent SET at = at - interval '24 hours'");
    expect(0, 0);
    assert_int_equal(sent_sweep(db), RES_OK);
    assert_int_equal(test_number(pg, "SELECT sum(recipients) FROM sent"), 1); /* 24 hours are kept */

    assert_int_equal(sent_get(db, INT64_C(999999), &use), RES_NOTFOUND);
    assert_int_equal(sent_get(db, sender, &use), RES_OK);
    assert_true(use.limits.per_hour == SENT_NO_LIMIT && use.limits.per_day == SENT_NO_LIMIT);
    test_sql(pg, "UPDATE domain SET recipients_per_hour = 10, recipients_per_day = 100 WHERE name = 'example.test'");
    test_sql(pg, "UPDATE account SET recipients_per_hour = -1 WHERE address = 'sender@example.test'");
    assert_int_equal(sent_get(db, sender, &use), RES_OK);
    assert_true(use.limits.per_hour == SENT_NO_LIMIT && use.limits.per_day == 100);
    test_sql(pg, "UPDATE domain SET recipients_per_hour = NULL, recipients_per_day = NULL WHERE name = 'example.test'");
    loop_stop();
}

static void test_sent(void **state)
{
    (void)state;
    pg = test_connect();
    db = db_new(test_conninfo(), 3);
    test_account(pg, "sender", &sender, &inbox);
    test_account(pg, "receiver", &other, &other_inbox);
    test_run(play, deliver_new(db));
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_sent) };

    return cmocka_run_group_tests_name("sent", tests, NULL, NULL);
}
