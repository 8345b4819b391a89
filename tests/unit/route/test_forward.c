#include "tests/support/cmocka.h"

#include "base/strbuf.h"
#include "route/forward.h"

/* `want`: "A:address S: P:command F:path", joined by "|"; NULL: refused in `line`. */
static const struct forward_case {
    const char *name, *text, *want;
    unsigned line;
} cases[] = {
    { "empty", "", "", 0 },
    { "only comments", "# a, b\n   # c\n\n", "", 0 },
    { "address", "bob@example.org\n", "A:bob@example.org", 0 },
    { "several", "bob@example.org, <carol@example.org>\ndave", "A:bob@example.org|A:carol@example.org|A:dave", 0 },
    { "each once", "bob@x.test,bob@x.test\nbob@x.test", "A:bob@x.test", 0 },
    { "self", "\\alice, bob@x.test", "S:alice|A:bob@x.test", 0 },
    { "own name", "alice", "S:alice", 0 },
    { "another's backslash", "\\bob", "A:bob", 0 },
    { "program", "|/usr/bin/procmail", "P:/usr/bin/procmail", 0 },
    { "quoted program", "\"|/usr/bin/vacation -a 'x, y' alice\"", "P:/usr/bin/vacation -a 'x, y' alice", 0 },
    { "bar outside the quotes", "|\"/bin/a b, c\"", "P:/bin/a b, c", 0 },
    { "escaped quote", "\"|/bin/a \\\"b c\\\"\"", "P:/bin/a \"b c\"", 0 },
    { "file", "/home/alice/mbox, /home/alice/Maildir/", "F:/home/alice/mbox|F:/home/alice/Maildir/", 0 },
    { "CR LF", "bob@x.test\r\ncarol@x.test\r\n", "A:bob@x.test|A:carol@x.test", 0 },
    { "include", "bob@x.test\n:include:/etc/passwd", NULL, 2 },
    { "relative program", "|procmail", NULL, 1 },
    { "no program", "|", NULL, 1 },
    { "path upwards", "/a/../b", NULL, 1 },
    { "open quote", "\"|/bin/a\nb", NULL, 1 },
    { "open quote in the command", "\"|/bin/a 'b\"", NULL, 1 },
    { "an option", "-oi", NULL, 1 },
    { "two words", "bob carol", NULL, 1 },
    { "control", "bob\x01@x.test", NULL, 1 },
    { "not UTF-8", "bob\xff@x.test", NULL, 1 },
};

static void run_case(void **state)
{
    const struct forward_case *c = *state;
    CLEANUP(arena_releasep) struct arena a = { 0 };
    CLEANUP(strbuf_release) struct strbuf got = { 0 };
    struct forward_entry *v;
    unsigned line;
    size_t n;

    if (forward_parse(str_c(c->text), STR("alice"), &a, &v, &n, &line) != RES_OK) {
        assert_null(c->want);
        assert_int_equal(line, c->line);
        return;
    }
    assert_non_null(c->want);
    for (size_t i = 0; i < n; i++)
        (void)strbuf_addf(&got, "%s%c:%.*s", i > 0 ? "|" : "", "ASPF"[v[i].kind], STR_ARG(v[i].text));
    if (!str_eq(strbuf_str(&got), str_c(c->want)))
        fail_msg("got %.*s", STR_ARG(strbuf_str(&got)));
}

static void test_limits(void **state)
{
    CLEANUP(arena_releasep) struct arena a = { 0 };
    CLEANUP(strbuf_release) struct strbuf text = { 0 };
    struct forward_entry *v;
    unsigned line;
    size_t n;

    (void)state;
    for (int i = 0; i < FORWARD_MAX_ENTRIES; i++)
        (void)strbuf_addf(&text, "u%d@x.test\n", i);
    assert_int_equal(forward_parse(strbuf_str(&text), STR("alice"), &a, &v, &n, &line), RES_OK);
    assert_int_equal(n, FORWARD_MAX_ENTRIES);
    (void)strbuf_adds(&text, "one@x.test\n");
    assert_int_equal(forward_parse(strbuf_str(&text), STR("alice"), &a, &v, &n, &line), RES_INVALID);
    strbuf_reset(&text);
    for (int i = 0; i < 3000; i++)
        (void)strbuf_addc(&text, 'a');
    assert_int_equal(forward_parse(strbuf_str(&text), STR("alice"), &a, &v, &n, &line), RES_INVALID);
    assert_int_equal(forward_parse(str_of("a\0b", 3), STR("alice"), &a, &v, &n, &line), RES_INVALID);
}

int main(void)
{
    struct CMUnitTest tests[ARRAY_LEN(cases) + 1] = { { .name = "limits", .test_func = test_limits } };

    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        tests[i + 1] = (struct CMUnitTest){ .name = cases[i].name, .test_func = run_case,
                                            .initial_state = (void *)(uintptr_t)&cases[i] };
    return cmocka_run_group_tests_name("route_forward", tests, NULL, NULL);
}
