#include "tests/support/cmocka.h"

#include "agent/request.h"

static void test_round_trip(void **state)
{
    CLEANUP(arena_releasep) struct arena a = { 0 };
    CLEANUP(strbuf_release) struct strbuf out = { 0 };
    struct request r = { .kind = DELIVERY_PIPE, .words = { STR("/bin/a"), STR(""), STR("b\nc") }, .n_words = 3, .user = STR("alice"),
                         .sender = STR(""), .recipient = STR("alice@x.test"), .extension = STR("l"), .size = 12,
                         .time_ms = 5000, .forward = true };
    struct request got;

    (void)state;
    request_write(&r, &out);
    assert_int_equal(request_read(strbuf_str(&out), &a, &got), RES_OK);
    assert_int_equal(got.kind, DELIVERY_PIPE);
    assert_int_equal(got.n_words, 3);
    assert_true(str_eq(got.words[2], STR("b\nc")) && str_eq(got.user, STR("alice")) && got.sender.p != NULL);
    assert_true(got.size == 12 && got.time_ms == 5000 && got.forward && got.folder.p == NULL);
    for (size_t n = 0; n < out.len; n++) /* cut anywhere it is none, or lacks what came last */
        (void)!request_read(str_sub(strbuf_str(&out), 0, n), &a, &got);
}

#define BAD(text) STR(text)
static void test_bad_requests(void **state)
{
    const struct str bad[] = {
        STR(""), BAD("kind"), BAD("kind\0maildir"), BAD("kind\0maildir\0"), BAD("kind\0store\0user\0a\0time\0" "1\0"),
        BAD("kind\0maildir\0user\0a\0time\0" "1\0"), BAD("kind\0maildir\0path\0/x\0user\0\0time\0" "1\0"),
        BAD("kind\0maildir\0path\0/x\0user\0a\0time\0" "0\0"), BAD("kind\0maildir\0path\0/x\0user\0a\0time\0x\0"),
        BAD("kind\0maildir\0path\0/x\0user\0a\0time\0" "1\0word\0/a\0"), BAD("kind\0pipe\0path\0/x\0user\0a\0time\0" "1\0"),
        BAD("kind\0maildir\0path\0/x\0user\0a\0time\0" "1\0colour\0red\0"),
    };
    CLEANUP(arena_releasep) struct arena a = { 0 };
    struct request r;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        assert_int_equal(request_read(bad[i], &a, &r), RES_INVALID);
    assert_int_equal(request_read(STR("kind\0maildir\0path\0/x\0user\0a\0time\0" "1\0"), &a, &r), RES_OK);
}

static void test_answers(void **state)
{
    static const char *const bad[] = { "", "+", "+x\n", "\n", "~4.2.2\n", "~5.2.2 x\n", "-4.2.2 x\n", "-5.x.1 x\n", "-5 x\n", ">\n+\n", ">a\n",
                                       "+\n+\n", "+\nmore", "-5.1.1 a\n+\n", "?\n", "-5.1111.1 x\n" };
    CLEANUP(arena_releasep) struct arena a = { 0 };
    CLEANUP(strbuf_release) struct strbuf out = { 0 };
    struct str addresses[] = { STR("a@x.test"), STR("b") };
    struct answer answer = { .kind = ANSWER_DONE, .addresses = addresses, .n_addresses = 2 }, got;

    (void)state;
    answer_write(&answer, &out);
    assert_int_equal(answer_read(strbuf_str(&out), &a, &got), RES_OK);
    assert_true(got.kind == ANSWER_DONE && got.n_addresses == 2 && str_eq(got.addresses[1], STR("b")));
    strbuf_reset(&out);
    answer = (struct answer){ .kind = ANSWER_NEVER, .status = STR("5.1.1"), .text = STR("no such user\n+\n") };
    answer_write(&answer, &out);
    assert_true(str_eq(strbuf_str(&out), STR("-5.1.1 no such user\n")));
    assert_int_equal(answer_read(strbuf_str(&out), &a, &got), RES_OK);
    assert_true(got.kind == ANSWER_NEVER && str_eq(got.status, STR("5.1.1")) && str_eq(got.text, STR("no such user")));
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        if (answer_read(str_c(bad[i]), &a, &got) != RES_INVALID)
            fail_msg("%s was taken", bad[i]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_round_trip), cmocka_unit_test(test_bad_requests),
                                        cmocka_unit_test(test_answers) };

    return cmocka_run_group_tests_name("agent_request", tests, NULL, NULL);
}
