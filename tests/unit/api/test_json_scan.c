#include "tests/support/cmocka.h"

#include "api/json.h"
#include "api/json_scan.h"
#include "base/strbuf.h"

static const struct scan_case {
    const char *name;
    struct str text;
    bool want;
} cases[] = {
    { "object", STR("{\"a\": [1, -0.5e+3, true, false, null, \"x\"], \"b\": {}}"), true },
    { "blanks around", STR(" \t\r\n[ ] \n"), true },
    { "a bare string", STR("\"\""), true },
    { "escapes", STR("\"\\\" \\\\ \\/ \\b\\f\\n\\r\\t \\u00e9 \\uD83D\\uDE00\""), true },
    { "UTF-8", STR("\"\xc3\xa9 \xe2\x82\xac \xf0\x9f\x98\x80\""), true },
    { "the same name in two objects", STR("[{\"a\":1},{\"a\":{\"a\":2}}]"), true },
    { "a large number", STR("1e999"), true },
    { "nothing", STR(""), false },
    { "only blanks", STR("  "), false },
    { "trailing bytes", STR("{} x"), false },
    { "two values", STR("1 2"), false },
    { "trailing comma", STR("[1,]"), false },
    { "leading comma", STR("[,1]"), false },
    { "no comma", STR("[1 2]"), false },
    { "no colon", STR("{\"a\" 1}"), false },
    { "name without quotes", STR("{a: 1}"), false },
    { "single quotes", STR("{'a': 1}"), false },
    { "comment", STR("[1] // x"), false },
    { "NaN", STR("NaN"), false },
    { "Infinity", STR("-Infinity"), false },
    { "leading zero", STR("01"), false },
    { "plus", STR("+1"), false },
    { "dot first", STR(".5"), false },
    { "dot last", STR("5."), false },
    { "empty exponent", STR("5e"), false },
    { "minus alone", STR("-"), false },
    { "hexadecimal", STR("0x10"), false },
    { "capital", STR("True"), false },
    { "cut word", STR("tru"), false },
    { "no end of string", STR("\"abc"), false },
    { "no end of escape", STR("\"abc\\"), false },
    { "unknown escape", STR("\"\\x41\""), false },
    { "short unicode escape", STR("\"\\u12\""), false },
    { "tab in a string", STR("\"a\tb\""), false },
    { "line break in a string", STR("\"a\nb\""), false },
    { "NUL in a string", STR("\"a\0b\""), false },
    { "high surrogate alone", STR("\"\\ud800\""), false },
    { "high surrogate and a letter", STR("\"\\ud800\\u0041\""), false },
    { "low surrogate alone", STR("\"\\udc00\""), false },
    { "surrogate as UTF-8", STR("\"\xed\xa0\x80\""), false },
    { "overlong UTF-8", STR("\"\xc0\xaf\""), false },
    { "cut UTF-8", STR("\"\xe2\x82\""), false },
    { "BOM", STR("\xef\xbb\xbf{}"), false },
    { "doubled name", STR("{\"a\":1,\"b\":2,\"a\":3}"), false },
    { "doubled name, once escaped", STR("{\"a\":1,\"\\u0061\":3}"), false },
    { "doubled name inside", STR("[{\"x\":{\"a\":1,\"a\":1}}]"), false },
    { "doubled empty name", STR("{\"\":1,\"\":2}"), false },
    { "NUL in a name", STR("{\"a\\u0000b\":1}"), false },
    { "open array", STR("[[1]"), false },
    { "open object", STR("{\"a\":{}"), false },
};

static void run_case(void **state)
{
    const struct scan_case *c = *state;
    const char *why = NULL;
    size_t at = 0;
    bool ok = json_scan(c->text, &at, &why);

    assert_int_equal(ok, c->want);
    assert_true(ok || (why != NULL && at <= c->text.len));
}

/* n levels of arrays. */
static bool nested(size_t n)
{
    CLEANUP(strbuf_release) struct strbuf b = { 0 };
    const char *why;
    size_t at;

    for (size_t i = 0; i < n; i++)
        strbuf_addc(&b, '[');
    for (size_t i = 0; i < n; i++)
        strbuf_addc(&b, ']');
    return json_scan(strbuf_str(&b), &at, &why);
}

static void test_depth(void **state)
{
    (void)state;
    assert_true(nested(JSON_MAX_DEPTH));
    assert_false(nested(JSON_MAX_DEPTH + 1));
    assert_false(nested(1000000));
}

/* n different names in one object. */
static bool wide(size_t n)
{
    CLEANUP(strbuf_release) struct strbuf b = { 0 };
    const char *why;
    size_t at;

    strbuf_addc(&b, '{');
    for (size_t i = 0; i < n; i++)
        strbuf_addf(&b, "%s\"n%zu\":0", i > 0 ? "," : "", i);
    strbuf_addc(&b, '}');
    return json_scan(strbuf_str(&b), &at, &why);
}

static void test_names(void **state)
{
    (void)state;
    assert_true(wide(JSON_MAX_NAMES));
    assert_false(wide(JSON_MAX_NAMES + 1));
}

/* What the scan lets through is what json-c then gives, also where json-c would cut. */
static void test_parse(void **state)
{
    CLEANUP(arena_releasep) struct arena a = { 0 };
    CLEANUP(js_freep) struct json_object *v = NULL;
    struct str error;

    (void)state;
    assert_int_equal(js_parse(STR("{\"n\": 12, \"big\": 100000000000000000000, \"f\": 3.0, \"h\": 0.5, \"s\": \"a\\u0000b\"}"), &a, &v, &error), RES_OK);
    assert_true(js_is_int(js_get(v, "n", NULL)));
    assert_true(js_is_whole(js_get(v, "big", NULL)));
    assert_false(js_is_int(js_get(v, "big", NULL)));
    assert_int_equal(js_get_int(js_get(v, "f", NULL)), 3);
    assert_false(js_is_whole(js_get(v, "h", NULL)));
    assert_int_equal(js_get_str(js_get(v, "s", NULL)).len, 3);
    js_free(v);
    v = NULL;
    assert_int_equal(js_parse(STR("7"), &a, &v, &error), RES_OK);
    assert_int_equal(js_get_int(v), 7);
    js_free(v);
    v = NULL;
    assert_int_equal(js_parse(STR("{\"a\":1,\"a\":2}"), &a, &v, &error), RES_INVALID);
}

static const struct time_case {
    const char *text;
    enum result want;
    int64_t us;
} times[] = {
    { "1970-01-01T00:00:00Z", RES_OK, 0 },
    { "2026-11-23T13:50:02.113Z", RES_OK, 1795441802113000 },
    { "2026-11-23t10:50:02.1134567-03:00", RES_OK, 1795441802113456 },
    { "2024-02-29T00:00:00+00:00", RES_OK, 1709164800000000 },
    { "2023-02-29T00:00:00Z", RES_INVALID, 0 },
    { "2026-13-01T00:00:00Z", RES_INVALID, 0 },
    { "2026-11-23T24:00:00Z", RES_INVALID, 0 },
    { "2026-11-23T13:50:02", RES_INVALID, 0 },
    { "2026-11-23T13:50:02.Z", RES_INVALID, 0 },
    { "2026-11-23T13:50:02Z ", RES_INVALID, 0 },
    { "2026-11-23", RES_INVALID, 0 },
    { "", RES_INVALID, 0 },
};

static void test_times(void **state)
{
    CLEANUP(arena_releasep) struct arena a = { 0 };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(times); i++) {
        int64_t us = -1;

        assert_int_equal(time_parse(str_c(times[i].text), &us), times[i].want);
        if (times[i].want == RES_OK)
            assert_int_equal(us, times[i].us);
    }
    assert_string_equal(time_text(&a, 1795441802113999).p, "2026-11-23T13:50:02.113Z");
    assert_string_equal(time_text(&a, -1).p, "1969-12-31T23:59:59.999Z");
}

int main(void)
{
    struct CMUnitTest tests[ARRAY_LEN(cases) + 4] = { 0 };
    size_t n = 0;

    for (; n < ARRAY_LEN(cases); n++)
        tests[n] = (struct CMUnitTest){ .name = cases[n].name, .test_func = run_case, .initial_state = (void *)(uintptr_t)&cases[n] };
    tests[n++] = (struct CMUnitTest)cmocka_unit_test(test_depth);
    tests[n++] = (struct CMUnitTest)cmocka_unit_test(test_names);
    tests[n++] = (struct CMUnitTest)cmocka_unit_test(test_parse);
    tests[n++] = (struct CMUnitTest)cmocka_unit_test(test_times);
    return cmocka_run_group_tests_name("json_scan", tests, NULL, NULL);
}
