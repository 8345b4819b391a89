#include "tests/support/cmocka.h"

#include "auth/letters.h"
#include "base/macros.h"

static const struct read_case {
    const char *name, *typed;
    enum result want;
} cases[] = {
    { "as shown", "abcde-fghij", RES_OK },
    { "without groups", "abcdefghij", RES_OK },
    { "by blanks, in capitals", " ABCDE FGHIJ ", RES_OK },
    { "too short", "abcde-fghi", RES_INVALID },
    { "too long", "abcde-fghij-k", RES_INVALID },
    { "a digit", "abcde-fghi1", RES_INVALID },
    { "not ASCII", "abcde-fghi\xc3\xa9", RES_INVALID },
    { "empty", "", RES_INVALID },
};

static void test_read(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        CLEANUP(arena_releasep) struct arena a = { 0 };
        struct str letters;
        enum result r = letters_read(&a, str_c(cases[i].typed), 10, &letters);

        if (r != cases[i].want)
            fail_msg("%s: got %s", cases[i].name, result_name(r));
        if (r == RES_OK)
            assert_true(str_eq(letters, STR("abcdefghij")));
    }
}

static void test_make(void **state)
{
    CLEANUP(arena_releasep) struct arena a = { 0 };
    struct str one = letters_make(&a, 4, 5), two = letters_make(&a, 4, 5), letters;

    (void)state;
    assert_int_equal(one.len, 23);
    assert_true(one.p[5] == '-' && one.p[11] == '-' && one.p[17] == '-');
    assert_int_equal(letters_read(&a, one, 20, &letters), RES_OK);
    assert_false(str_eq(one, two));
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_read), cmocka_unit_test(test_make) };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
