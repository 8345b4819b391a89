#include "tests/support/cmocka.h"

#include "io/coroutine.h"

#include <string.h>
#include <unistd.h>

static char trace[64];

static void say(const char *what)
{
    strncat(trace, what, sizeof(trace) - strlen(trace) - 1);
}

static struct coroutine *sleeper;

static void sleeps_for_long(void *arg)
{
    (void)arg;
    sleeper = coroutine_self();
    if (coroutine_sleep(60000) == RES_CANCELLED)
        say("cancelled,");
    if (coroutine_wait(deadline_in(1), false) == RES_TIMEOUT) /* a wait that protects data is not cut short */
        say("protected,");
    if (coroutine_wait(NO_DEADLINE, true) == RES_CANCELLED) /* the cancellation stays */
        say("stays,");
}

static void cancels(void *arg)
{
    (void)arg;
    say("a,");
    if (coroutine_sleep(2) == RES_OK)
        say("b,");
    coroutine_cancel(sleeper);
}

static void test_cancel(void **state)
{
    (void)state;
    trace[0] = '\0';
    coroutine_spawn("sleeper", sleeps_for_long, NULL);
    coroutine_spawn("canceller", cancels, NULL);
    loop_run();
    assert_string_equal(trace, "a,b,cancelled,protected,stays,");
    assert_int_equal(coroutine_count(), 0);
}

static void is_started(void *arg)
{
    (void)arg;
    say("b,");
}

static void starts_and_yields(void *arg)
{
    (void)arg;
    say("a,");
    coroutine_spawn("started", is_started, NULL);
    if (coroutine_sleep(0) == RES_OK) /* it is over at once: nobody else has run */
        say("still,");
    coroutine_yield();
    say("c,");
}

static void test_yield(void **state)
{
    (void)state;
    trace[0] = '\0';
    coroutine_spawn("starter", starts_and_yields, NULL);
    loop_run();
    assert_string_equal(trace, "a,still,b,c,");
}

static struct waitlist list;

static void waits_in_line(void *arg)
{
    if (waitlist_wait(&list, NO_DEADLINE, true) == RES_OK)
        say(arg);
}

static void waits_shortly(void *arg)
{
    (void)arg;
    if (waitlist_wait(&list, deadline_in(1), true) == RES_TIMEOUT)
        say("late,");
}

static void wakes(void *arg)
{
    (void)arg;
    coroutine_sleep(5);
    waitlist_wake_one(&list);
    coroutine_sleep(1);
    say("then,");
    waitlist_wake_all(&list);
}

static void test_waitlist(void **state)
{
    char first[] = "1,", second[] = "2,", third[] = "3,";

    (void)state;
    trace[0] = '\0';
    coroutine_spawn("w", waits_in_line, first);
    coroutine_spawn("w", waits_shortly, NULL);
    coroutine_spawn("w", waits_in_line, second);
    coroutine_spawn("w", waits_in_line, third);
    coroutine_spawn("w", wakes, NULL);
    loop_run();
    assert_string_equal(trace, "late,1,then,2,3,");
    assert_null(list.first);
}

static unsigned ran;

static void uses_stack(void *arg)
{
    volatile char block[8000];

    memset((char *)block, (int)(uintptr_t)arg, sizeof(block));
    coroutine_sleep(1 + (int64_t)((uintptr_t)arg % 7));
    for (size_t i = 0; i < sizeof(block); i++)
        assert_int_equal((unsigned char)block[i], (unsigned char)(uintptr_t)arg);
    ran++;
}

static void test_many(void **state)
{
    (void)state;
    for (int round = 0; round < 3; round++) { /* the later rounds use the stacks of the first */
        ran = 0;
        for (uintptr_t i = 0; i < 500; i++)
            assert_non_null(coroutine_spawn("many", uses_stack, (void *)i));
        loop_run();
        assert_int_equal(ran, 500);
    }
}

static void blocks(void *arg)
{
    usleep(2000);
    *(int *)arg = 42;
}

static void works(void *arg)
{
    coroutine_work(blocks, arg);
    say(*(int *)arg == 42 ? "done" : "early");
}

static void test_work(void **state)
{
    int value = 0;

    (void)state;
    trace[0] = '\0';
    coroutine_spawn("work", works, &value);
    loop_run();
    assert_string_equal(trace, "done");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_cancel),
        cmocka_unit_test(test_yield),
        cmocka_unit_test(test_waitlist),
        cmocka_unit_test(test_many),
        cmocka_unit_test(test_work),
    };

    return cmocka_run_group_tests_name("coroutine", tests, NULL, NULL);
}
