/* Server-sent events: whole, in pieces of one byte, and what is none. */
#include "tests/support/cmocka.h"

#include "api/ctl/sse.h"
#include "base/macros.h"

#include <stdlib.h>

static const struct sse_case {
    const char *name, *bytes, *events; /* "type=data;" each, a line end in the data as "|" */
    bool ends;                         /* no more is taken */
} cases[] = {
    { "one", "event: queue.changed\nid: b-1\ndata: {\"id\":\"q1\"}\n\n", "queue.changed={\"id\":\"q1\"};", false },
    { "no type", "data: x\n\n", "message=x;", false },
    { "the type is of one event", "event: a\ndata: x\n\ndata: y\n\n", "a=x;message=y;", false },
    { "CR LF, CR", "event: a\r\ndata: x\r\n\r\nevent: b\rdata: y\r\r", "a=x;b=y;", false },
    { "lines of data", "data: x\ndata:y\ndata\ndata:  z\n\n", "message=x|y|| z;", false },
    { "empty data", "event: reset\ndata:\n\n", "reset=;", false },
    { "comments, fields that nobody knows", "retry: 3000\n\n: keep\n\nfield\n: \n:\nevent: a\ndata: x\ncolour: red\n\n", "a=x;", false },
    { "no data is no event, and takes its type along", "event: a\n\ndata: x\n\n", "message=x;", false },
    { "not complete", "data: x\n", "", false },
    { "a type twice", "event: a\nevent: b\ndata: x\n\n", "b=x;", false },
    { "enough", "event: stop\ndata: x\n\ndata: y\n\n", "stop=x;", true },
    { "nothing", "", "", false },
    { "line ends alone", "\n\r\n\r\r\n\n", "", false },
};

static bool note(const struct sse_event *e, void *arg)
{
    struct strbuf *b = arg;

    strbuf_addf(b, "%.*s=", STR_ARG(e->type));
    for (size_t i = 0; i < e->data.len; i++)
        strbuf_addc(b, e->data.p[i] == '\n' ? '|' : e->data.p[i]);
    strbuf_addc(b, ';');
    return !str_eq(e->type, STR("stop"));
}

static void run_case(void **state)
{
    const struct sse_case *c = *state;

    for (size_t step = 1; step <= 1000; step = step == 1 ? 7 : step * 100) {
        CLEANUP(strbuf_release) struct strbuf seen = { 0 };
        struct sse s = { 0 };
        struct str rest = str_c(c->bytes);
        bool more = true;

        while (rest.len > 0) {
            more = sse_feed(&s, str_sub(rest, 0, step), note, &seen);
            rest = str_from(rest, MIN(step, rest.len));
        }
        if (!str_eq(strbuf_str(&seen), str_c(c->events)) && (seen.len > 0 || c->events[0] != '\0'))
            fail_msg("%zu: %.*s", step, STR_ARG(strbuf_str(&seen)));
        assert_int_equal(more, !c->ends);
        sse_release(&s);
    }
}

/* What is too long ends it, and nothing grows. */
static void test_limits(void **state)
{
    static const char *const starts[] = { "data: ", ": ", "event: ", "" };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(starts); i++) {
        CLEANUP(strbuf_release) struct strbuf seen = { 0 };
        struct sse s = { 0 };
        size_t n = 0;

        assert_true(sse_feed(&s, str_c(starts[i]), note, &seen));
        while (n <= SSE_MAX && sse_feed(&s, STR("x"), note, &seen))
            n++;
        assert_true(n <= SSE_MAX);
        assert_false(sse_feed(&s, STR("\n\ndata: y\n\n"), note, &seen));
        assert_int_equal(seen.len, 0);
        sse_release(&s);
    }
    {
        CLEANUP(strbuf_release) struct strbuf seen = { 0 };
        struct sse s = { 0 };
        int lines = 0;

        while (lines < 20000 && sse_feed(&s, STR("data: 12345678\n"), note, &seen))
            lines++;
        assert_true(lines > 7000 && lines < 7500);
        assert_int_equal(seen.len, 0);
        sse_release(&s);
    }
}

int main(void)
{
    struct CMUnitTest tests[ARRAY_LEN(cases) + 1] = { 0 };

    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        tests[i] = (struct CMUnitTest){ .name = cases[i].name, .test_func = run_case, .initial_state = (void *)(uintptr_t)&cases[i] };
    tests[ARRAY_LEN(cases)] = (struct CMUnitTest)cmocka_unit_test(test_limits);
    return cmocka_run_group_tests_name("ctl/sse", tests, NULL, NULL);
}
