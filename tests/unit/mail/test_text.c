#include "tests/support/cmocka.h"

#include "base/strbuf.h"
#include "mail/charset.h"
#include "mail/text.h"
#include "mail/transfer.h"

static void assert_str(struct str got, const char *want)
{
    if (!str_eq(got, str_c(want)))
        fail_msg("\n got \"%.*s\"\nwant \"%s\"", STR_ARG(got), want);
}

struct two {
    const char *name, *in, *want;
};

static struct two body_cases[] = {
    { "text plain", "\r\nHello WORLD\r\n", "hello world\r\n" },
    { "text of qp and latin1",
      "Content-Type: text/plain; charset=iso-8859-1\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n"
      "OL=C1 mun=\r\ndo",
      "ol\xc3\xa1 mundo\n" },
    { "text of base64",
      "Content-Transfer-Encoding: base64\r\nContent-Type: text/plain; charset=utf-8\r\n\r\nT0zDgQ==\r\n",
      "ol\xc3\xa1\n" },
    { "text of parts",
      "Content-Type: multipart/mixed; boundary=b\r\n\r\npreamble\r\n--b\r\n\r\nOne\r\n--b\r\nContent-Type: "
      "image/x\r\n\r\n"
      "pixels\r\n--b\r\nContent-Type: text/html\r\n\r\n<p>T<b>w</b>o</p>\r\n--b--\r\n",
      "one\ntwo \n" },
    { "text of a message inside", "Content-Type: message/rfc822\r\n\r\nSubject: =?utf-8?q?=C3=81?=\r\n\r\nBody",
      "subject: \xc3\xa1\nbody\n" },
    { "text bad bytes",
      "\r\na\xff"
      "b",
      "a\xef\xbf\xbd"
      "b\n" },
    { "text unknown charset", "Content-Type: text/plain; charset=x-none\r\n\r\n\xe1", "\xc3\xa1\n" },
    { "text nothing", "Content-Type: image/x\r\n\r\nabc", "" },
    { "text empty", "", "" },
};

static void run_body(void **state)
{
    const struct two *c = *state;
    CLEANUP(arena_releasep) struct arena a = { 0 };

    assert_str(text_of_body(&a, str_c(c->in)), c->want);
}

static struct two html_cases[] = {
    { "html tags", "a<br>b<p class=\">\">c", "a b c" },
    { "html inline", "wo<b>r</b>d <SPAN x>y</span>", "word y" },
    { "html script", "a<script>if (x</script>b<style>p{}</style>c", "a b c" },
    { "html script is a whole word", "<scripture>a", "a" },
    { "html comment", "a<!-- <b> -->b", "a b" },
    { "html entities", "&lt;&amp;&#65;&#x42;&aacute;&euro;&nbsp;&bogus;&;&", "<&AB\xc3\xa1\xe2\x82\xac &bogus;&;&" },
    { "html bad numbers", "&#0;&#xd800;&#99999999;&#x;", "&#0;&#xd800;&#99999999;&#x;" },
    { "html less than", "1 < 2 <", "1 < 2 <" },
    { "html open tag", "a<p", "a " },
    { "html open comment", "a<!--b", "a " },
    { "html open script", "a<script>b", "a " },
};

static void run_html(void **state)
{
    const struct two *c = *state;
    CLEANUP(arena_releasep) struct arena a = { 0 };

    assert_str(text_from_html(&a, str_c(c->in)), c->want);
}

static struct two base64_cases[] = {
    { "base64", "YWxpY2U=", "alice" },           { "base64 lines", "YWx\r\npY2\r\nU=\r\n", "alice" },
    { "base64 no padding", "YWxpY2U", "alice" }, { "base64 junk", "Y*W-x_p Y2U=", "alice" },
    { "base64 one left", "YWxpY", "ali" },       { "base64 joined", "YQ==Yg==", "ab" },
    { "base64 padding only", "====", "" },       { "base64 empty", "", "" },
};

static void run_base64(void **state)
{
    const struct two *c = *state;
    CLEANUP(arena_releasep) struct arena a = { 0 };

    assert_str(transfer_base64_decode(&a, str_c(c->in)), c->want);
}

static struct two qp_cases[] = {
    { "qp", "a=3D=e1", "a=\xe1" },
    { "qp soft break", "a=\r\nb=\nc= \t\r\nd=", "abcd" },
    { "qp blanks", "a \t\r\nb \nc", "a\r\nb\nc" },
    { "qp kept blank", "a=20\r\n", "a \r\n" },
    { "qp bad", "a=ZZ=4", "a=ZZ=4" },
    { "qp bare", "= b", "= b" },
    { "qp cr", "a\rb\r\r\n", "a\rb\r\r\n" },
    { "qp empty", "", "" },
};

static void run_qp(void **state)
{
    const struct two *c = *state;
    CLEANUP(arena_releasep) struct arena a = { 0 };

    assert_str(transfer_qp_decode(&a, str_c(c->in)), c->want);
}

static struct two fold_cases[] = {
    { "fold ascii", "HeLLo", "hello" },
    { "fold latin", "\xc3\x81\xc3\xa7", "\xc3\xa1\xc3\xa7" },
    { "fold sharp s",
      "Stra\xc3\x9f"
      "e",
      "strasse" },
    { "fold composes", "A\xcc\x81", "\xc3\xa1" },
    { "fold greek final sigma", "\xce\xa3\xcf\x82", "\xcf\x83\xcf\x83" },
    { "fold keeps compatibility signs apart", "\xef\xac\x81", "fi" }, /* U+FB01 folds fully */
    { "fold bad", "\xff\xc3", "\xef\xbf\xbd\xef\xbf\xbd" },
    { "fold empty", "", "" },
};

static void run_fold(void **state)
{
    const struct two *c = *state;
    CLEANUP(arena_releasep) struct arena a = { 0 };

    assert_str(text_casefold(&a, str_c(c->in)), c->want);
}

static void test_header_text(void **state)
{
    CLEANUP(arena_releasep) struct arena a = { 0 };

    (void)state;
    assert_str(text_of_header(&a, STR("Subject: =?utf-8?q?OL=C3=81?=\r\nTo: B\r\n C\r\njunk\r\n\r\nBody")),
               "subject: ol\xc3\xa1\nto: b c\n");
}

static void test_limits(void **state)
{
    CLEANUP(arena_releasep) struct arena a = { 0 };
    CLEANUP(strbuf_release) struct strbuf b = { 0 };
    struct str text;

    (void)state;
    strbuf_adds(&b, "Content-Type: text/plain; charset=utf-8\r\n\r\nx");
    while (b.len < 3u << 20)
        strbuf_adds(&b, "\xc3\x9f"); /* two bytes before and after folding: the cut falls between characters */
    text = text_of_body(&a, strbuf_str(&b));
    assert_int_equal(text.len, TEXT_MAX);
    assert_true(str_is_utf8(text));
    assert_true(a.used < 2u << 20);
}

static void test_encoders(void **state)
{
    CLEANUP(arena_releasep) struct arena a = { 0 };
    CLEANUP(strbuf_release) struct strbuf b = { 0 };
    struct str qp, base64, rest, line;

    (void)state;
    assert_str(transfer_qp_encode(&a, STR("a=b \n\xc3\xa1\r\n.")), "a=3Db=20\r\n=C3=A1\r\n.");
    assert_str(transfer_base64_encode(&a, STR("alice")), "YWxpY2U=\r\n");
    for (int i = 0; i < 1000; i++)
        strbuf_addc(&b, (char)i);
    base64 = transfer_base64_encode(&a, strbuf_str(&b));
    assert_true(str_eq(transfer_base64_decode(&a, base64), strbuf_str(&b)));
    strbuf_reset(&b);
    for (int i = 0; i < 1000; i++)
        strbuf_addc(&b, (char)(i % 13 == 0 ? ' ' : i % 7 == 0 ? 0xe1 : 'a' + i % 26));
    qp = rest = transfer_qp_encode(&a, strbuf_str(&b));
    assert_true(str_eq(transfer_qp_decode(&a, qp), strbuf_str(&b)));
    while (str_split(&rest, '\n', &line))
        assert_true(line.len <= 77);
}

static void test_charsets(void **state)
{
    static const struct {
        const char *charset;
        struct str in;
        const char *want;
    } cases[] = {
        { "ISO-8859-1", { "\xe1\x80", 2 }, "\xc3\xa1\xe2\x82\xac" },
        { "iso-8859-15", { "\xa4", 1 }, "\xe2\x82\xac" },
        { "windows-1251", { "\xcf", 1 }, "\xd0\x9f" },
        { "utf-16",
          { "\xff\xfe"
            "a\0",
            4 },
          "a" },
        { "utf-16be", { "\0a\0\0", 4 }, "a\xef\xbf\xbd" },
        { "utf-16be", { "\0a\xd8\0", 4 }, "a\xef\xbf\xbd" },
        { "utf-7", { "a+AOE-", 6 }, "a\xc3\xa1" },
        { "shift_jis", { "\x93\xfa\x81", 3 }, "\xe6\x97\xa5\xef\xbf\xbd" },
        { "gb2312", { "\xd6\xd0", 2 }, "\xe4\xb8\xad" },
        { "us-ascii", { "a\xe1", 2 }, "a\xef\xbf\xbd" },
        { "",
          { "a\0b", 3 },
          "a\xef\xbf\xbd"
          "b" },
        { "nonsense", { "\x80", 1 }, "\xe2\x82\xac" },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        CLEANUP(arena_releasep) struct arena a = { 0 };

        assert_str(charset_to_utf8(&a, cases[i].in, str_c(cases[i].charset)), cases[i].want);
    }
}

static void test_cuts(void **state)
{
    struct str s = STR("a\xc3\xa1\xe2\x82\xac");

    (void)state;
    assert_int_equal(utf8_cut_bytes(s, 2).len, 1);
    assert_int_equal(utf8_cut_bytes(s, 3).len, 3);
    assert_int_equal(utf8_cut_bytes(s, 5).len, 3);
    assert_int_equal(utf8_cut_bytes(s, 6).len, 6);
    assert_int_equal(utf8_cut_chars(s, 0).len, 0);
    assert_int_equal(utf8_cut_chars(s, 2).len, 3);
    assert_int_equal(utf8_cut_chars(s, 9).len, 6);
}

#define ADD_CASES(cases, run)                                                                                          \
    for (size_t i = 0; i < ARRAY_LEN(cases); i++)                                                                      \
        tests[n++] = (struct CMUnitTest)                                                                               \
        {                                                                                                              \
            .name = (cases)[i].name, .test_func = (run), .initial_state = &(cases)[i]                                  \
        }

int main(void)
{
    static struct CMUnitTest tests[100] = { cmocka_unit_test(test_header_text), cmocka_unit_test(test_limits),
                                            cmocka_unit_test(test_encoders), cmocka_unit_test(test_charsets),
                                            cmocka_unit_test(test_cuts) };
    size_t n = 5;

    ADD_CASES(body_cases, run_body);
    ADD_CASES(html_cases, run_html);
    ADD_CASES(base64_cases, run_base64);
    ADD_CASES(qp_cases, run_qp);
    ADD_CASES(fold_cases, run_fold);
    return _cmocka_run_group_tests("mail_text", tests, n, NULL, NULL);
}
