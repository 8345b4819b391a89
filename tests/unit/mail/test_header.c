#include "tests/support/cmocka.h"

#include "mail/header.h"

static void assert_str(struct str got, const char *want)
{
    if (!str_eq(got, str_c(want)))
        fail_msg("got \"%.*s\", want \"%s\"", STR_ARG(got), want);
}

static void test_fields(void **state)
{
    struct str rest =
        STR("From mbox line\r\nA: 1\r\nB : two\n\tmore\r\n: x\r\n  c: no\r\nbad name: x\r\nA:\r\n\r\nA: body\r\n");
    static const struct {
        const char *name, *value, *raw;
    } want[] = {
        { "", "From mbox line", "From mbox line\r\n" }, { "A", " 1", "A: 1\r\n" },
        { "B", " two\n\tmore", "B : two\n\tmore\r\n" }, { "", ": x\r\n  c: no", ": x\r\n  c: no\r\n" },
        { "", "bad name: x", "bad name: x\r\n" },       { "A", "", "A:\r\n" },
    };
    struct header_field f;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(want); i++) {
        assert_true(header_next(&rest, &f));
        assert_str(f.name, want[i].name);
        assert_str(f.value, want[i].value);
        assert_str(f.raw, want[i].raw);
    }
    assert_false(header_next(&rest, &f));
    assert_true(str_starts(rest, STR("\r\nA: body")));
}

static void test_size(void **state)
{
    (void)state;
    assert_int_equal(header_size(STR("A: 1\r\n\r\nbody")), 8);
    assert_int_equal(header_size(STR("A: 1\n\nbody")), 6);
    assert_int_equal(header_size(STR("\r\nbody")), 2);
    assert_int_equal(header_size(STR("A: 1\r\nB: 2")), 10);
    assert_int_equal(header_size(STR("A: 1\r\n \r\nB: 2\r\n\r")), 16); /* a blank line and a lone CR are not empty */
    assert_int_equal(header_size(STR("")), 0);
}

static void test_find(void **state)
{
    struct str rest = STR("a: 1\r\nB: 2\r\nA: 3\r\n\r\nA: 4\r\n");
    struct header_field f;

    (void)state;
    assert_true(header_find(rest, STR("A"), &f));
    assert_str(f.value, " 1");
    assert_false(header_find(rest, STR("C"), &f));
    assert_false(header_find(STR("nocolon\r\n"), STR(""), &f));
    assert_true(header_find_next(&rest, STR("A"), &f));
    assert_true(header_find_next(&rest, STR("A"), &f));
    assert_str(f.value, " 3");
    assert_false(header_find_next(&rest, STR("A"), &f));
}

struct subset_case {
    const char *name, *header;
    struct str names[3];
    size_t n;
    bool except;
    const char *want;
};

static struct subset_case subset_cases[] = {
    { "subset",
      "From: a\r\nTo: b\r\n c\r\nX: d\r\n\r\nbody",
      { { "TO", 2 }, { "x", 1 } },
      2,
      false,
      "To: b\r\n c\r\nX: d\r\n\r\n" },
    { "subset none", "From: a\r\n\r\nbody", { { "To", 2 } }, 1, false, "\r\n" },
    { "subset not",
      "From: a\r\nTo: b\r\njunk\r\nX: d\n\nbody",
      { { "to", 2 } },
      1,
      true,
      "From: a\r\njunk\r\nX: d\n\n" },
    { "subset no empty line", "From: a\r\nTo: b", { { "to", 2 } }, 1, false, "To: b" },
    { "subset of repeated", "A: 1\r\nB: 2\r\na: 3\r\n\r\n", { { "A", 1 } }, 1, false, "A: 1\r\na: 3\r\n\r\n" },
    { "subset prefix is no match", "Subject: 1\r\n\r\n", { { "Sub", 3 } }, 1, false, "\r\n" },
    { "subset empty name", "junk\r\n\r\n", { { "", 0 } }, 1, false, "\r\n" },
};

static void run_subset(void **state)
{
    const struct subset_case *c = *state;
    CLEANUP(strbuf_release) struct strbuf out = { 0 };

    assert_int_equal(header_subset(str_c(c->header), c->names, c->n, c->except, &out), RES_OK);
    assert_str(strbuf_str(&out), c->want);
}

static void test_subset_limit(void **state)
{
    const struct str name = STR("A");
    CLEANUP(strbuf_release) struct strbuf out = { .max = 6 };

    (void)state;
    assert_int_equal(header_subset(STR("A: 123456\r\n\r\n"), &name, 1, false, &out), RES_LIMIT);
}

struct decode_case {
    const char *name, *value, *want;
};

static struct decode_case decode_cases[] = {
    { "decode plain", " Hello\r\n  world ", "Hello  world" },
    { "decode q", "=?iso-8859-1?Q?ol=E1_mundo?=", "ol\xc3\xa1 mundo" },
    { "decode b", "=?UTF-8?B?b2zDoQ==?=", "ol\xc3\xa1" },
    { "decode two, blanks between vanish", "=?utf-8?q?a?=\r\n  =?utf-8?q?b?= c", "ab c" },
    { "decode character cut in two words", "=?utf-8?q?=C3?= =?utf-8?q?=A1?=", "\xc3\xa1" },
    { "decode two charsets", "=?utf-8?q?=C3=A1?= =?koi8-r?b?8g==?=", "\xc3\xa1\xd0\xa0" },
    { "decode language", "=?us-ascii*en?q?hi?=", "hi" },
    { "decode inside text", "a=?utf-8?q?b?=c", "abc" },
    { "decode japanese", "=?iso-2022-jp?b?GyRCRnxLXBsoQg==?=", "\xe6\x97\xa5\xe6\x9c\xac" },
    { "decode unknown charset, latin", "=?x-none?q?=E1?=", "\xc3\xa1" },
    { "decode unknown charset, utf-8", "=?x-none?q?=C3=A1?=", "\xc3\xa1" },
    { "decode dangerous charset name", "=?iso-2022-cn-ext?q?=E1?=", "\xc3\xa1" },
    { "decode charset with iconv suffix", "=?utf-8//TRANSLIT?q?=C3=A1?=", "\xc3\xa1" },
    { "decode bad bytes",
      "a\xff"
      "b",
      "a\xef\xbf\xbd"
      "b" },
    { "decode NUL in word", "=?utf-8?q?a=00b?=",
      "a\xef\xbf\xbd"
      "b" },
    { "decode line end in word", "=?utf-8?q?a=0D=0AX:_b?=", "a  X: b" },
    { "decode unclosed", "=?utf-8?q?abc", "=?utf-8?q?abc" },
    { "decode bad encoding", "=?utf-8?x?abc?=", "=?utf-8?x?abc?=" },
    { "decode no charset",
      "=?"
      "?q?abc?=",
      "=?"
      "?q?abc?=" },
    { "decode empty word",
      "=?utf-8?q?"
      "?=x",
      "x" },
    { "decode bad base64", "=?utf-8?b?YQ!!?=", "a" },
    { "decode starts only", "=?=?=?=?", "=?=?=?=?" },
    { "decode empty", "", "" },
};

static void run_decode(void **state)
{
    const struct decode_case *c = *state;
    CLEANUP(arena_releasep) struct arena a = { 0 };

    assert_str(header_decode(&a, str_c(c->value)), c->want);
}

static void test_decode_many_starts(void **state)
{
    CLEANUP(arena_releasep) struct arena a = { 0 };
    size_t n = 200000;
    char *p = arena_alloc(&a, n);

    (void)state;
    for (size_t i = 0; i + 6 <= n; i += 6) /* linear, or the test's time limit tells */
        memcpy(p + i, "=?a?q?", 6);
    assert_true(str_is_utf8(header_decode(&a, str_of(p, n / 6 * 6))));
}

struct encode_case {
    const char *name, *text, *want;
    bool phrase;
};

static struct encode_case encode_cases[] = {
    { "encode plain", "Hello world", "Hello world", false },
    { "encode utf-8", "ol\xc3\xa1", "=?utf-8?q?ol=C3=A1?=", false },
    { "encode what looks encoded", "=?x?q?y?=", "=?utf-8?q?=3D=3Fx=3Fq=3Fy=3F=3D?=", false },
    { "encode line ends", "a\r\nBcc: b", "a  Bcc: b", false },
    { "encode folds", "one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen",
      "one two three four five six seven eight nine ten eleven twelve\r\n thirteen fourteen fifteen", false },
    { "phrase plain", "Alice Doe", "Alice Doe", true },
    { "phrase quoted", "Doe, \"A\\B\"", "\"Doe, \\\"A\\\\B\\\"\"", true },
    { "phrase utf-8", "\xc3\x81lvaro (x)", "=?utf-8?q?=C3=81lvaro_=28x=29?=", true },
    { "phrase empty", "", "\"\"", true },
};

static void run_encode(void **state)
{
    const struct encode_case *c = *state;
    CLEANUP(arena_releasep) struct arena a = { 0 };

    if (c->phrase)
        assert_str(header_encode_phrase(&a, str_c(c->text)), c->want);
    else
        assert_str(header_encode(&a, STR("Subject"), str_c(c->text)), c->want);
}

static void test_encode_long(void **state)
{
    CLEANUP(arena_releasep) struct arena a = { 0 };
    struct str text = STR(""), out, rest, line;

    (void)state;
    for (int i = 0; i < 60; i++)
        text = arena_printf(&a, "%.*s\xf0\x9f\x93\xa7\xc3\xa9 x", STR_ARG(text));
    out = rest = header_encode(&a, STR("Subject"), text);
    while (str_split(&rest, '\n', &line))
        assert_true(line.len <= 76);
    assert_true(str_eq(header_decode(&a, out), text));
    text = str_of(memset(arena_alloc(&a, 2000), 'x', 2000), 2000); /* one word longer than a line may be */
    for (int i = 0; i < 2; i++) {
        out = rest = i == 0 ? header_encode(&a, STR("Subject"), text) : header_encode_phrase(&a, text);
        while (str_split(&rest, '\n', &line))
            assert_true(line.len <= 77);
        assert_true(str_eq(header_decode(&a, out), text));
    }
}

struct param_case {
    const char *name, *value, *word, *param, *want; /* want NULL: no such parameter */
};

static struct param_case param_cases[] = {
    { "param plain", "text/plain; charset=us-ascii", "text/plain", "charset", "us-ascii" },
    { "param comment", "TEXT / Plain (a;b); Charset=us-ascii (Plain text)", "text/plain", "charset", "us-ascii" },
    { "param quoted", "a/b; name=\"x;\\\"y\\\" z\"", "a/b", "name", "x;\"y\" z" },
    { "param with blanks unquoted", "attachment; filename=my file.pdf; x=y", "attachment", "filename", "my file.pdf" },
    { "param with parenthesis", "attachment; filename=a(1).pdf", "attachment", "filename", "a(1).pdf" },
    { "param continued", "attachment;\r\n filename*0=\"ab\";\r\n filename*1=cd", "attachment", "filename", "abcd" },
    { "param charset", "attachment; filename*=iso-8859-1'pt'ol%E1.txt", "attachment", "filename", "ol\xc3\xa1.txt" },
    { "param continued charset", "a; filename*0*=utf-8''%C3; filename*1*=%A1; filename*2=%41", "a", "filename",
      "\xc3\xa1%41" },
    { "param encoded word", "a; filename=\"=?utf-8?q?ol=C3=A1?=\"", "a", "filename", "ol\xc3\xa1" },
    { "param charset before plain", "a; filename=x; filename*=utf-8''y", "a", "filename", "y" },
    { "param missing quote", "a; x=\"abc", "a", "x", "abc" },
    { "param quote then rest", "a; x=\"b\"c; y=d", "a", "y", "d" },
    { "param empty pieces", ";;; x=1;;", "", "x", "1" },
    { "param without value", "a; x; y=", "a", "y", "" },
    { "param absent", "a; x=1", "a", "y", NULL },
    { "param NUL and control", "a; x=%00", "a", "x", "%00" },
    { "param bad percent", "a; x*=utf-8''%zz%4", "a", "x", "%zz%4" },
    { "param no apostrophes", "a; x*=abc", "a", "x", "abc" },
};

static void run_param(void **state)
{
    const struct param_case *c = *state;
    CLEANUP(arena_releasep) struct arena a = { 0 };
    struct header_param *params;
    struct str word, got;
    size_t n;

    header_params(&a, str_c(c->value), &word, &params, &n);
    assert_str(word, c->word);
    got = header_param(&a, params, n, str_c(c->param));
    if (c->want == NULL)
        assert_null(got.p);
    else
        assert_str(got, c->want);
}

static void test_param_limit(void **state)
{
    CLEANUP(arena_releasep) struct arena a = { 0 };
    CLEANUP(strbuf_release) struct strbuf b = { 0 };
    struct header_param *params;
    struct str word;
    size_t n;

    (void)state;
    for (int i = 0; i < 1000; i++)
        strbuf_adds(&b, ";a=b");
    header_params(&a, strbuf_str(&b), &word, &params, &n);
    assert_int_equal(n, HEADER_MAX_PARAMS);
}

#define ADD_CASES(cases, run)                                                                                          \
    for (size_t i = 0; i < ARRAY_LEN(cases); i++)                                                                      \
        tests[n++] = (struct CMUnitTest)                                                                               \
        {                                                                                                              \
            .name = (cases)[i].name, .test_func = (run), .initial_state = &(cases)[i]                                  \
        }

int main(void)
{
    static struct CMUnitTest tests[200] = {
        cmocka_unit_test(test_fields),
        cmocka_unit_test(test_size),
        cmocka_unit_test(test_find),
        cmocka_unit_test(test_subset_limit),
        cmocka_unit_test(test_decode_many_starts),
        cmocka_unit_test(test_encode_long),
        cmocka_unit_test(test_param_limit),
    };
    size_t n = 7;

    ADD_CASES(subset_cases, run_subset);
    ADD_CASES(decode_cases, run_decode);
    ADD_CASES(encode_cases, run_encode);
    ADD_CASES(param_cases, run_param);
    return _cmocka_run_group_tests("mail_header", tests, n, NULL, NULL);
}
