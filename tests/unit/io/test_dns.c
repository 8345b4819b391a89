/* Look-ups against a name server of the test's own on loopback. */
#include "tests/support/cmocka.h"

#include "base/macros.h"
#include "tests/support/dns_packet.h"
#include "io/dns.h"
#include "io/watch.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <unistd.h>

static int server_fd, queries;
static struct coroutine *server;

static void answer_mx(struct strbuf *b, const char *name)
{
    put_question(b, name, ns_t_mx);
    put_named(b, name, ns_t_mx, 300, 20, "second.test");
    put_named(b, name, ns_t_mx, 300, 10, "first.test");
}

/* What the test's zone says. */
static void answer(struct strbuf *b, unsigned id, const char *name, unsigned type)
{
    if (strcmp(name, "mx.test") == 0 && type == ns_t_mx) {
        put_header(b, id, 0, 2, 0);
        answer_mx(b, name);
    } else if (strcmp(name, "alias.test") == 0) {
        put_header(b, id, 0, 1, 0);
        put_question(b, name, type);
        put_named(b, name, ns_t_cname, 300, -1, "mx.test");
    } else if (strcmp(name, "loop.test") == 0 || strcmp(name, "pool.test") == 0) {
        put_header(b, id, 0, 1, 0);
        put_question(b, name, type);
        put_named(b, name, ns_t_cname, 300, -1, strcmp(name, "loop.test") == 0 ? "pool.test" : "loop.test");
    } else if (strcmp(name, "both.test") == 0 && type == ns_t_a) {
        put_header(b, id, 0, 2, 0);
        put_question(b, name, type);
        put_record(b, name, type, 300, STR("\x7f\0\0\1"));
        put_record(b, name, type, 300, STR("\x7f\0\0\2"));
    } else if (strcmp(name, "both.test") == 0 && type == ns_t_aaaa) {
        put_header(b, id, 0, 1, 0);
        put_question(b, name, type);
        put_record(b, name, type, 300, STR("\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\1"));
    } else {
        bool broken = strstr(name, "broken.test") != NULL;

        put_header(b, id, broken ? ns_r_servfail : ns_r_nxdomain, 0, broken ? 0 : 1);
        put_question(b, name, type);
        if (!broken)
            put_soa(b, "test", 300, 300);
    }
}

static void serve(void *arg)
{
    struct watch *w = watch_new(server_fd);

    (void)arg;
    while (watch_wait(w, WATCH_READ, NO_DEADLINE, true, false) == RES_OK) {
        CLEANUP(strbuf_release) struct strbuf b = { 0 };
        unsigned char in[2048];
        char name[NS_MAXDNAME];
        struct sockaddr_storage from;
        socklen_t from_len = sizeof(from);
        ssize_t n = recvfrom(server_fd, in, sizeof(in), 0, (struct sockaddr *)&from, &from_len);
        ns_msg msg;
        ns_rr rr;

        if (n < 0)
            continue;
        assert_int_equal(ns_initparse(in, (int)n, &msg), 0);
        assert_int_equal(ns_parserr(&msg, ns_s_qd, 0, &rr), 0);
        (void)snprintf(name, sizeof(name), "%s", ns_rr_name(rr));
        queries++;
        answer(&b, ns_msg_id(msg), name, ns_rr_type(rr));
        assert_int_equal(sendto(server_fd, b.p, b.len, 0, (struct sockaddr *)&from, from_len), b.len);
    }
    watch_free(w, true);
}

static void ask_mx(void *arg)
{
    CLEANUP(arena_releasep) struct arena a = { 0 };
    struct dns_mx_answer mx;
    int *left = arg;

    assert_int_equal(dns_mx(STR("MX.test"), &a, &mx), RES_OK);
    assert_int_equal(mx.n, 2);
    assert_true(str_eq(mx.v[0].host, STR("first.test")) && str_eq(mx.v[1].host, STR("second.test")));
    --*left;
}

static void test_body(void *arg)
{
    CLEANUP(arena_releasep) struct arena a = { 0 };
    struct dns_mx_answer mx;
    struct dns_addresses addresses;
    int left = 5, before;

    (void)arg;
    for (int i = 0; i < 5; i++)
        assert_non_null(coroutine_spawn("ask", ask_mx, &left));
    while (left > 0)
        assert_int_equal(coroutine_sleep(1), RES_OK);
    assert_int_equal(queries, 1); /* shared */
    left = 1;
    ask_mx(&left);
    assert_int_equal(queries, 1); /* from the cache */

    assert_int_equal(dns_mx(STR("alias.test"), &a, &mx), RES_OK);
    assert_true(mx.n == 2 && str_eq(mx.canonical, STR("mx.test")));
    assert_int_equal(dns_mx(STR("loop.test"), &a, &mx), RES_NOTFOUND);

    assert_int_equal(dns_mx(STR("gone.test"), &a, &mx), RES_NOTFOUND);
    before = queries;
    assert_int_equal(dns_mx(STR("gone.test"), &a, &mx), RES_NOTFOUND);
    assert_int_equal(queries, before);
    assert_int_equal(dns_mx(STR("broken.test"), &a, &mx), RES_TEMPFAIL);
    before = queries;
    assert_int_equal(dns_mx(STR("broken.test"), &a, &mx), RES_TEMPFAIL); /* a failed server has its pause */
    assert_int_equal(queries, before);

    assert_int_equal(dns_addresses(STR("both.test"), &a, &addresses), RES_OK);
    assert_int_equal(addresses.n, 3);
    assert_int_equal(addresses.v[0].ss_family, AF_INET6);
    assert_int_equal(addresses.v[1].ss_family, AF_INET);
    assert_int_equal(dns_addresses(STR("gone.test"), &a, &addresses), RES_NOTFOUND);
    assert_int_equal(dns_addresses(STR("broken.test"), &a, &addresses), RES_TEMPFAIL);

    before = queries;
    assert_int_equal(dns_addresses(STR("192.0.2.1"), &a, &addresses), RES_OK);
    assert_int_equal(addresses.v[0].ss_family, AF_INET);
    assert_int_equal(dns_addresses(STR("2001:db8::1"), &a, &addresses), RES_OK);
    assert_int_equal(addresses.v[0].ss_family, AF_INET6);
    assert_int_equal(dns_addresses(STR("localhost"), &a, &addresses), RES_OK);
    assert_int_equal(dns_mx(STR("not a name"), &a, &mx), RES_INVALID);
    assert_int_equal(dns_addresses(STR("a..b"), &a, &addresses), RES_INVALID);
    assert_int_equal(queries, before);

    for (int i = 0; i < DNS_MAX_CACHE + 10; i++) { /* the cache forgets the oldest, not more */
        struct str name = arena_printf(&a, "n%d.test", i);

        assert_int_equal(dns_mx(name, &a, &mx), RES_NOTFOUND);
    }
    before = queries;
    assert_int_equal(dns_mx(STR("n100.test"), &a, &mx), RES_NOTFOUND);
    assert_int_equal(queries, before);
    assert_int_equal(dns_mx(STR("mx.test"), &a, &mx), RES_OK);
    assert_int_equal(queries, before + 1);

    dns_release();
    assert_int_equal(dns_mx(STR("mx.test"), &a, &mx), RES_TEMPFAIL);
    coroutine_cancel(server);
}

static void test_dns(void **state)
{
    struct sockaddr_in any = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t len = sizeof(any);
    char servers[32];

    (void)state;
    server_fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(server_fd, (struct sockaddr *)&any, sizeof(any)), 0);
    assert_int_equal(getsockname(server_fd, (struct sockaddr *)&any, &len), 0);
    (void)snprintf(servers, sizeof(servers), "127.0.0.1:%d", ntohs(any.sin_port));
    assert_int_equal(dns_init(STR("no server")), RES_INVALID);
    assert_int_equal(dns_init(str_c(servers)), RES_OK);
    server = coroutine_spawn("server", serve, NULL);
    assert_non_null(coroutine_spawn("test", test_body, NULL));
    loop_run();
    assert_int_equal(coroutine_count(), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_dns) };

    return cmocka_run_group_tests_name("dns", tests, NULL, NULL);
}
