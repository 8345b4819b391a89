#include "tests/support/cmocka.h"

#include "api/csv.h"

/* want: cells with | behind each, a line with / behind each record; "!N why" for a record that is wrong. */
static const struct csv_case {
    const char *name;
    struct str text;
    const char *want;
} cases[] = {
    { "nothing", STR(""), "" },
    { "only a mark", STR("\xef\xbb\xbf"), "" },
    { "only ends of lines", STR("\r\n\n\r"), "" },
    { "plain", STR("a,b\r\n1,2\r\n"), "1:a|b|/2:1|2|/" },
    { "no last end", STR("a,b\n1,2"), "1:a|b|/2:1|2|/" },
    { "LF and CR", STR("a,b\n1,2\r3,4\r"), "1:a|b|/2:1|2|/3:3|4|/" },
    { "byte order mark", STR("\xef\xbb\xbf" "a,b\n"), "1:a|b|/" },
    { "empty cells", STR(",\n,,\n"), "1:||/2:|||/" },
    { "empty lines count", STR("a,b\n\n\n1,2\n"), "1:a|b|/4:1|2|/" },
    { "quotes", STR("\"a\",\"b,c\"\n\"x\"\"y\",\"\"\n"), "1:a|b,c|/2:x\"y||/" },
    { "lines in quotes", STR("\"a\r\nb\",c\nd,e\n"), "1:a\r\nb|c|/3:d|e|/" },
    { "blanks stay", STR(" a , b\n"), "1: a | b|/" },
    { "UTF-8", STR("\xc3\xa9,\xf0\x9f\x98\x80\n"), "1:\xc3\xa9|\xf0\x9f\x98\x80|/" },
    { "semicolons", STR("a;b\n1,5;2\n"), "1:a|b|/2:1,5|2|/" },
    { "tabs", STR("a\tb\n1\t\"2\"\n"), "1:a|b|/2:1|2|/" },
    { "a comma wins", STR("a,b;c\n"), "1:a|b;c|/" },
    { "mark of a formula goes", STR("'=1+1,'+a,'-b,'@c,''=d,\"'\td\"\n"), "1:=1+1|+a|-b|@c|'=d|\td|/" },
    { "an apostrophe stays", STR("'a,o'b,',''\n"), "1:'a|o'b|'|''|/" },
    { "quote not closed", STR("a,b\n1,\"2\n3,4\n"), "1:a|b|/!2 A quote is opened here and never closed./" },
    { "not closed on a later line", STR("a,b\n\"1\n\n2\",\"x\n"), "1:a|b|/!4 A quote is opened here and never closed./" },
    { "lone quote", STR("a,b\n\""), "1:a|b|/!2 A quote is opened here and never closed./" },
    { "text behind a quote", STR("a,b\n\"1\"x,2\n3,4\n"), "1:a|b|/!2 Text stands behind a closing quote./3:3|4|/" },
    { "quote inside", STR("a,b\n1\"2,3\n3,4\n"),
      "1:a|b|/!2 A quote stands inside a cell: put the cell in quotes, and double the quotes in it./3:3|4|/" },
    { "NUL", STR("a,b\n1,\0\n3,4\n"), "1:a|b|/!2 It is not UTF-8, or holds a NUL./3:3|4|/" },
    { "Latin-1", STR("a,b\n1,\xe9\n3,4\n"), "1:a|b|/!2 It is not UTF-8, or holds a NUL./3:3|4|/" },
};

static void run_case(void **state)
{
    const struct csv_case *k = *state;
    CLEANUP(arena_releasep) struct arena a = { 0 };
    CLEANUP(strbuf_release) struct strbuf got = { .max = 65536 };
    struct csv_record record;
    struct csv csv;
    enum result r;

    csv_begin(&csv, k->text);
    while ((r = csv_next(&csv, &a, &record)) != RES_NOTFOUND) {
        if (r == RES_INVALID) {
            strbuf_addf(&got, "!%u %s/", record.line, record.why);
            continue;
        }
        strbuf_addf(&got, "%u:", record.line);
        for (size_t i = 0; i < record.n; i++)
            strbuf_addf(&got, "%.*s|", STR_ARG(record.cells[i]));
        strbuf_addc(&got, '/');
    }
    assert_string_equal(got.p != NULL ? got.p : "", k->want);
}

static void too_long(void **state)
{
    CLEANUP(arena_releasep) struct arena a = { 0 };
    CLEANUP(strbuf_release) struct strbuf text = { .max = CSV_MAX_RECORD * 2 };
    struct csv_record record;
    struct csv csv;

    (void)state;
    for (size_t i = 0; i <= CSV_MAX_RECORD; i++)
        strbuf_addc(&text, 'x');
    strbuf_adds(&text, "\nb\n");
    for (size_t i = 0; i < CSV_MAX_CELLS + 1; i++)
        strbuf_adds(&text, ",");
    csv_begin(&csv, strbuf_str(&text));
    assert_int_equal(csv_next(&csv, &a, &record), RES_INVALID);
    assert_string_equal(record.why, "It is too long.");
    assert_int_equal(csv_next(&csv, &a, &record), RES_OK);
    assert_int_equal(record.line, 2);
    assert_int_equal(csv_next(&csv, &a, &record), RES_INVALID);
    assert_string_equal(record.why, "It has more cells than a file of this kind can have.");
    assert_int_equal(csv_next(&csv, &a, &record), RES_NOTFOUND);
}

/* What is written is no formula, and comes back as it was. */
static void written(void **state)
{
    static const struct { struct str cell; const char *want; } v[] = {
        { STR(""), "" }, { STR("a b"), "a b" }, { STR("a,b"), "\"a,b\"" }, { STR("say \"x\""), "\"say \"\"x\"\"\"" },
        { STR("=HYPERLINK(\"x\")"), "\"'=HYPERLINK(\"\"x\"\")\"" }, { STR("+5"), "'+5" }, { STR("-5"), "'-5" }, { STR("@a"), "'@a" },
        { STR("\tx"), "\"'\tx\"" }, { STR("\rx"), "\"'\rx\"" }, { STR("'=x"), "''=x" }, { STR("''-"), "'''-" }, { STR("'a"), "'a" },
        { STR("a\r\nb"), "\"a\r\nb\"" }, { STR("a;b"), "\"a;b\"" }, { STR("'"), "'" }, { STR("\""), "\"\"\"\"" },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(v); i++) {
        CLEANUP(arena_releasep) struct arena a = { 0 };
        CLEANUP(strbuf_release) struct strbuf b = { .max = 1000 };
        struct csv_record record;
        struct csv csv;

        csv_add(&b, v[i].cell, true);
        assert_string_equal(b.p != NULL ? b.p : "", v[i].want);
        csv_add(&b, STR("end"), false);
        csv_end(&b);
        csv_begin(&csv, strbuf_str(&b));
        assert_int_equal(csv_next(&csv, &a, &record), RES_OK);
        assert_int_equal(record.n, 2);
        assert_true(str_eq(record.cells[0], v[i].cell));
        assert_int_equal(csv_next(&csv, &a, &record), RES_NOTFOUND);
    }
}

int main(void)
{
    struct CMUnitTest tests[ARRAY_LEN(cases) + 2] = { 0 };

    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        tests[i] = (struct CMUnitTest){ .name = cases[i].name, .test_func = run_case, .initial_state = (void *)(uintptr_t)&cases[i] };
    tests[ARRAY_LEN(cases)] = (struct CMUnitTest){ .name = "too long", .test_func = too_long };
    tests[ARRAY_LEN(cases) + 1] = (struct CMUnitTest){ .name = "written", .test_func = written };
    return cmocka_run_group_tests_name("csv", tests, NULL, NULL);
}
