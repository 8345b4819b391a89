#include "tests/support/cmocka.h"

#include "base/strbuf.h"
#include "mail/address.h"

/* Lists are shown as "name|route|local|domain" with "-" for absent, "{name" and "}" for groups, "; " between. */
static struct str show(struct arena *a, struct str value)
{
    CLEANUP(strbuf_release) struct strbuf out = { 0 };
    struct mail_address *list;
    size_t n;

    address_list(a, value, &list, &n);
    for (size_t i = 0; i < n; i++) {
        const struct mail_address *m = &list[i];

        strbuf_add(&out, i > 0 ? STR("; ") : STR(""));
        if (m->kind == ADDRESS_GROUP)
            strbuf_addf(&out, "{%.*s", STR_ARG(m->name));
        else if (m->kind == ADDRESS_GROUP_END)
            strbuf_addc(&out, '}');
        else
            strbuf_addf(&out, "%.*s|%.*s|%.*s|%.*s", STR_ARG(m->name.p != NULL ? m->name : STR("-")),
                        STR_ARG(m->route.p != NULL ? m->route : STR("-")), STR_ARG(m->local),
                        STR_ARG(m->domain.p != NULL ? m->domain : STR("-")));
    }
    return arena_str(a, strbuf_str(&out));
}

struct list_case {
    const char *name, *value, *want;
};

static struct list_case list_cases[] = {
    { "plain", "a@b.c", "-|-|a|b.c" },
    { "name", "Alice Doe <a@b>", "Alice Doe|-|a|b" },
    { "quoted name", "\"Doe, \\\"A\\\"\" <a@b>, c@d", "Doe, \"A\"|-|a|b; -|-|c|d" },
    { "comment as name", "a@b (Alice (the) Doe)", "Alice (the) Doe|-|a|b" },
    { "comments anywhere", "(x) A (y) <(z)a(1)@(2)b(3)> (4)", "A|-|a|b" },
    { "dots in name", "J. Q. Public <a@b>", "J. Q. Public|-|a|b" },
    { "group", "Friends: a@b, C <c@d>;, e@f", "{Friends; -|-|a|b; C|-|c|d; }; -|-|e|f" },
    { "empty group", "undisclosed-recipients:;", "{undisclosed-recipients; }" },
    { "open group", "G: a@b", "{G; -|-|a|b; }" },
    { "group in group", "G: H: a@b; c@d", "{G; -|-|a|b; }; -|-|c|d" },
    { "route", "<@x,@y:a@b>", "-|@x,@y|a|b" },
    { "quoted local", "\"a b\"@c", "-|-|a b|c" },
    { "blanks around dots", "a . b @ c . d", "-|-|a.b|c.d" },
    { "domain literal", "a@[1.2.3.4]", "-|-|a|[1.2.3.4]" },
    { "utf-8", "\xc3\x81lvaro <\xc3\xa1@\xc3\xa9.br>", "\xc3\x81lvaro|-|\xc3\xa1|\xc3\xa9.br" },
    { "address as name", "a@b <c@d>", "a@b|-|c|d" },
    { "no domain", "alice, b@c", "-|-|alice|-; -|-|b|c" },
    { "words without domain", "hello world", "-|-|hello world|-" },
    { "empty angle", "<>", "-|-||-" },
    { "name, empty angle", "A <>", "A|-||-" },
    { "missing >", "A <a@b, c@d", "A|-|a|b; -|-|c|d" },
    { "extra >", "a@b>, c@d", "-|-|a|b; -|-|c|d" },
    { "two @", "a@b@c", "-|-|a|b" },
    { "only @", "@", "-|-||" },
    { "commas", ",, a@b ,,", "-|-|a|b" },
    { "open quote", "\"abc <a@b>", "-|-|abc <a@b>|-" },
    { "open comment", "a@b (abc", "abc|-|a|b" },
    { "folded", "A\r\n <a@b>,\r\n\tc@d", "A|-|a|b; -|-|c|d" },
    { "encoded word", "=?utf-8?q?a=2Cb?= <a@b>", "=?utf-8?q?a=2Cb?=|-|a|b" },
    { "semicolons", "a@b; c@d", "-|-|a|b; -|-|c|d" },
    { "after angle", "A <a@b> junk, c@d", "A|-|a|b; -|-|c|d" },
    { "backslash at end", "a\\", "-|-|a\\|-" },
    { "quote and backslash at end", "\"a\\", "-|-|a\\|-" },
    { "comment and backslash at end", "(a\\", "" },
    { "empty", "", "" },
    { "blanks", " \r\n ", "" },
};

static void run_list(void **state)
{
    const struct list_case *c = *state;
    CLEANUP(arena_releasep) struct arena a = { 0 };
    struct str got = show(&a, str_c(c->value));

    if (!str_eq(got, str_c(c->want)))
        fail_msg("got \"%.*s\", want \"%s\"", STR_ARG(got), c->want);
}

static void test_list_limit(void **state)
{
    CLEANUP(arena_releasep) struct arena a = { 0 };
    CLEANUP(strbuf_release) struct strbuf b = { 0 };
    struct mail_address *list;
    size_t n;

    (void)state;
    for (int i = 0; i < ADDRESS_MAX_LIST + 10; i++)
        strbuf_adds(&b, "a,");
    address_list(&a, strbuf_str(&b), &list, &n);
    assert_int_equal(n, ADDRESS_MAX_LIST);
}

#define L64 "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define D63 "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"

#define S(literal)                                                                                                     \
    {                                                                                                                  \
        literal, sizeof(literal) - 1                                                                                   \
    }

struct mailbox_case {
    const char *name;
    struct str text;
    bool utf8;
    enum result want;
    const char *local, *domain, *written; /* written NULL: as text */
};

static struct mailbox_case mailbox_cases[] = {
    { "mailbox", S("a.b+c@Example.ORG"), false, RES_OK, "a.b+c", "example.org", "a.b+c@example.org" },
    { "mailbox quoted", S("\"a b\"@c"), false, RES_OK, "a b", "c", NULL },
    { "mailbox needlessly quoted", S("\"ab\"@c"), false, RES_OK, "ab", "c", "ab@c" },
    { "mailbox quoted pairs", S("\"a\\\"\\\\\\b\"@c"), false, RES_OK, "a\"\\b", "c", "\"a\\\"\\\\b\"@c" },
    { "mailbox quoted @", S("\"a@b\"@c"), false, RES_OK, "a@b", "c", NULL },
    { "mailbox ipv4", S("a@[192.0.2.1]"), false, RES_OK, "a", "[192.0.2.1]", NULL },
    { "mailbox ipv6", S("a@[IPv6:2001:db8::1]"), false, RES_OK, "a", "[ipv6:2001:db8::1]", "a@[ipv6:2001:db8::1]" },
    { "mailbox 64", S(L64 "@c"), false, RES_OK, L64, "c", NULL },
    { "mailbox utf-8", S("\xc3\xa1@\xc3\x89.br"), true, RES_OK, "\xc3\xa1", "\xc3\xa9.br", "\xc3\xa1@\xc3\xa9.br" },
    { "mailbox 65", S(L64 "a@c"), false, RES_LIMIT, NULL, NULL, NULL },
    { "mailbox quoted 65", S("\"" L64 "a\"@c"), false, RES_LIMIT, NULL, NULL, NULL },
    { "mailbox quoted very long", S("\"" L64 L64 L64 "\"@c"), false, RES_LIMIT, NULL, NULL, NULL },
    { "mailbox domain 256", S("a@" D63 "." D63 "." D63 "." D63 ".b"), false, RES_LIMIT, NULL, NULL, NULL },
    { "mailbox label 64", S("a@" D63 "b"), false, RES_INVALID, NULL, NULL, NULL },
    { "mailbox utf-8 without flag", S("\xc3\xa1@c"), false, RES_INVALID, NULL, NULL, NULL },
    { "mailbox bad utf-8", S("\xc3@c"), true, RES_INVALID, NULL, NULL, NULL },
    { "mailbox empty", S(""), false, RES_INVALID, NULL, NULL, NULL },
    { "mailbox no @", S("abc"), false, RES_INVALID, NULL, NULL, NULL },
    { "mailbox no local", S("@c"), false, RES_INVALID, NULL, NULL, NULL },
    { "mailbox empty quoted", S("\"\"@c"), false, RES_INVALID, NULL, NULL, NULL },
    { "mailbox no domain", S("a@"), false, RES_INVALID, NULL, NULL, NULL },
    { "mailbox dots", S("a..b@c"), false, RES_INVALID, NULL, NULL, NULL },
    { "mailbox dot first", S(".a@c"), false, RES_INVALID, NULL, NULL, NULL },
    { "mailbox dot last", S("a.@c"), false, RES_INVALID, NULL, NULL, NULL },
    { "mailbox two @", S("a@b@c"), false, RES_INVALID, NULL, NULL, NULL },
    { "mailbox blank", S("a b@c"), false, RES_INVALID, NULL, NULL, NULL },
    { "mailbox NUL", S("a\0b@c"), false, RES_INVALID, NULL, NULL, NULL },
    { "mailbox quoted CR", S("\"a\rb\"@c"), false, RES_INVALID, NULL, NULL, NULL },
    { "mailbox quoted open", S("\"a@c"), false, RES_INVALID, NULL, NULL, NULL },
    { "mailbox quoted backslash", S("\"a\\"), false, RES_INVALID, NULL, NULL, NULL },
    { "mailbox quoted then more", S("\"a\"b@c"), false, RES_INVALID, NULL, NULL, NULL },
    { "mailbox angle", S("<a@c>"), false, RES_INVALID, NULL, NULL, NULL },
    { "mailbox domain hyphen", S("a@-b"), false, RES_INVALID, NULL, NULL, NULL },
    { "mailbox domain dot", S("a@b."), false, RES_INVALID, NULL, NULL, NULL },
    { "mailbox domain dots", S("a@b..c"), false, RES_INVALID, NULL, NULL, NULL },
    { "mailbox bad ipv4", S("a@[1.2.3.400]"), false, RES_INVALID, NULL, NULL, NULL },
    { "mailbox ipv6 without tag", S("a@[::1]"), false, RES_INVALID, NULL, NULL, NULL },
    { "mailbox empty literal", S("a@[]"), false, RES_INVALID, NULL, NULL, NULL },
};

static void run_mailbox(void **state)
{
    const struct mailbox_case *c = *state;
    CLEANUP(arena_releasep) struct arena a = { 0 };
    struct str local, domain, again, other;

    assert_int_equal(address_parse_mailbox(c->text, c->utf8, &a, &local, &domain), c->want);
    if (c->want != RES_OK)
        return;
    assert_true(str_eq(local, str_c(c->local)));
    assert_true(str_eq(domain, str_c(c->domain)));
    again = address_write_mailbox(&a, local, domain);
    assert_true(str_eq(again, c->written != NULL ? str_c(c->written) : c->text));
    assert_int_equal(address_parse_mailbox(again, c->utf8, &a, &other, &domain), RES_OK);
    assert_true(str_eq(other, local));
}

static void test_write_local(void **state)
{
    CLEANUP(arena_releasep) struct arena a = { 0 };

    (void)state;
    assert_true(str_eq(address_write_mailbox(&a, STR("postmaster"), STR("")), STR("postmaster")));
    assert_true(str_eq(address_write_mailbox(&a, STR(""), STR("c")), STR("\"\"@c")));
}

int main(void)
{
    static struct CMUnitTest tests[200] = { cmocka_unit_test(test_list_limit), cmocka_unit_test(test_write_local) };
    size_t n = 2;

    for (size_t i = 0; i < ARRAY_LEN(list_cases); i++)
        tests[n++] =
            (struct CMUnitTest){ .name = list_cases[i].name, .test_func = run_list, .initial_state = &list_cases[i] };
    for (size_t i = 0; i < ARRAY_LEN(mailbox_cases); i++)
        tests[n++] = (struct CMUnitTest){ .name = mailbox_cases[i].name,
                                          .test_func = run_mailbox,
                                          .initial_state = &mailbox_cases[i] };
    return _cmocka_run_group_tests("mail_address", tests, n, NULL, NULL);
}
