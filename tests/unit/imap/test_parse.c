/* The command grammar: what must parse, what it gives, and what must not. */
#include "tests/support/cmocka.h"

#include "base/macros.h"
#include "base/strbuf.h"
#include "imap/parse.h"
#include "store/message.h"

/* ---- good ones ---- */

static void test_login(void **state UNUSED)
{
    CLEANUP(arena_releasep) struct arena a = { 0 };
    struct imap_command cmd;
    const char *error = NULL;

    assert_int_equal(imap_parse(&a, STR("a1 login \"al\\\"ice\" {6}\r\npa ss\\"), SIZE_MAX, &cmd, &error), RES_OK);
    assert_int_equal(cmd.verb, IMAP_LOGIN);
    assert_true(str_eq(cmd.tag, STR("a1")));
    assert_true(str_eq(cmd.login.user, STR("al\"ice")));
    assert_true(str_eq(cmd.login.password, STR("pa ss\\")));
    assert_int_equal(imap_parse(&a, STR("a1 LOGIN {1+}\r\nx {0}\r\n"), SIZE_MAX, &cmd, &error), RES_OK);
    assert_int_equal(cmd.login.password.len, 0);
}

static void test_fetch(void **state UNUSED)
{
    CLEANUP(arena_releasep) struct arena a = { 0 };
    struct imap_command cmd;
    const char *error = NULL;
    const struct imap_section *s;

    assert_int_equal(imap_parse(&a,
                                STR("t UID FETCH 1,5:*,*:7 (FLAGS BODY.PEEK[1.2.HEADER.FIELDS.NOT (to \"x y\" Cc)]<3.10>"
                                    " body[mime] BODY[3.mime] RFC822) (CHANGEDSINCE 99)"),
                                SIZE_MAX, &cmd, &error),
                     RES_INVALID); /* MIME wants a part */
    assert_int_equal(imap_parse(&a,
                                STR("t UID FETCH 1,5:*,*:7 (FLAGS BODY.PEEK[1.2.HEADER.FIELDS.NOT (to \"x y\" Cc)]<3.10>"
                                    " BODY[3.mime] RFC822) (CHANGEDSINCE 99)"),
                                SIZE_MAX, &cmd, &error),
                     RES_OK);
    assert_true(cmd.uid);
    assert_int_equal(cmd.fetch.set.n, 3);
    assert_int_equal(cmd.fetch.set.v[1].lo, 5);
    assert_int_equal(cmd.fetch.set.v[1].hi, 0);
    assert_int_equal(cmd.fetch.what.items, FETCH_UID | FETCH_FLAGS | FETCH_MODSEQ);
    assert_int_equal(cmd.fetch.what.changed_since, 99);
    assert_int_equal(cmd.fetch.what.n, 3);
    assert_true(cmd.fetch.what.sets_seen);
    s = cmd.fetch.what.sections;
    assert_true(str_eq(s[0].label, STR("BODY[1.2.HEADER.FIELDS.NOT (to \"x y\" Cc)]<3>")));
    assert_true(str_eq(s[0].part, STR("1.2")));
    assert_int_equal(s[0].section, MAIL_SECTION_HEADER);
    assert_true(s[0].except && s[0].has_fields && s[0].partial);
    assert_int_equal(s[0].nfields, 3);
    assert_int_equal(s[0].count, 10);
    assert_true(str_eq(s[1].label, STR("BODY[3.MIME]")));
    assert_int_equal(s[1].section, MAIL_SECTION_MIME);
    assert_true(str_eq(s[2].label, STR("RFC822")));
    assert_int_equal(imap_parse(&a, STR("t FETCH 2 BODY.PEEK[TEXT]"), SIZE_MAX, &cmd, &error), RES_OK);
    assert_false(cmd.fetch.what.sets_seen);
    assert_int_equal(imap_parse(&a, STR("t FETCH 2 full"), SIZE_MAX, &cmd, &error), RES_OK);
    assert_int_equal(cmd.fetch.what.items,
                     FETCH_FLAGS | FETCH_INTERNALDATE | FETCH_SIZE | FETCH_ENVELOPE | FETCH_BODY);
}

static void test_store(void **state UNUSED)
{
    CLEANUP(arena_releasep) struct arena a = { 0 };
    struct imap_command cmd;
    const char *error = NULL;

    assert_int_equal(imap_parse(&a, STR("t STORE 1:3 (UNCHANGEDSINCE 7) -flags.silent (\\seen $Work \\DELETED)"),
                                SIZE_MAX, &cmd, &error),
                     RES_OK);
    assert_int_equal(cmd.store.how, STORE_REMOVE);
    assert_true(cmd.store.silent && cmd.store.unchanged_since_given);
    assert_int_equal(cmd.store.unchanged_since, 7);
    assert_int_equal(cmd.store.flags.system, FLAG_SEEN | FLAG_DELETED);
    assert_int_equal(cmd.store.flags.n, 1);
    assert_int_equal(imap_parse(&a, STR("t STORE 1 FLAGS \\Draft Work"), SIZE_MAX, &cmd, &error), RES_OK);
    assert_int_equal(cmd.store.how, STORE_REPLACE);
    assert_int_equal(cmd.store.flags.system, FLAG_DRAFT);
    assert_int_equal(imap_parse(&a, STR("t STORE 1 +FLAGS ()"), SIZE_MAX, &cmd, &error), RES_OK);
}

static void test_search(void **state UNUSED)
{
    CLEANUP(arena_releasep) struct arena a = { 0 };
    struct imap_command cmd;
    const char *error = NULL;
    const struct imap_search_key *k;

    assert_int_equal(
        imap_parse(&a,
                   STR("t SEARCH CHARSET ISO-8859-1 UNSEEN (OR FROM {1}\r\n\xfc NOT 1:5) HEADER Message-ID x"
                       " SINCE 1-Feb-2020 MODSEQ \"/flags/\\\\draft\" all 42 NEW KEYWORD w"),
                   SIZE_MAX, &cmd, &error),
        RES_OK);
    assert_false(cmd.search.bad_charset);
    assert_true(cmd.search.modseq);
    assert_int_equal(cmd.search.ncostly, 3);
    k = cmd.search.root->child;
    assert_int_equal(k->op, SEARCH_NOT); /* UNSEEN */
    assert_int_equal(k->child->number, FLAG_SEEN);
    k = k->next->child;
    assert_int_equal(k->op, SEARCH_OR);
    assert_true(str_eq(k->child->text, STR("\xc3\xbc")));
    assert_int_equal(k->child->next->op, SEARCH_NOT);
    assert_int_equal(k->child->next->child->op, SEARCH_SEQUENCE);
    k = cmd.search.root->child->next->next;
    assert_int_equal(k->op, SEARCH_MESSAGE_ID);
    assert_int_equal(k->next->number, 18293);
    assert_int_equal(k->next->next->number, 42);
    assert_int_equal(imap_parse(&a, STR("t SEARCH CHARSET klingon ALL"), SIZE_MAX, &cmd, &error), RES_OK);
    assert_true(cmd.search.bad_charset);
}

static void test_append(void **state UNUSED)
{
    CLEANUP(arena_releasep) struct arena a = { 0 };
    struct str text = STR("t APPEND \"&AOk-\" (\\Seen x) \" 7-Feb-1994 21:52:25 -0800\" {310}\r\n");
    struct imap_command cmd;
    const char *error = NULL;
    struct str tag;

    assert_int_equal(imap_parse(&a, text, text.len - 7, &cmd, &error), RES_OK);
    assert_true(str_eq(cmd.append.mailbox, STR("\xc3\xa9")));
    assert_int_equal(cmd.append.flags.system, FLAG_SEEN);
    assert_true(cmd.append.has_date);
    assert_int_equal(cmd.append.date_us, INT64_C(760686745000000));
    assert_int_equal(imap_parse(&a, text, SIZE_MAX, &cmd, &error), RES_INVALID);
    assert_true(imap_parse_is_append(&a, str_of(text.p, text.len - 7), &tag));
    assert_true(str_eq(tag, STR("t")));
    assert_false(imap_parse_is_append(&a, STR("t APPEND "), &tag)); /* the mailbox comes as a literal */
    assert_true(imap_parse_is_append(&a, STR("t APPEND {5}\r\nINBOX "), &tag));
    assert_false(imap_parse_is_append(&a, STR("t LOGIN x "), &tag));
}

static void test_mailboxes(void **state UNUSED)
{
    CLEANUP(arena_releasep) struct arena a = { 0 };
    struct imap_command cmd;
    const char *error = NULL;

    assert_int_equal(imap_parse(&a, STR("t LIST (SPECIAL-USE) \"\" %*]x RETURN (SPECIAL-USE CHILDREN)"), SIZE_MAX, &cmd,
                                &error),
                     RES_OK);
    assert_true(cmd.list.only_special);
    assert_true(str_eq(cmd.list.pattern, STR("%*]x")));
    assert_int_equal(imap_parse(&a, STR("t LSUB \"a/\" \"\""), SIZE_MAX, &cmd, &error), RES_OK);
    assert_int_equal(imap_parse(&a, STR("t CREATE x (USE (\\Junk))"), SIZE_MAX, &cmd, &error), RES_OK);
    assert_int_equal(cmd.create.use, SPECIAL_JUNK);
    assert_int_equal(imap_parse(&a, STR("t CREATE x (USE (\\Junk \\Sent))"), SIZE_MAX, &cmd, &error), RES_OK);
    assert_true(cmd.create.bad_use);
    assert_int_equal(imap_parse(&a, STR("t STATUS x (UNSEEN MESSAGES)"), SIZE_MAX, &cmd, &error), RES_OK);
    assert_int_equal(cmd.status.items, STATUS_UNSEEN | STATUS_MESSAGES);
    assert_int_equal(imap_parse(&a, STR("t EXAMINE inbox (condstore)"), SIZE_MAX, &cmd, &error), RES_OK);
    assert_true(cmd.select.condstore);
    assert_int_equal(imap_parse(&a, STR("t UID EXPUNGE 3:4"), SIZE_MAX, &cmd, &error), RES_OK);
    assert_int_equal(cmd.expunge.set.n, 1);
    assert_int_equal(imap_parse(&a, STR("t UID MOVE 1 Trash"), SIZE_MAX, &cmd, &error), RES_OK);
    assert_int_equal(cmd.verb, IMAP_MOVE);
}

static void test_literal_announcements(void **state UNUSED)
{
    uint64_t size = 0;
    bool sync = false;
    size_t at = 0;

    assert_true(imap_parse_literal(STR("a LOGIN {12}"), &size, &sync, &at));
    assert_int_equal(size, 12);
    assert_true(sync);
    assert_int_equal(at, 8);
    assert_true(imap_parse_literal(STR("{0+}"), &size, &sync, &at));
    assert_false(sync);
    assert_false(imap_parse_literal(STR("a {}"), &size, &sync, &at));
    assert_false(imap_parse_literal(STR("a {-1}"), &size, &sync, &at));
    assert_false(imap_parse_literal(STR("a {1++}"), &size, &sync, &at));
    assert_false(imap_parse_literal(STR("a {99999999999999999999}"), &size, &sync, &at));
    assert_false(imap_parse_literal(STR("a {1} "), &size, &sync, &at));
    assert_false(imap_parse_literal(STR("}"), &size, &sync, &at));
}

/* ---- limits ---- */

static void repeat(struct strbuf *b, const char *piece, size_t n)
{
    for (size_t i = 0; i < n; i++)
        assert_int_equal(strbuf_add(b, str_c(piece)), RES_OK);
}

static void test_limits(void **state UNUSED)
{
    static const struct {
        const char *head, *piece, *tail;
        size_t good, bad;
    } cases[] = {
        { "t SEARCH ", "NOT ", "ALL", IMAP_MAX_DEPTH - 1, IMAP_MAX_DEPTH },
        { "t SEARCH ", "(", "ALL", 0, 100000 },
        { "t SEARCH ALL", " ALL", "", IMAP_MAX_KEYS - 2, IMAP_MAX_KEYS },
        { "t FETCH 1 (UID", " BODY[]", ")", IMAP_MAX_SECTIONS, IMAP_MAX_SECTIONS + 1 },
        { "t FETCH 1 BODY[HEADER.FIELDS (a", " a", ")]", IMAP_MAX_FIELDS - 1, IMAP_MAX_FIELDS },
        { "t STORE 1 FLAGS (a", " a", ")", IMAP_MAX_KEYWORDS - 1, IMAP_MAX_KEYWORDS },
        { "t GETMETADATA a (/shared/a", " /shared/a", ")", IMAP_MAX_ENTRIES - 1, IMAP_MAX_ENTRIES },
        { "t SETMETADATA a (/shared/a NIL", " /shared/a NIL", ")", IMAP_MAX_ENTRIES - 1, IMAP_MAX_ENTRIES },
        { "t GETMETADATA a /shared/", "x", "", 247, 248 },
    };

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        for (int good = 0; good < 2; good++) {
            CLEANUP(arena_releasep) struct arena a = { 0 };
            CLEANUP(strbuf_release) struct strbuf b = { 0 };
            struct imap_command cmd;
            const char *error = NULL;

            repeat(&b, cases[i].head, 1);
            repeat(&b, cases[i].piece, good ? cases[i].good : cases[i].bad);
            repeat(&b, cases[i].tail, 1);
            assert_int_equal(imap_parse(&a, strbuf_str(&b), SIZE_MAX, &cmd, &error), good ? RES_OK : RES_INVALID);
        }
    }
}

static void test_metadata(void **state UNUSED)
{
    CLEANUP(arena_releasep) struct arena a = { 0 };
    struct imap_command cmd;
    const char *error = NULL;
    static const char *const gets[] = {
        "t GETMETADATA (MAXSIZE 10 DEPTH infinity) \"\" (/Shared /private/Comment)",
        "t GETMETADATA \"\" (DEPTH infinity MAXSIZE 10) (/shared \"/private/comment\")", /* as in the RFC's examples */
    };

    for (size_t i = 0; i < ARRAY_LEN(gets); i++) {
        assert_int_equal(imap_parse(&a, str_c(gets[i]), SIZE_MAX, &cmd, &error), RES_OK);
        assert_int_equal(cmd.verb, IMAP_GETMETADATA);
        assert_true(cmd.metadata.mailbox.len == 0 && cmd.metadata.has_max && cmd.metadata.max == 10);
        assert_int_equal(cmd.metadata.depth, DEPTH_INFINITY);
        assert_int_equal(cmd.metadata.n, 2);
        assert_true(str_eq(cmd.metadata.v[0].name, STR("/shared")));
        assert_true(str_eq(cmd.metadata.v[1].name, STR("/private/comment")));
    }
    assert_int_equal(imap_parse(&a, STR("t GETMETADATA INBOX (DEPTH 1) /shared/x"), SIZE_MAX, &cmd, &error), RES_OK);
    assert_true(cmd.metadata.depth == DEPTH_1 && !cmd.metadata.has_max && cmd.metadata.n == 1);
    assert_int_equal(imap_parse(&a, STR("t SETMETADATA INBOX (/shared/a NIL /SHARED/VENDOR/X/Y {2}\r\na\n /private/vendors \"\" /shared/b ~{3}\r\na\0b)"),
                                SIZE_MAX, &cmd, &error), RES_OK);
    assert_int_equal(cmd.metadata.n, 4);
    assert_null(cmd.metadata.v[0].value.p);
    assert_true(str_eq(cmd.metadata.v[1].name, STR("/shared/vendor/x/y")) && str_eq(cmd.metadata.v[1].value, STR("a\n")));
    assert_true(cmd.metadata.v[2].value.p != NULL && cmd.metadata.v[2].value.len == 0);
    assert_true(str_eq(cmd.metadata.v[3].value, str_of("a\0b", 3)));
}

/* ---- bad ones ---- */

static const char *const bad[] = {
    "", " ", "t", "t ", " NOOP", "t  NOOP", "t NOOP ", "t NOOP x", "+ NOOP", "t+ NOOP", "t\t NOOP", "t NO OP",
    "t UID NOOP", "t UID", "t UID ", "t BLURDY",
    "t LOGIN", "t LOGIN a", "t LOGIN a ", "t LOGIN a b c", "t LOGIN \"a b", "t LOGIN \"a\\b\" c", "t LOGIN \"a\rb\" c",
    "t LOGIN {5}\r\nabc d", "t LOGIN {99999999999}\r\na b", "t LOGIN {1}a b", "t LOGIN {1}\ra b", "t LOGIN {-1}\r\n b",
    "t LOGIN {} b", "t LOGIN (a) b", "t LOGIN a% b", "t LOGIN \x80 b",
    "t AUTHENTICATE", "t AUTHENTICATE PLAIN ", "t AUTHENTICATE PLAIN a b", "t AUTHENTICATE PLAIN \"x\"",
    "t SELECT", "t SELECT a b", "t SELECT a (X)", "t SELECT a (CONDSTORE", "t SELECT &", "t SELECT &AOk", "t SELECT \"&AGE-\"",
    "t SELECT \"\xc3\xa9\"", "t CREATE a (USE \\Sent)", "t CREATE a (USE (Sent))", "t CREATE a (USE (\\Sent)", "t RENAME a",
    "t LIST", "t LIST a", "t LIST \"\" (a b)", "t LIST (X) \"\" *", "t LIST \"\" * RETURN", "t LIST \"\" * RETURN (X)",
    "t LSUB (SPECIAL-USE) \"\" *", "t STATUS a", "t STATUS a ()", "t STATUS a (X)", "t STATUS a (MESSAGES", "t STATUS a MESSAGES",
    "t APPEND a", "t APPEND a \"x\"", "t APPEND a {3}\r\nabc", "t APPEND a (\\Seen {3}\r\nabc",
    "t EXPUNGE 1", "t UID EXPUNGE", "t UID EXPUNGE 0", "t UID EXPUNGE a",
    "t FETCH", "t FETCH 1", "t FETCH 1 ()", "t FETCH 1 X", "t FETCH 0 UID", "t FETCH 1: UID", "t FETCH :1 UID",
    "t FETCH 1,, UID", "t FETCH , UID", "t FETCH 1,2, UID", "t FETCH 4294967296 UID", "t FETCH 1:2:3 UID", "t FETCH -1 UID",
    "t FETCH 1 (UID", "t FETCH 1 (UID)x", "t FETCH 1 (UID ALL)", "t FETCH 1 BODY[", "t FETCH 1 BODY[X]", "t FETCH 1 BODY[0]",
    "t FETCH 1 BODY[1.]", "t FETCH 1 BODY[1..2]", "t FETCH 1 BODY[MIME]", "t FETCH 1 BODY[HEADER.FIELDS]",
    "t FETCH 1 BODY[HEADER.FIELDS ()]", "t FETCH 1 BODY[HEADER.FIELDS (a]", "t FETCH 1 BODY[HEADER.FIELDS (\"a\\\"b\")]",
    "t FETCH 1 BODY[]<1>", "t FETCH 1 BODY[]<1.0>", "t FETCH 1 BODY[]<1.2", "t FETCH 1 BODY[]<-1.2>", "t FETCH 1 BODY.PEEK",
    "t FETCH 1 RFC822[1]", "t FETCH 1 UID (CHANGEDSINCE)", "t FETCH 1 UID (CHANGEDSINCE x)", "t FETCH 1 UID (X 1)",
    "t FETCH 1 UID (CHANGEDSINCE 9223372036854775808)", "t FETCH 1 UID (CHANGEDSINCE 1 VANISHED)",
    "t STORE 1", "t STORE 1 FLAGS", "t STORE 1 X (\\Seen)", "t STORE 1 FLAGS (\\Recent)", "t STORE 1 FLAGS (\\Foo)",
    "t STORE 1 FLAGS (\\Seen", "t STORE 1 FLAGS (a  b)", "t STORE 1 FLAGS.LOUD (a)", "t STORE 1 (UNCHANGEDSINCE) FLAGS (a)",
    "t STORE 1 (UNCHANGEDSINCE 1)FLAGS (a)", "t STORE 1 * FLAGS (a)", "t STORE 1 FLAGS (a(b))",
    "t COPY 1", "t COPY a b", "t COPY 1 b c", "t SEARCH", "t SEARCH ", "t SEARCH X", "t SEARCH FROM", "t SEARCH OR ALL",
    "t SEARCH NOT", "t SEARCH (ALL", "t SEARCH ALL)", "t SEARCH ()", "t SEARCH LARGER x", "t SEARCH LARGER 4294967296",
    "t SEARCH ON 31-Foo-2020", "t SEARCH ON 2020-01-01", "t SEARCH BEFORE", "t SEARCH KEYWORD (x)", "t SEARCH UID",
    "t SEARCH MODSEQ x", "t SEARCH MODSEQ \"/flags/a\" some 1", "t SEARCH CHARSET UTF-8", "t SEARCH HEADER a",
    "t SEARCH CHARSET", "t SEARCH ALL  ALL", "t ID", "t ID (", "t ID (a b)", "t ID (\"a\")", "t ID (\"a\" \"b\" )", "t ENABLE",
    "t GETQUOTA", "t GETQUOTA (", "t GETQUOTA a b", "t GETQUOTAROOT", "t GETQUOTAROOT \"", "t SETQUOTA \"\" ()",
    "t STATUS a (DELETEDSTORAGE)",
    "t GETMETADATA", "t GETMETADATA a", "t GETMETADATA a ()", "t GETMETADATA a (/shared/x", "t GETMETADATA a /other/x",
    "t GETMETADATA a shared/x", "t GETMETADATA a /sharedx", "t GETMETADATA a /shared/", "t GETMETADATA a /shared//x",
    "t GETMETADATA a \"/shared/a*\"", "t GETMETADATA a \"/shared/%\"", "t GETMETADATA a \"/shared/\xc3\xa9\"", "t GETMETADATA a \"\"",
    "t GETMETADATA a \"/shared/\x01\"", "t GETMETADATA a (MAXSIZE) /shared/x", "t GETMETADATA a (MAXSIZE x) /shared/x",
    "t GETMETADATA a (MAXSIZE 99999999999) /shared/x", "t GETMETADATA a (DEPTH 2) /shared/x", "t GETMETADATA a (DEPTH) /shared/x",
    "t GETMETADATA a (MAXSIZE 1 /shared/x)", "t GETMETADATA (DEPTH 1) a", "t GETMETADATA (X) a /shared/x",
    "t GETMETADATA a /shared/x /shared/y", "t GETMETADATA a /",
    "t SETMETADATA", "t SETMETADATA a", "t SETMETADATA a ()", "t SETMETADATA a /shared/x NIL", "t SETMETADATA a (/shared/x)",
    "t SETMETADATA a (/shared NIL)", "t SETMETADATA a (/shared/x b)", "t SETMETADATA a (/shared/x NIL", "t SETMETADATA a (/shared/x NIL )",
    "t SETMETADATA a (/shared/vendor NIL)", "t SETMETADATA a (/private/vendor/x NIL)", "t SETMETADATA a (/shared/x ~\"a\")",
    "t SETMETADATA a (/shared/x ~{3}\r\nab)", "t SETMETADATA a (/shared/x ~{9999999999}\r\nab)", "t SETMETADATA a (/shared/x ~)",
};

static void test_bad(void **state UNUSED)
{
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        CLEANUP(arena_releasep) struct arena a = { 0 };
        struct imap_command cmd;
        const char *error = NULL;

        if (imap_parse(&a, str_c(bad[i]), SIZE_MAX, &cmd, &error) != RES_INVALID)
            fail_msg("was taken: %s", bad[i]);
        assert_non_null(error);
    }
}

static void test_nul(void **state UNUSED)
{
    CLEANUP(arena_releasep) struct arena a = { 0 };
    struct imap_command cmd;
    const char *error = NULL;

    assert_int_equal(imap_parse(&a, STR("t LOGIN a\0b c"), SIZE_MAX, &cmd, &error), RES_INVALID);
    assert_int_equal(imap_parse(&a, STR("t LOGIN \"a\0b\" c"), SIZE_MAX, &cmd, &error), RES_INVALID);
    assert_int_equal(imap_parse(&a, STR("t LOGIN {3}\r\na\0b c"), SIZE_MAX, &cmd, &error), RES_INVALID);
    assert_int_equal(imap_parse(&a, STR("t FETCH 1\0 UID"), SIZE_MAX, &cmd, &error), RES_INVALID);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_login),     cmocka_unit_test(test_fetch),  cmocka_unit_test(test_store),
        cmocka_unit_test(test_search),    cmocka_unit_test(test_append), cmocka_unit_test(test_mailboxes),
        cmocka_unit_test(test_literal_announcements), cmocka_unit_test(test_limits), cmocka_unit_test(test_bad),
        cmocka_unit_test(test_nul),       cmocka_unit_test(test_metadata),
    };

    return cmocka_run_group_tests_name("imap_parse", tests, NULL, NULL);
}
