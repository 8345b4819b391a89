#include "tests/support/cmocka.h"

#include "base/macros.h"
#include "managesieve/parse.h"

/* `want`: the verb and its arguments, "|" between them, numbers with "#"; NULL: it is refused. */
static const struct parse_case {
    const char *name;
    struct str text;
    const char *want;
} cases[] = {
#define CASE(name, text, want) { name, { text, sizeof(text) - 1 }, want }
    CASE("no arguments", "LISTSCRIPTS", "LISTSCRIPTS"),
    CASE("any case", "listScripts", "LISTSCRIPTS"),
    CASE("quoted", "GETSCRIPT \"a b\"", "GETSCRIPT|a b"),
    CASE("empty string", "SETACTIVE \"\"", "SETACTIVE|"),
    CASE("escapes", "GETSCRIPT \"a\\\"b\\\\c\"", "GETSCRIPT|a\"b\\c"),
    CASE("UTF-8", "GETSCRIPT \"f\xc3\xa9rias\"", "GETSCRIPT|f\xc3\xa9rias"),
    CASE("a number", "HAVESPACE \"a\" 123", "HAVESPACE|a|#123"),
    CASE("zero", "HAVESPACE \"a\" 0", "HAVESPACE|a|#0"),
    CASE("the largest number", "HAVESPACE \"a\" 4294967295", "HAVESPACE|a|#4294967295"),
    CASE("a literal", "PUTSCRIPT \"a\" {5+}\r\nkeep;", "PUTSCRIPT|a|keep;"),
    CASE("two literals", "PUTSCRIPT {1+}\r\na {5+}\r\nkeep;", "PUTSCRIPT|a|keep;"),
    CASE("a literal without plus", "PUTSCRIPT \"a\" {5}\r\nkeep;", "PUTSCRIPT|a|keep;"),
    CASE("an empty literal", "CHECKSCRIPT {0+}\r\n", "CHECKSCRIPT|"),
    CASE("a literal that holds what looks like one", "CHECKSCRIPT {6+}\r\n{9+}\r\n", "CHECKSCRIPT|{9+}\r\n"),
    CASE("a brace in a quoted string", "GETSCRIPT \"{3+}\"", "GETSCRIPT|{3+}"),

    CASE("nothing", "", NULL),
    CASE("a blank first", " NOOP", NULL),
    CASE("a blank behind", "NOOP ", NULL),
    CASE("two blanks", "GETSCRIPT  \"a\"", NULL),
    CASE("a tab between", "GETSCRIPT\t\"a\"", NULL),
    CASE("no verb", "\"a\"", NULL),
    CASE("an atom", "GETSCRIPT a", NULL),
    CASE("three arguments", "PUTSCRIPT \"a\" \"b\" \"c\"", NULL),
    CASE("no blank between", "PUTSCRIPT \"a\"\"b\"", NULL),
    CASE("no end", "GETSCRIPT \"a", NULL),
    CASE("no end behind a backslash", "GETSCRIPT \"a\\", NULL),
    CASE("an escaped letter", "GETSCRIPT \"a\\n\"", NULL),
    CASE("LF in a quoted string", "GETSCRIPT \"a\nb\"", NULL),
    CASE("CR in a quoted string", "GETSCRIPT \"a\rb\"", NULL),
    CASE("NUL in a quoted string", "GETSCRIPT \"a\0b\"", NULL),
    CASE("an escaped LF", "GETSCRIPT \"a\\\nb\"", NULL),
    CASE("not UTF-8", "GETSCRIPT \"a\xff\"", NULL),
    CASE("half of a character", "GETSCRIPT \"a\xc3\"", NULL),
    CASE("a number that is too large", "HAVESPACE \"a\" 4294967296", NULL),
    CASE("a number of many digits", "HAVESPACE \"a\" 99999999999999999999999999", NULL),
    CASE("a leading zero", "HAVESPACE \"a\" 01", NULL),
    CASE("a negative number", "HAVESPACE \"a\" -1", NULL),
    CASE("a number with a tail", "HAVESPACE \"a\" 12k", NULL),
    CASE("a literal that is too short", "CHECKSCRIPT {6+}\r\nkeep;", NULL),
    CASE("a literal with more behind it", "CHECKSCRIPT {4+}\r\nkeep;", NULL),
    CASE("a literal without size", "CHECKSCRIPT {+}\r\nkeep;", NULL),
    CASE("a literal with two plus", "CHECKSCRIPT {5++}\r\nkeep;", NULL),
    CASE("a literal with a minus", "CHECKSCRIPT {-5+}\r\nkeep;", NULL),
    CASE("a literal without line end", "CHECKSCRIPT {5+}keep;", NULL),
    CASE("a literal with LF only", "CHECKSCRIPT {5+}\nkeep;", NULL),
    CASE("a literal with a tail", "CHECKSCRIPT {5+} \r\nkeep;", NULL),
    CASE("a literal of 2^64", "CHECKSCRIPT {18446744073709551616+}\r\nkeep;", NULL),
    CASE("a literal of 2^63 - 1", "CHECKSCRIPT {9223372036854775807+}\r\nkeep;", NULL),
    CASE("a list", "CHECKSCRIPT (\"a\")", NULL),
    CASE("NUL in the verb", "NO\0OP", NULL),
    CASE("a verb of 33 letters", "ABCDEFGHIJKLMNOPQRSTUVWXYZABCDEFG", NULL),
};

static void run_case(void **state)
{
    const struct parse_case *c = *state;
    CLEANUP(arena_releasep) struct arena a = { 0 };
    CLEANUP(strbuf_release) struct strbuf got = { 0 };
    struct managesieve_command cmd;
    const char *error = NULL;

    if (managesieve_parse(c->text, &a, &cmd, &error) != RES_OK) {
        assert_non_null(error);
        if (c->want != NULL)
            fail_msg("refused: %s", error);
        return;
    }
    (void)strbuf_add(&got, cmd.verb);
    for (size_t i = 0; i < cmd.n; i++) {
        if (cmd.args[i].is_number)
            (void)strbuf_addf(&got, "|#%llu", (unsigned long long)cmd.args[i].number);
        else
            (void)strbuf_addf(&got, "|%.*s", STR_ARG(cmd.args[i].string));
    }
    assert_non_null(c->want);
    assert_string_equal(got.p, c->want);
}

static void test_literal(void **state)
{
    uint64_t n = 0;

    (void)state;
    assert_true(managesieve_literal(STR("PUTSCRIPT \"a\" {12+}"), &n) && n == 12);
    assert_true(managesieve_literal(STR("{0}"), &n) && n == 0);
    assert_false(managesieve_literal(STR("{}"), &n));
    assert_false(managesieve_literal(STR("{+}"), &n));
    assert_false(managesieve_literal(STR("{1+} "), &n));
    assert_false(managesieve_literal(STR("1}"), &n));
    assert_false(managesieve_literal(STR("{9223372036854775808+}"), &n));
    assert_false(managesieve_literal(STR(""), &n));
}

static void test_one_string(void **state)
{
    CLEANUP(arena_releasep) struct arena a = { 0 };
    struct str s;

    (void)state;
    assert_true(managesieve_parse_string(STR("\"*\""), &a, &s) == RES_OK && str_eq(s, STR("*")));
    assert_true(managesieve_parse_string(STR("{3+}\r\nabc"), &a, &s) == RES_OK && str_eq(s, STR("abc")));
    assert_int_equal(managesieve_parse_string(STR("*"), &a, &s), RES_INVALID);
    assert_int_equal(managesieve_parse_string(STR("\"a\" "), &a, &s), RES_INVALID);
    assert_int_equal(managesieve_parse_string(STR(""), &a, &s), RES_INVALID);
}

static const struct write_case {
    const char *name;
    struct str in;
    const char *out; /* NULL: a literal */
} writes[] = {
    { "plain", { "abc", 3 }, "\"abc\"" },
    { "empty", { "", 0 }, "\"\"" },
    { "specials", { "a\"b\\", 4 }, "\"a\\\"b\\\\\"" },
    { "UTF-8", { "\xc3\xa9", 2 }, "\"\xc3\xa9\"" },
    { "line break", { "a\r\nb", 4 }, NULL },
    { "NUL", { "a\0b", 3 }, NULL },
    { "not UTF-8", { "\xff", 1 }, NULL },
};

/* What is written is read back as it was. */
static void test_write(void **state)
{
    static char longest[1100];

    (void)state;
    memset(longest, 'x', sizeof(longest));
    for (size_t i = 0; i <= ARRAY_LEN(writes); i++) {
        const struct write_case last = { "long", { longest, sizeof(longest) }, NULL };
        const struct write_case *c = i < ARRAY_LEN(writes) ? &writes[i] : &last;
        CLEANUP(arena_releasep) struct arena a = { 0 };
        CLEANUP(strbuf_release) struct strbuf b = { 0 };
        struct str back;

        managesieve_add_string(&b, c->in);
        if (c->out != NULL)
            assert_string_equal(b.p, c->out);
        else
            assert_true(b.p[0] == '{');
        assert_int_equal(managesieve_parse_string(strbuf_str(&b), &a, &back), RES_OK);
        assert_true(str_eq(back, c->in));
    }
}

int main(void)
{
    struct CMUnitTest tests[ARRAY_LEN(cases) + 3] = { cmocka_unit_test(test_literal), cmocka_unit_test(test_one_string),
                                                      cmocka_unit_test(test_write) };

    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        tests[3 + i] = (struct CMUnitTest){ .name = cases[i].name,
                                            .test_func = run_case,
                                            .initial_state = (void *)(uintptr_t)&cases[i] };
    return cmocka_run_group_tests_name("managesieve_parse", tests, NULL, NULL);
}
