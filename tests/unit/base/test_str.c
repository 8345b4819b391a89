#include "tests/support/cmocka.h"

#include "base/encode.h"
#include "base/strbuf.h"

static void test_split(void **state)
{
    struct str rest = STR("a,,b"), piece;

    (void)state;
    assert_true(str_split(&rest, ',', &piece) && str_eq(piece, STR("a")));
    assert_true(str_split(&rest, ',', &piece) && str_eq(piece, STR("")));
    assert_true(str_split(&rest, ',', &piece) && str_eq(piece, STR("b")));
    assert_false(str_split(&rest, ',', &piece));
}

static void test_u64(void **state)
{
    uint64_t v = 7;

    (void)state;
    assert_true(str_u64(STR("18446744073709551615"), UINT64_MAX, &v) && v == UINT64_MAX);
    assert_false(str_u64(STR("18446744073709551616"), UINT64_MAX, &v));
    assert_false(str_u64(STR("11"), 10, &v));
    assert_true(str_u64(STR("10"), 10, &v) && v == 10);
    assert_true(str_u64(STR("3"), 9, &v) && v == 3);
    assert_false(str_u64(STR("-1"), 10, &v));
    assert_false(str_u64(STR(""), 10, &v));
    assert_false(str_u64(STR("1 "), 10, &v));
}

static void test_units(void **state)
{
    uint64_t v;

    (void)state;
    assert_true(str_size(STR("50 MiB"), &v) && v == 50u << 20);
    assert_true(str_size(STR("256k"), &v) && v == 256u << 10);
    assert_true(str_size(STR("10MB"), &v) && v == 10000000);
    assert_false(str_size(STR("10 apples"), &v));
    assert_false(str_size(STR("99999999999999999999"), &v));
    assert_false(str_size(STR("9223372036854775807k"), &v));
    assert_true(str_duration(STR("5d"), &v) && v == 432000);
    assert_true(str_duration(STR("15m"), &v) && v == 900);
    assert_false(str_duration(STR("m"), &v));
}

static void test_utf8(void **state)
{
    (void)state;
    assert_true(str_is_utf8(STR("ol\xc3\xa1 \xf0\x9f\x93\xa7")));
    assert_false(str_is_utf8(STR("\xc0\x80")));         /* overlong */
    assert_false(str_is_utf8(STR("\xed\xa0\x80")));     /* surrogate */
    assert_false(str_is_utf8(STR("\xf4\x90\x80\x80"))); /* above U+10FFFF */
    assert_false(str_is_utf8(STR("\xe2\x82")));         /* cut */
    assert_false(str_is_utf8(STR("a\0b")));
}

static void test_base64(void **state)
{
    CLEANUP(arena_releasep) struct arena a = { 0 };
    struct str out;

    (void)state;
    assert_true(str_eq(base64_encode(&a, STR("a")), STR("YQ==")));
    assert_int_equal(base64_decode(&a, STR("YWxpY2U="), &out), RES_OK);
    assert_true(str_eq(out, STR("alice")));
    assert_int_equal(base64_decode(&a, STR("YWxpY2U"), &out), RES_INVALID);
    assert_int_equal(base64_decode(&a, STR("YW=pY2U="), &out), RES_INVALID);
    assert_int_equal(base64_decode(&a, STR("===="), &out), RES_INVALID);
    assert_int_equal(base64_decode(&a, STR("Y Q="), &out), RES_INVALID);
    assert_int_equal(base64_decode(&a, STR(""), &out), RES_OK);
    assert_int_equal(out.len, 0);
}

static void test_ids(void **state)
{
    CLEANUP(arena_releasep) struct arena a = { 0 };
    static const int64_t ids[] = { 1, 31, 32, 1234, 1u << 31, INT64_MAX };
    int64_t back;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(ids); i++) {
        assert_true(id_decode('q', id_encode(&a, 'q', ids[i]), &back));
        assert_int_equal(back, ids[i]);
    }
    assert_false(id_decode('q', STR("q"), &back));
    assert_false(id_decode('q', STR("q0"), &back));
    assert_false(id_decode('q', STR("q01"), &back));
    assert_false(id_decode('q', STR("t1"), &back));
    assert_false(id_decode('q', STR("qil"), &back));
    assert_false(id_decode('q', STR("qzzzzzzzzzzzzz"), &back));
    assert_false(id_decode('q', STR("q1\0"), &back));
}

static void test_strbuf_limit(void **state)
{
    struct strbuf b = { .max = 5 };

    (void)state;
    assert_int_equal(strbuf_adds(&b, "abc"), RES_OK);
    assert_int_equal(strbuf_adds(&b, "def"), RES_LIMIT);
    assert_int_equal(strbuf_adds(&b, "d"), RES_LIMIT); /* it stays refused: one check at the end is enough */
    assert_true(str_eq(strbuf_str(&b), STR("abc")));
    strbuf_reset(&b);
    assert_int_equal(strbuf_addf(&b, "%d", 12345), RES_OK);
    strbuf_release(&b);
}

static void test_arena(void **state)
{
    struct arena a = { 0 };
    char *big, *small = arena_alloc(&a, 10);

    (void)state;
    memset(small, 'x', 10);
    big = arena_alloc(&a, 100000);
    assert_int_equal(big[99999], 0);
    assert_ptr_equal(arena_alloc(&a, 10), small + 16); /* the open chunk is still used after a big one */
    assert_true(str_eq(arena_printf(&a, "%s-%d", "x", 5), STR("x-5")));
    arena_reset(&a);
    assert_null(a.head);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_split), cmocka_unit_test(test_u64),    cmocka_unit_test(test_units),
        cmocka_unit_test(test_utf8),  cmocka_unit_test(test_base64), cmocka_unit_test(test_ids),
        cmocka_unit_test(test_strbuf_limit), cmocka_unit_test(test_arena),
    };

    return cmocka_run_group_tests_name("base", tests, NULL, NULL);
}
