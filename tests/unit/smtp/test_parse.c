#include "tests/support/cmocka.h"

#include "base/macros.h"
#include "smtp/parse.h"

#include <stdio.h>

#define NOW (INT64_C(1700000000) * 1000000)

static const struct mail_case {
    const char *name, *args;
    enum result want;
    const char *address;
} mail_cases[] = {
    { "plain", "FROM:<a@example.org>", RES_OK, "a@example.org" },
    { "null sender", "FROM:<>", RES_OK, "" }, /* RFC 5321, 4.5.5 */
    { "blank behind the colon", "FROM: <a@example.org>", RES_OK, "a@example.org" },
    { "lower case", "from:<A@Example.ORG>", RES_OK, "A@example.org" },
    { "quoted local-part", "FROM:<\"a b\"@example.org>", RES_OK, "\"a b\"@example.org" },
    { "quoted >", "FROM:<\"a>b\"@example.org>", RES_OK, "\"a>b\"@example.org" },
    { "needless quotes", "FROM:<\"ab\"@example.org>", RES_OK, "ab@example.org" },
    { "source route", "FROM:<@x.org,@y.org:a@example.org>", RES_OK, "a@example.org" }, /* RFC 5321, F.2 */
    { "literal", "FROM:<a@[192.0.2.1]>", RES_OK, "a@[192.0.2.1]" },
    { "all parameters", "FROM:<a@b.c> SIZE=10 BODY=8BITMIME RET=HDRS ENVID=x+2By AUTH=<>", RES_OK, "a@b.c" },
    { "UTF-8", "FROM:<\xc3\xa9@example.org> SMTPUTF8", RES_OK, "\xc3\xa9@example.org" },
    { "UTF-8 unasked", "FROM:<\xc3\xa9@example.org>", RES_CONFLICT, NULL },
    { "no angle", "FROM:a@example.org", RES_INVALID, NULL },
    { "no keyword", "<a@example.org>", RES_INVALID, NULL },
    { "no end", "FROM:<a@example.org", RES_INVALID, NULL },
    { "open quote", "FROM:<\"a@example.org>", RES_INVALID, NULL },
    { "text behind the path", "FROM:<a@example.org>x", RES_INVALID, NULL },
    { "no domain", "FROM:<a>", RES_INVALID, NULL },
    { "postmaster is for RCPT", "FROM:<postmaster>", RES_INVALID, NULL },
    { "two at signs", "FROM:<a@b@c>", RES_INVALID, NULL },
    { "empty domain", "FROM:<a@>", RES_INVALID, NULL },
    { "route without end", "FROM:<@x.org>", RES_INVALID, NULL },
    { "unknown parameter", "FROM:<a@b.c> FOO=1", RES_DENIED, NULL },
    { "size twice", "FROM:<a@b.c> SIZE=1 SIZE=2", RES_INVALID, NULL },
    { "size is no number", "FROM:<a@b.c> SIZE=1k", RES_INVALID, NULL },
    { "size over 64 bits", "FROM:<a@b.c> SIZE=99999999999999999999", RES_INVALID, NULL },
    { "binary body", "FROM:<a@b.c> BODY=BinaryMIME", RES_OK, "a@b.c" },
    { "bad body", "FROM:<a@b.c> BODY=BINARY", RES_INVALID, NULL },
    { "bad RET", "FROM:<a@b.c> RET=ALL", RES_INVALID, NULL },
    { "bad xtext", "FROM:<a@b.c> ENVID=a+2g", RES_INVALID, NULL },
    { "xtext cut", "FROM:<a@b.c> ENVID=a+2", RES_INVALID, NULL },
    { "by", "FROM:<a@b.c> BY=600;R", RES_OK, "a@b.c" }, /* RFC 2852, 4 */
    { "by, to be returned at once", "FROM:<a@b.c> BY=0;R", RES_INVALID, NULL },
    { "by, to be returned before", "FROM:<a@b.c> BY=-1;R", RES_INVALID, NULL },
    { "by twice", "FROM:<a@b.c> BY=1;N BY=1;N", RES_INVALID, NULL },
    { "by without a mode", "FROM:<a@b.c> BY=600", RES_INVALID, NULL },
    { "by with an empty mode", "FROM:<a@b.c> BY=600;", RES_INVALID, NULL },
    { "by with another mode", "FROM:<a@b.c> BY=600;X", RES_INVALID, NULL },
    { "by with another trace", "FROM:<a@b.c> BY=600;RX", RES_INVALID, NULL },
    { "by with more behind it", "FROM:<a@b.c> BY=600;RTT", RES_INVALID, NULL },
    { "by without a time", "FROM:<a@b.c> BY=;N", RES_INVALID, NULL },
    { "by with a sign alone", "FROM:<a@b.c> BY=-;N", RES_INVALID, NULL },
    { "by with two signs", "FROM:<a@b.c> BY=+-1;N", RES_INVALID, NULL },
    { "by with ten digits", "FROM:<a@b.c> BY=0000000001;N", RES_INVALID, NULL },
    { "SMTPUTF8 with a value", "FROM:<a@b.c> SMTPUTF8=1", RES_INVALID, NULL },
};

static void test_mail(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(mail_cases); i++) {
        const struct mail_case *c = &mail_cases[i];
        CLEANUP(arena_releasep) struct arena a = { 0 };
        struct smtp_path path;
        struct smtp_mail_params params;
        enum result r = smtp_parse_mail(str_c(c->args), NOW, &a, &path, &params);

        if (r != c->want)
            fail_msg("%s: got %s", c->name, result_name(r));
        if (r == RES_OK && !str_eq(path.text, str_c(c->address)))
            fail_msg("%s: got %.*s", c->name, STR_ARG(path.text));
    }
}

static void test_mail_params(void **state)
{
    CLEANUP(arena_releasep) struct arena a = { 0 };
    struct smtp_path path;
    struct smtp_mail_params p;

    (void)state;
    assert_int_equal(smtp_parse_mail(STR("FROM:<> SIZE=12345 body=8bitmime RET=FULL ENVID=QQ SMTPUTF8"), NOW, &a, &path, &p), RES_OK);
    assert_true(path.null && p.has_size && p.eight_bit && !p.binary && p.smtputf8);
    assert_int_equal(p.size, 12345);
    assert_int_equal(p.ret, 'F');
    assert_true(str_eq(p.envid, STR("QQ")));
    assert_int_equal(smtp_parse_mail(STR("FROM:<> BODY=BINARYMIME"), NOW, &a, &path, &p), RES_OK);
    assert_true(p.binary && !p.eight_bit);
    assert_int_equal(smtp_parse_mail(STR("FROM:<> BODY=7BIT"), NOW, &a, &path, &p), RES_OK);
    assert_false(p.binary || p.eight_bit);
}

static void test_deliver_by(void **state)
{
    static const struct {
        const char *args, *mode;
        int64_t left;
    } cases[] = { { "FROM:<>", "", 0 },
                  { "FROM:<> BY=600;R", "R", 600 },
                  { "FROM:<> by=+600;rt", "RT", 600 },
                  { "FROM:<> BY=-120;N", "N", -120 },
                  { "FROM:<> BY=0;NT", "NT", 0 },
                  { "FROM:<> BY=999999999;N", "N", 999999999 } };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        CLEANUP(arena_releasep) struct arena a = { 0 };
        struct smtp_path path;
        struct smtp_mail_params p;
        struct deliver_by again;

        assert_int_equal(smtp_parse_mail(str_c(cases[i].args), NOW, &a, &path, &p), RES_OK);
        if (!str_eq(deliver_by_mode(&p.by), str_c(cases[i].mode)))
            fail_msg("%s: mode %.*s", cases[i].args, STR_ARG(deliver_by_mode(&p.by)));
        if (p.by.at_us == 0)
            continue;
        assert_int_equal(deliver_by_left(&p.by, NOW), cases[i].left);
        assert_int_equal(deliver_by_left(&p.by, NOW + 10 * 1000000), cases[i].left - 10);
        again = deliver_by_of(p.by.at_us, deliver_by_mode(&p.by));
        assert_true(again.at_us == p.by.at_us && again.give_back == p.by.give_back && again.trace == p.by.trace);
    }
}

static const struct rcpt_case {
    const char *name, *args;
    bool utf8;
    enum result want;
    unsigned notify;
} rcpt_cases[] = {
    { "plain", "TO:<a@example.org>", false, RES_OK, 0 },
    { "postmaster", "TO:<Postmaster>", false, RES_OK, 0 }, /* RFC 5321, 4.1.1.3 */
    { "never", "TO:<a@b.c> NOTIFY=NEVER", false, RES_OK, 1 },
    { "three", "TO:<a@b.c> NOTIFY=SUCCESS,failure,DELAY ORCPT=rfc822;a@b.c", false, RES_OK, 14 },
    { "utf-8 orcpt", "TO:<a@b.c> ORCPT=utf-8;\xc3\xa9@b.c", true, RES_OK, 0 },
    { "never and more", "TO:<a@b.c> NOTIFY=NEVER,DELAY", false, RES_INVALID, 0 },
    { "twice", "TO:<a@b.c> NOTIFY=NEVER NOTIFY=NEVER", false, RES_INVALID, 0 },
    { "empty notify", "TO:<a@b.c> NOTIFY=", false, RES_INVALID, 0 },
    { "orcpt without type", "TO:<a@b.c> ORCPT=a@b.c", false, RES_INVALID, 0 },
    { "orcpt with a space sign", "TO:<a@b.c> ORCPT=rfc822;a=b", false, RES_INVALID, 0 },
    { "null", "TO:<>", false, RES_INVALID, 0 },
    { "UTF-8 unasked", "TO:<\xc3\xa9@b.c>", false, RES_CONFLICT, 0 },
    { "UTF-8", "TO:<\xc3\xa9@b.c>", true, RES_OK, 0 },
    { "bad UTF-8", "TO:<\xc3@b.c>", true, RES_INVALID, 0 },
    { "SIZE belongs to MAIL", "TO:<a@b.c> SIZE=1", false, RES_DENIED, 0 },
};

static void test_rcpt(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rcpt_cases); i++) {
        const struct rcpt_case *c = &rcpt_cases[i];
        CLEANUP(arena_releasep) struct arena a = { 0 };
        struct smtp_path path;
        struct smtp_rcpt_params params;
        enum result r = smtp_parse_rcpt(str_c(c->args), c->utf8, &a, &path, &params);

        if (r != c->want)
            fail_msg("%s: got %s", c->name, result_name(r));
        if (r == RES_OK && params.notify != c->notify)
            fail_msg("%s: got %u", c->name, params.notify);
    }
}

static const struct bdat_case { /* RFC 3030, 2 */
    const char *name, *args;
    enum result want;
    uint64_t size;
    bool last;
} bdat_cases[] = {
    { "one chunk", "86 LAST", RES_OK, 86, true },
    { "not the last", "1000", RES_OK, 1000, false },
    { "nothing", "0", RES_OK, 0, false },
    { "nothing more", "0 last", RES_OK, 0, true },
    { "zeros in front", "0010", RES_OK, 10, false },
    { "several blanks", "5   LAST", RES_OK, 5, true },
    { "the largest", "9223372036854775807", RES_OK, INT64_MAX, false },
    { "over 63 bits", "9223372036854775808 LAST", RES_OK, INT64_MAX, true },
    { "over 64 bits", "99999999999999999999999", RES_OK, INT64_MAX, false },
    { "no size", "", RES_INVALID, 0, false },
    { "LAST alone", "LAST", RES_INVALID, 0, false },
    { "LAST first", "LAST 5", RES_INVALID, 0, false },
    { "a sign", "-5", RES_INVALID, 0, false },
    { "plus", "+5", RES_INVALID, 0, false },
    { "hex", "0x10", RES_INVALID, 0, false },
    { "glued", "5LAST", RES_INVALID, 0, false },
    { "another word", "5 FIRST", RES_INVALID, 0, false },
    { "a word too many", "5 LAST LAST", RES_INVALID, 0, false },
    { "two sizes", "5 6", RES_INVALID, 0, false },
};

static void test_bdat(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(bdat_cases); i++) {
        const struct bdat_case *c = &bdat_cases[i];
        uint64_t size = 0;
        bool last = false;
        enum result r = smtp_parse_bdat(str_c(c->args), &size, &last);

        if (r != c->want || size != c->size || last != c->last)
            fail_msg("%s: got %s, %llu, %d", c->name, result_name(r), (unsigned long long)size, last);
    }
}

static void test_lengths(void **state)
{
    CLEANUP(arena_releasep) struct arena a = { 0 };
    struct smtp_path path;
    struct smtp_mail_params params;
    char line[700];

    (void)state;
    snprintf(line, sizeof(line), "FROM:<%0*d@example.org>", 64, 1); /* RFC 5321, 4.5.3.1.1: 64 octets */
    assert_int_equal(smtp_parse_mail(str_c(line), NOW, &a, &path, &params), RES_OK);
    snprintf(line, sizeof(line), "FROM:<%0*d@example.org>", 65, 1);
    assert_int_equal(smtp_parse_mail(str_c(line), NOW, &a, &path, &params), RES_LIMIT);
}

static void test_command(void **state)
{
    CLEANUP(arena_releasep) struct arena a = { 0 };
    struct str verb, args;

    (void)state;
    assert_int_equal(smtp_parse_command(STR("mail FROM:<a@b>  "), &a, &verb, &args), RES_OK);
    assert_true(str_eq(verb, STR("MAIL")) && str_eq(args, STR("FROM:<a@b>")));
    assert_int_equal(smtp_parse_command(STR("QUIT"), &a, &verb, &args), RES_OK);
    assert_int_equal(args.len, 0);
    assert_int_equal(smtp_parse_command(STR(""), &a, &verb, &args), RES_INVALID);
    assert_int_equal(smtp_parse_command(STR(" QUIT"), &a, &verb, &args), RES_INVALID);
    assert_int_equal(smtp_parse_command(STR("QU\0IT"), &a, &verb, &args), RES_INVALID);
    assert_int_equal(smtp_parse_command(STR("RCPT TO:<a\rb@c>"), &a, &verb, &args), RES_INVALID);
    assert_int_equal(smtp_parse_command(STR("\x16\x03\x01"), &a, &verb, &args), RES_INVALID); /* a TLS hello in clear */
    assert_true(smtp_helo_ok(STR("[127.0.0.1]")));
    assert_false(smtp_helo_ok(STR("two words")));
    assert_false(smtp_helo_ok(STR("")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_mail),    cmocka_unit_test(test_mail_params), cmocka_unit_test(test_deliver_by), cmocka_unit_test(test_rcpt),
        cmocka_unit_test(test_lengths), cmocka_unit_test(test_command),     cmocka_unit_test(test_bdat),
    };

    return cmocka_run_group_tests_name("smtp_parse", tests, NULL, NULL);
}
