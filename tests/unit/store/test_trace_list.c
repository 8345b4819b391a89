/* The search of the trace where one step does not see everything: nothing is left out, nothing comes twice. */
#include "tests/support/queue_fixture.h"

#include "store/trace_list.h"

enum { MANY = 5000 }; /* more than two steps look at */

static struct arena arena;

/* Messages 1 to MANY, oldest first, 1,250 of each second, from many0 or many1 to joe or ann, each twice; something rare among the
 * oldest. */
static void fill(void)
{
    arena_reset(&arena);
    (void)database_sql(owner,
        "INSERT INTO trace (at, id, direction, outcome, sender, subject, message_id, client)"
        "  SELECT timestamptz '2026-01-01 00:00:00+00' + (g / 1250) * interval '1 second', g, 0, CASE g WHEN 3 THEN 3 ELSE 1 END,"
        "    CASE g WHEN 2 THEN 'Rare@small.test' ELSE 'many' || g % 2 || '@big.test' END,"
        "    CASE g WHEN 4 THEN 'a Needle' ELSE 'hay' END, 'm' || g || '@big.test', CASE g WHEN 5 THEN inet '192.0.2.5' END"
        "  FROM generate_series(1, 5000) g;"
        "INSERT INTO trace_recipient (at, trace_id, n, recipient, domain, outcome)"
        "  SELECT at, id, n, CASE WHEN id = 6 AND n = 1 THEN 'someone@far.test' WHEN id % 2 = 0 THEN 'joe@big.test' ELSE 'ann@big.test' END,"
        "    CASE WHEN id = 6 AND n = 1 THEN 'far.test' ELSE 'big.test' END, outcome FROM trace, generate_series(0, 1) n");
}

static struct str_list two(const char *s, const char *t)
{
    struct str *v = arena_array(&arena, struct str, 2);

    v[0] = str_c(s);
    v[1] = str_c(t);
    return (struct str_list){ v, 2 };
}

static struct str_list one(const char *s)
{
    return (struct str_list){ two(s, "").v, 1 };
}

/* How many there are on all pages; each is older than the one before.  *ret_last: the last one. */
static size_t listed(struct trace_filter f, int64_t *ret_last)
{
    struct trace_place next = TRACE_END, last = { INT64_MAX, INT64_MAX };
    size_t sum = 0;

    if (f.since == 0)
        f.since = DB_NO_TIME;
    if (f.until == 0)
        f.until = DB_NO_TIME;
    do {
        struct trace_row *v;
        struct trace_place before = next;
        size_t n;

        assert_int_equal(trace_list(db, &f, next, 100, &arena, &v, &n, &next), RES_OK);
        for (size_t i = 0; i < n; i++) {
            assert_true(v[i].accepted_at < last.at_us || (v[i].accepted_at == last.at_us && v[i].id < last.id));
            last = (struct trace_place){ v[i].accepted_at, v[i].id };
        }
        sum += n;
        assert_true(trace_is_end(next) || next.at_us != before.at_us || next.id != before.id);
    } while (!trace_is_end(next));
    *ret_last = last.id;
    return sum;
}

static void body_all(void)
{
    int64_t last;

    fill();
    assert_int_equal(listed((struct trace_filter){ 0 }, &last), MANY);
    assert_int_equal(last, 1);
    assert_int_equal(listed((struct trace_filter){ .recipients = one("@big.test") }, &last), MANY);
    assert_int_equal(listed((struct trace_filter){ .senders = one("@big.test"), .text = STR("joe@") }, &last), MANY / 2 - 1);
    assert_int_equal(listed((struct trace_filter){ .domains = one("big.test") }, &last), MANY);
    assert_int_equal(listed((struct trace_filter){ .subject = STR("hay") }, &last), MANY - 1);
}

/* One of the oldest, by what is rare, by what is frequent, and by both. */
static void body_rare(void)
{
    struct str_list big;
    int64_t last;

    fill();
    big = one("@big.test");
    assert_int_equal(listed((struct trace_filter){ .senders = one("rare@small.test"), .recipients = big }, &last), 1);
    assert_int_equal(last, 2);
    assert_int_equal(listed((struct trace_filter){ .outcomes = 1u << TRACE_BOUNCED, .recipients = big }, &last), 1);
    assert_int_equal(last, 3);
    assert_int_equal(listed((struct trace_filter){ .text = STR("needle"), .senders = big }, &last), 1);
    assert_int_equal(last, 4);
    assert_int_equal(listed((struct trace_filter){ .ips = one("192.0.2.5"), .subject = STR("hay") }, &last), 1);
    assert_int_equal(last, 5);
    assert_int_equal(listed((struct trace_filter){ .domains = one("far.test"), .outcomes = 1u << TRACE_DELIVERED }, &last), 1);
    assert_int_equal(last, 6);
    assert_int_equal(listed((struct trace_filter){ .text = STR("far.test"), .recipients = big }, &last), 1);
    assert_int_equal(last, 6);
    assert_int_equal(listed((struct trace_filter){ .text = STR("m7@big.test"), .text_id = 8, .recipients = big }, &last), 2);
    assert_int_equal(last, 7);
    assert_int_equal(listed((struct trace_filter){ .message_id = STR("<m9@big.test>"), .senders = big }, &last), 1);
}

/* Each is frequent, and they never meet. */
static void body_never(void)
{
    int64_t last;

    fill();
    assert_int_equal(listed((struct trace_filter){ .senders = one("many0@big.test"), .recipients = one("someone@") }, &last), 1);
    assert_int_equal(listed((struct trace_filter){ .senders = one("many1@big.test"), .recipients = one("someone@") }, &last), 0);
    (void)database_sql(owner, "UPDATE trace SET subject = 'straw' WHERE sender = 'many1@big.test'");
    assert_int_equal(listed((struct trace_filter){ .senders = one("many0@"), .subject = STR("straw") }, &last), 0);
    assert_int_equal(listed((struct trace_filter){ .senders = one("many1@"), .text = STR("straw") }, &last), MANY / 2);
    /* The last hit of a step, 1001, is part of it. */
    (void)database_sql(owner, "UPDATE trace SET subject = CASE WHEN id = 1001 OR (id % 2 = 0 AND id > 1001) THEN 'straw' ELSE 'hay' END");
    assert_int_equal(listed((struct trace_filter){ .senders = one("many1@"), .subject = STR("straw") }, &last), 1);
    assert_int_equal(last, 1001);
    /* What one sender's hits end before is left for the step that gets there. */
    assert_int_equal(listed((struct trace_filter){ .senders = two("many1@", "rare@small.test"), .recipients = one("joe@") }, &last), 1);
    assert_int_equal(last, 2);
}

static void body_time(void)
{
    const int64_t second = INT64_C(1767225600) * 1000000; /* 2026-01-01 */
    int64_t last;

    fill();
    assert_int_equal(listed((struct trace_filter){ .until = second + 1000000 }, &last), 1249);
    assert_int_equal(listed((struct trace_filter){ .since = second + 1000000 }, &last), MANY - 1249);
    assert_int_equal(last, 1250);
    assert_int_equal(listed((struct trace_filter){ .since = second + 1000000, .until = second + 3000000, .recipients = one("joe@") }, &last), 1250);
    assert_int_equal(listed((struct trace_filter){ .text = STR("x"), .text_id = 1, .since = second + 1 }, &last), 0);
}

int main(void)
{
    struct body bodies[] = { { "all", body_all }, { "rare", body_rare }, { "never together", body_never }, { "time", body_time } };
    int r = run_bodies("trace_list", "correio_api", bodies, ARRAY_LEN(bodies));

    arena_reset(&arena);
    return r;
}
