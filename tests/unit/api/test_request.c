/* What a request is made of before its handler runs: target, route, query, cursor, problems. */
#include "tests/support/cmocka.h"

#include "api/cursor.h"
#include "api/fields.h"
#include "api/names.h"
#include "api/problem.h"
#include "api/query.h"
#include "api/route.h"
#include "api/words.h"
#include "api/common_passwords.h"

static struct request *make(const char *method, const char *target)
{
    return request_new(NULL, str_c(method), str_c(target));
}

static const struct route_case {
    const char *name, *method, *target, *path, *param, *allowed;
} route_cases[] = {
    { "plain", "GET", "/api/v1/domains", "/api/v1/domains", NULL, NULL },
    { "with query", "GET", "/api/v1/domains?limit=1", "/api/v1/domains", NULL, NULL },
    { "placeholder", "GET", "/api/v1/accounts/alice%40example.org", "/api/v1/accounts/{}", "alice@example.org", NULL },
    { "placeholder inside", "PUT", "/api/v1/accounts/a@b/password", "/api/v1/accounts/{}/password", "a@b", NULL },
    { "an escaped slash does not split", "GET", "/api/v1/domains/a%2Fb", "/api/v1/domains/{}", "a/b", NULL },
    { "empty segment", "GET", "/api/v1/domains//", NULL, NULL, "" },
    { "slash at the end", "GET", "/api/v1/domains/", NULL, NULL, "" },
    { "longer", "GET", "/api/v1/domains/a/b", NULL, NULL, "" },
    { "shorter", "GET", "/api/v1", NULL, NULL, "" },
    { "NUL in a segment", "GET", "/api/v1/domains/a%00b", NULL, NULL, "" },
    { "broken escape in a segment", "GET", "/api/v1/domains/a%2", NULL, NULL, "" },
    { "not UTF-8 in a segment", "GET", "/api/v1/domains/%ff", NULL, NULL, "" },
    { "other method", "PATCH", "/api/v1/queue/actions", NULL, NULL, "POST" },
    { "other methods", "POST", "/api/v1/domains/x", NULL, NULL, "GET, PUT, PATCH, DELETE" },
};

static void test_routes(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(route_cases); i++) {
        const struct route_case *c = &route_cases[i];
        struct request *r = make(c->method, c->target);
        struct str allowed = STR_NULL;
        const struct route *route;

        assert_true(request_parse_target(r));
        route = route_find(r, &allowed);
        if (c->path != NULL) {
            assert_non_null(route);
            assert_string_equal(route->path, c->path);
            if (c->param != NULL)
                assert_true(str_eq(r->params[0], str_c(c->param)));
        } else {
            assert_null(route);
            assert_true(str_eq(allowed, str_c(c->allowed)));
        }
        request_unref(r);
    }
}

static void test_targets(void **state)
{
    static const char *const bad[] = { "", "x", "*", "http://x/", "/a b", "/a\x7f", "/?a=%", "/?a=%4", "/?a=%zz", "/?%ff=1", "/?a=%00" };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        struct request *r = make("GET", bad[i]);

        assert_false(request_parse_target(r));
        assert_int_equal(r->answer.status, 400);
        request_unref(r);
    }
}

static void test_query(void **state)
{
    static const char *const singles[] = { "limit", "q", "since" };
    static const char *const repeated[] = { "state" };
    static const char *const words[] = { "active", "disabled" };
    struct request *r = make("GET", "/?limit=7&q=a%2Bb+c&state=active&state=disabled&state=active");

    (void)state;
    assert_true(request_parse_target(r));
    query_begin(r, singles, ARRAY_LEN(singles), repeated, ARRAY_LEN(repeated));
    assert_int_equal(query_int(r, "limit", 1, 200, 50), 7);
    assert_true(str_eq(query_text(r, "q", 1, 10), STR("a+b c")));
    assert_int_equal(query_words(r, "state", words, ARRAY_LEN(words)), 3);
    assert_int_equal(query_time(r, "since"), INT64_MIN);
    assert_false(errors_of_query(r));
    request_unref(r);

    r = make("GET", "/?limit=0&limti=1&state=activ&q=%01&since=yesterday");
    assert_true(request_parse_target(r));
    query_begin(r, singles, ARRAY_LEN(singles), repeated, ARRAY_LEN(repeated));
    (void)query_int(r, "limit", 1, 200, 50);
    assert_null(query_text(r, "q", 1, 10).p);
    (void)query_words(r, "state", words, ARRAY_LEN(words));
    (void)query_time(r, "since");
    assert_int_equal(js_len(r->errors), 5);
    assert_true(errors_of_query(r));
    assert_int_equal(r->answer.status, 400);
    assert_int_not_equal(str_find(r->answer.body, STR("Did you mean \\\"limit\\\"?")), SIZE_MAX);
    assert_int_not_equal(str_find(r->answer.body, STR("Did you mean \\\"active\\\"?")), SIZE_MAX);
    request_unref(r);
}

static void test_cursor(void **state)
{
    CLEANUP(arena_releasep) struct arena a = { 0 };
    struct str sealed, place;
    char *changed;

    (void)state;
    cursor_init();
    sealed = cursor_seal(&a, STR("/domains?q=a"), STR("b.example"));
    assert_int_equal(cursor_open(&a, STR("/domains?q=a"), sealed, &place), RES_OK);
    assert_true(str_eq(place, STR("b.example")));
    assert_int_equal(cursor_open(&a, STR("/domains?q=b"), sealed, &place), RES_INVALID);
    for (size_t i = 0; i < sealed.len; i++) {
        changed = arena_cstr(&a, sealed);
        changed[i] = changed[i] == 'A' ? 'B' : 'A';
        if (i + 1 < sealed.len) /* the last character has bits that stand for nothing */
            assert_int_equal(cursor_open(&a, STR("/domains?q=a"), str_of(changed, sealed.len), &place), RES_INVALID);
        assert_int_equal(cursor_open(&a, STR("/domains?q=a"), str_sub(sealed, 0, i), &place), RES_INVALID);
    }
    cursor_init(); /* another process */
    assert_int_equal(cursor_open(&a, STR("/domains?q=a"), sealed, &place), RES_INVALID);
}

static void test_problem(void **state)
{
    struct request *r = make("GET", "/");

    (void)state;
    problem(r, PROBLEM_RATE_LIMITED, "\"%s\"", "x\"y");
    assert_int_equal(r->answer.status, 429);
    assert_true(str_eq(r->answer.type, STR("application/problem+json")));
    assert_string_equal(r->answer.headers[0].name.p, "Retry-After");
    assert_int_not_equal(str_find(r->answer.body, STR("\"detail\":\"\\\"x\\\"y\\\"\"")), SIZE_MAX);
    assert_int_not_equal(str_find(r->answer.body, r->id), SIZE_MAX);
    request_unref(r);
    for (int kind = 0; kind < PROBLEMS; kind++) {
        assert_non_null(problem_name((enum problem_kind)kind));
        assert_in_range(problem_status((enum problem_kind)kind), 400, 503);
    }
}

static const struct name_case {
    const char *text, *want; /* NULL: refused */
} domains[] = {
    { "Example.ORG", "example.org" }, { "b\xc3\xbc" "cher.example", "xn--bcher-kva.example" }, { "XN--BCHER-KVA.example", "xn--bcher-kva.example" },
    { "localhost", "localhost" }, { "example", NULL }, { "", NULL }, { "a..b", NULL }, { ".a.b", NULL }, { "-a.b", NULL },
    { "a b.c", NULL }, { "a_b.example", NULL }, { "[127.0.0.1]", NULL }, { "\xff.example", NULL },
}, addresses[] = {
    { "Alice@Example.ORG", "alice@example.org" }, { "a+b@example.org", "a+b@example.org" }, { "jos\xc3\xa9@example.org", "jos\xc3\xa9@example.org" },
    { "a@b\xc3\xbc" "cher.example", "a@xn--bcher-kva.example" }, { "a", NULL }, { "@example.org", NULL }, { "a@", NULL },
    { "a@b@example.org", NULL }, { "\"a b\"@example.org", NULL }, { "a b@example.org", NULL }, { "a..b@example.org", NULL },
    { "a@[127.0.0.1]", NULL }, { "<a@example.org>", NULL }, { "a@example.org\r\nx", NULL },
};

static void test_names(void **state)
{
    CLEANUP(arena_releasep) struct arena a = { 0 };
    struct str got;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(domains); i++) {
        assert_int_equal(name_domain(str_c(domains[i].text), &a, &got), domains[i].want != NULL ? RES_OK : RES_INVALID);
        if (domains[i].want != NULL)
            assert_true(str_eq(got, str_c(domains[i].want)));
    }
    for (size_t i = 0; i < ARRAY_LEN(addresses); i++) {
        assert_int_equal(name_address(str_c(addresses[i].text), &a, &got), addresses[i].want != NULL ? RES_OK : RES_INVALID);
        if (addresses[i].want != NULL)
            assert_true(str_eq(got, str_c(addresses[i].want)));
    }
}

static void test_words(void **state)
{
    static const char *const words[] = { "deferred", "held", "sending" };

    (void)state;
    assert_true(str_eq(word_nearest(STR("defered"), words, 3), STR("deferred")));
    assert_true(str_eq(word_nearest(STR("HELT"), words, 3), STR("held")));
    assert_null(word_nearest(STR("x"), words, 3).p);
    assert_null(word_nearest(STR("something else"), words, 3).p);
    assert_int_equal(word_clip(STR("a\xc3\xa9z"), 2).len, 1);
    assert_int_equal(word_clip(STR("a\xc3\xa9z"), 3).len, 3);
    assert_int_equal(word_length(STR("a\xc3\xa9z")), 3);
    assert_true(word_has_control(STR("a\nb")));
    assert_true(word_has_control(STR("a\xc2\x85")));
    assert_false(word_has_control(STR("a\xc3\xa9 \xc2\xa0")));
}

static void test_tokens(void **state)
{
    CLEANUP(arena_releasep) struct arena a = { 0 };
    struct str hash, again, token = token_make(&a, 1234, &hash);

    (void)state;
    assert_true(str_starts(token, STR("cor_t16j_")));
    assert_int_equal(token_hash(&a, token, &again), RES_OK);
    assert_true(str_eq(hash, again));
    assert_int_equal(token_hash(&a, str_sub(token, 0, token.len - 1), &again), RES_INVALID);
    assert_int_equal(token_hash(&a, arena_printf(&a, "%.*sx", STR_ARG(token)), &again), RES_INVALID);
    assert_int_equal(token_hash(&a, STR("cor_"), &again), RES_INVALID);
    assert_int_equal(token_hash(&a, STR(""), &again), RES_INVALID);
}

static void test_rights(void **state)
{
    struct caller c = { .via = VIA_TOKEN, .scopes = 1u << SCOPE_DOMAINS_WRITE };

    (void)state;
    assert_true(caller_has(&c, SCOPE_DOMAINS_WRITE));
    assert_true(caller_has(&c, SCOPE_DOMAINS_READ));
    assert_false(caller_has(&c, SCOPE_ACCOUNTS_READ));
    assert_false(caller_has(&c, SCOPE_METRICS_READ));
    c.scopes = 1u << SCOPE_DOMAINS_READ | 1u << SCOPE_QUEUE_WRITE;
    assert_false(caller_has(&c, SCOPE_DOMAINS_WRITE));
    assert_false(caller_has(&c, SCOPE_TRACE_READ)); /* the scope behind queue:write in the table */
    assert_true(caller_has(&c, SCOPE_ANY));
    c.via = VIA_NOBODY;
    assert_false(caller_has(&c, SCOPE_ANY));
    assert_true(caller_has(&c, SCOPE_NONE));
    assert_int_equal(role_scopes(ROLE_ACCOUNT), 0);
    assert_int_equal(role_scopes(ROLE_DOMAIN_ADMIN) & (1u << SCOPE_DOMAINS_WRITE | 1u << SCOPE_SETTINGS_READ | 1u << SCOPE_TOKENS_READ), 0);
}

static void test_common_passwords(void **state)
{
    static const char *const common[] = { "Password1234", "123456789012", "qwertyuiopas", "aaaaaaaaaaaa", "abcabcabcabc", "abcdefghijkl" };
    static const char *const fine[] = { "a quiet place by the sea", "correct horse", "zf83kd02lsmq" };
    CLEANUP(arena_releasep) struct arena a = { 0 };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(common); i++)
        assert_true(password_is_common(&a, str_c(common[i])));
    for (size_t i = 0; i < ARRAY_LEN(fine); i++)
        assert_false(password_is_common(&a, str_c(fine[i])));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_routes), cmocka_unit_test(test_targets), cmocka_unit_test(test_query), cmocka_unit_test(test_cursor),
        cmocka_unit_test(test_problem), cmocka_unit_test(test_names), cmocka_unit_test(test_words), cmocka_unit_test(test_tokens),
        cmocka_unit_test(test_rights), cmocka_unit_test(test_common_passwords),
    };

    return cmocka_run_group_tests_name("request", tests, NULL, NULL);
}
