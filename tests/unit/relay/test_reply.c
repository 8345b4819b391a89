#include "tests/support/cmocka.h"

#include "base/macros.h"
#include "relay/dialogue.h"
#include "relay/reply.h"

static const struct reply_case {
    const char *name, *lines; /* separated by "|" */
    enum reply_step want;
    int code;
    const char *enhanced, *text;
} reply_cases[] = {
    { "plain", "250 Ok", REPLY_DONE, 250, NULL, "Ok" },
    { "code alone", "250", REPLY_DONE, 250, NULL, "" },
    { "code and blank", "250 ", REPLY_DONE, 250, NULL, "" },
    { "enhanced", "550 5.1.1 No such user", REPLY_DONE, 550, "5.1.1", "No such user" },
    { "enhanced, no text", "250 2.0.0", REPLY_DONE, 250, "2.0.0", "" },
    { "long enhanced", "550 5.111.222 x", REPLY_DONE, 550, "5.111.222", "x" },
    { "too long enhanced", "550 5.1111.2 x", REPLY_DONE, 550, NULL, "5.1111.2 x" },
    { "wrong class", "550 4.1.1 x", REPLY_DONE, 550, NULL, "4.1.1 x" },
    { "an address is no code", "550 5.1.1.1 x", REPLY_DONE, 550, NULL, "5.1.1.1 x" },
    { "lines", "550-5.7.1 first|550-5.7.1 second|550 5.7.1 third", REPLY_DONE, 550, "5.7.1", "first\nsecond\nthird" },
    { "unfinished", "250-a|250-b", REPLY_MORE, 0, NULL, NULL },
    { "other code", "250-a|251 b", REPLY_BAD, 0, NULL, NULL },
    { "empty", "", REPLY_BAD, 0, NULL, NULL },
    { "short", "25", REPLY_BAD, 0, NULL, NULL },
    { "no number", "abc def", REPLY_BAD, 0, NULL, NULL },
    { "too low", "199 x", REPLY_BAD, 0, NULL, NULL },
    { "too high", "600 x", REPLY_BAD, 0, NULL, NULL },
    { "no blank", "250Ok", REPLY_BAD, 0, NULL, NULL },
    { "negative", "-25 x", REPLY_BAD, 0, NULL, NULL },
    { "controls", "250 a\x01\x1b[31mb\tc", REPLY_DONE, 250, NULL, "a??[31mb?c" },
    { "UTF-8", "250 ol\xc3\xa1 \xff\xc2\x85 \xe2\x82", REPLY_DONE, 250, NULL, "ol\xc3\xa1 ??? ??" },
};

static void test_reply(void **state)
{
    CLEANUP(arena_releasep) struct arena a = { 0 };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(reply_cases); i++) {
        const struct reply_case *c = &reply_cases[i];
        CLEANUP(reply_parser_release) struct reply_parser p = { 0 };
        struct str rest = str_c(c->lines), line = STR("");
        enum reply_step step = REPLY_MORE;
        struct reply reply;

        if (rest.len == 0)
            step = reply_feed(&p, line);
        while (step == REPLY_MORE && str_split(&rest, '|', &line))
            step = reply_feed(&p, line);
        if (step != c->want)
            fail_msg("%s: step %d", c->name, (int)step);
        if (step != REPLY_DONE)
            continue;
        reply_take(&p, &a, &reply);
        if (reply.code != c->code || !str_eq(reply.enhanced, str_c(c->enhanced)) || !str_eq(reply.text, str_c(c->text)))
            fail_msg("%s: %d %.*s \"%.*s\"", c->name, reply.code, STR_ARG(reply.enhanced), STR_ARG(reply.text));
    }
}

static void test_limits(void **state)
{
    CLEANUP(arena_releasep) struct arena a = { 0 };
    CLEANUP(reply_parser_release) struct reply_parser p = { 0 };
    struct reply reply;
    struct str line = arena_printf(&a, "250-%0500d", 0);

    (void)state;
    for (int i = 0; i < REPLY_MAX_LINES - 1; i++)
        assert_int_equal(reply_feed(&p, line), REPLY_MORE);
    assert_int_equal(reply_feed(&p, STR("250 end")), REPLY_DONE);
    reply_take(&p, &a, &reply);
    assert_in_range(reply.text.len, REPLY_MAX_TEXT - 600, REPLY_MAX_TEXT);
    for (int i = 0; i < REPLY_MAX_LINES; i++)
        assert_int_equal(reply_feed(&p, line), REPLY_MORE);
    assert_int_equal(reply_feed(&p, STR("250 end")), REPLY_BAD);
}

static void test_taken_parser_is_fresh(void **state)
{
    CLEANUP(arena_releasep) struct arena a = { 0 };
    CLEANUP(reply_parser_release) struct reply_parser p = { 0 };
    struct reply reply;

    (void)state;
    assert_int_equal(reply_feed(&p, STR("550 5.1.1 no")), REPLY_DONE);
    reply_take(&p, &a, &reply);
    assert_int_equal(reply_feed(&p, STR("250 Ok")), REPLY_DONE);
    reply_take(&p, &a, &reply);
    assert_true(reply.code == 250 && reply.enhanced.p == NULL && str_eq(reply.text, STR("Ok")));
}

static void test_ehlo(void **state)
{
    struct ehlo e;

    (void)state;
    ehlo_parse(STR("mx STARTTLS\npipelining\nSIZE 52428800\n8BITMIME\nAUTH LOGIN plain\nDSN\nX-THING\n\nSMTPUTF8"), &e);
    assert_true(!e.starttls && e.pipelining && e.has_size && e.max_size == 52428800 && e.eightbitmime && e.auth_login &&
                e.auth_plain && e.dsn && e.smtputf8);
    ehlo_parse(STR("mx\nSTARTTLS\nSIZE\nAUTH=LOGIN"), &e);
    assert_true(e.starttls && e.has_size && e.max_size == 0 && e.auth_login && !e.auth_plain && !e.pipelining);
    ehlo_parse(STR("mx\nSIZE 99999999999999999999999\nSTARTTLSX"), &e);
    assert_true(e.max_size == 0 && !e.starttls);
    ehlo_parse(STR("mx\nDELIVERBY 240"), &e);
    assert_true(e.deliverby && e.min_by_s == 240);
    ehlo_parse(STR("mx\nDELIVERBY"), &e);
    assert_true(e.deliverby && e.min_by_s == 0);
    ehlo_parse(STR("mx\nDELIVERBY -5\nDELIVERBYX"), &e);
    assert_true(e.deliverby && e.min_by_s == 0);
    ehlo_parse(STR(""), &e);
    assert_false(e.pipelining);
}

static void test_dialogue(void **state)
{
    CLEANUP(dialogue_release) struct dialogue d = { 0 };

    (void)state;
    dialogue_begin(&d, 1000);
    dialogue_add(&d, 'S', STR("220 mx\nready"), 1012);
    dialogue_add(&d, 'C', STR("EHLO a"), 1013);
    assert_true(str_eq(strbuf_str(&d.text), STR("12 S: 220 mx?ready\n13 C: EHLO a\n")));
    for (int i = 0; i < 2000; i++)
        dialogue_add(&d, 'C', STR("NOOP NOOP NOOP"), 1013);
    assert_true(d.text.len <= DIALOGUE_MAX);
    assert_true(str_ends(strbuf_str(&d.text), STR("NOOP\n0 C: (the rest is not recorded)\n")));
    dialogue_begin(&d, 0);
    dialogue_add(&d, 'C', STR("again"), 5);
    assert_true(str_eq(strbuf_str(&d.text), STR("5 C: again\n")));
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_reply), cmocka_unit_test(test_limits),
                                        cmocka_unit_test(test_taken_parser_is_fresh), cmocka_unit_test(test_ehlo),
                                        cmocka_unit_test(test_dialogue) };

    return cmocka_run_group_tests_name("reply", tests, NULL, NULL);
}
