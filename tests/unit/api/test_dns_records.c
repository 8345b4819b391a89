/* The records that a domain needs, and what is found for them. */
#include "tests/support/cmocka.h"

#include "api/dns_records.h"
#include "base/macros.h"

#include <arpa/nameser.h>

#define HOST STR("mail.example.org")

static const struct str addresses[] = { STR("192.0.2.1"), STR("2001:db8::1") };
static const struct str reverse[] = { STR("1.2.0.192.in-addr.arpa"), STR("1.0.ip6.arpa") };

static const int ports[LISTENERS] = { [LISTEN_SMTPS] = 465, [LISTEN_IMAPS] = 1993, [LISTEN_POP3S] = 995, [LISTEN_IMAP] = 143 };

static struct arena arena;

static int end(void **state)
{
    (void)state;
    arena_reset(&arena);
    return 0;
}

static struct dns_record wanted_for(enum dns_purpose purpose)
{
    struct dns_record v[DNS_MAX_WANTED];
    size_t n = dns_wanted(STR("example.org"), HOST, false, ports, reverse, 2, &arena, v);

    for (size_t i = 0; i < n; i++) {
        if (v[i].purpose == purpose)
            return v[i];
    }
    fail();
    return v[0];
}

static const struct {
    enum dns_purpose purpose;
    const char *found[3];
    enum dns_state want;
} cases[] = {
    { DNS_MX, { "10 mail.example.org" }, DNS_FOUND },
    { DNS_MX, { "5 mx.elsewhere.test", "20 MAIL.example.org" }, DNS_FOUND },
    { DNS_MX, { "10 mail.example.net" }, DNS_DIFFERENT },
    { DNS_MX, { "mail.example.org" }, DNS_DIFFERENT },
    { DNS_MX, { NULL }, DNS_MISSING },
    { DNS_HOST, { "192.0.2.1" }, DNS_FOUND },
    { DNS_HOST, { NULL }, DNS_MISSING },
    { DNS_PTR, { "mail.example.org" }, DNS_FOUND },
    { DNS_PTR, { "x.isp.test" }, DNS_DIFFERENT },
    { DNS_SPF, { "v=spf1 mx -all" }, DNS_FOUND },
    { DNS_SPF, { "something=else", "v=spf1 include:x.test +MX ~all" }, DNS_FOUND },
    { DNS_SPF, { "v=spf1 ip4:192.0.2.1 -all" }, DNS_FOUND },
    { DNS_SPF, { "v=spf1 ip6:2001:DB8::1/128 -all" }, DNS_FOUND },
    { DNS_SPF, { "v=spf1 ip4:192.0.2.10 -all" }, DNS_DIFFERENT },
    { DNS_SPF, { "v=spf1 -all" }, DNS_DIFFERENT },
    { DNS_SPF, { "v=spf1 mx -all", "v=spf1 mx ~all" }, DNS_DIFFERENT },
    { DNS_SPF, { "v=spf10 mx" }, DNS_MISSING },
    { DNS_SPF, { NULL }, DNS_MISSING },
    { DNS_DMARC, { "v=DMARC1; p=reject" }, DNS_FOUND },
    { DNS_DMARC, { "v=DMARC1; rua=mailto:x@example.org" }, DNS_DIFFERENT },
    { DNS_DMARC, { "v=dmarc1; p=none" }, DNS_MISSING },
    { DNS_IMAPS, { "0 1 1993 mail.example.org" }, DNS_FOUND },
    { DNS_IMAPS, { "7 0 1993 MAIL.example.org" }, DNS_FOUND },
    { DNS_IMAPS, { "0 1 993 mail.example.org" }, DNS_OPTIONAL },
    { DNS_IMAPS, { "0 1 1993 mail.example.net" }, DNS_OPTIONAL },
    { DNS_IMAPS, { "1993 mail.example.org" }, DNS_OPTIONAL },
    { DNS_IMAPS, { "0 0 0 ." }, DNS_OPTIONAL },
    { DNS_IMAPS, { "" }, DNS_OPTIONAL },
    { DNS_IMAPS, { NULL }, DNS_OPTIONAL },
    { DNS_SUBMISSIONS, { "0 1 465 mail.example.org" }, DNS_FOUND },
    { DNS_AUTOCONFIG, { NULL }, DNS_OPTIONAL },
    { DNS_AUTOCONFIG, { "x.test" }, DNS_OPTIONAL },
    { DNS_AUTOCONFIG, { "mail.example.org" }, DNS_FOUND },
};

static void test_judge(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        const struct dns_record wanted = wanted_for(cases[i].purpose);
        struct str found[3];
        size_t n = 0;

        while (n < 3 && cases[i].found[n] != NULL) {
            found[n] = str_c(cases[i].found[n]);
            n++;
        }
        if (dns_judge(&wanted, true, found, n, addresses, 2) != cases[i].want)
            fail_msg("%s %s: not %s", dns_purpose_names[cases[i].purpose], n > 0 ? cases[i].found[0] : "-", dns_state_names[cases[i].want]);
        assert_int_equal(dns_judge(&wanted, false, NULL, 0, addresses, 2), DNS_UNKNOWN);
    }
}

static void test_wanted(void **state)
{
    static const int no_ports[LISTENERS] = { [LISTEN_IMAP] = 143, [LISTEN_SUBMISSION] = 587 };
    struct dns_record v[DNS_MAX_WANTED];

    (void)state;
    assert_int_equal(dns_wanted(STR("example.org"), HOST, false, ports, reverse, 2, &arena, v), 11);
    assert_int_equal(dns_wanted(STR("example.org"), HOST, false, no_ports, reverse, 2, &arena, v), 8);
    assert_int_equal(dns_wanted(STR("example.org"), HOST, true, ports, NULL, 0, &arena, v), 2);
    assert_true(str_eq(dns_zone_line(&v[0], &arena), STR("example.org. 3600 IN MX 20 mail.example.org.")));
    v[0] = wanted_for(DNS_SPF);
    assert_true(str_eq(dns_zone_line(&v[0], &arena), STR("example.org. 3600 IN TXT \"v=spf1 mx -all\"")));
    v[0] = wanted_for(DNS_SUBMISSIONS);
    assert_true(str_eq(dns_zone_line(&v[0], &arena), STR("_submissions._tcp.example.org. 3600 IN SRV 0 1 465 mail.example.org.")));
    v[0] = wanted_for(DNS_POP3S);
    assert_true(str_eq(dns_zone_line(&v[0], &arena), STR("_pop3s._tcp.example.org. 3600 IN SRV 10 1 995 mail.example.org.")));
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test_teardown(test_judge, end), cmocka_unit_test_teardown(test_wanted, end) };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
