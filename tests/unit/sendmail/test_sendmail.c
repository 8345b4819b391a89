#include "tests/support/cmocka.h"

#include "base/macros.h"
#include "base/strbuf.h"
#include "sendmail/compose.h"
#include "sendmail/options.h"

#define MAX_ARGS 12

static const struct option_case {
    const char *args[MAX_ARGS];
    const char *want; /* NULL: refused */
} option_cases[] = {
    { { "sendmail", "a@x" }, "mode=0 to=a@x" },
    { { "/usr/sbin/sendmail", "-t", "-i" }, "mode=0 t i" },
    { { "sendmail", "-oi", "-t", "-f", "b@x", "-F", "Bob B" }, "mode=0 t i f=b@x F=Bob B" },
    { { "sendmail", "-ti", "-fb@x", "a", "-r", "c@x" }, "mode=0 t i f=c@x to=a" },
    { { "sendmail", "-FCronDaemon", "-i", "-B8BITMIME", "-oem", "root" }, "mode=0 i F=CronDaemon to=root" },
    { { "sendmail", "-oem", "-oi", "-f", "a@x", "--", "-b@x", "c" }, "mode=0 i f=a@x to=-b@x to=c" },
    { { "sendmail", "-bs" }, "mode=1" },
    { { "sendmail", "-bp" }, "mode=2" },
    { { "mailq" }, "mode=2" },
    { { "sendmail", "-q" }, "mode=3" },
    { { "sendmail", "-q30m" }, "mode=3" },
    { { "/usr/bin/newaliases" }, "mode=4" },
    { { "sendmail", "-bm", "-N", "never", "-Rhdrs", "-V", "id", "a" }, "mode=0 N=never R=hdrs V=id to=a" },
    { { "sendmail", "-f", "" }, "mode=0 f=" },
    { { "sendmail", "-" }, "mode=0 to=-" },
    { { "sendmail", "-bd" }, NULL },
    { { "sendmail", "-b" }, NULL },
    { { "sendmail", "-f" }, NULL },
    { { "sendmail", "-Z" }, NULL },
    { { "sendmail", "-tZ" }, NULL },
};

static void run_options(void **state)
{
    const struct option_case *c = *state;
    CLEANUP(arena_releasep) struct arena a = { 0 };
    CLEANUP(strbuf_release) struct strbuf got = { 0 };
    struct sendmail_options o;
    struct str error;
    char *argv[MAX_ARGS];
    int argc = 0;

    for (; argc < MAX_ARGS && c->args[argc] != NULL; argc++)
        argv[argc] = arena_cstr(&a, str_c(c->args[argc]));
    if (sendmail_options(argc, argv, &a, &o, &error) != RES_OK) {
        assert_null(c->want);
        assert_true(error.len > 0);
        return;
    }
    const struct {
        const char *name;
        struct str value;
    } texts[] = { { "f", o.sender }, { "F", o.name }, { "N", o.notify }, { "R", o.ret }, { "V", o.envid } };
    (void)strbuf_addf(&got, "mode=%d%s%s", (int)o.mode, o.from_header ? " t" : "", o.ignore_dots ? " i" : "");
    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        if (texts[i].value.p != NULL)
            (void)strbuf_addf(&got, " %s=%.*s", texts[i].name, STR_ARG(texts[i].value));
    }
    for (size_t i = 0; i < o.n_recipients; i++)
        (void)strbuf_addf(&got, " to=%.*s", STR_ARG(o.recipients[i]));
    assert_non_null(c->want);
    assert_string_equal(strbuf_str(&got).p, c->want);
}

static const struct split_case {
    const char *text, *header, *body;
} split_cases[] = {
    { "", "", "" },
    { "A: b\n\nbody\n", "A: b\n", "body\n" },
    { "A: b\r\n\r\nbody", "A: b\r\n", "body" },
    { "A: b\n c\nB: d\n\n\nx", "A: b\n c\nB: d\n", "\nx" },
    { "A: b", "A: b", "" },
    { "\nbody", "", "body" },
    { "just text\nmore: text\n", "", "just text\nmore: text\n" },
    { "A: b\nno field\n\nx", "A: b\n", "no field\n\nx" },
    { " continued\n\nx", "", " continued\n\nx" },
    { "From a b\nA: b\n\nx", "A: b\n", "x" },
    { "From a", "", "" },
    { "http://x: y\n", "http://x: y\n", "" },
};

static void run_split(void **state)
{
    const struct split_case *c = *state;
    struct str header, body;

    sendmail_split(str_c(c->text), &header, &body);
    assert_true(str_eq(header, str_c(c->header)));
    assert_true(str_eq(body, str_c(c->body)));
}

static void test_header(void **state)
{
    static const struct {
        const char *in, *name, *want;
    } cases[] = {
        { "Subject: x\n", "", "Subject: x\nFrom: <a@h>\n" },
        { "Subject: x\n", "A \"B\" \\C\n", "Subject: x\nFrom: \"A \\\"B\\\" \\\\C \" <a@h>\n" },
        { "From: c@d\nBcc: e@f\nbcc: g\n h\nTo: i\n", "A", "From: c@d\nTo: i\n" },
        { "From: root (Cron Daemon)\nTo: a\n", "", "From: \"Cron Daemon\" <a@h>\nTo: a\n" },
        { "From: root (Cron Daemon)\n", "CronDaemon", "From: \"CronDaemon\" <a@h>\n" },
        { "From: root\nFrom: x\n", "", "From: <a@h>\n" },
        { "From: )(\n", "", "From: <a@h>\n" },
    };
    CLEANUP(arena_releasep) struct arena a = { 0 };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        assert_string_equal(sendmail_header(str_c(cases[i].in), STR("a@h"), str_c(cases[i].name), &a).p, cases[i].want);
    assert_string_equal(sendmail_header(STR("Subject: x"), STR("a@h"), STR(""), &a).p, "Subject: x\nFrom: <a@h>\n");
}

static void test_recipients(void **state)
{
    static const struct {
        const char *header, *want; /* NULL: refused */
    } cases[] = {
        { "To: a@x, B <b@x>\nCc: c\nBcc: d@x, a@X\n", "a@x b@x c@h d@x" },
        { "To: team: a@x, b@x;\n", "a@x b@x" },
        { "To: a@x\nResent-To: r@x\n", "r@x" },
        { "Subject: a@x\n", "" },
        { "To: \"a b\"@x\n", "\"a b\"@x" },
        { "To: undisclosed-recipients:;\n", "" },
        { "To: a@[\n", NULL },
        { "To: a@x..y\n", NULL },
    };
    CLEANUP(arena_releasep) struct arena a = { 0 };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        CLEANUP(strbuf_release) struct strbuf got = { 0 };
        struct str *v, bad;
        size_t n;
        enum result r = sendmail_recipients(str_c(cases[i].header), STR("h"), &a, &v, &n, &bad);

        if (r != (cases[i].want != NULL ? RES_OK : RES_INVALID))
            fail_msg("%s: %s", cases[i].header, result_name(r));
        for (size_t k = 0; r == RES_OK && k < n; k++)
            (void)strbuf_addf(&got, "%s%.*s", k > 0 ? " " : "", STR_ARG(v[k]));
        if (r == RES_OK && !str_eq(strbuf_str(&got), str_c(cases[i].want)))
            fail_msg("%s: %.*s", cases[i].header, STR_ARG(strbuf_str(&got)));
    }
}

int main(void)
{
    struct CMUnitTest tests[ARRAY_LEN(option_cases) + ARRAY_LEN(split_cases) + 2] = { { .name = "header", .test_func = test_header },
                                                                                      { .name = "recipients", .test_func = test_recipients } };
    size_t n = 2;

    for (size_t i = 0; i < ARRAY_LEN(option_cases); i++)
        tests[n++] = (struct CMUnitTest){ .name = option_cases[i].want != NULL ? option_cases[i].want : "refused", .test_func = run_options,
                                          .initial_state = (void *)(uintptr_t)&option_cases[i] };
    for (size_t i = 0; i < ARRAY_LEN(split_cases); i++)
        tests[n++] = (struct CMUnitTest){ .name = split_cases[i].text, .test_func = run_split,
                                          .initial_state = (void *)(uintptr_t)&split_cases[i] };
    return cmocka_run_group_tests_name("sendmail", tests, NULL, NULL);
}
