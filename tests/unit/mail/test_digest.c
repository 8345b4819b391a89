#include "tests/support/cmocka.h"

#include "base/strbuf.h"
#include "mail/digest.h"
#include "mail/parts.h"
#include "tests/unit/mail/imap_check.h"

static void assert_str(struct str got, const char *want)
{
    if (!str_eq(got, str_c(want)))
        fail_msg("\n got \"%.*s\"\nwant \"%s\"", STR_ARG(got), want);
}

struct envelope_case {
    const char *name, *header, *want;
};

static struct envelope_case envelope_cases[] = {
    { "envelope empty", "", "(NIL NIL NIL NIL NIL NIL NIL NIL NIL NIL)" },
    { "envelope of RFC 3501",
      "Date: Wed, 17 Jul 1996 02:23:25 -0700 (PDT)\r\nFrom: Terry Gray <gray@cac.washington.edu>\r\n"
      "Subject: IMAP4rev1 WG mtg summary and minutes\r\nTo: imap@cac.washington.edu\r\n"
      "cc: minutes@CNRI.Reston.VA.US, John Klensin <KLENSIN@MIT.EDU>\r\nMessage-Id: "
      "<B27397-0100000@cac.washington.edu>\r\n",
      "(\"Wed, 17 Jul 1996 02:23:25 -0700 (PDT)\" \"IMAP4rev1 WG mtg summary and minutes\" "
      "((\"Terry Gray\" NIL \"gray\" \"cac.washington.edu\")) ((\"Terry Gray\" NIL \"gray\" \"cac.washington.edu\")) "
      "((\"Terry Gray\" NIL \"gray\" \"cac.washington.edu\")) ((NIL NIL \"imap\" \"cac.washington.edu\")) "
      "((NIL NIL \"minutes\" \"CNRI.Reston.VA.US\")(\"John Klensin\" NIL \"KLENSIN\" \"MIT.EDU\")) NIL NIL "
      "\"<B27397-0100000@cac.washington.edu>\")" },
    { "envelope empty fields", "Subject:\r\nIn-Reply-To: \r\nTo: \r\n", "(NIL \"\" NIL NIL NIL NIL NIL NIL \"\" NIL)" },
    { "envelope folded subject", "Subject: a\r\n b\r\n\t\"c\\\"\r\n",
      "(NIL \"a b\t\\\"c\\\\\\\"\" NIL NIL NIL NIL NIL NIL NIL NIL)" },
    { "envelope 8 bit is a literal", "Subject: ol\xc3\xa1\r\n",
      "(NIL {4}\r\nol\xc3\xa1 NIL NIL NIL NIL NIL NIL NIL NIL)" },
    { "envelope folded 8 bit", "Subject: \xff\r\n x\r\n", "(NIL {3}\r\n\xff x NIL NIL NIL NIL NIL NIL NIL NIL)" },
    { "envelope group", "To: G: a@b;\r\n",
      "(NIL NIL NIL NIL NIL ((NIL NIL \"G\" NIL)(NIL NIL \"a\" \"b\")(NIL NIL NIL NIL)) NIL NIL NIL NIL)" },
    { "envelope no domain", "To: a\r\n", "(NIL NIL NIL NIL NIL ((NIL NIL \"a\" \"\")) NIL NIL NIL NIL)" },
    { "envelope route", "To: <@x:a@b>\r\n", "(NIL NIL NIL NIL NIL ((NIL \"@x\" \"a\" \"b\")) NIL NIL NIL NIL)" },
    { "envelope two To", "To: a@b\r\nTo: c@d\r\n",
      "(NIL NIL NIL NIL NIL ((NIL NIL \"a\" \"b\")(NIL NIL \"c\" \"d\")) NIL NIL NIL NIL)" },
    { "envelope sender of its own", "From: a@b\r\nSender: c@d\r\nReply-To: ,\r\n",
      "(NIL NIL ((NIL NIL \"a\" \"b\")) ((NIL NIL \"c\" \"d\")) ((NIL NIL \"a\" \"b\")) NIL NIL NIL NIL NIL)" },
};

static void run_envelope(void **state)
{
    const struct envelope_case *c = *state;
    CLEANUP(arena_releasep) struct arena a = { 0 };
    struct mail_digest d;

    mail_digest(&a, str_c(c->header), &d);
    assert_str(d.envelope, c->want);
    assert_true(imap_is_envelope(d.envelope));
}

static void test_envelope_nul_and_long(void **state)
{
    CLEANUP(arena_releasep) struct arena a = { 0 };
    CLEANUP(strbuf_release) struct strbuf b = { 0 };
    struct mail_digest d;

    (void)state;
    mail_digest(&a, STR("Subject: a\0b\r\n\r\n"), &d);
    assert_str(d.envelope, "(NIL \"a?b\" NIL NIL NIL NIL NIL NIL NIL NIL)");
    assert_str(d.subject, "a\xef\xbf\xbd"
                          "b");
    strbuf_adds(&b, "Subject: ");
    for (int i = 0; i < 1001; i++)
        strbuf_adds(&b, "x");
    mail_digest(&a, strbuf_str(&b), &d);
    assert_true(str_starts(d.envelope, STR("(NIL {1001}\r\nxxx"))); /* too long for a quoted string */
    assert_int_equal(d.subject.len, MAIL_SUBJECT_MAX);
}

#define TEXT_PLAIN "(\"text\" \"plain\" (\"charset\" \"us-ascii\") NIL NIL \"7bit\" "

struct structure_case {
    const char *name, *message, *structure, *body;
};

static struct structure_case structure_cases[] = {
    { "structure default", "A: b\r\n\r\nx\r\n", TEXT_PLAIN "3 1 NIL NIL NIL NIL)", TEXT_PLAIN "3 1)" },
    { "structure all fields",
      "Content-Type: Text/HTML; charset=utf-8; X=\"a\\\"b\"\r\nContent-ID: <1@x>\r\nContent-Description: d (e)\r\n"
      "Content-Transfer-Encoding: BASE64\r\nContent-MD5: Q2hlY2s=\r\nContent-Disposition: attachment; filename*0=a\r\n"
      "Content-Language: en, pt-BR\r\nContent-Location: http://x/\r\n\r\nAA==",
      "(\"text\" \"html\" (\"charset\" \"utf-8\" \"x\" \"a\\\"b\") \"<1@x>\" \"d (e)\" \"base64\" 4 0 \"Q2hlY2s=\" "
      "(\"attachment\" (\"filename*0\" \"a\")) (\"en\" \"pt-BR\") \"http://x/\")",
      "(\"text\" \"html\" (\"charset\" \"utf-8\" \"x\" \"a\\\"b\") \"<1@x>\" \"d (e)\" \"base64\" 4 0)" },
    { "structure other type", "Content-Type: image/png\r\nContent-Transfer-Encoding: x-uu\r\n\r\nx",
      "(\"image\" \"png\" NIL NIL NIL \"x-uu\" 1 NIL NIL NIL NIL)", "(\"image\" \"png\" NIL NIL NIL \"x-uu\" 1)" },
    { "structure multipart",
      "Content-Type: multipart/alternative; boundary=b\r\n\r\n--b\r\n\r\nx\r\n--b\r\nContent-Type: "
      "a/b\r\n\r\ny\r\n--b--",
      "(" TEXT_PLAIN "1 0 NIL NIL NIL NIL)(\"a\" \"b\" NIL NIL NIL \"7bit\" 1 NIL NIL NIL NIL) \"alternative\" "
      "(\"boundary\" \"b\") NIL NIL NIL)",
      "(" TEXT_PLAIN "1 0)(\"a\" \"b\" NIL NIL NIL \"7bit\" 1) \"alternative\")" },
    { "structure message", "Content-Type: message/rfc822\r\n\r\nSubject: s)\r\n\r\nx\r\n",
      "(\"message\" \"rfc822\" NIL NIL NIL \"7bit\" 18 (NIL \"s)\" NIL NIL NIL NIL NIL NIL NIL NIL) " TEXT_PLAIN
      "3 1 NIL NIL NIL NIL) 3 NIL NIL NIL NIL)",
      "(\"message\" \"rfc822\" NIL NIL NIL \"7bit\" 18 (NIL \"s)\" NIL NIL NIL NIL NIL NIL NIL NIL) " TEXT_PLAIN
      "3 1) 3)" },
    { "structure literal", "Content-Type: a/b; x=\"\xff)\"\r\n\r\n",
      "(\"a\" \"b\" (\"x\" {2}\r\n\xff)) NIL NIL \"7bit\" 0 NIL NIL NIL NIL)",
      "(\"a\" \"b\" (\"x\" {2}\r\n\xff)) NIL NIL \"7bit\" 0)" },
    { "structure odd type", "Content-Type: \"text\"/\"plain\\\"\r\n\r\n",
      "(\"\\\"text\\\"\" \"\\\"plain\\\\\\\"\" NIL NIL NIL \"7bit\" 0 NIL NIL NIL NIL)",
      "(\"\\\"text\\\"\" \"\\\"plain\\\\\\\"\" NIL NIL NIL \"7bit\" 0)" },
    { "structure empty disposition",
      "Content-Disposition: ;a=b\r\nContent-Language: ,\r\nContent-Transfer-Encoding:\r\n\r\n",
      TEXT_PLAIN "0 0 NIL NIL NIL NIL)", TEXT_PLAIN "0 0)" },
};

static void run_structure(void **state)
{
    const struct structure_case *c = *state;
    CLEANUP(arena_releasep) struct arena a = { 0 };
    CLEANUP(strbuf_release) struct strbuf body = { 0 };
    struct mail_digest d;

    mail_digest(&a, str_c(c->message), &d);
    assert_str(d.bodystructure, c->structure);
    assert_true(imap_is_body(d.bodystructure, true));
    assert_int_equal(imap_body_from_structure(d.bodystructure, &body), RES_OK);
    assert_str(strbuf_str(&body), c->body);
    assert_true(imap_is_body(strbuf_str(&body), false));
}

static void test_body_of_junk(void **state)
{
    static const char *const junk[] = { "",
                                        "(",
                                        "()",
                                        "x",
                                        "NIL",
                                        "(((((((((",
                                        "(\"a\")",
                                        "(\"a\" \"b\" NIL NIL NIL \"7bit\" 1",
                                        TEXT_PLAIN "3)",
                                        "({5}\r\nab",
                                        "({99999999999}\r\n",
                                        "(\"a" };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(junk); i++) {
        CLEANUP(strbuf_release) struct strbuf out = { 0 };

        assert_int_equal(imap_body_from_structure(str_c(junk[i]), &out), RES_INVALID);
    }
}

static void test_body_limit(void **state)
{
    CLEANUP(strbuf_release) struct strbuf out = { .max = 20 };

    (void)state;
    assert_int_equal(imap_body_from_structure(STR(TEXT_PLAIN "3 1 NIL NIL NIL NIL)"), &out), RES_LIMIT);
}

struct subject_case {
    const char *name, *subject, *want;
};

static struct subject_case subject_cases[] = {
    { "subject plain", "Hello", "hello" },
    { "subject re", "Re: hello", "hello" },
    { "subject many", "RE: Fwd: FW: re : hello", "hello" },
    { "subject blob", "[list] Re: [list] hello", "hello" },
    { "subject blob before re", "[a][b] Re[2]: hello", "hello" },
    { "subject only a blob", "[hello]", "[hello]" },
    { "subject only blobs", "[a] [b]", "[b]" },
    { "subject fwd trailer", "hello (fwd) (FWD) ", "hello" },
    { "subject fwd wrapper", "[fwd: Re: hello (fwd)]", "hello" },
    { "subject blanks", "a \t  b", "a b" },
    { "subject re without colon", "Regards", "regards" },
    { "subject nothing left", "Re:", "" },
    { "subject fwd only", "[fwd:]", "" },
    { "subject open bracket", "[abc Re: x", "[abc re: x" },
    { "subject encoded", "=?utf-8?q?Re:_OL=C3=81?=", "ol\xc3\xa1" },
    { "subject casefold",
      "STRA\xc3\x9f"
      "E",
      "strasse" },
};

static void run_subject(void **state)
{
    const struct subject_case *c = *state;
    CLEANUP(arena_releasep) struct arena a = { 0 };
    struct mail_digest d;

    mail_digest(&a, arena_printf(&a, "Subject: %s\r\n\r\n", c->subject), &d);
    assert_str(d.base_subject, c->want);
}

static void test_keys(void **state)
{
    CLEANUP(arena_releasep) struct arena a = { 0 };
    struct mail_digest d;

    (void)state;
    mail_digest(&a,
                STR("From: X <ALICE@b>, c@d\r\nTo: G: b@c;\r\nCc: \"\xc3\x81 b\"@c\r\nMessage-ID:  <1@x>\r\n"
                    "Date: 21 Nov 1997 09:55:06 GMT\r\nSubject: =?utf-8?q?=C3=81?= Re: x\r\n\r\nbody"),
                &d);
    assert_str(d.sort_from, "alice");
    assert_str(d.sort_to, "g");
    assert_str(d.sort_cc, "\xc3\xa1 b");
    assert_str(d.message_id, "1@x");
    assert_str(d.subject, "\xc3\x81 Re: x");
    assert_int_equal(d.sent_at_us, 880106106000000);
    assert_int_equal(d.nrefs, 0);
    mail_digest(&a, STR("Date: never\r\n\r\n"), &d);
    assert_null(d.sort_from.p);
    assert_null(d.message_id.p);
    assert_null(d.subject.p);
    assert_null(d.base_subject.p);
    assert_true(d.sent_at_us == MAIL_NO_DATE);
    assert_int_equal(d.header_size, 15);
}

static void test_long_keys(void **state)
{
    CLEANUP(arena_releasep) struct arena a = { 0 };
    CLEANUP(strbuf_release) struct strbuf b = { 0 };
    struct mail_digest d;

    (void)state;
    strbuf_adds(&b, "From: ");
    for (int i = 0; i < 300; i++)
        strbuf_adds(&b, "\xc3\xa9");
    strbuf_adds(&b, "@x\r\nMessage-ID: <");
    for (int i = 0; i < 256; i++)
        strbuf_adds(&b, "m");
    strbuf_adds(&b, ">\r\nSubject: ");
    for (int i = 0; i < 300; i++)
        strbuf_adds(&b, "\xc3\x9f"); /* folds to two letters */
    strbuf_adds(&b, "\r\n\r\n");
    mail_digest(&a, strbuf_str(&b), &d);
    assert_int_equal(d.sort_from.len, MAIL_SORT_KEY_MAX * 2);
    assert_null(d.message_id.p);
    assert_int_equal(d.base_subject.len, MAIL_SORT_KEY_MAX);
}

static void test_message_ids(void **state)
{
    static const struct {
        const char *value, *want;
    } cases[] = { { "<a@b>", "a@b" },
                  { "a@b", "a@b" },
                  { "x <a@b> <c@d>", "a@b" },
                  { "<a\r\n @b>", "a@b" },
                  { "<>", NULL },
                  { "<a@b", "<a@b" },
                  { "", NULL },
                  { "<a\xff@b>", "a\xef\xbf\xbd@b" } };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        CLEANUP(arena_releasep) struct arena a = { 0 };
        struct mail_digest d;

        mail_digest(&a, arena_printf(&a, "Message-ID: %s\r\n\r\n", cases[i].value), &d);
        if (cases[i].want == NULL)
            assert_null(d.message_id.p);
        else
            assert_str(d.message_id, cases[i].want);
    }
}

static void test_refs(void **state)
{
    CLEANUP(arena_releasep) struct arena a = { 0 };
    CLEANUP(strbuf_release) struct strbuf b = { 0 };
    struct mail_digest d;

    (void)state;
    mail_digest(&a, STR("References: <1@x> <2@x> <1@x>\r\nIn-Reply-To: your mail <2@x> <3@x>\r\n\r\n"), &d);
    assert_int_equal(d.nrefs, 3);
    assert_str(d.refs[0], "1@x");
    assert_str(d.refs[1], "2@x");
    assert_str(d.refs[2], "3@x");
    strbuf_adds(&b, "References:");
    for (int i = 0; i < 1000; i++)
        strbuf_addf(&b, "\r\n <%d>", i);
    strbuf_adds(&b, "\r\nIn-Reply-To: <last>\r\n\r\n");
    mail_digest(&a, strbuf_str(&b), &d);
    assert_int_equal(d.nrefs, MAIL_REFS_MAX);
    assert_str(d.refs[0], "0");
    assert_str(d.refs[29], "29");
    assert_str(d.refs[30], "971");
    assert_str(d.refs[58], "999");
    assert_str(d.refs[59], "last");
}

static void check(struct arena *a, struct str message)
{
    CLEANUP(strbuf_release) struct strbuf body = { 0 };
    struct mail_part_info part;
    struct mail_digest d;

    mail_digest(a, message, &d);
    assert_true(str_is_utf8(d.subject) && d.subject.len <= MAIL_SUBJECT_MAX);
    for (size_t i = 0; i < 4; i++) {
        struct str key = (const struct str[]){ d.base_subject, d.sort_from, d.sort_to, d.sort_cc }[i];
        size_t chars = 0;

        assert_true(str_is_utf8(key));
        for (size_t k = 0; k < key.len; k++)
            chars += ((unsigned char)key.p[k] & 0xc0) != 0x80;
        assert_true(chars <= MAIL_SORT_KEY_MAX);
    }
    assert_true(str_is_utf8(d.message_id) && d.message_id.len <= MAIL_ID_MAX);
    assert_true(d.nrefs <= MAIL_REFS_MAX);
    for (size_t i = 0; i < d.nrefs; i++)
        assert_true(str_is_utf8(d.refs[i]) && d.refs[i].len <= MAIL_ID_MAX && d.refs[i].len > 0);
    assert_true(d.header_size <= message.len);
    assert_true(imap_is_envelope(d.envelope));
    assert_true(imap_is_body(d.bodystructure, true));
    assert_int_equal(imap_body_from_structure(d.bodystructure, &body), RES_OK);
    assert_true(imap_is_body(strbuf_str(&body), false));
    assert_int_equal(mail_parts_find(d.parts, STR(""), &part), RES_OK);
    assert_int_equal(part.header.len, d.header_size);
    assert_int_equal(part.header.len + part.body.len, message.len);
}

/* xorshift: the same messages in each run. */
static uint32_t next_random(uint32_t *x)
{
    *x ^= *x << 13;
    *x ^= *x >> 17;
    *x ^= *x << 5;
    return *x;
}

/* Random bytes and random sequences of what messages are made of: text columns are always fit for the database, and
 * ENVELOPE, BODYSTRUCTURE and BODY are always well-formed. */
static void test_random(void **state)
{
    static const char *const pieces[] = {
        "From:",
        "To: ",
        "Cc: ",
        "Subject: ",
        "Date: ",
        "Message-ID: <",
        "References: <a@b> <",
        "In-Reply-To: <",
        "\r\n",
        "\r\n",
        "\r\n",
        "\r\n\r\n",
        "\n",
        "\r",
        " ",
        "\t",
        "a@b",
        "<c@d>",
        ",",
        ";",
        ":",
        "(",
        ")",
        "\"",
        "\\",
        "[",
        "]",
        "=?utf-8?q?=C3=A1=00?=",
        "=?iso-2022-jp?b?GyRC?=",
        "=?",
        "?=",
        "\xc3\xa1",
        "\xff",
        "Re: ",
        "(fwd)",
        "[fwd: ",
        "--b\r\n",
        "--b--\r\n",
        "--c\r\n",
        "Content-Type: multipart/mixed; boundary=b\r\n",
        "Content-Type: multipart/digest; boundary=\"c\"",
        "Content-Type: message/rfc822\r\n",
        "Content-Type: text/plain; charset=",
        "Content-Disposition: ",
        "Content-Language: ",
        "Content-Transfer-Encoding: base64\r\n",
        "Content-ID: ",
        "x",
        "y=z",
        "21 Nov 1997 09:55:06 ",
        "{3}\r\n",
        "NIL",
    };
    uint32_t x = 2463534242u;

    (void)state;
    for (int round = 0; round < 3000; round++) {
        CLEANUP(arena_releasep) struct arena a = { 0 };
        CLEANUP(strbuf_release) struct strbuf b = { 0 };
        unsigned n = next_random(&x) % 200;

        for (unsigned i = 0; i < n; i++) {
            uint32_t r = next_random(&x);

            if (round % 3 == 0 || r % 8 == 0)
                strbuf_addc(&b, (char)(next_random(&x) >> 11));
            else
                strbuf_add(&b, str_c(pieces[(r >> 8) % ARRAY_LEN(pieces)]));
        }
        check(&a, strbuf_str(&b));
    }
}

/* A header that costs much more to show than to send: the answers stay bounded, and well-formed. */
static void test_budget(void **state)
{
    CLEANUP(arena_releasep) struct arena a = { 0 };
    CLEANUP(strbuf_release) struct strbuf b = { 0 };
    struct mail_digest d;

    (void)state;
    strbuf_adds(&b, "Content-Type: multipart/mixed; boundary=b\r\nMessage-ID: <keep@x>\r\nTo: ");
    for (int i = 0; i < 100000; i++)
        strbuf_adds(&b, "a,");
    strbuf_adds(&b, "\r\n\r\n");
    for (int i = 0; i < 500; i++) {
        strbuf_adds(&b, "--b\r\nContent-Type: message/rfc822; x=\"");
        for (int k = 0; k < 2000; k++)
            strbuf_adds(&b, "y");
        strbuf_adds(&b, "\"\r\n\r\nTo: ");
        for (int k = 0; k < 1000; k++)
            strbuf_adds(&b, "a,");
        strbuf_adds(&b, "\r\n\r\n");
    }
    check(&a, strbuf_str(&b));
    mail_digest(&a, strbuf_str(&b), &d);
    assert_true(d.envelope.len < 1u << 20);
    assert_true(str_ends(d.envelope, STR(" NIL NIL NIL \"<keep@x>\")"))); /* what matters more is still there */
    assert_true(d.bodystructure.len < 2u << 20);
}

#define ADD_CASES(cases, run)                                                                                          \
    for (size_t i = 0; i < ARRAY_LEN(cases); i++)                                                                      \
        tests[n++] = (struct CMUnitTest)                                                                               \
        {                                                                                                              \
            .name = (cases)[i].name, .test_func = (run), .initial_state = &(cases)[i]                                  \
        }

int main(void)
{
    static struct CMUnitTest tests[100] = {
        cmocka_unit_test(test_envelope_nul_and_long),
        cmocka_unit_test(test_body_of_junk),
        cmocka_unit_test(test_body_limit),
        cmocka_unit_test(test_keys),
        cmocka_unit_test(test_long_keys),
        cmocka_unit_test(test_message_ids),
        cmocka_unit_test(test_refs),
        cmocka_unit_test(test_random),
        cmocka_unit_test(test_budget),
    };
    size_t n = 9;

    ADD_CASES(envelope_cases, run_envelope);
    ADD_CASES(structure_cases, run_structure);
    ADD_CASES(subject_cases, run_subject);
    return _cmocka_run_group_tests("mail_digest", tests, n, NULL, NULL);
}
