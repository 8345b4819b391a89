#include "tests/support/cmocka.h"

#include "base/macros.h"
#include "base/strbuf.h"
#include "mail/data.h"

static void to_buffer(void *arg, struct str bytes)
{
    assert_int_equal(strbuf_add(arg, bytes), RES_OK);
}

static const struct data_case {
    const char *name, *in, *want;
} cases[] = {
    { "empty", "", ".\r\n" },
    { "lines", "a: b\r\n\r\nbody\r\n", "a: b\r\n\r\nbody\r\n.\r\n" },
    { "no last line end", "a\r\nb", "a\r\nb\r\n.\r\n" },
    { "dot at the start", ".a\r\n", "..a\r\n.\r\n" },
    { "dot line", "a\r\n.\r\nb\r\n", "a\r\n..\r\nb\r\n.\r\n" },
    { "dots inside stay", "a.b\r\nc.\r\n", "a.b\r\nc.\r\n.\r\n" },
    { "two dots", "..\r\n", "...\r\n.\r\n" },
    { "empty lines", "\r\n\r\n", "\r\n\r\n.\r\n" },
    { "bare LF", "a\n.\nb\r\n", "a\r\n..\r\nb\r\n.\r\n" },
    { "bare CR", "a\r.\rb\r\n", "a\r\n..\r\nb\r\n.\r\n" },
    { "CR CR LF", "a\r\r\n.\r\n", "a\r\n\r\n..\r\n.\r\n" },
    { "CR at the end", "a\r", "a\r\n.\r\n" },
    { "only a dot", ".", "..\r\n.\r\n" },
};

static void test_data(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct str in = str_c(cases[i].in);

        for (size_t piece = 1; piece <= in.len + 1; piece++) { /* cut anywhere: the same */
            CLEANUP(strbuf_release) struct strbuf out = { 0 };
            struct data_writer w = { .out = to_buffer, .arg = &out };

            for (size_t at = 0; at < in.len; at += piece)
                data_write(&w, str_sub(in, at, piece));
            data_end(&w);
            if (!str_eq(strbuf_str(&out), str_c(cases[i].want)))
                fail_msg("%s in pieces of %zu: \"%.*s\"", cases[i].name, piece, STR_ARG(strbuf_str(&out)));
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_data) };

    return cmocka_run_group_tests_name("data", tests, NULL, NULL);
}
