#include "tests/support/cmocka.h"

#include "base/strbuf.h"
#include "route/network.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/un.h>

static struct sockaddr_storage address(const char *text)
{
    struct sockaddr_storage s = { 0 };
    struct sockaddr_in in = { .sin_family = AF_INET };
    struct sockaddr_in6 in6 = { .sin6_family = AF_INET6 };

    if (inet_pton(AF_INET, text, &in.sin_addr) == 1)
        memcpy(&s, &in, sizeof(in));
    else if (inet_pton(AF_INET6, text, &in6.sin6_addr) == 1)
        memcpy(&s, &in6, sizeof(in6));
    else
        s.ss_family = AF_UNIX;
    return s;
}

static void test_parse(void **state)
{
    static const char *const good[] = { "0.0.0.0/0", "10.0.0.0/8", "192.0.2.1", "192.0.2.1/32", "192.0.2.128/25", "::/0",
                                        "2001:db8::/32", "::1", "2001:db8::8000/113", "fe80::/10" };
    static const char *const bad[] = { "", "/8", "10.0.0.1/8", "10.0.0.0/33", "10.0.0.0/", "10.0.0/8", "10.0.0.0/-1",
                                       "2001:db8::/129", "2001:db8::1/64", "2001:db8::4000/113", "example.org",
                                       "192.0.2.1 ", "10.0.0.0/8/8", "1111:2222:3333:4444:5555:6666:7777:8888:9999:aaaa" };
    struct network net;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(good); i++)
        assert_int_equal(network_parse(str_c(good[i]), &net), RES_OK);
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        assert_int_equal(network_parse(str_c(bad[i]), &net), RES_INVALID);
    assert_int_equal(network_parse(STR("127.0.0.1\0.9"), &net), RES_INVALID);
}

static const struct contains_case {
    const char *name, *network, *address;
    bool want;
} contains_cases[] = {
    { "inside", "10.0.0.0/8", "10.255.0.1", true },
    { "outside", "10.0.0.0/8", "11.0.0.1", false },
    { "odd bits, inside", "192.0.2.64/26", "192.0.2.127", true },
    { "odd bits, outside", "192.0.2.64/26", "192.0.2.128", false },
    { "everything", "0.0.0.0/0", "203.0.113.9", true },
    { "not the other family", "0.0.0.0/0", "2001:db8::1", false },
    { "mapped", "10.0.0.0/8", "::ffff:10.1.2.3", true },
    { "mapped is not IPv6", "::/0", "::ffff:10.1.2.3", false },
    { "network written as mapped", "::ffff:10.0.0.0/104", "10.1.2.3", true },
    { "network written as mapped, outside", "::ffff:10.0.0.0/104", "11.1.2.3", false },
    { "one address", "2001:db8::1", "2001:db8::1", true },
    { "its neighbour", "2001:db8::1", "2001:db8::2", false },
    { "long prefix", "2001:db8::8000/113", "2001:db8::ffff", true },
    { "long prefix, outside", "2001:db8::8000/113", "2001:db8::7fff", false },
    { "unix socket", "0.0.0.0/0", "local", false },
};

static void test_contains(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(contains_cases); i++) {
        const struct contains_case *c = &contains_cases[i];
        struct sockaddr_storage s = address(c->address);
        struct network net;

        assert_int_equal(network_parse(str_c(c->network), &net), RES_OK);
        if (network_contains(&net, (struct sockaddr *)&s) != c->want)
            fail_msg("%s", c->name);
    }
}

static void test_list(void **state)
{
    CLEANUP(arena_releasep) struct arena a = { 0 };
    CLEANUP(strbuf_release) struct strbuf many = { 0 };
    struct network_list list;
    struct sockaddr_storage s = address("192.0.2.1"), other = address("192.0.2.2");
    struct str bad;

    (void)state;
    assert_int_equal(network_list_parse(STR(" 10.0.0.0/8,,2001:db8::/32\t192.0.2.1 \r\n"), &a, &list, &bad), RES_OK);
    assert_int_equal(list.n, 3);
    assert_true(network_list_contains(&list, (struct sockaddr *)&s));
    assert_false(network_list_contains(&list, (struct sockaddr *)&other));
    assert_int_equal(network_list_parse(STR(""), &a, &list, &bad), RES_OK);
    assert_int_equal(list.n, 0);
    assert_int_equal(network_list_parse(STR("10.0.0.0/8 10.0.0.1/8 x"), &a, &list, &bad), RES_INVALID);
    assert_true(str_eq(bad, STR("10.0.0.1/8")));
    for (int i = 0; i < 257; i++)
        (void)strbuf_addf(&many, "10.0.%d.%d ", i / 256, i % 256);
    assert_int_equal(network_list_parse(strbuf_str(&many), &a, &list, &bad), RES_INVALID);
    assert_true(str_eq(bad, STR("10.0.1.0")));
}

static void test_loopback(void **state)
{
    static const struct {
        const char *address;
        bool want;
    } cases[] = { { "127.0.0.1", true },  { "127.255.0.9", true }, { "128.0.0.1", false }, { "::1", true },
                  { "::2", false },       { "::ffff:127.0.0.1", true }, { "::ffff:192.0.2.1", false }, { "local", true } };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct sockaddr_storage s = address(cases[i].address);

        assert_int_equal(network_is_loopback((struct sockaddr *)&s), cases[i].want);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_parse), cmocka_unit_test(test_contains),
                                        cmocka_unit_test(test_list), cmocka_unit_test(test_loopback) };

    return cmocka_run_group_tests_name("network", tests, NULL, NULL);
}
