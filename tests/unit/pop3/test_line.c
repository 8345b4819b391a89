#include "tests/support/cmocka.h"

#include "base/macros.h"
#include "base/strbuf.h"
#include "pop3/line.h"

static void test_parse(void **state)
{
    CLEANUP(arena_releasep) struct arena a = { 0 };
    struct pop3_line l;
    uint64_t n;

    (void)state;
    assert_int_equal(pop3_parse(STR("top 1 20"), &a, &l), RES_OK);
    assert_true(str_eq(l.verb, STR("TOP")) && l.n_args == 2 && str_eq(l.args[1], STR("20")));
    assert_int_equal(pop3_parse(STR("PASS  two  blanks "), &a, &l), RES_OK);
    assert_true(str_eq(l.rest, STR(" two  blanks "))); /* RFC 1939, 7: blanks are part of a password */
    assert_int_equal(pop3_parse(STR("RETR 1 2 3 4"), &a, &l), RES_INVALID);
    assert_int_equal(pop3_parse(STR(""), &a, &l), RES_INVALID);
    assert_int_equal(pop3_parse(STR(" STAT"), &a, &l), RES_INVALID);
    assert_int_equal(pop3_parse(STR("ST\0AT"), &a, &l), RES_INVALID);
    assert_int_equal(pop3_parse(STR("LIST\n1"), &a, &l), RES_INVALID);
    assert_false(str_u64(STR("-1"), 10, &n));
    assert_false(str_u64(STR("11"), 10, &n));
    assert_true(str_u64(STR("10"), 10, &n));
}

static const struct stuff_case {
    const char *name;
    struct str in;
    uint64_t body_lines;
    struct str out;
} cases[] = {
    { "nothing to stuff", { "A: b\r\n\r\nc\r\n", 11 }, UINT64_MAX, { "A: b\r\n\r\nc\r\n", 11 } },
    { "dots", { "A: b\r\n\r\n.\r\n..x\r\n", 16 }, UINT64_MAX, { "A: b\r\n\r\n..\r\n...x\r\n", 18 } },
    { "first byte", { ".A: b\r\n", 7 }, UINT64_MAX, { "..A: b\r\n", 8 } },
    { "no line end", { "\r\nabc", 5 }, UINT64_MAX, { "\r\nabc\r\n", 7 } },
    { "half a line end", { "\r\nabc\r", 6 }, UINT64_MAX, { "\r\nabc\r\n", 7 } },
    { "bare LF before a dot", { "\r\na\n.b\r\n", 8 }, UINT64_MAX, { "\r\na\n..b\r\n", 9 } },
    { "TOP 0", { "A: b\r\n\r\nc\r\nd\r\n", 14 }, 0, { "A: b\r\n\r\n", 8 } },
    { "TOP 1", { "A: b\r\n\r\nc\r\nd\r\n", 14 }, 1, { "A: b\r\n\r\nc\r\n", 11 } },
    { "TOP of more than there is", { "A: b\r\n\r\nc\r\n", 11 }, 99, { "A: b\r\n\r\nc\r\n", 11 } },
    { "TOP without a body", { "A: b\r\n", 6 }, 3, { "A: b\r\n", 6 } },
    { "TOP, LF only", { "A: b\n\nc\nd\n", 10 }, 1, { "A: b\n\nc\n", 8 } },
    { "CR CR LF is no blank line", { "A: b\r\n\r\r\nc\r\n", 12 }, 0, { "A: b\r\n\r\r\nc\r\n", 12 } },
    { "empty", { "", 0 }, UINT64_MAX, { "", 0 } },
};

static void collect(void *arg, struct str bytes)
{
    strbuf_add(arg, bytes);
}

static void stuff(const struct stuff_case *c, size_t step)
{
    struct pop3_stuffer st;
    struct strbuf out = { 0 };

    pop3_stuffer_init(&st, c->body_lines);
    for (size_t at = 0; at < c->in.len && !st.done; at += step)
        pop3_stuff(&st, str_sub(c->in, at, step), collect, &out);
    strbuf_add(&out, pop3_stuffer_end(&st));
    if (!str_eq(strbuf_str(&out), c->out))
        fail_msg("%s by %zu: %.*s", c->name, step, (int)out.len, out.p);
    strbuf_release(&out);
}

static void test_stuff(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        for (size_t step = 1; step <= cases[i].in.len + 1; step++)
            stuff(&cases[i], step);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_parse), cmocka_unit_test(test_stuff) };

    return cmocka_run_group_tests_name("pop3_line", tests, NULL, NULL);
}
