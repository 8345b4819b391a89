/* Where DATA ends, and what is in it: each case is fed whole, byte by byte, and cut at each place. */
#include "tests/support/cmocka.h"

#include "base/macros.h"
#include "base/strbuf.h"
#include "smtp/data.h"

static const struct data_case {
    const char *name;
    struct str in, out, rest;
    bool bare, ends;
} cases[] = {
    { "empty", { ".\r\n", 3 }, { "", 0 }, { "", 0 }, false, true },
    { "one line", { "a\r\n.\r\n", 6 }, { "a\r\n", 3 }, { "", 0 }, false, true },
    { "what follows is not ours", { "a\r\n.\r\nQUIT\r\n", 12 }, { "a\r\n", 3 }, { "QUIT\r\n", 6 }, false, true },
    { "a dot is unstuffed", { "..a\r\n...\r\n.\r\n", 13 }, { ".a\r\n..\r\n", 8 }, { "", 0 }, false, true },
    { "a dot inside a line", { "a.\r\n.\r\n", 7 }, { "a.\r\n", 4 }, { "", 0 }, false, true },
    { "single dot with text", { ".x\r\n.\r\n", 7 }, { "x\r\n", 3 }, { "", 0 }, false, true },
    { "LF . LF ends nothing", { "a\n.\nb\r\n.\r\n", 10 }, { "a\n.\nb\r\n", 7 }, { "", 0 }, true, true },
    { "LF . CR LF ends nothing", { "a\n.\r\nb\r\n.\r\n", 11 }, { "a\n.\r\nb\r\n", 8 }, { "", 0 }, true, true },
    { "CR LF . LF ends nothing", { "a\r\n.\nb\r\n.\r\n", 11 }, { "a\r\n\nb\r\n", 7 }, { "", 0 }, true, true },
    { "CR . CR ends nothing", { "a\r.\rb\r\n.\r\n", 10 }, { "a\r.\rb\r\n", 7 }, { "", 0 }, true, true },
    { "CR LF . CR CR LF ends nothing", { "a\r\n.\r\r\n.\r\n", 10 }, { "a\r\n\r\r\n", 6 }, { "", 0 }, true, true },
    { "CR LF . CR x ends nothing", { "\r\n.\rx\r\n.\r\n", 10 }, { "\r\n\rx\r\n", 6 }, { "", 0 }, true, true },
    { "CR CR LF", { "a\r\r\n.\r\n", 7 }, { "a\r\r\n", 4 }, { "", 0 }, true, true },
    { "NUL is data", { "a\0b\r\n.\r\n", 8 }, { "a\0b\r\n", 5 }, { "", 0 }, false, true },
    { "no end", { "a\r\n", 3 }, { "a\r\n", 3 }, { "", 0 }, false, false },
};

static void collect(void *arg, struct str piece)
{
    strbuf_add(arg, piece);
}

/* Feeds pieces of at most `step` bytes, the first of `first`. */
static void feed(const struct data_case *c, size_t first, size_t step)
{
    struct smtp_data d = { 0 };
    struct strbuf out = { 0 };
    size_t at = 0;

    while (at < c->in.len && d.state != DATA_END) {
        struct str piece = str_sub(c->in, at, at == 0 ? first : step);
        size_t took = smtp_data_feed(&d, piece, collect, &out);

        if (d.state != DATA_END)
            assert_int_equal(took, piece.len);
        at += took;
    }
    if (!str_eq(strbuf_str(&out), c->out) || d.bare != c->bare || (d.state == DATA_END) != c->ends ||
        !str_eq(str_from(c->in, at), c->rest))
        fail_msg("%s, cut at %zu and each %zu: %.*s", c->name, first, step, (int)out.len, out.p);
    strbuf_release(&out);
}

static void test_data(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        feed(&cases[i], 1, 1);
        for (size_t cut = 1; cut <= cases[i].in.len; cut++)
            feed(&cases[i], cut, cases[i].in.len);
    }
}

static const struct scan_case { /* chunks of BDAT */
    const char *name;
    struct str in;
    bool bare;
} scans[] = {
    { "nothing", { "", 0 }, false },
    { "lines", { "a\r\n\r\nb\r\n", 9 }, false },
    { "no line end at the end", { "a\r\nb", 4 }, false },
    { "a dot is no end", { ".\r\n.\r\n", 6 }, false },
    { "LF", { "a\nb\r\n", 5 }, true },
    { "LF first", { "\na\r\n", 4 }, true },
    { "LF behind a line", { "a\r\n\n", 4 }, true },
    { "CR", { "a\rb\r\n", 5 }, true },
    { "CR CR LF", { "a\r\r\n", 4 }, true },
    { "CR at the end", { "a\r\nb\r", 5 }, true },
    { "NUL is data", { "a\0b\r\n", 5 }, false },
};

static void test_scan(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(scans); i++) {
        const struct scan_case *c = &scans[i];

        for (size_t cut = 0; cut <= c->in.len; cut++) {
            struct smtp_data whole = { 0 }, each = { 0 };

            smtp_data_scan(&whole, str_sub(c->in, 0, cut), false);
            smtp_data_scan(&whole, str_from(c->in, cut), true);
            for (size_t k = 0; k < c->in.len; k++)
                smtp_data_scan(&each, str_sub(c->in, k, 1), false);
            smtp_data_scan(&each, STR(""), true);
            if (whole.bare != c->bare || each.bare != c->bare)
                fail_msg("%s, cut at %zu", c->name, cut);
        }
    }
}

static void test_scan_waits_for_the_line_feed(void **state)
{
    struct smtp_data d = { 0 };

    (void)state;
    smtp_data_scan(&d, STR("a\r"), false);
    smtp_data_scan(&d, STR(""), false);
    assert_false(d.bare || d.eight_bit);
    smtp_data_scan(&d, STR("\nol\xc3\xa1"), true);
    assert_false(d.bare);
    assert_true(d.eight_bit);
}

static void test_eight_bit(void **state)
{
    struct smtp_data d = { 0 };
    struct strbuf out = { 0 };

    (void)state;
    smtp_data_feed(&d, STR("only ASCII here, more than eight bytes\r\n"), collect, &out);
    assert_false(d.eight_bit);
    smtp_data_feed(&d, STR("ol\xc3\xa1\r\n"), collect, &out);
    assert_true(d.eight_bit);
    strbuf_release(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_data),
        cmocka_unit_test(test_eight_bit),
        cmocka_unit_test(test_scan),
        cmocka_unit_test(test_scan_waits_for_the_line_feed),
    };

    return cmocka_run_group_tests_name("smtp_data", tests, NULL, NULL);
}
