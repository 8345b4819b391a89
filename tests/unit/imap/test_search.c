/* SEARCH without a database: reading stored ENVELOPEs, matching, evaluation in three values. */
#include "tests/support/cmocka.h"

#include "base/macros.h"
#include "imap/search_job.h"
#include "imap/stored_envelope.h"
#include "mail/text.h"

static const char envelope[] =
    "(\"Fri, 27 Nov 2026 23:30:00 -0300\" \"=?utf-8?q?Gr=C3=BC=C3=9Fe?= x\" "
    "((\"A \\\"q\\\" B\" NIL \"alice\" \"example.test\")) NIL NIL "
    "((NIL NIL \"team\" NIL)({8}\r\n=?utf-8? NIL \"bob\" \"b.test\")(NIL NIL NIL NIL)) NIL NIL \"<0@x>\" \"<1@x>\")";

static void test_stored_envelope(void **state UNUSED)
{
    CLEANUP(arena_releasep) struct arena a = { 0 };
    struct stored_envelope e = { 0 };
    struct stored_address address = { 0 };

    assert_int_equal(stored_envelope_read(&a, str_c(envelope), &e), RES_OK);
    assert_true(str_eq(e.message_id, STR("<1@x>")));
    assert_true(e.sender.p == NULL && e.cc.p == NULL);
    assert_true(stored_envelope_address(&a, &e.from, &address));
    assert_true(str_eq(address.name, STR("A \"q\" B")));
    assert_false(stored_envelope_address(&a, &e.from, &address));
    assert_true(stored_envelope_address(&a, &e.to, &address));
    assert_true(address.host.p == NULL);
    assert_true(stored_envelope_address(&a, &e.to, &address));
    assert_true(str_eq(address.name, STR("=?utf-8?")));
    assert_true(stored_envelope_address(&a, &e.to, &address));
    assert_false(stored_envelope_address(&a, &e.to, &address));
    for (size_t cut = 0; cut < sizeof(envelope) - 1; cut++) /* nothing shorter is one */
        assert_int_equal(stored_envelope_read(&a, str_of(envelope, cut), &e), RES_INVALID);
}

static const struct {
    const char *name;
    enum imap_search_op op;
    const char *text, *field;
    int64_t number;
    bool match;
} matches[] = {
    { "subject decoded", SEARCH_SUBJECT, "GR\xc3\x9cSSE", "", 0, true },
    { "subject raw is not searched", SEARCH_SUBJECT, "utf-8", "", 0, false },
    { "from address", SEARCH_FROM, "ALICE@EXAMPLE", "", 0, true },
    { "from name", SEARCH_FROM, "\"Q\"", "", 0, true },
    { "from whole", SEARCH_FROM, "b <alice@example.test>", "", 0, true },
    { "to second", SEARCH_TO, "bob@b.test", "", 0, true },
    { "to group", SEARCH_TO, "team", "", 0, true },
    { "cc none", SEARCH_CC, "a", "", 0, false },
    { "cc empty needle", SEARCH_CC, "", "", 0, true },
    { "message-id", SEARCH_MESSAGE_ID, "1@X", "Message-ID", 0, true },
    { "in-reply-to", SEARCH_IN_REPLY_TO, "0@x", "In-Reply-To", 0, true },
    { "sent on, as the zone shows it", SEARCH_SENTON, NULL, "", 20784, true },
    { "not the day in UTC", SEARCH_SENTON, NULL, "", 20785, false },
    { "sent before", SEARCH_SENTBEFORE, NULL, "", 20785, true },
    { "sent since", SEARCH_SENTSINCE, NULL, "", 20785, false },
};

static void test_matches(void **state UNUSED)
{
    for (size_t i = 0; i < ARRAY_LEN(matches); i++) {
        CLEANUP(arena_releasep) struct arena a = { 0 };
        struct imap_search_key key = { .op = matches[i].op, .number = matches[i].number,
                                       .field = str_c(matches[i].field) };
        struct search_key_state k = { .key = &key, .needle = STR("") };
        struct stored_envelope e = { 0 };

        if (matches[i].text != NULL)
            k.needle = text_casefold(&a, str_c(matches[i].text));
        assert_int_equal(stored_envelope_read(&a, str_c(envelope), &e), RES_OK);
        if (search_match_envelope(&a, &k, &e) != matches[i].match)
            fail_msg("%s", matches[i].name);
    }
}

static void test_header(void **state UNUSED)
{
    CLEANUP(arena_releasep) struct arena a = { 0 };
    struct imap_search_key key = { .op = SEARCH_HEADER, .field = STR("x-list") };
    struct search_key_state k = { .key = &key, .needle = STR("two") };
    struct str header = STR("Subject: two\r\nX-List: one\r\nX-LIST: =?us-ascii?q?T=57O?=\r\n\r\nX-List: three\r\n");

    assert_true(search_match_header(&a, &k, header));
    k.needle = STR("three");
    assert_false(search_match_header(&a, &k, header));
    k.needle = STR("");
    assert_true(search_match_header(&a, &k, header));
    key.field = STR("x-none");
    assert_false(search_match_header(&a, &k, header));
}

/* A program over five messages: flags 0..4 set bit by bit; key 0 is decided later. */
static void test_truth(void **state UNUSED)
{
    struct imap_session session = { .view = view_new() };
    struct search_key_state costly = { 0 };
    struct search_job job = { .s = &session, .costly = &costly, .ncostly = 1 };
    struct imap_search_key seen = { .op = SEARCH_FLAG, .number = FLAG_SEEN }, body = { .op = SEARCH_BODY };
    struct imap_search_key not_body = { .op = SEARCH_NOT, .child = &body };
    struct imap_search_key and = { .op = SEARCH_AND, .child = &seen }, or = { .op = SEARCH_OR, .child = &seen };
    const struct message_state m[] = { { .uid = 1, .flags = FLAG_SEEN }, { .uid = 2 } };
    unsigned char bits[1] = { 1 };

    session.view->first_recent = INT64_MAX;
    for (size_t i = 0; i < ARRAY_LEN(m); i++)
        assert_int_equal(view_put(session.view, &m[i], false), RES_OK);
    seen.next = &not_body;
    assert_int_equal(search_truth(&job, &and, 0), TRUTH_OPEN);
    assert_int_equal(search_truth(&job, &and, 1), TRUTH_NO);
    assert_int_equal(search_truth(&job, &or, 0), TRUTH_YES);
    assert_int_equal(search_truth(&job, &or, 1), TRUTH_OPEN);
    costly.known = true;
    costly.bits = bits; /* message 0 matches */
    assert_int_equal(search_truth(&job, &and, 0), TRUTH_NO);
    assert_int_equal(search_truth(&job, &or, 1), TRUTH_YES);
    assert_int_equal(search_truth(&job, &body, 0), TRUTH_YES);
    assert_int_equal(search_truth(&job, &body, 1), TRUTH_NO);
    view_free(session.view);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_stored_envelope), cmocka_unit_test(test_matches),
                                        cmocka_unit_test(test_header), cmocka_unit_test(test_truth) };

    return cmocka_run_group_tests_name("imap_search", tests, NULL, NULL);
}
