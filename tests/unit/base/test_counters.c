#include "tests/support/cmocka.h"

#include "base/counters.h"
#include "base/macros.h"

#include <sys/mman.h>
#include <unistd.h>

static int make_memory(size_t size)
{
    int fd = memfd_create("counters", MFD_CLOEXEC);

    assert_true(fd >= 0);
    assert_int_equal(ftruncate(fd, (off_t)size), 0);
    return fd;
}

static void test_another_size_is_refused(void **state)
{
    (void)state;
    assert_null(counters_map(make_memory(sizeof(struct counters) - 1)));
    assert_null(counters_map(make_memory(sizeof(struct counters) + 1)));
    assert_null(counters_map(-1));
    assert_false(counters_attach(make_memory(0)));
    counters->attempts[0]++; /* still in its own memory */
}

static void test_totals_outlive_a_process_and_gauges_do_not(void **state)
{
    int fd = make_memory(sizeof(struct counters));
    const struct counters *seen = counters_map(dup(fd));

    (void)state;
    assert_non_null(seen);
    assert_true(counters_attach(dup(fd)));
    counters->connections[1] += 3;
    counters->open[1] += 2;
    assert_int_equal(seen->connections[1], 3);
    assert_int_equal(seen->open[1], 2);
    assert_true(counters_attach(fd));
    assert_int_equal(seen->connections[1], 3);
    assert_int_equal(seen->open[1], 0);
}

static void test_buckets(void **state)
{
    static const struct { uint64_t microseconds; size_t bucket; } cases[] = {
        { 0, 0 }, { 1000, 0 }, { 1001, 1 }, { 10000000, COUNTERS_BUCKETS - 1 }, { 10000001, COUNTERS_BUCKETS }, { UINT64_MAX / 2, COUNTERS_BUCKETS },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        uint64_t before = counters->commits[cases[i].bucket], messages = counters->commit_messages;

        counters_commit(cases[i].microseconds, 7);
        assert_int_equal(counters->commits[cases[i].bucket], before + 1);
        assert_int_equal(counters->commit_messages, messages + 7);
    }
}

static void test_what_came_since_the_last_time(void **state)
{
    uint64_t told = 0;

    (void)state;
    assert_int_equal(counters_take(&told, 0), 0);
    assert_int_equal(counters_take(&told, 7), 7);
    assert_int_equal(counters_take(&told, 7), 0);
    assert_int_equal(counters_take(&told, 9), 2);
    assert_int_equal(counters_take(&told, 3), 3); /* it began at 0 again */
    assert_int_equal(counters_take(&told, 4), 1);
    assert_int_equal(counters_take(&told, UINT64_MAX), UINT64_MAX - 4);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_came_since_the_last_time),
        cmocka_unit_test(test_another_size_is_refused),
        cmocka_unit_test(test_totals_outlive_a_process_and_gauges_do_not),
        cmocka_unit_test(test_buckets),
    };

    return cmocka_run_group_tests_name("counters", tests, NULL, NULL);
}
