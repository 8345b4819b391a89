#include "tests/support/cmocka.h"

#include "base/macros.h"
#include "tests/support/dns_packet.h"
#include "io/dns_ask.h"

#include <netinet/in.h>
#include <stdlib.h>

static struct arena arena;
static struct strbuf packet;

static struct dns_parsed parse(const char *name, unsigned type)
{
    struct dns_parsed parsed;

    dns_parse(strbuf_str(&packet), str_c(name), type, &arena, &parsed);
    return parsed;
}

static int begin(void **state)
{
    (void)state;
    strbuf_reset(&packet);
    return 0;
}

static int end(void **state)
{
    (void)state;
    strbuf_release(&packet);
    arena_reset(&arena);
    return 0;
}

static void test_mx(void **state)
{
    struct dns_parsed p;

    (void)state;
    put_header(&packet, 1, 0, 5, 0);
    put_question(&packet, "Example.ORG", ns_t_mx);
    put_named(&packet, "example.org", ns_t_mx, 300, 20, "b.example");
    put_named(&packet, "example.org", ns_t_mx, 60, 10, "A.example");
    put_named(&packet, "other.example", ns_t_mx, 1, 1, "wrong.example");
    put_named(&packet, "example.org", ns_t_mx, 300, 20, "c.example");
    put_named(&packet, "example.org", ns_t_mx, 300, 5, "no host.example");
    p = parse("example.org", ns_t_mx);
    assert_int_equal(p.result, RES_OK);
    assert_int_equal(p.mx.n, 3);
    assert_true(str_eq(p.mx.v[0].host, STR("a.example")));
    assert_true(str_eq(p.mx.v[1].host, STR("b.example")));
    assert_true(str_eq(p.mx.v[2].host, STR("c.example")));
    assert_int_equal(p.mx.v[2].preference, 20);
    assert_int_equal(p.mx.ttl_s, 60);
    assert_false(p.mx.null_mx);
}

static void test_null_mx(void **state)
{
    struct dns_parsed p;

    (void)state;
    put_header(&packet, 1, 0, 1, 0);
    put_question(&packet, "example.org", ns_t_mx);
    put_named(&packet, "example.org", ns_t_mx, 300, 0, "");
    p = parse("example.org", ns_t_mx);
    assert_int_equal(p.result, RES_OK);
    assert_true(p.mx.null_mx && p.mx.n == 0);
}

static void test_null_mx_among_others(void **state)
{
    struct dns_parsed p;

    (void)state;
    put_header(&packet, 1, 0, 2, 0);
    put_question(&packet, "example.org", ns_t_mx);
    put_named(&packet, "example.org", ns_t_mx, 300, 0, "");
    put_named(&packet, "example.org", ns_t_mx, 300, 5, "a.example");
    p = parse("example.org", ns_t_mx);
    assert_true(!p.mx.null_mx && p.mx.n == 1); /* RFC 7505, 3: a null MX stands alone */
}

static void test_addresses_behind_alias(void **state)
{
    struct dns_parsed p;

    (void)state;
    put_header(&packet, 1, 0, 4, 0);
    put_question(&packet, "www.example", ns_t_a);
    put_named(&packet, "www.example", ns_t_cname, 30, -1, "Real.example");
    put_record(&packet, "real.example", ns_t_a, 300, STR("\x7f\0\0\1"));
    put_record(&packet, "real.example", ns_t_a, 300, STR("\x7f\0\0"));
    put_record(&packet, "www.example", ns_t_a, 300, STR("\x7f\0\0\2"));
    p = parse("www.example", ns_t_a);
    assert_int_equal(p.result, RES_OK);
    assert_int_equal(p.addresses.n, 1);
    assert_int_equal(((const struct sockaddr_in *)(const void *)&p.addresses.v[0])->sin_addr.s_addr, htonl(0x7f000001));
    assert_int_equal(p.ttl_s, 30);
}

static void test_alias_elsewhere(void **state)
{
    struct dns_parsed p;

    (void)state;
    put_header(&packet, 1, 0, 1, 0);
    put_question(&packet, "www.example", ns_t_aaaa);
    put_named(&packet, "www.example", ns_t_cname, 30, -1, "far.test");
    p = parse("www.example", ns_t_aaaa);
    assert_int_equal(p.result, RES_NOTFOUND);
    assert_true(str_eq(p.mx.canonical, STR("far.test")));
}

static void test_alias_loop(void **state)
{
    (void)state;
    put_header(&packet, 1, 0, 2, 0);
    put_question(&packet, "a.example", ns_t_a);
    put_named(&packet, "a.example", ns_t_cname, 30, -1, "b.example");
    put_named(&packet, "b.example", ns_t_cname, 30, -1, "a.example");
    assert_int_equal(parse("a.example", ns_t_a).result, RES_NOTFOUND);
}

static void test_negative(void **state)
{
    struct dns_parsed p;

    (void)state;
    put_header(&packet, 1, ns_r_nxdomain, 0, 1);
    put_question(&packet, "gone.example", ns_t_mx);
    put_soa(&packet, "example", 7200, 60);
    p = parse("gone.example", ns_t_mx);
    assert_int_equal(p.result, RES_NOTFOUND);
    assert_int_equal(p.ttl_s, 60);
}

static void test_servfail(void **state)
{
    (void)state;
    put_header(&packet, 1, ns_r_servfail, 0, 0);
    put_question(&packet, "example.org", ns_t_mx);
    assert_int_equal(parse("example.org", ns_t_mx).result, RES_TEMPFAIL);
}

static void test_many_records(void **state)
{
    (void)state;
    put_header(&packet, 1, 0, 500, 0);
    put_question(&packet, "example.org", ns_t_a);
    for (int i = 0; i < 500; i++)
        put_record(&packet, "example.org", ns_t_a, 300, STR("\x7f\0\0\1"));
    assert_int_equal(parse("example.org", ns_t_a).addresses.n, DNS_MAX_RECORDS);
}

/* Each prefix of a good answer, and each with one byte changed, is survived (the sanitizers watch). */
static void test_damage(void **state)
{
    struct dns_parsed p;
    struct str whole;

    (void)state;
    put_header(&packet, 1, 0, 3, 0);
    put_question(&packet, "example.org", ns_t_mx);
    put_named(&packet, "example.org", ns_t_cname, 60, -1, "example.net");
    put_named(&packet, "example.net", ns_t_mx, 60, 10, "a.example");
    put_named(&packet, "example.net", ns_t_mx, 60, 10, "b.example");
    whole = strbuf_str(&packet);
    for (size_t n = 0; n < whole.len; n++) {
        char *exact = malloc(n + 1); /* so that a read behind the end is seen */

        assert_non_null(exact);
        memcpy(exact, whole.p, n);
        dns_parse(str_of(exact, n), STR("example.org"), ns_t_mx, &arena, &p);
        assert_int_equal(p.result, RES_TEMPFAIL);
        free(exact);
        arena_reset(&arena);
    }
    for (size_t i = 0; i < whole.len; i++) {
        for (int v = 0; v < 256; v += 5) {
            char was = packet.p[i];

            packet.p[i] = (char)v;
            dns_parse(whole, STR("example.org"), ns_t_mx, &arena, &p);
            assert_true(p.mx.n <= 2);
            packet.p[i] = was;
        }
        arena_reset(&arena);
    }
}

static void test_names(void **state)
{
    (void)state;
    assert_true(dns_is_name(STR("a")) && dns_is_name(STR("_dmarc.example.org")) && dns_is_name(STR("xn--a-b.1")));
    assert_false(dns_is_name(STR("")) || dns_is_name(STR(".")) || dns_is_name(STR("a.")) || dns_is_name(STR(".a")));
    assert_false(dns_is_name(STR("a..b")) || dns_is_name(STR("a b")) || dns_is_name(STR("a\0b")) || dns_is_name(STR("\xc3\xa1")));
}

/* ---- records as text ---- */

static enum result texts(unsigned type, struct str **ret_v, size_t *ret_n)
{
    return dns_parse_texts(strbuf_str(&packet), STR("example.org"), type, &arena, ret_v, ret_n);
}

static void test_texts(void **state)
{
    struct str *v;
    size_t n;

    (void)state;
    put_header(&packet, 1, 0, 6, 0);
    put_question(&packet, "example.org", ns_t_txt);
    put_record(&packet, "Example.org", ns_t_txt, 60, STR("\7v=spf1 \7mx -all"));
    put_record(&packet, "example.org", ns_t_txt, 60, STR("\3a\x1b\xe9"));
    put_record(&packet, "example.org", ns_t_txt, 60, STR("\11short"));
    put_record(&packet, "other.example", ns_t_txt, 60, STR("\5wrong"));
    put_named(&packet, "example.org", ns_t_mx, 60, 10, "mail.example.org");
    put_record(&packet, "example.org", ns_t_a, 60, STR("\300\0\2\1"));
    assert_int_equal(texts(ns_t_txt, &v, &n), RES_OK);
    assert_int_equal(n, 2);
    assert_true(str_eq(v[0], STR("v=spf1 mx -all")));
    assert_true(str_eq(v[1], STR("a??")));
    assert_int_equal(texts(ns_t_mx, &v, &n), RES_OK);
    assert_true(n == 1 && str_eq(v[0], STR("10 mail.example.org")));
    assert_int_equal(texts(ns_t_a, &v, &n), RES_OK);
    assert_true(n == 1 && str_eq(v[0], STR("192.0.2.1")));
    assert_int_equal(texts(ns_t_srv, &v, &n), RES_NOTFOUND);
}

static void test_texts_damaged(void **state)
{
    struct str *v;
    size_t n;

    (void)state;
    put_header(&packet, 1, 0, 3, 0);
    put_question(&packet, "example.org", ns_t_srv);
    put_record(&packet, "example.org", ns_t_srv, 60, STR("\0\1\0"));
    put_record(&packet, "example.org", ns_t_mx, 60, STR("\0"));
    put_record(&packet, "example.org", ns_t_a, 60, STR("\1\2\3"));
    assert_int_equal(texts(ns_t_srv, &v, &n), RES_NOTFOUND);
    assert_int_equal(texts(ns_t_mx, &v, &n), RES_NOTFOUND);
    assert_int_equal(texts(ns_t_a, &v, &n), RES_NOTFOUND);
    strbuf_reset(&packet);
    put_header(&packet, 1, ns_r_servfail, 0, 0);
    assert_int_equal(texts(ns_t_txt, &v, &n), RES_TEMPFAIL);
    assert_int_equal(n, 0);
}

static void test_reverse_names(void **state)
{
    struct sockaddr_storage at = { .ss_family = AF_INET };
    struct sockaddr_in in = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(0xcb007105) };
    struct sockaddr_in6 in6 = { .sin6_family = AF_INET6, .sin6_addr = { .s6_addr = { 0x20, 1, 0xd, 0xb8, [15] = 1 } } };

    (void)state;
    memcpy(&at, &in, sizeof(in));
    assert_true(str_eq(dns_reverse_name(&at, &arena), STR("5.113.0.203.in-addr.arpa")));
    memcpy(&at, &in6, sizeof(in6));
    assert_true(str_eq(dns_reverse_name(&at, &arena), STR("1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_mx, begin, end),
        cmocka_unit_test_setup_teardown(test_null_mx, begin, end),
        cmocka_unit_test_setup_teardown(test_null_mx_among_others, begin, end),
        cmocka_unit_test_setup_teardown(test_addresses_behind_alias, begin, end),
        cmocka_unit_test_setup_teardown(test_alias_elsewhere, begin, end),
        cmocka_unit_test_setup_teardown(test_alias_loop, begin, end),
        cmocka_unit_test_setup_teardown(test_negative, begin, end),
        cmocka_unit_test_setup_teardown(test_servfail, begin, end),
        cmocka_unit_test_setup_teardown(test_many_records, begin, end),
        cmocka_unit_test_setup_teardown(test_damage, begin, end),
        cmocka_unit_test(test_names),
        cmocka_unit_test_setup_teardown(test_texts, begin, end),
        cmocka_unit_test_setup_teardown(test_texts_damaged, begin, end),
        cmocka_unit_test_setup_teardown(test_reverse_names, begin, end),
    };

    return cmocka_run_group_tests_name("dns_parse", tests, NULL, NULL);
}
