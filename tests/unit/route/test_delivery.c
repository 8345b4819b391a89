#include "tests/support/cmocka.h"

#include "base/strbuf.h"
#include "route/delivery.h"

static void test_targets(void **state)
{
    static const struct {
        const char *text;
        enum delivery_kind kind;
        const char *path, *command, *host;
        unsigned port;
    } cases[] = {
        { "store", DELIVERY_STORE, "", "", "", 0 },
        { "maildir:/home/a/Maildir", DELIVERY_MAILDIR, "/home/a/Maildir", "", "", 0 },
        { "maildir:/home/%u/..x", DELIVERY_MAILDIR, "/home/%u/..x", "", "", 0 },
        { "mbox:/var/mail/a", DELIVERY_MBOX, "/var/mail/a", "", "", 0 },
        { "pipe:/usr/bin/procmail -a $EXTENSION", DELIVERY_PIPE, "", "/usr/bin/procmail -a $EXTENSION", "", 0 },
        { "lmtp:localhost:24", DELIVERY_LMTP, "", "", "localhost", 24 },
        { "lmtp:[::1]:24", DELIVERY_LMTP, "", "", "::1", 24 },
        { "lmtp:/run/dovecot/lmtp", DELIVERY_LMTP, "/run/dovecot/lmtp", "", "", 0 },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct delivery_target d;
        struct str error;

        if (delivery_parse(str_c(cases[i].text), &d, &error) != RES_OK)
            fail_msg("%s: %.*s", cases[i].text, STR_ARG(error));
        assert_int_equal(d.kind, cases[i].kind);
        assert_true(str_eq(d.path, str_c(cases[i].path)));
        assert_true(str_eq(d.command, str_c(cases[i].command)));
        assert_true(str_eq(d.host, str_c(cases[i].host)));
        assert_int_equal(d.port, cases[i].port);
    }
}

static void test_bad_targets(void **state)
{
    static const char *const bad[] = {
        "", "stores", "store:", "Maildir:/a", "maildir:", "maildir:a", "maildir:/", "maildir:/a/../b", "maildir:/a/..", "mbox:../a",
        "mbox:/a\nb", "mbox:/\x7f", "mbox:/\xff", "pipe:", "pipe:procmail", "pipe:/a 'b", "pipe:/a \"b", "pipe:/a \\", "pipe: ",
        "lmtp:", "lmtp:host", "lmtp:host:", "lmtp:host:0", "lmtp:host:65536", "lmtp::24", "lmtp:a b:24", "lmtp:/a/../b",
        "lmtp:/0123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789012345678",
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        struct delivery_target d;
        struct str error = STR_NULL;

        if (delivery_parse(str_c(bad[i]), &d, &error) != RES_INVALID)
            fail_msg("%s was taken", bad[i]);
        assert_true(error.len > 0 && error.p[error.len - 1] == '.');
    }
}

static void test_expand(void **state)
{
    static const struct {
        const char *text, *local, *domain, *want; /* NULL: refused */
    } cases[] = {
        { "maildir:/mail/%d/%u", "alice", "example.org", "maildir:/mail/example.org/alice" },
        { "mbox:/100%%/%u%u", "a", "b", "mbox:/100%/aa" },
        { "no percent", "../x", "y", "no percent" },
        { "%u", "..", "d", NULL },
        { "%u", "a..b", "d", NULL },
        { "%u", "a/b", "d", NULL },
        { "%u", ".ssh", "d", NULL },
        { "%u", "", "d", NULL },
        { "%u", "a\nb", "d", NULL },
        { "%d", "a", "../d", NULL },
        { "%x", "a", "d", NULL },
        { "100%", "a", "d", NULL },
    };
    CLEANUP(arena_releasep) struct arena a = { 0 };
    struct str got;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        enum result r = delivery_expand(str_c(cases[i].text), str_c(cases[i].local), str_c(cases[i].domain), &a, &got);

        assert_int_equal(r, cases[i].want != NULL ? RES_OK : RES_INVALID);
        if (cases[i].want != NULL)
            assert_true(str_eq(got, str_c(cases[i].want)));
    }
    assert_int_equal(delivery_expand(STR("%u"), str_of("a\0b", 3), STR("d"), &a, &got), RES_INVALID);
}

static void test_words(void **state)
{
    static const struct {
        const char *text, *want; /* joined by "|"; NULL: refused */
    } cases[] = {
        { "/bin/a", "/bin/a" },
        { "  /bin/a\tb   c ", "/bin/a|b|c" },
        { "/bin/a 'b c' \"d 'e\" f\\ g", "/bin/a|b c|d 'e|f g" },
        { "/bin/a '' \"\"", "/bin/a||" },
        { "/bin/a x'y'z '\\' \"\\\"\"", "/bin/a|xyz|\\|\"" },
        { "/bin/a $USER ; rm *", "/bin/a|$USER|;|rm|*" },
        { "", NULL }, { " ", NULL }, { "a", NULL }, { "/", NULL }, { "'/bin/a", NULL }, { "/bin/a \\", NULL },
    };
    CLEANUP(arena_releasep) struct arena a = { 0 };
    struct strbuf many = { 0 };
    struct str *words;
    size_t n;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct strbuf got = { 0 };

        assert_int_equal(command_words(str_c(cases[i].text), &a, &words, &n), cases[i].want != NULL ? RES_OK : RES_INVALID);
        for (size_t k = 0; cases[i].want != NULL && k < n; k++)
            (void)strbuf_addf(&got, "%s%.*s", k > 0 ? "|" : "", STR_ARG(words[k]));
        if (cases[i].want != NULL)
            assert_true(str_eq(strbuf_str(&got), str_c(cases[i].want)));
        strbuf_release(&got);
    }
    assert_int_equal(command_words(str_of("/a\0b", 4), &a, &words, &n), RES_INVALID);
    for (int i = 0; i < COMMAND_MAX_WORDS + 1; i++)
        (void)strbuf_adds(&many, "/a ");
    assert_int_equal(command_words(strbuf_str(&many), &a, &words, &n), RES_INVALID);
    assert_int_equal(command_words(str_from(strbuf_str(&many), 3), &a, &words, &n), RES_OK);
    strbuf_release(&many);
}

static void test_lists(void **state)
{
    static const char *const bad_users[] = { "root", "alice root", "0user", "-a", "a/b", "a\xc3\xa3o", "..", "ab!" };
    static const char *const bad_programs[] = { "a", "a=b", "a=b:c", "=b:/c", "a=:/c", "a=root:/c", "a=b:/c 'd", "a=b:/c; a=b:/d", "a:b=/c" };
    CLEANUP(arena_releasep) struct arena a = { 0 };
    struct program_list programs;
    struct name_list users;
    struct str error;

    (void)state;
    assert_int_equal(unix_users_parse(STR(" alice  _b.o-b9 "), &a, &users, &error), RES_OK);
    assert_int_equal(users.n, 2);
    assert_true(name_list_contains(&users, STR("_b.o-b9")) && !name_list_contains(&users, STR("bob")));
    assert_int_equal(unix_users_parse(STR(""), &a, &users, &error), RES_OK);
    assert_int_equal(users.n, 0);
    for (size_t i = 0; i < ARRAY_LEN(bad_users); i++)
        assert_int_equal(unix_users_parse(str_c(bad_users[i]), &a, &users, &error), RES_INVALID);

    assert_int_equal(programs_parse(STR("robot=bot:/usr/bin/robot --x=y:z ; list = bot : /l ;"), &a, &programs, &error), RES_OK);
    assert_int_equal(programs.n, 2);
    assert_true(str_eq(program_find(&programs, STR("robot"))->command, STR("/usr/bin/robot --x=y:z")));
    assert_true(str_eq(program_find(&programs, STR("list"))->user, STR("bot")));
    assert_null(program_find(&programs, STR("other")));
    for (size_t i = 0; i < ARRAY_LEN(bad_programs); i++) {
        if (programs_parse(str_c(bad_programs[i]), &a, &programs, &error) != RES_INVALID)
            fail_msg("%s was taken", bad_programs[i]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_targets), cmocka_unit_test(test_bad_targets),
                                        cmocka_unit_test(test_expand), cmocka_unit_test(test_words),
                                        cmocka_unit_test(test_lists) };

    return cmocka_run_group_tests_name("route_delivery", tests, NULL, NULL);
}
