#include "tests/support/cmocka.h"

#include "base/strbuf.h"
#include "route/relay_route.h"

static void test_target(void **state)
{
    CLEANUP(arena_releasep) struct arena a = { 0 };
    struct relay_route r;
    struct str error;

    (void)state;
    assert_int_equal(relay_route_parse_target(STR("[Smart.Example]:587,tls=must,user=u=1,password-file=/etc/p"), &a, &r,
                                              &error), RES_OK);
    assert_true(str_eq(r.host, STR("smart.example")));
    assert_false(r.use_mx);
    assert_int_equal(r.port, 587);
    assert_int_equal(r.tls, RELAY_TLS_MUST);
    assert_true(str_eq(r.user, STR("u=1")));
    assert_true(str_eq(r.password_file, STR("/etc/p")));

    assert_int_equal(relay_route_parse_target(STR("example.net"), &a, &r, &error), RES_OK);
    assert_true(r.use_mx && r.port == 0 && r.tls == RELAY_TLS_MAY && r.user.p == NULL);

    assert_int_equal(relay_route_parse_target(STR("[2001:db8::1]:2525,tls=none"), &a, &r, &error), RES_OK);
    assert_true(!r.use_mx && r.port == 2525 && r.tls == RELAY_TLS_NONE);
    assert_true(str_eq(r.host, STR("2001:db8::1")));
    assert_int_equal(relay_route_parse_target(STR("[192.0.2.1]"), &a, &r, &error), RES_OK);
}

static void test_target_bad(void **state)
{
    static const char *const bad[] = {
        "", "[", "[]", "[a", "a]", "[a]b", "[a]:", "[a]:0", "[a]:65536", "a:b", "a:25:25", "a b", "-a", "a-", "a..b", ".a", "a.",
        "2001:db8::1", "a,tls=maybe", "a,,tls=may", "a,user=", "a,user=u", "a,password-file=/p", "a,user=u,password-file=p",
        "a,colour=red", "ol\xc3\xa1.example", "a\xff",
    };
    CLEANUP(arena_releasep) struct arena a = { 0 };
    struct relay_route r;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        struct str error = STR_NULL;

        if (relay_route_parse_target(str_c(bad[i]), &a, &r, &error) != RES_INVALID)
            fail_msg("\"%s\" was taken", bad[i]);
        assert_true(error.len > 0 && str_is_utf8(error));
    }
}

static void test_destination(void **state)
{
    static const char *const cases[][2] = {
        { "[Smart.Example]:587", "[smart.example]:587" }, { "[2001:DB8::1]", "[2001:db8::1]:25" }, { "mx.example:2525", "mx.example:2525" },
        { "mx.example", "mx.example:25" },
    };
    CLEANUP(arena_releasep) struct arena a = { 0 };
    struct relay_route r;
    struct str error, text;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        assert_int_equal(relay_route_parse_target(str_c(cases[i][0]), &a, &r, &error), RES_OK);
        text = relay_route_destination(&a, &r, 25);
        assert_true(str_eq(text, str_c(cases[i][1])) && relay_route_is(text));
        assert_int_equal(relay_route_parse_target(text, &a, &r, &error), RES_OK);
        assert_true(str_eq(relay_route_destination(&a, &r, 1), text));
    }
    assert_false(relay_route_is(STR("example.net")));
    assert_false(relay_route_is(STR("[IPv6:2001:db8::1]")));
    assert_false(relay_route_is(STR("[192.0.2.1]")));
    assert_false(relay_route_is(STR(".local")));
}

static const struct find_case {
    const char *domain, *host; /* NULL: no route */
} find_cases[] = {
    { "example.net", "exact" },        { "a.example.net", "suffix" }, { "b.a.example.net", "suffix" },
    { "x.deep.example.net", "deep" },  { "badexample.net", "rest" },  { "example.com", "rest" },
};

static void test_find(void **state)
{
    CLEANUP(arena_releasep) struct arena a = { 0 };
    struct relay_route_list list;
    struct str error;

    (void)state;
    assert_int_equal(relay_route_list_parse(STR(" *=rest .Example.net=suffix  .deep.example.net=[deep] Example.NET=exact\n"),
                                            &a, &list, &error), RES_OK);
    assert_int_equal(list.n, 4);
    for (size_t i = 0; i < ARRAY_LEN(find_cases); i++) {
        const struct relay_route *r = relay_route_find(&list, str_c(find_cases[i].domain));

        assert_non_null(r);
        if (!str_eq(r->host, str_c(find_cases[i].host)))
            fail_msg("%s goes to %.*s", find_cases[i].domain, STR_ARG(r->host));
    }
    assert_int_equal(relay_route_list_parse(STR("example.net=exact"), &a, &list, &error), RES_OK);
    assert_null(relay_route_find(&list, STR("example.com")));
    assert_int_equal(relay_route_list_parse(STR(""), &a, &list, &error), RES_OK);
    assert_null(relay_route_find(&list, STR("example.com")));
}

static void test_list_bad(void **state)
{
    static const char *const bad[] = { "example.net", "=host", "a=b a=c", "A=b a=c", "*=a *=b", "..a=b", "a b=c", "*.a=b",
                                       "\xff=b" };
    CLEANUP(arena_releasep) struct arena a = { 0 };
    CLEANUP(strbuf_release) struct strbuf many = { 0 };
    struct relay_route_list list;
    struct str error;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        error = STR_NULL;
        if (relay_route_list_parse(str_c(bad[i]), &a, &list, &error) != RES_INVALID)
            fail_msg("\"%s\" was taken", bad[i]);
        assert_true(error.len > 0 && str_is_utf8(error));
    }
    for (int i = 0; i < 1001; i++)
        (void)strbuf_addf(&many, "d%d=h ", i);
    assert_int_equal(relay_route_list_parse(strbuf_str(&many), &a, &list, &error), RES_INVALID);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_target), cmocka_unit_test(test_target_bad), cmocka_unit_test(test_destination),
                                        cmocka_unit_test(test_destination), cmocka_unit_test(test_find),
                                        cmocka_unit_test(test_list_bad) };

    return cmocka_run_group_tests_name("relay_route", tests, NULL, NULL);
}
