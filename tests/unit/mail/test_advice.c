#include "tests/support/cmocka.h"

#include "base/macros.h"
#include "mail/advice.h"

#include <stdio.h>
#include <stdlib.h>

static enum attempt_phase phase_of(struct str name)
{
    for (int i = 0; i < PHASES; i++) {
        if (str_eq(attempt_phase_name((enum attempt_phase)i), name))
            return (enum attempt_phase)i;
    }
    fail_msg("no phase %.*s", STR_ARG(name));
    return PHASE_DNS;
}

static bool is_enhanced(struct str s)
{
    return s.len >= 5 && s.p[1] == '.' && ascii_digit(s.p[0]) && ascii_digit(s.p[2]);
}

static struct str take(struct str *rest, const char *end)
{
    size_t at = str_find(*rest, str_c(end));
    struct str s;

    assert_true(at != SIZE_MAX);
    s = str_sub(*rest, 0, at);
    *rest = str_from(*rest, at + strlen(end));
    return s;
}

/* Each line of replies.txt: advice | phase | reply. */
static void test_replies(void **state)
{
    FILE *f = fopen(SOURCE_DIR "/tests/unit/mail/replies.txt", "r");
    int n = 0, wrong = 0;
    char line[1024];

    (void)state;
    assert_non_null(f);
    while (fgets(line, sizeof(line), f) != NULL) {
        struct str rest = str_trim(str_c(line)), want, phase, enhanced, got;
        uint64_t code;

        if (rest.len == 0 || rest.p[0] == '#')
            continue;
        want = take(&rest, " | ");
        phase = take(&rest, " | ");
        assert_true(str_u64(str_sub(rest, 0, 3), 599, &code));
        rest = str_from(rest, 4);
        enhanced = str_sub(rest, 0, str_chr(rest, ' '));
        if (is_enhanced(enhanced))
            rest = str_from(rest, enhanced.len + 1);
        else
            enhanced = STR_NULL;
        got = advice_of_reply(phase_of(phase), (int)code, enhanced, rest);
        if (!str_eq(got, want)) {
            print_error("%.*s, not %.*s: %s", STR_ARG(got), STR_ARG(want), line);
            wrong++;
        }
        n++;
    }
    fclose(f);
    assert_int_equal(wrong, 0);
    assert_true(n >= 200);
}

/* Replies that say little: never more is made of them. */
static const struct {
    enum attempt_phase phase;
    int code;
    const char *enhanced, *text, *want;
} cases[] = {
    { PHASE_RCPT, 450, "4.1.1", "not now", "temporary" },
    { PHASE_RCPT, 550, NULL, "greylisting is no reason for 550", "permanent" },
    { PHASE_RCPT, 552, NULL, "storage", "mailbox-full" },
    { PHASE_MAIL, 552, NULL, "storage", "too-large" },
    { PHASE_GREETING, 554, NULL, "go away", "host-refused" },
    { PHASE_BODY, 554, "5.7.1", "we say no", "policy" },
    { PHASE_AUTH, 454, "4.7.0", "later", "policy" },
    { PHASE_AUTH, 454, NULL, "later", "auth-failed" },
    { PHASE_MAIL, 451, NULL, "", "temporary" },
    { PHASE_MAIL, 451, "4", "", "temporary" },
    { PHASE_BODY, 550, "5.7.1", "your\r\n message looks\tlike\n\n SPAM", "spam-content" },
    { PHASE_BODY, 599, "9.99.999", "\xff\x80 *|{destination}", "permanent" },
};

static void test_cases(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct str got = advice_of_reply(cases[i].phase, cases[i].code, str_c(cases[i].enhanced), str_c(cases[i].text));

        if (!str_eq(got, str_c(cases[i].want)))
            fail_msg("%d %s: %.*s", cases[i].code, cases[i].text, STR_ARG(got));
    }
}

static void test_long_text(void **state)
{
    size_t size = 100000;
    char *text = malloc(size);

    (void)state;
    assert_non_null(text);
    memset(text, 'x', size);
    assert_true(str_eq(advice_of_reply(PHASE_BODY, 550, STR_NULL, str_of(text, size)), STR("permanent")));
    free(text);
}

/* Each id has its words in each language, and they are in order. */
static void test_words(void **state)
{
    struct arena a = { 0 };
    const struct advice *v;
    size_t n;

    (void)state;
    v = advice_all(&n);
    assert_true(n >= 60);
    for (size_t i = 0; i < n; i++) {
        struct str id = str_c(v[i].id);

        assert_ptr_equal(advice_find(id), &v[i]);
        assert_true(advice_actor_name(v[i].actor).len > 0);
        for (int language = DSN_EN; language <= DSN_PT_BR; language++) {
            struct str text = advice_say(&a, id, ADVICE_TEXT, (enum dsn_language)language, STR("{destination}"));

            if (text.len < 10 || text.p[text.len - 1] != '.')
                fail_msg("%s: \"%.*s\"", v[i].id, STR_ARG(text));
            assert_true(advice_say(&a, id, ADVICE_STEPS, (enum dsn_language)language, STR("")).len > 10);
        }
    }
    assert_null(advice_find(STR("no-such-id")));
    assert_null(advice_find(STR("")));
    assert_null(advice_say(&a, STR("no-such-id"), ADVICE_TEXT, DSN_EN, STR("")).p);
    assert_true(str_eq(advice_say(&a, STR("null-mx"), ADVICE_TEXT, DSN_EN, STR("example.net")),
                       STR("example.net says that it takes no mail.")));
    assert_true(str_starts(advice_say(&a, STR("null-mx"), ADVICE_TEXT, DSN_PT_BR, STR("")), STR("O outro servidor")));
    arena_reset(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_replies), cmocka_unit_test(test_cases), cmocka_unit_test(test_long_text),
                                        cmocka_unit_test(test_words) };

    return cmocka_run_group_tests_name("advice", tests, NULL, NULL);
}
