/* What is written for mail programs: only servers that listen, every value escaped. */
#include "tests/support/cmocka.h"

#include "api/client_setup.h"
#include "base/macros.h"

static struct arena arena;

static int end(void **state)
{
    (void)state;
    arena_reset(&arena);
    return 0;
}

static size_t count(struct str s, struct str what)
{
    size_t n = 0, at;

    while ((at = str_find(s, what)) != SIZE_MAX) {
        s = str_from(s, at + what.len);
        n++;
    }
    return n;
}

static bool has(struct str s, struct str what)
{
    return str_find(s, what) != SIZE_MAX;
}

static void test_order(void **state)
{
    const int ports[LISTENERS] = { [LISTEN_IMAP] = 143, [LISTEN_IMAPS] = 993, [LISTEN_SUBMISSION] = 587, [LISTEN_SMTPS] = 465,
                                   [LISTEN_SMTP] = 25 };
    const struct client_setup s = { .host = STR("mail.example.org"), .ports = ports, .domain = STR("example.org"),
                                    .address = STR("alice@example.org") };
    struct str text = client_setup_autoconfig(&s, &arena);
    struct client_server v[CLIENT_SERVERS];

    (void)state;
    assert_int_equal(client_setup_servers(&s, v), 4);
    assert_true(v[0].port == 993 && v[0].tls && v[1].port == 143 && !v[1].tls && v[2].port == 465 && v[2].sends && v[3].port == 587);
    assert_int_equal(count(text, STR("<incomingServer ")), 2);
    assert_int_equal(count(text, STR("<outgoingServer ")), 2);
    assert_true(str_find(text, STR("<port>993</port>\n      <socketType>SSL")) < str_find(text, STR("<port>143</port>\n      <socketType>STARTTLS")));
    assert_true(str_find(text, STR("<port>465</port>")) < str_find(text, STR("<port>587</port>")));
    assert_false(has(text, STR("pop3")));
    assert_false(has(text, STR("<port>25</port>")));
    text = client_setup_autodiscover(&s, &arena);
    assert_int_equal(count(text, STR("<Protocol>")), 4);
    assert_int_equal(count(text, STR("<LoginName>alice@example.org</LoginName>")), 4);
    assert_int_equal(count(text, STR("<Encryption>SSL</Encryption>")), 2);
}

static void test_listening(void **state)
{
    const int none[LISTENERS] = { [LISTEN_SMTP] = 25, [LISTEN_SIEVE] = 4190 }, pop3[LISTENERS] = { [LISTEN_POP3] = 110, [LISTEN_SUBMISSION] = 587 };
    struct client_setup s = { .host = STR("mail.example.org"), .ports = none, .address = STR("a@example.org") };
    struct str text;

    (void)state;
    assert_false(client_setup_reads(&s));
    assert_false(client_setup_sends(&s));
    s.ports = pop3;
    assert_true(client_setup_reads(&s));
    assert_true(client_setup_sends(&s));
    text = client_setup_profile(&s, &arena);
    assert_true(has(text, STR("<string>EmailTypePOP</string>")));
    assert_true(has(text, STR("<key>IncomingMailServerPortNumber</key><integer>110</integer>")));
    assert_true(has(text, STR("<key>OutgoingMailServerPortNumber</key><integer>587</integer>")));
}

static void test_escaped(void **state)
{
    const int ports[LISTENERS] = { [LISTEN_IMAPS] = 993, [LISTEN_SMTPS] = 465 };
    const struct client_setup s = { .host = STR("m<&\">.test"), .ports = ports, .domain = STR("<x>&"), .address = STR("\"<a>'&\"@x.test"),
                                    .name = STR("</string><key>a&b\x01\x7f\xef\xbf\xbe\xef\xbf\xbf\xc3\xa9") };
    const struct str text[] = { client_setup_autoconfig(&s, &arena), client_setup_autodiscover(&s, &arena),
                                client_setup_profile(&s, &arena) };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(text); i++) {
        assert_true(has(text[i], STR("m&lt;&amp;&quot;&gt;.test")));
        assert_false(has(text[i], STR("m<")));
        assert_false(has(text[i], STR("<a>")));
        assert_true(str_is_utf8(text[i]));
    }
    assert_true(has(text[0], STR("<domain>&lt;x&gt;&amp;</domain>")));
    assert_true(has(text[1], STR("<LoginName>&quot;&lt;a&gt;&apos;&amp;&quot;@x.test</LoginName>")));
    assert_true(has(text[2], STR("<key>EmailAccountName</key><string>&lt;/string&gt;&lt;key&gt;a&amp;b????\xc3\xa9</string>")));
}

/* What stands behind the n-th PayloadUUID. */
static struct str identifier(struct str profile, size_t n)
{
    static const struct str key = STR("<key>PayloadUUID</key><string>");

    for (size_t i = 0; i <= n; i++)
        profile = str_from(profile, str_find(profile, key) + key.len);
    return str_sub(profile, 0, 36);
}

static void test_identifiers(void **state)
{
    const int ports[LISTENERS] = { [LISTEN_IMAPS] = 993, [LISTEN_SMTPS] = 465 };
    struct client_setup s = { .host = STR("mail.example.org"), .ports = ports, .address = STR("a@example.org") };
    struct str first = client_setup_profile(&s, &arena), again;

    (void)state;
    assert_false(str_eq(identifier(first, 0), identifier(first, 1)));
    assert_true(identifier(first, 0).p[14] == '8');
    s.name = STR("A");
    again = client_setup_profile(&s, &arena);
    assert_true(str_eq(identifier(first, 0), identifier(again, 0)));
    assert_true(str_eq(identifier(first, 1), identifier(again, 1)));
    s.address = STR("b@example.org");
    assert_false(str_eq(identifier(first, 0), identifier(client_setup_profile(&s, &arena), 0)));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(test_order, end),
        cmocka_unit_test_teardown(test_listening, end),
        cmocka_unit_test_teardown(test_escaped, end),
        cmocka_unit_test_teardown(test_identifiers, end),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
