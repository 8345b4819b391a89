/* Mailbox names: modified UTF-7, LIST patterns, what may be a name. */
#include "tests/support/cmocka.h"

#include "base/macros.h"
#include "imap/list_match.h"
#include "mail/utf7.h"
#include "store/mailbox.h"

static const struct {
    const char *wire, *utf8; /* utf8 NULL: not valid */
} names[] = {
    { "", "" },
    { "INBOX", "INBOX" },
    { "A&-B", "A&B" },
    { "~peter/mail/&U,BTFw-/&ZeVnLIqe-", "~peter/mail/\xe5\x8f\xb0\xe5\x8c\x97/\xe6\x97\xa5\xe6\x9c\xac\xe8\xaa\x9e" },
    { "R&AOk-sum&AOk-", "R\xc3\xa9sum\xc3\xa9" },
    { "&2D3eAA-", "\xf0\x9f\x98\x80" },
    { "&Jjo-!", "\xe2\x98\xba!" },
    { "&", NULL },
    { "&AOk", NULL },           /* no end */
    { "&AGE-", NULL },          /* "a" needs no shift */
    { "&AOk-&AOk-", NULL },     /* a needless shift */
    { "&AOl-", NULL },          /* bits left over */
    { "&AOkA-", NULL },
    { "&2D0-", NULL },          /* half a surrogate pair */
    { "&3gA-", NULL },
    { "&AAA-", NULL },          /* NUL */
    { "&A/8-", NULL },          /* '/' is not in the alphabet */
    { "caf\xc3\xa9", NULL },
    { "a\tb", NULL },
};

static void test_utf7(void **state UNUSED)
{
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        CLEANUP(arena_releasep) struct arena a = { 0 };
        struct str utf8 = STR_NULL;

        if (names[i].utf8 == NULL) {
            if (utf7_decode(&a, str_c(names[i].wire), &utf8) != RES_INVALID)
                fail_msg("was taken: %s", names[i].wire);
            continue;
        }
        assert_int_equal(utf7_decode(&a, str_c(names[i].wire), &utf8), RES_OK);
        assert_true(str_eq(utf8, str_c(names[i].utf8)));
        assert_true(str_eq(utf7_encode(&a, utf8), str_c(names[i].wire)));
    }
}

/* The decoded form may be longer than the encoded one. */
static void test_long_run(void **state UNUSED)
{
    CLEANUP(arena_releasep) struct arena a = { 0 };
    char *text = arena_alloc(&a, 3000);
    struct str utf8 = STR_NULL, wire;

    for (size_t i = 0; i < 3000; i += 3)
        memcpy(text + i, "\xe5\x8f\xb0", 3);
    wire = utf7_encode(&a, str_of(text, 3000));
    assert_true(wire.len < 3000);
    assert_int_equal(utf7_decode(&a, wire, &utf8), RES_OK);
    assert_true(str_eq(utf8, str_of(text, 3000)));
}

static const struct {
    const char *pattern, *name;
    bool match;
} patterns[] = {
    { "*", "a/b/c", true },      { "%", "a", true },          { "%", "a/b", false },       { "a/%", "a/b", true },
    { "a/%", "a/b/c", false },   { "a/%/c", "a/b/c", true },  { "%/c", "a/b/c", false },   { "*/c", "a/b/c", true },
    { "*c", "a/b/c", true },     { "a*", "a", true },         { "a%", "ab", true },        { "a%", "a/b", false },
    { "inbox", "INBOX", true },  { "iNbOx/%", "INBOX/x", true }, { "inbox", "Inbox2", false }, { "sent", "Sent", false },
    { "", "", true },            { "", "a", false },          { "a", "", false },          { "%%", "ab", true },
    { "*%*", "a/b", true },      { "%a%b", "xaxb", true },    { "%a%b", "xa/xb", false },  { "*a%b", "a/ab", true },
    { "*a%b/*", "aab/x", true }, { "a*b*c", "aXbYbZc", true }, { "a*b*c", "aXbYbZ", false }, { "*.%", "a.b.c", true },
    { "%/%", "a/b", true },      { "%/%", "a", false },       { "INBOX*", "INBOX/a", true }, { "i%", "INBOX", true },
};

static void test_patterns(void **state UNUSED)
{
    for (size_t i = 0; i < ARRAY_LEN(patterns); i++) {
        if (list_match(str_c(patterns[i].pattern), str_c(patterns[i].name)) != patterns[i].match)
            fail_msg("%s against %s", patterns[i].pattern, patterns[i].name);
    }
}

static void test_name_check(void **state UNUSED)
{
    static const struct {
        const char *name, *stored;
    } cases[] = {
        { "inbox", "INBOX" },  { "InBox/x", "INBOX/x" }, { "inboxes", "inboxes" }, { "a/b", "a/b" }, { "a/", "a" },
        { "", NULL },          { "/", NULL },            { "/a", NULL },           { "a//b", NULL }, { "a//", NULL },
        { "a*", NULL },        { "a%", NULL },           { "a\x01", NULL },        { "\xff", NULL }, { "a\x7f", NULL },
    };

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        CLEANUP(arena_releasep) struct arena a = { 0 };
        struct str stored = STR_NULL;
        enum result r = mailbox_name_check(&a, str_c(cases[i].name), &stored);

        if (r != (cases[i].stored == NULL ? RES_INVALID : RES_OK) ||
            (cases[i].stored != NULL && !str_eq(stored, str_c(cases[i].stored))))
            fail_msg("%s", cases[i].name);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_utf7), cmocka_unit_test(test_long_run), cmocka_unit_test(test_patterns),
                                        cmocka_unit_test(test_name_check) };

    return cmocka_run_group_tests_name("imap_names", tests, NULL, NULL);
}
