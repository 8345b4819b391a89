#include "tests/support/cmocka.h"

#include "base/macros.h"
#include "route/reason.h"

static const struct reason_case {
    enum attempt_phase phase;
    int code;
    const char *enhanced, *text, *want;
} cases[] = {
    { PHASE_RCPT, 550, "5.1.1", "no mailbox here", "unknown-recipient" },
    { PHASE_RCPT, 550, NULL, "No such user here", "unknown-recipient" },
    { PHASE_RCPT, 450, "4.2.0", "Greylisted, see http://example.org/", "greylisted" },
    { PHASE_RCPT, 450, "4.2.1", "Greylisted", "greylisted" },
    { PHASE_RCPT, 450, "4.1.1", "not now", "temporary" },
    { PHASE_RCPT, 550, NULL, "greylisting is no reason for 550", "permanent" },
    { PHASE_RCPT, 452, "4.2.2", "quota", "mailbox-full" },
    { PHASE_RCPT, 552, NULL, "storage", "mailbox-full" },
    { PHASE_MAIL, 552, NULL, "storage", "too-large" },
    { PHASE_MAIL, 552, "5.3.4", "big", "too-large" },
    { PHASE_RCPT, 452, NULL, "Too many recipients", "slow-down" },
    { PHASE_GREETING, 421, "4.7.28", "our system has detected an unusual rate", "slow-down" },
    { PHASE_GREETING, 421, "4.3.2", "shutting down", "temporary" },
    { PHASE_GREETING, 554, NULL, "go away", "permanent" },
    { PHASE_BODY, 554, "5.7.1", "we say no", "policy" },
    { PHASE_BODY, 554, NULL, "looks like SPAM", "policy" },
    { PHASE_BODY, 554, "5.4.6", "too many hops", "loop" },
    { PHASE_AUTH, 454, "4.7.0", "later", "auth-failed" },
    { PHASE_MAIL, 530, "5.7.0", "Authentication required", "auth-failed" },
    { PHASE_RCPT, 556, NULL, "none", "null-mx" },
    { PHASE_MAIL, 555, NULL, "what", "not-supported" },
    { PHASE_MAIL, 451, NULL, "", "temporary" },
    { PHASE_MAIL, 451, "4", "", "temporary" },
};

static void test_reason(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        const struct reason_case *c = &cases[i];
        struct str got = reason_of_reply(c->phase, c->code, str_c(c->enhanced), str_c(c->text));

        if (!str_eq(got, str_c(c->want)))
            fail_msg("%d %s: %.*s", c->code, c->text, STR_ARG(got));
    }
}

static void test_phases(void **state)
{
    (void)state;
    assert_true(str_eq(attempt_phase_name(PHASE_DNS), STR("dns")));
    for (int i = 0; i < PHASES; i++)
        assert_true(attempt_phase_name((enum attempt_phase)i).len > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_reason), cmocka_unit_test(test_phases) };

    return cmocka_run_group_tests_name("reason", tests, NULL, NULL);
}
