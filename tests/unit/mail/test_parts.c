#include "tests/support/cmocka.h"

#include "base/strbuf.h"
#include "mail/parts.h"

/* The example of RFC 3501, 6.4.5: 1 text, 2 octets, 3 a message with two parts, 4 a multipart with an image and a
 * message whose own parts are 4.2.1 and 4.2.2 (a multipart). */
static const char message[] =
    "Content-Type: multipart/mixed; boundary=a\r\n\r\n"
    "--a\r\nX: 1\r\n\r\none\r\n"
    "--a\r\nContent-Type: application/octet-stream\r\nContent-Transfer-Encoding: base64\r\n\r\nAA==\r\n"
    "--a\r\nContent-Type: message/rfc822\r\n\r\n"
    "Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nX: 3.1\r\n\r\nthree one\r\n"
    "--b\r\nX: 3.2\r\n\r\nthree two\r\n--b--\r\n\r\n"
    "--a\r\nContent-Type: multipart/mixed; boundary=c\r\n\r\n"
    "--c\r\nContent-Type: image/gif\r\n\r\nGIF\r\n"
    "--c\r\nContent-Type: message/rfc822\r\n\r\n"
    "Subject: 4.2\r\nContent-Type: multipart/mixed; boundary=d\r\n\r\n"
    "--d\r\nX: 4.2.1\r\n\r\nfour two one\r\n"
    "--d\r\nContent-Type: multipart/alternative; boundary=e\r\n\r\n"
    "--e\r\nX: 4.2.2.1\r\n\r\ndeep\r\n--e--\r\n"
    "--d--\r\n"
    "--c--\r\n"
    "--a--\r\n";

struct range_case {
    const char *number;
    enum mail_section section;
    enum result want;
    const char *text; /* all of the range, or with "..." at the end its start */
};

static struct range_case cases[] = {
    { "", MAIL_SECTION_ALL, RES_OK, message },
    { "", MAIL_SECTION_HEADER, RES_OK, "Content-Type: multipart/mixed; boundary=a\r\n\r\n" },
    { "", MAIL_SECTION_TEXT, RES_OK, "--a\r\nX: 1..." },
    { "", MAIL_SECTION_MIME, RES_INVALID, NULL },
    { "1", MAIL_SECTION_ALL, RES_OK, "one" },
    { "1", MAIL_SECTION_MIME, RES_OK, "X: 1\r\n\r\n" },
    { "1", MAIL_SECTION_HEADER, RES_NOTFOUND, NULL },
    { "1", MAIL_SECTION_TEXT, RES_NOTFOUND, NULL },
    { "1.1", MAIL_SECTION_ALL, RES_NOTFOUND, NULL },
    { "2", MAIL_SECTION_ALL, RES_OK, "AA==" },
    { "3", MAIL_SECTION_ALL, RES_OK, "Content-Type: multipart/mixed; boundary=b..." },
    { "3", MAIL_SECTION_MIME, RES_OK, "Content-Type: message/rfc822\r\n\r\n" },
    { "3", MAIL_SECTION_HEADER, RES_OK, "Content-Type: multipart/mixed; boundary=b\r\n\r\n" },
    { "3", MAIL_SECTION_TEXT, RES_OK, "--b\r\nX: 3.1..." },
    { "3.1", MAIL_SECTION_ALL, RES_OK, "three one" },
    { "3.2", MAIL_SECTION_ALL, RES_OK, "three two" },
    { "3.2", MAIL_SECTION_MIME, RES_OK, "X: 3.2\r\n\r\n" },
    { "3.3", MAIL_SECTION_ALL, RES_NOTFOUND, NULL },
    { "4", MAIL_SECTION_ALL, RES_OK, "--c\r\nContent-Type: image..." },
    { "4", MAIL_SECTION_HEADER, RES_NOTFOUND, NULL },
    { "4.1", MAIL_SECTION_ALL, RES_OK, "GIF" },
    { "4.1", MAIL_SECTION_MIME, RES_OK, "Content-Type: image/gif\r\n\r\n" },
    { "4.2", MAIL_SECTION_HEADER, RES_OK, "Subject: 4.2\r\nContent-Type: multipart/mixed; boundary=d\r\n\r\n" },
    { "4.2", MAIL_SECTION_TEXT, RES_OK, "--d\r\nX: 4.2.1..." },
    { "4.2.1", MAIL_SECTION_ALL, RES_OK, "four two one" },
    { "4.2.2", MAIL_SECTION_MIME, RES_OK, "Content-Type: multipart/alternative; boundary=e\r\n\r\n" },
    { "4.2.2.1", MAIL_SECTION_ALL, RES_OK, "deep" },
    { "4.2.2.1.1", MAIL_SECTION_ALL, RES_NOTFOUND, NULL },
    { "5", MAIL_SECTION_ALL, RES_NOTFOUND, NULL },
    { "0", MAIL_SECTION_ALL, RES_INVALID, NULL },
    { "01", MAIL_SECTION_ALL, RES_INVALID, NULL },
    { "1.", MAIL_SECTION_ALL, RES_INVALID, NULL },
    { ".1", MAIL_SECTION_ALL, RES_INVALID, NULL },
    { "4..1", MAIL_SECTION_ALL, RES_INVALID, NULL },
    { "x", MAIL_SECTION_ALL, RES_INVALID, NULL },
    { "99999999999999999999", MAIL_SECTION_ALL, RES_INVALID, NULL },
};

static void check_range(struct str whole, struct str table, const struct range_case *c)
{
    struct mail_range range = { 0 };
    struct str want = str_c(c->text);

    assert_int_equal(mail_parts_range(table, str_c(c->number), c->section, &range), c->want);
    if (c->want != RES_OK)
        return;
    whole = str_sub(whole, range.at, range.len);
    if (str_ends(want, STR("..."))) {
        want.len -= 3;
        assert_true(str_starts(whole, want));
    } else {
        assert_true(str_eq(whole, want));
    }
}

static void run_case(void **state)
{
    CLEANUP(arena_releasep) struct arena a = { 0 };

    check_range(str_c(message), mail_parts_build(&a, mail_parse(&a, str_c(message))), *state);
}

static void test_single(void **state)
{
    static const struct range_case single[] = {
        { "1", MAIL_SECTION_ALL, RES_OK, "body" },       { "1", MAIL_SECTION_MIME, RES_OK, "X: y\r\n\r\n" },
        { "1", MAIL_SECTION_TEXT, RES_NOTFOUND, NULL },  { "2", MAIL_SECTION_ALL, RES_NOTFOUND, NULL },
        { "1.1", MAIL_SECTION_ALL, RES_NOTFOUND, NULL }, { "", MAIL_SECTION_TEXT, RES_OK, "body" },
    };
    CLEANUP(arena_releasep) struct arena a = { 0 };
    struct str m = STR("X: y\r\n\r\nbody"), table = mail_parts_build(&a, mail_parse(&a, m));

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(single); i++)
        check_range(m, table, &single[i]);
}

/* The message itself is a message/rfc822: its part 1 is that, 1.1 the text inside. */
static void test_message_only(void **state)
{
    static const struct range_case only[] = {
        { "1", MAIL_SECTION_ALL, RES_OK, "A: b\r\n\r\nx" },
        { "1", MAIL_SECTION_HEADER, RES_OK, "A: b\r\n\r\n" },
        { "1", MAIL_SECTION_TEXT, RES_OK, "x" },
        { "1.1", MAIL_SECTION_ALL, RES_OK, "x" },
        { "1.1", MAIL_SECTION_MIME, RES_OK, "A: b\r\n\r\n" },
        { "1.2", MAIL_SECTION_ALL, RES_NOTFOUND, NULL },
        { "1.1.1", MAIL_SECTION_ALL, RES_NOTFOUND, NULL },
        { "", MAIL_SECTION_TEXT, RES_OK, "A: b\r\n\r\nx" },
    };
    CLEANUP(arena_releasep) struct arena a = { 0 };
    struct str m = STR("Content-Type: message/rfc822\r\n\r\nA: b\r\n\r\nx");
    struct str table = mail_parts_build(&a, mail_parse(&a, m));

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(only); i++)
        check_range(m, table, &only[i]);
}

static void test_info(void **state)
{
    CLEANUP(arena_releasep) struct arena a = { 0 };
    struct str table = mail_parts_build(&a, mail_parse(&a, str_c(message)));
    struct mail_part_info part;

    (void)state;
    assert_int_equal(mail_parts_find(table, STR("2"), &part), RES_OK);
    assert_int_equal(part.encoding, MAIL_BASE64);
    assert_int_equal(part.kind, MAIL_LEAF);
    assert_int_equal(mail_parts_find(table, STR("3"), &part), RES_OK);
    assert_int_equal(part.kind, MAIL_MESSAGE);
    assert_int_equal(part.lines, 11);
    assert_int_equal(mail_parts_find(table, STR("4"), &part), RES_OK);
    assert_int_equal(part.kind, MAIL_MULTIPART);
}

/* Every cut and every changed byte of a table is an answer or RES_INVALID, never a wild read. */
static void test_damaged(void **state)
{
    CLEANUP(arena_releasep) struct arena a = { 0 };
    struct str table = mail_parts_build(&a, mail_parse(&a, str_c(message)));
    struct mail_range range;

    (void)state;
    assert_int_equal(mail_parts_range(STR_NULL, STR(""), MAIL_SECTION_ALL, &range), RES_INVALID);
    assert_int_equal(mail_parts_range(STR("\x02\x00\x00\x00\x00\x00\x00"), STR(""), MAIL_SECTION_ALL, &range),
                     RES_INVALID);
    for (size_t i = 0; i < table.len; i++) {
        assert_int_equal(mail_parts_range(str_sub(table, 0, i), STR("4.2.2.1"), MAIL_SECTION_ALL, &range), RES_INVALID);
        for (int value = 0; value < 256; value++) {
            char *copy = arena_cstr(&a, table);

            copy[i] = (char)value;
            if (mail_parts_range(str_of(copy, table.len), STR("4.2.2.1"), MAIL_SECTION_HEADER, &range) == RES_OK)
                assert_true(range.len < (uint64_t)1 << 57);
        }
    }
}

int main(void)
{
    static struct CMUnitTest tests[ARRAY_LEN(cases) + 4] = { cmocka_unit_test(test_single),
                                                             cmocka_unit_test(test_message_only),
                                                             cmocka_unit_test(test_info),
                                                             cmocka_unit_test(test_damaged) };

    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        tests[4 + i] =
            (struct CMUnitTest){ .name = cases[i].number, .test_func = run_case, .initial_state = &cases[i] };
    return cmocka_run_group_tests_name("mail_parts", tests, NULL, NULL);
}
