#include "tests/support/cmocka.h"

#include "deliver/srs.h"
#include "mail/address.h"

static struct arena arena;

/* What comes back for an address that we gave out. */
static enum result reverse(struct str address, struct str *ret)
{
    struct str local, domain;

    assert_int_equal(address_parse_mailbox(address, true, &arena, &local, &domain), RES_OK);
    return srs_reverse(&arena, local, ret);
}

static void test_round_trip(void **state)
{
    static const char *const senders[] = { "joe@far.test", "a=b=c@far.test", "joe+tag@sub.far.test", "SRS0=x=y=z.test=joe@first.test",
                                           "SRS1=abc=first.test==x=y=z.test=joe@second.test", "jo\xc3\xa9@far.test" };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(senders); i++) {
        struct str given = srs_forward(&arena, str_c(senders[i]), STR("our.test")), back;

        assert_true(str_ends(given, STR("@our.test")));
        assert_int_equal(reverse(given, &back), RES_OK);
        if (i < 3 || i == 5)
            assert_true(str_eq(back, str_c(senders[i])));
    }
}

/* A second forwarder does not make it longer and longer: it leads to the first one. */
static void test_chain(void **state)
{
    struct str first = srs_forward(&arena, STR("joe@far.test"), STR("one.test")), back;
    struct str second = srs_forward(&arena, first, STR("two.test")), third = srs_forward(&arena, second, STR("three.test"));

    (void)state;
    assert_true(str_starts(first, STR("SRS0=")) && str_starts(second, STR("SRS1=")) && str_starts(third, STR("SRS1=")));
    assert_int_equal(third.len, second.len + 2); /* only the domain is longer */
    assert_int_equal(reverse(third, &back), RES_OK);
    assert_true(str_eq(back, first));
}

static void test_kept(void **state)
{
    char local[65] = { 0 };
    struct str lengthy;

    (void)state;
    memset(local, 'x', 60);
    lengthy = arena_printf(&arena, "%s@far.test", local);
    assert_true(str_eq(srs_forward(&arena, STR(""), STR("our.test")), STR("")));
    assert_true(str_eq(srs_forward(&arena, STR("bob@our.test"), STR("our.test")), STR("bob@our.test")));
    assert_true(str_eq(srs_forward(&arena, STR("bob@[192.0.2.1]"), STR("our.test")), STR("bob@[192.0.2.1]")));
    assert_true(str_eq(srs_forward(&arena, lengthy, STR("our.test")), lengthy)); /* a local part has 64 octets at most */
}

static void test_forged(void **state)
{
    struct str given = srs_forward(&arena, STR("joe@far.test"), STR("our.test")), back;
    static const char *const none[] = { "joe", "SRS", "SRS0", "SRS0joe", "srs2=a=b=c", "" };
    static const char *const bad[] = { "SRS0=", "SRS0==", "SRS0=abcdef", "SRS0=abcdef=ab=far.test=joe", "SRS1=abcdef=far.test==a", "SRS0=======" };

    (void)state;
    for (size_t i = 5; i + 9 < given.len; i++) { /* one letter of hash, day, domain or local part */
        struct str changed = arena_str(&arena, given);

        ((char *)(uintptr_t)changed.p)[i] = changed.p[i] == 'z' ? 'y' : 'z';
        assert_int_equal(reverse(changed, &back), RES_INVALID);
    }
    for (size_t i = 0; i < ARRAY_LEN(none); i++)
        assert_int_equal(srs_reverse(&arena, str_c(none[i]), &back), RES_NOTFOUND);
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        assert_int_not_equal(srs_reverse(&arena, str_c(bad[i]), &back), RES_OK);
    srs_set_key(STR("another key, of sixteen bytes and more"));
    assert_int_equal(reverse(given, &back), RES_INVALID);
    srs_set_key(STR("0123456789abcdef0123456789abcdef"));
    assert_int_equal(reverse(arena_lower(&arena, given), &back), RES_OK); /* case gets lost on the way */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_round_trip),
        cmocka_unit_test(test_chain),
        cmocka_unit_test(test_kept),
        cmocka_unit_test(test_forged),
    };
    int failed;

    srs_set_key(STR("0123456789abcdef0123456789abcdef"));
    failed = cmocka_run_group_tests(tests, NULL, NULL);
    arena_reset(&arena);
    return failed;
}
