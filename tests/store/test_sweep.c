/* What was expunged a week ago loses its body; what is in a mailbox, or was expunged a moment ago, does not. */
#include "tests/store/support.h"

#include "deliver/deliver.h"
#include "store/message_write.h"
#include "store/sweep.h"

#define MESSAGE "Return-Path: <>\r\nSubject: sweep\r\n\r\nbody\r\n"
#define RETURN_PATH 17

static PGconn *pg;
static struct db *db;
static int64_t account, inbox, other_box;

static bool never(void *arg)
{
    (void)arg;
    return false;
}

static void deliver_one(struct deliver *d)
{
    struct accept_target target = { .account_id = account, .mailbox_id = inbox, .recipient = STR("x@example.test") };
    const struct queue_new envelope = { .reverse_path = STR(""), .expire_s = 60 };
    struct accept_message m = { .message = STR(MESSAGE), .return_path_len = RETURN_PATH, .targets = &target,
                                 .n_targets = 1, .envelope = &envelope };

    assert_int_equal(deliver_id(d, &m.id), RES_OK);
    assert_int_equal(deliver_submit(d, &m), RES_OK);
}

static void play(void *arg)
{
    CLEANUP(arena_releasep) struct arena a = { 0 };
    const struct principal who = { .account_id = account };
    const struct message_change deleted = { .set = FLAG_DELETED, .unchanged_since = -1 };
    const int64_t uids[] = { 1, 2, 3 };
    struct message_stored_list stored;
    struct message_copied copied;
    struct message_removed removed;
    int64_t swept;

    for (int i = 0; i < 3; i++)
        deliver_one(arg);
    assert_int_equal(message_copy(db, &who, inbox, uids, 1, other_box, &a, &copied), RES_OK); /* 1 lives on elsewhere */
    assert_int_equal(message_store(db, &who, inbox, uids, 3, &deleted, &a, &stored), RES_OK);
    assert_int_equal(message_expunge(db, &who, inbox, uids, 3, &a, &removed), RES_OK);
    assert_int_equal(removed.n, 3);
    assert_int_equal(sweep_mail(db, 100, never, NULL, &swept), RES_OK);
    assert_int_equal(swept, 0); /* too young */
    test_sql(pg, "UPDATE expunged SET at = at - interval '8 days' WHERE uid < 3");
    assert_int_equal(sweep_mail(db, 1, never, NULL, &swept), RES_OK); /* one a transaction */
    assert_int_equal(swept, 2);
    loop_stop();
}

static void test_sweep(void **state)
{
    (void)state;
    pg = test_connect();
    db = db_new(test_conninfo(), 3);
    test_account(pg, "sweep", &account, &inbox);
    test_sql(pg, "INSERT INTO mailbox (account_id, name, uidvalidity) SELECT account_id, 'Other', 2 FROM account_state s "
                 "JOIN account a ON a.id = s.account_id WHERE a.address = 'sweep@example.test'");
    other_box = test_number(pg, "SELECT id FROM mailbox WHERE name = 'Other'");
    test_run(play, deliver_new(db));
    assert_int_equal(test_number(pg, "SELECT count(*) FROM email WHERE base_subject = 'sweep'"), 2); /* 1 and 3 */
    assert_int_equal(test_number(pg, "SELECT count(*) FROM blob b JOIN email e ON e.account_id = b.account_id AND e.id = b.email_id "
                                     "WHERE base_subject = 'sweep'"), 2);
    assert_int_equal(test_number(pg, "SELECT count(*) FROM blob b WHERE NOT EXISTS (SELECT FROM email e WHERE e.account_id = "
                                     "b.account_id AND e.id = b.email_id)"), 0);
    test_counters(pg);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_sweep) };

    return cmocka_run_group_tests_name("sweep", tests, NULL, NULL);
}
