#include "tests/support/cmocka.h"

#include "base/macros.h"
#include "route/quota.h"

static const struct quota_case {
    const char *name;
    struct quota_figures q;
    uint64_t size;
    int64_t grace;
    bool want;
} cases[] = {
    { "no limit", { -1, INT64_MAX, -1, INT64_MAX }, UINT64_MAX, 0, true },
    { "fits exactly", { 100, 60, -1, 0 }, 40, 0, true },
    { "one too large", { 100, 60, -1, 0 }, 41, 0, false },
    { "size unknown, room", { 100, 99, -1, 0 }, 0, 0, true },
    { "size unknown, full", { 100, 100, -1, 0 }, 0, 0, false },
    { "over already", { 100, 500, -1, 0 }, 1, 0, false },
    { "nothing allowed", { 0, 0, -1, 0 }, 0, 0, false },
    { "grace takes it over", { 100, 99, -1, 0 }, 50, 49, true },
    { "past the grace", { 100, 99, -1, 0 }, 51, 49, false },
    { "no grace when full", { 100, 100, -1, 0 }, 1, 49, false },
    { "size beyond all", { INT64_MAX, 0, -1, 0 }, UINT64_MAX, 0, true },
    { "size beyond what is left", { INT64_MAX, 1, -1, 0 }, UINT64_MAX, 0, false },
    { "messages, room", { -1, 0, 5, 4 }, 9, 0, true },
    { "messages, full", { -1, 0, 5, 5 }, 9, 0, false },
    { "grace is of bytes alone", { -1, 0, 5, 5 }, 9, 1000, false },
};

static void run_case(void **state)
{
    const struct quota_case *c = *state;

    assert_int_equal(quota_has_room(&c->q, c->size, c->grace), c->want);
}

int main(void)
{
    struct CMUnitTest tests[ARRAY_LEN(cases)] = { 0 };

    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        tests[i] = (struct CMUnitTest){ .name = cases[i].name, .test_func = run_case, .initial_state = (void *)(uintptr_t)&cases[i] };
    return cmocka_run_group_tests_name("route/quota", tests, NULL, NULL);
}
