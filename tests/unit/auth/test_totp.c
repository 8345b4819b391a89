#include "tests/support/cmocka.h"

#include "auth/totp.h"
#include "base/encode.h"
#include "base/macros.h"

#define KEY STR("12345678901234567890")

/* RFC 6238, appendix B, the last six digits of those for SHA-1. */
static const struct vector {
    int64_t time;
    const char *code;
} vectors[] = {
    { 59, "287082" },         { 1111111109, "081804" },  { 1111111111, "050471" },
    { 1234567890, "005924" }, { 2000000000, "279037" },  { 20000000000, "353130" },
};

static void test_vectors(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(vectors); i++) {
        int64_t step;

        assert_true(totp_match(KEY, str_c(vectors[i].code), vectors[i].time, &step));
        assert_int_equal(step, vectors[i].time / 30);
    }
}

static void test_window(void **state)
{
    int64_t step;

    (void)state;
    assert_true(totp_match(KEY, STR("287082"), 89, &step)); /* the step before */
    assert_int_equal(step, 1);
    assert_false(totp_match(KEY, STR("287082"), 90, &step));
    assert_false(totp_match(KEY, STR("287082"), 29, &step)); /* the one behind */
    assert_false(totp_match(KEY, STR("28708"), 59, &step));
    assert_false(totp_match(KEY, STR("2870820"), 59, &step));
    assert_false(totp_match(KEY, STR(""), 59, &step));
}

static void test_base32(void **state)
{
    static const struct { const char *bytes, *text; } cases[] = { /* RFC 4648, 10 */
        { "", "" }, { "f", "MY" }, { "fo", "MZXQ" }, { "foo", "MZXW6" }, { "foob", "MZXW6YQ" }, { "fooba", "MZXW6YTB" },
        { "foobar", "MZXW6YTBOI" } };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        CLEANUP(arena_releasep) struct arena a = { 0 };

        assert_true(str_eq(base32_encode(&a, str_c(cases[i].bytes)), str_c(cases[i].text)));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_vectors), cmocka_unit_test(test_window),
                                        cmocka_unit_test(test_base32) };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
