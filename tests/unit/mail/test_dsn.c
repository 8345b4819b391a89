#include "tests/support/cmocka.h"

#include "base/strbuf.h"
#include "mail/dsn.h"
#include "mail/message.h"
#include "mail/transfer.h"

#define ORIGINAL "From: alice@example.org\r\nSubject: hello\r\n\r\nThe body\r\n"

static const struct dsn_recipient failed = {
    .action = DSN_FAILED,
    .address = { "bob@example.net", 15 },
    .orcpt = { "rfc822;b+2Bob@example.net", 25 },
    .status = { "5.1.1", 5 },
    .remote_mta = { "mx.example.net", 14 },
    .reply = { "550-5.1.1 no\r\n550 5.1.1 such user", 33 },
    .last_attempt_us = 880127706000000,
};

static const struct dsn basic = {
    .language = DSN_EN,
    .reporting_mta = { "mail.example.org", 16 },
    .to = { "alice@example.org", 17 },
    .message_id = { "1@mail.example.org", 18 },
    .boundary = { "bound", 5 },
    .now_us = 880127710000000,
    .arrival_us = 880127700000000,
    .envid = { "QQ+2B1", 6 },
    .recipients = &failed,
    .nrecipients = 1,
    .original = { ORIGINAL, sizeof(ORIGINAL) - 1 },
};

struct built {
    struct arena a;
    struct strbuf out;
    struct mail_part *root, *text, *status, *original;
    struct str text_body, status_body, original_body;
};

static struct str body_of(const struct built *b, const struct mail_part *p)
{
    return str_sub(strbuf_str(&b->out), p->body_at, p->end - p->body_at);
}

/* Builds it and takes it apart with our own parser; checks what holds for every notification. */
static void build(struct built *b, const struct dsn *d)
{
    struct str rest, line;

    assert_int_equal(dsn_build(d, &b->out), RES_OK);
    rest = strbuf_str(&b->out);
    while (str_split(&rest, '\n', &line)) {
        assert_true(str_ends(line, STR("\r")) && line.len <= 999);
        assert_int_equal(str_chr(line, '\r'), line.len - 1);
    }
    b->root = mail_parse(&b->a, strbuf_str(&b->out));
    assert_true(str_eq(b->root->subtype, STR("report")));
    assert_int_equal(b->root->nchildren, 3);
    b->text = b->root->children;
    b->status = b->text->next;
    b->original = b->status->next;
    b->text_body = transfer_qp_decode(&b->a, body_of(b, b->text));
    b->status_body = body_of(b, b->status);
    b->original_body = body_of(b, b->original);
}

static void release(struct built *b)
{
    strbuf_release(&b->out);
    arena_reset(&b->a);
}

static void assert_has(struct str where, const char *what)
{
    if (str_find(where, str_c(what)) == SIZE_MAX)
        fail_msg("no \"%s\" in:\n%.*s", what, STR_ARG(where));
}

static void assert_has_not(struct str where, const char *what)
{
    if (str_find(where, str_c(what)) != SIZE_MAX)
        fail_msg("\"%s\" in:\n%.*s", what, STR_ARG(where));
}

static void test_failed(void **state)
{
    struct built b = { 0 };
    struct dsn d = basic;
    struct str header;

    (void)state;
    build(&b, &d);
    header = header_block(strbuf_str(&b.out));
    assert_has(header, "From: Mail Delivery System <MAILER-DAEMON@mail.example.org>\r\n");
    assert_has(header, "To: <alice@example.org>\r\n");
    assert_has(header, "Auto-Submitted: auto-replied\r\n");
    assert_has(header, "report-type=delivery-status");
    assert_has(header, "Message-ID: <1@mail.example.org>\r\n");
    assert_has(header, "Subject: Your message could not be delivered\r\n");
    assert_has(b.text_body, "<bob@example.net>");
    assert_has(b.text_body, "example.net does not know the recipient.");
    assert_has(b.text_body,
               "The exact answer of mx.example.net:\r\n        550-5.1.1 no\r\n        550 5.1.1 such user\r\n");
    assert_true(str_eq(b.status->subtype, STR("delivery-status")));
    if (!str_eq(b.status_body,
                STR("Original-Envelope-Id: QQ+1\r\nReporting-MTA: dns;mail.example.org\r\n"
                    "Arrival-Date: Fri, 21 Nov 1997 15:55:00 +0000\r\n\r\n"
                    "Original-Recipient: rfc822;b+ob@example.net\r\nFinal-Recipient: rfc822;bob@example.net\r\n"
                    "Action: failed\r\nStatus: 5.1.1\r\nRemote-MTA: dns;mx.example.net\r\n"
                    "Diagnostic-Code: smtp;550-5.1.1 no 550 5.1.1 such user\r\n"
                    "Last-Attempt-Date: Fri, 21 Nov 1997 15:55:06 +0000\r\n")))
        fail_msg("%.*s", STR_ARG(b.status_body));
    assert_true(str_eq(b.original->subtype, STR("rfc822-headers")));
    assert_true(str_eq(b.original_body, STR("From: alice@example.org\r\nSubject: hello\r\n\r\n")));
    release(&b);
    d.full = true;
    d.deliver_by_us = d.arrival_us + 60 * 1000000;
    build(&b, &d);
    assert_has(b.status_body, "Arrival-Date: Fri, 21 Nov 1997 15:55:00 +0000\r\nDeliver-By-Date: Fri, 21 Nov 1997 15:56:00 +0000\r\n");
    assert_int_equal(b.original->kind, MAIL_MESSAGE);
    assert_true(str_eq(b.original_body, STR(ORIGINAL)));
    release(&b);
}

static void test_others(void **state)
{
    struct dsn_recipient r[4] = { failed, failed, failed, failed };
    struct built b = { 0 };
    struct dsn d = basic;

    (void)state;
    r[0].action = DSN_DELAYED;
    r[0].will_retry_until_us = 880214106000000;
    r[0].status = STR("4.4.1");
    r[0].remote_mta = STR_NULL;
    r[0].reply = STR("connection timed out");
    r[1].action = DSN_DELIVERED;
    r[1].status = STR("junk");
    r[2].action = DSN_RELAYED;
    r[2].status = STR("2.0.0");
    r[3].action = DSN_EXPANDED;
    r[3].orcpt = STR("no type");
    d.recipients = r;
    d.nrecipients = 4;
    d.full = true;
    build(&b, &d);
    assert_has(strbuf_str(&b.out), "Subject: Your message is delayed\r\n");
    assert_has(b.text_body, "please do not send it again");
    assert_has(b.text_body, "It will be tried until Sat, 22 Nov 1997 15:55:06 +0000.");
    assert_has(b.text_body, "The reason:\r\n        connection timed out\r\n");
    assert_has(b.status_body,
               "Action: delayed\r\nStatus: 4.4.1\r\nLast-Attempt-Date: Fri, 21 Nov 1997 15:55:06 +0000\r\n"
               "Will-Retry-Until: Sat, 22 Nov 1997 15:55:06 +0000\r\n");
    assert_has(b.status_body, "Action: delivered\r\nStatus: 2.0.0\r\n");
    assert_has(b.status_body, "Action: relayed\r\n");
    assert_has(b.status_body, "Action: expanded\r\n");
    assert_has_not(b.status_body, "no type");
    assert_true(str_eq(b.original->subtype, STR("rfc822-headers"))); /* nothing failed (RFC 3461, 4.3) */
    release(&b);
}

static void test_portuguese(void **state)
{
    struct built b = { 0 };
    struct dsn d = basic;

    (void)state;
    d.language = DSN_PT_BR;
    build(&b, &d);
    assert_true(str_is_utf8(b.text_body));
    assert_has(b.text_body, "example.net n\xc3\xa3o conhece o destinat\xc3\xa1rio.");
    assert_has(strbuf_str(&b.out), "Content-Language: pt-BR\r\n");
    assert_has(strbuf_str(&b.out), "Subject: =?utf-8?q?Sua_mensagem_n=C3=A3o_p=C3=B4de_ser_entregue?=\r\n");
    assert_has(strbuf_str(&b.out), "From: Sistema de entrega de mensagens <MAILER");
    release(&b);
}

/* What a remote host or a client says starts no field and no part. */
static void test_hostile(void **state)
{
    CLEANUP(strbuf_release) struct strbuf reply = { 0 };
    struct dsn_recipient r = failed;
    struct built b = { 0 };
    struct dsn d = basic;

    (void)state;
    strbuf_adds(&reply, "550 x\r\nAction: delivered\r\n\r\n--bound\r\n\rX\nY: \x01\xff\0 ");
    for (int i = 0; i < 5000; i++)
        strbuf_adds(&reply, "\xc3\xa1");
    r.reply = strbuf_str(&reply);
    r.remote_mta = STR("mx\r\nStatus: 2.0.0");
    r.orcpt = STR("rfc822;a+0D+0AAction:+20delivered+0D+0A+0D+0A");
    r.status = STR("5.1.1\r\nX: y");
    d.envid = STR("a+0D+0Ab+FF");
    d.recipients = &r;
    build(&b, &d);
    assert_has_not(b.status_body, "\nAction: delivered");
    assert_has_not(b.status_body, "\nStatus: 2");
    assert_has_not(b.status_body, "\nX: y");
    assert_has(b.status_body, "\nStatus: 5.0.0\r\n");
    assert_true(str_is_ascii(b.status_body));
    assert_true(str_is_utf8(b.text_body));
    assert_true(b.out.len < 20000);
    release(&b);
}

static void test_utf8(void **state)
{
    struct dsn_recipient r = failed;
    struct built b = { 0 };
    struct dsn d = basic;

    (void)state;
    r.address = STR("\xc3\xa1@x");
    r.orcpt = STR("utf-8;\\x{E1}@x");
    r.reply = STR("550 n\xc3\xa3o");
    d.recipients = &r;
    build(&b, &d);
    assert_has(b.status_body, "Original-Recipient: utf-8;\\x{E1}@x\r\nFinal-Recipient: utf-8;\\x{E1}@x\r\n");
    assert_has(b.status_body, "smtp;550 n??o\r\n");
    release(&b);
    d.smtputf8 = true;
    build(&b, &d);
    assert_true(str_eq(b.status->subtype, STR("global-delivery-status")));
    assert_true(str_eq(b.original->subtype, STR("global-headers")));
    assert_has(b.status_body, "Original-Recipient: utf-8;\xc3\xa1@x\r\nFinal-Recipient: utf-8;\xc3\xa1@x\r\n");
    assert_has(b.status_body, "smtp;550 n\xc3\xa3o\r\n");
    release(&b);
    d.full = true;
    build(&b, &d);
    assert_true(str_eq(b.original->subtype, STR("global")));
    release(&b);
}

static void test_limit(void **state)
{
    CLEANUP(strbuf_release) struct strbuf out = { .max = 1000 };

    (void)state;
    assert_int_equal(dsn_build(&basic, &out), RES_LIMIT);
}

/* Every kind of failure has its own words, in both languages. */
static void test_reasons(void **state)
{
    static const struct {
        const char *status, *en, *pt;
    } cases[] = {
        { "5.1.1", "typing mistake", "digita" },
        { "5.1.2", "does not take its mail", "recebe as mensagens dele" },
        { "5.1.10", "takes no mail", "n\xc3\xa3o recebe" },
        { "5.2.1", "takes no messages now", "n\xc3\xa3o recebe mensagens" },
        { "5.2.2", "mailbox is full", "cheia" },
        { "5.3.4", "smaller attachments", "menos anexos" },
        { "5.4.6", "circle", "circulando" },
        { "4.4.7", "in time", "no prazo" },
        { "5.6.1", "simple text", "texto simples" },
        { "5.7.1", "by its own rules", "pr\xc3\xb3prias regras" },
        { "5.0.0", "refuses the message", "recusa" },
        { "", "refuses the message", "recusa" },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct dsn_recipient r = failed;
        struct built b = { 0 };
        struct dsn d = basic;
        struct str flat;

        r.status = str_c(cases[i].status);
        d.recipients = &r;
        for (int language = 0; language < 2; language++) {
            CLEANUP(strbuf_release) struct strbuf words = { 0 };
            struct str rest, word;

            d.language = language == 0 ? DSN_EN : DSN_PT_BR;
            build(&b, &d);
            rest = b.text_body;
            while (str_word(&rest, &word)) { /* lines break anywhere */
                strbuf_add(&words, word);
                strbuf_addc(&words, ' ');
            }
            flat = strbuf_str(&words);
            assert_has(flat, language == 0 ? cases[i].en : cases[i].pt);
            release(&b);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_failed),  cmocka_unit_test(test_others), cmocka_unit_test(test_portuguese),
        cmocka_unit_test(test_hostile), cmocka_unit_test(test_utf8),   cmocka_unit_test(test_limit),
        cmocka_unit_test(test_reasons),
    };

    return cmocka_run_group_tests_name("mail_dsn", tests, NULL, NULL);
}
