#include "tests/support/cmocka.h"

#include "auth/sasl.h"
#include "auth/throttle.h"
#include "base/encode.h"
#include "base/macros.h"

static const struct sasl_case {
    const char *name;
    struct str message;
    enum result want;
} cases[] = {
    { "plain", { "\0alice\0secret", 13 }, RES_OK },
    { "same authzid", { "alice\0alice\0secret", 18 }, RES_OK },
    { "empty password", { "\0alice\0", 7 }, RES_OK },
    { "for another", { "bob\0alice\0secret", 16 }, RES_DENIED },
    { "no NUL", { "alice", 5 }, RES_INVALID },
    { "one NUL", { "\0alice", 6 }, RES_INVALID },
    { "no user", { "\0\0secret", 8 }, RES_INVALID },
    { "NUL in the password", { "\0alice\0sec\0ret", 14 }, RES_INVALID },
};

static void test_plain(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        CLEANUP(arena_releasep) struct arena a = { 0 };
        struct str user, password;
        enum result r = sasl_plain(&a, base64_encode(&a, cases[i].message), &user, &password);

        if (r != cases[i].want)
            fail_msg("%s: got %s", cases[i].name, result_name(r));
        if (r == RES_OK)
            assert_true(str_eq(user, STR("alice")));
    }
}

static void test_not_base64(void **state)
{
    CLEANUP(arena_releasep) struct arena a = { 0 };
    struct str user, password;

    (void)state;
    assert_int_equal(sasl_plain(&a, STR("!!!!"), &user, &password), RES_INVALID);
    assert_int_equal(sasl_plain(&a, STR(""), &user, &password), RES_INVALID);
}

static void test_throttle(void **state)
{
    struct str user = STR("alice@example.test"), ip = STR("192.0.2.7"), near = STR("192.0.2.9"), far = STR("198.51.100.1");
    int64_t now = 1000;

    (void)state;
    for (int i = 0; i < 8; i++) {
        assert_int_equal(throttle_wait_ms(user, ip, now), 0);
        throttle_failed(user, ip, now);
    }
    throttle_failed(user, ip, now);
    assert_true(throttle_wait_ms(user, ip, now) > 0);
    assert_true(throttle_wait_ms(user, near, now) > 0); /* the same network */
    assert_int_equal(throttle_wait_ms(user, far, now), 0);
    assert_int_equal(throttle_wait_ms(STR("bob@example.test"), ip, now), 0);
    for (int i = 0; i < 100; i++)
        throttle_failed(user, ip, now);
    assert_in_range(throttle_wait_ms(user, ip, now), 1, 60000); /* never for good */
    assert_int_equal(throttle_wait_ms(user, ip, now + 60001), 0);
    throttle_succeeded(user, ip);
    assert_int_equal(throttle_wait_ms(user, ip, now), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_plain), cmocka_unit_test(test_not_base64),
                                        cmocka_unit_test(test_throttle) };

    return cmocka_run_group_tests_name("auth", tests, NULL, NULL);
}
