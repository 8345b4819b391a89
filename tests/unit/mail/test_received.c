#include "tests/support/cmocka.h"

#include "base/strbuf.h"
#include "mail/header.h"
#include "mail/received.h"

static void assert_str(struct str got, const char *want)
{
    if (!str_eq(got, str_c(want)))
        fail_msg("\n got \"%.*s\"\nwant \"%s\"", STR_ARG(got), want);
}

struct received_case {
    const char *name;
    struct received in;
    const char *want;
};

#define COMMON .by = { "mx.example.org", 14 }, .id = { "q16j", 4 }, .at_us = 880127706000000

static struct received_case cases[] = {
    { "received full",
      { COMMON, .helo = { "client.example", 14 }, .client_name = { "c.example", 9 }, .client_ip = { "192.0.2.1", 9 },
        .protocol = { "ESMTPS", 6 }, .tls = { "TLSv1.3 X", 9 }, .recipient = { "bob@example.org", 15 },
        .zone_minutes = -360 },
      "Received: from client.example (c.example [192.0.2.1]) by mx.example.org\r\n\twith ESMTPS (TLSv1.3 X) id q16j "
      "for "
      "<bob@example.org>;\r\n\tFri, 21 Nov 1997 09:55:06 -0600\r\n" },
    { "received least",
      { COMMON, .helo = { "c", 1 }, .protocol = { "LMTP", 4 } },
      "Received: from c by mx.example.org with LMTP id q16j;\r\n\tFri, 21 Nov 1997 15:55:06 +0000\r\n" },
    { "received ipv6, unknown name",
      { COMMON, .helo = { "[IPv6:2001:db8::1]", 18 }, .client_ip = { "2001:db8::1", 11 }, .protocol = { "ESMTP", 5 } },
      "Received: from [IPv6:2001:db8::1] (unknown [IPv6:2001:db8::1])\r\n\tby mx.example.org with ESMTP id q16j; Fri, "
      "21 Nov 1997 "
      "15:55:06 +0000\r\n" },
    { "received bad helo",
      { COMMON, .helo = { "a b)\r\nX: y", 10 }, .client_ip = { "192.0.2.1", 9 }, .protocol = { "SMTP", 4 } },
      "Received: from a?b???X??y (unknown [192.0.2.1]) by mx.example.org with SMTP\r\n\tid q16j; Fri, 21 Nov 1997 "
      "15:55:06 "
      "+0000\r\n" },
    { "received U-label without SMTPUTF8",
      { COMMON, .helo = { "\xc3\xa1.br", 5 }, .protocol = { "ESMTP", 5 } },
      "Received: from ??.br by mx.example.org with ESMTP id q16j;\r\n\tFri, 21 Nov 1997 15:55:06 +0000\r\n" },
    { "received U-label",
      { COMMON, .helo = { "\xc3\xa1.br", 5 }, .protocol = { "UTF8SMTP", 8 } },
      "Received: from \xc3\xa1.br by mx.example.org with UTF8SMTP id q16j;\r\n\tFri, 21 Nov 1997 15:55:06 +0000\r\n" },
    { "received no helo",
      { COMMON, .protocol = { "SMTP", 4 } },
      "Received: from unknown by mx.example.org with SMTP id q16j;\r\n\tFri, 21 Nov 1997 15:55:06 +0000\r\n" },
};

static void run_case(void **state)
{
    const struct received_case *c = *state;
    CLEANUP(strbuf_release) struct strbuf out = { 0 };

    assert_int_equal(received_write(&c->in, &out), RES_OK);
    assert_str(strbuf_str(&out), c->want);
}

static void test_limit(void **state)
{
    struct strbuf out = { .max = 30 };

    (void)state;
    assert_int_equal(received_write(&cases[1].in, &out), RES_LIMIT);
    assert_int_equal(return_path_write(STR("a@b"), &out), RES_LIMIT);
    strbuf_release(&out);
}

static void test_return_path(void **state)
{
    CLEANUP(strbuf_release) struct strbuf out = { 0 };

    (void)state;
    assert_int_equal(return_path_write(STR("a@b"), &out), RES_OK);
    assert_int_equal(return_path_write(STR(""), &out), RES_OK);
    assert_str(strbuf_str(&out), "Return-Path: <a@b>\r\nReturn-Path: <>\r\n");
}

static void test_count(void **state)
{
    (void)state;
    assert_int_equal(
        received_count(STR("Received: x\r\nA: b\r\nRECEIVED: y\r\nReceived-SPF: z\r\n\r\nReceived: w\r\n")), 2);
    assert_int_equal(received_count(STR("")), 0);
}

static void test_check(void **state)
{
    CLEANUP(arena_releasep) struct arena a = { 0 };
    struct header_check c;

    (void)state;
    header_check(&a, STR("Date: x\r\nFrom: A <a@b>, G: c@d;\r\nSender: e@f\r\nMessage-ID: \r\n\r\nFrom: no@no\r\n"),
                 &c);
    assert_true(c.has_date && c.has_from && c.has_sender && c.complete);
    assert_false(c.has_message_id);
    assert_int_equal(c.from_fields, 1);
    assert_int_equal(c.nfrom, 2);
    assert_str(c.from[0].local, "a");
    assert_str(c.from[1].domain, "d");
    assert_str(c.sender->local, "e");
    header_check(&a, STR("from: a@b\r\nFROM : c@d\r\nFrom:\r\n\r\n"), &c);
    assert_int_equal(c.from_fields, 3);
    assert_int_equal(c.nfrom, 2);
    assert_str(c.from[1].local, "c");
    header_check(&a, STR(""), &c);
    assert_false(c.has_date || c.has_from || c.has_sender || c.has_message_id);
    assert_null(c.sender);
    header_check(&a, STR("From: a\r\nFrom: a\r\nFrom: a\r\nFrom: a\r\nFrom: a\r\n\r\n"), &c);
    assert_false(c.complete);
}

static void test_check_incomplete(void **state)
{
    CLEANUP(arena_releasep) struct arena a = { 0 };
    CLEANUP(strbuf_release) struct strbuf fields = { 0 }, size = { 0 };
    struct header_check c;

    (void)state;
    for (int i = 0; i < HEADER_MAX_FIELDS + 1; i++)
        strbuf_adds(&fields, "X: y\r\n");
    header_check(&a, strbuf_str(&fields), &c);
    assert_false(c.complete);
    fields.len -= 6;
    header_check(&a, strbuf_str(&fields), &c);
    assert_true(c.complete);
    strbuf_adds(&size, "X:");
    while (size.len <= HEADER_MAX_SCAN)
        strbuf_adds(&size, " y\r\n");
    strbuf_adds(&size, "From: a@b\r\n\r\n");
    header_check(&a, strbuf_str(&size), &c);
    assert_false(c.complete || c.has_from);
}

int main(void)
{
    static struct CMUnitTest tests[ARRAY_LEN(cases) + 5] = { cmocka_unit_test(test_limit),
                                                             cmocka_unit_test(test_return_path),
                                                             cmocka_unit_test(test_count), cmocka_unit_test(test_check),
                                                             cmocka_unit_test(test_check_incomplete) };

    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        tests[5 + i] = (struct CMUnitTest){ .name = cases[i].name, .test_func = run_case, .initial_state = &cases[i] };
    return cmocka_run_group_tests_name("mail_received", tests, NULL, NULL);
}
