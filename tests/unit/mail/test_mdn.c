#include "tests/support/cmocka.h"

#include "mail/mdn.h"

static void test_build(void **state)
{
    CLEANUP(strbuf_release) struct strbuf out = { .max = 100000 };
    const struct mdn m = { .language = DSN_PT_BR, .reporting_ua = STR("mx.our.test"), .from = STR("bob@our.test"),
                           .to = STR("joe@far.test"), .message_id = STR("1@mx.our.test"), .boundary = STR("b0"), .now_us = 0,
                           .reason = STR("n\xc3\xa3o\r\nBcc: x@far.test\r\n"),
                           .original = STR("Subject: s\r\nMessage-ID: <a@far.test>\r\n\r\nbody\r\n") };

    (void)state;
    assert_int_equal(mdn_build(&m, &out), RES_OK);
    assert_non_null(strstr(out.p, "report-type=disposition-notification"));
    assert_non_null(strstr(out.p, "Disposition: automatic-action/MDN-sent-automatically; deleted\r\n"));
    assert_non_null(strstr(out.p, "Final-Recipient: rfc822;bob@our.test\r\n"));
    assert_non_null(strstr(out.p, "Original-Message-ID: <a@far.test>\r\n"));
    assert_null(strstr(out.p, "\r\nbody\r\n"));
    assert_true(str_find(str_c(out.p), STR("\r\nBcc:")) > str_find(str_c(out.p), STR("\r\n\r\n"))); /* text, no field */
    assert_true(str_ends(strbuf_str(&out), STR("\r\n--b0--\r\n")));
}

static void test_limit(void **state)
{
    CLEANUP(strbuf_release) struct strbuf out = { .max = 200 };
    const struct mdn m = { .reporting_ua = STR("x"), .from = STR("b@o.test"), .to = STR("j@f.test"), .message_id = STR("1@x"),
                           .boundary = STR("b"), .reason = STR("no"), .original = STR("\r\n") };

    (void)state;
    assert_int_equal(mdn_build(&m, &out), RES_LIMIT);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_build), cmocka_unit_test(test_limit) };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
