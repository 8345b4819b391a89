/* Who hears of which mailbox, and what goes to the other processes. */
#include "tests/support/database.h"

#include "base/macros.h"
#include "store/notify.h"

static struct db *db;
static bool skip;

static void test_receive(void **state UNUSED)
{
    struct notify_watch a = { 0 }, b = { 0 }, c = { 0 };

    notify_add(&a, 5);
    notify_add(&b, 5 + 1024); /* the same bucket */
    notify_add(&c, 7);
    notify_receive(NULL, STR("5"));
    assert_true(a.dirty && !b.dirty && !c.dirty);
    a.dirty = false;
    notify_receive(NULL, STR("7,1029,99999"));
    assert_true(!a.dirty && b.dirty && c.dirty);
    b.dirty = c.dirty = false;
    notify_receive(NULL, STR("7:40,5:12,7:39,1029:0"));
    assert_true(!a.dirty && b.dirty && !c.dirty);
    assert_int_equal(a.news, 12);
    assert_int_equal(b.news, 0);
    assert_int_equal(c.news, 40); /* the latest one, in whatever order they come */
    b.dirty = false;
    notify_remove(&b);
    notify_receive(NULL, STR_NULL);
    assert_true(a.dirty && !b.dirty && c.dirty);
    a.dirty = c.dirty = false;
    notify_receive(NULL, STR("7,x"));
    assert_true(a.dirty && c.dirty);
    a.dirty = c.dirty = false;
    notify_receive(NULL, STR("7:x"));
    assert_true(a.dirty && c.dirty);
    notify_remove(&a);
    notify_remove(&a);
    notify_remove(&c);
}

static char heard[16384];
static unsigned times;

static void on_mail(void *arg UNUSED, struct str payload)
{
    if (payload.p == NULL)
        return; /* the connection is up */
    (void)snprintf(heard, sizeof(heard), "%.*s", STR_ARG(payload));
    times++;
}

static void wait_heard(unsigned n)
{
    while (times < n)
        (void)coroutine_sleep(1);
}

static void tell_others(void *arg UNUSED)
{
    struct notify_watch here = { 0 };

    db = db_new(database_conninfo("correio_access"), 2);
    db_listen(db, "mail", on_mail, NULL);
    notify_add(&here, 3);
    while (times == 0) { /* until the other connection listens */
        notify_changed(db, 1, 0);
        (void)coroutine_sleep(10);
    }
    while (coroutine_count() > 2) /* this one and the listener */
        (void)coroutine_sleep(1);
    times = 0;
    notify_changed(db, 3, 12);
    assert_int_equal(here.news, 12); /* at once */
    notify_changed(db, 4, 9);
    notify_changed(db, 3, 11);
    notify_changed(db, 5, 2);
    notify_changed(db, 5, 0);
    assert_true(!here.dirty && times == 0);
    wait_heard(1);
    assert_string_equal(heard, "3:12,4:9,5"); /* all that had gathered, in one */
    for (int64_t id = 1; id <= 1000; id++)
        notify_changed(db, id, id);
    wait_heard(2);
    assert_string_equal(heard, ""); /* too many to name: everyone looks */
    notify_remove(&here);
    loop_stop();
}

static void test_tell(void **state UNUSED)
{
    if (skip)
        return;
    assert_non_null(coroutine_spawn("test", tell_others, NULL));
    loop_run();
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_receive), cmocka_unit_test(test_tell) };
    int failed;

    skip = !database_create();
    failed = cmocka_run_group_tests_name("store_notify", tests, NULL, NULL);
    if (!skip)
        database_drop();
    return failed;
}
