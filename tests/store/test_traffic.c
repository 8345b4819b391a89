/* Overview's chart: several nodes add to the same rows, counters begin at 0 again, and steps without mail are there as 0. */
#include "tests/store/support.h"

#include "base/encode.h"
#include "store/traffic.h"

#define MINUTE_US INT64_C(60000000)

static PGconn *pg;

struct node {
    struct db *db;
    uint64_t told[COUNTERS_MAIL];
};

/* As the api process does: what the counters say now, less what was told. */
static void tell(struct node *node, int64_t at_us, const uint64_t counted[COUNTERS_MAIL])
{
    int64_t n[COUNTERS_MAIL];

    for (int i = 0; i < COUNTERS_MAIL; i++)
        n[i] = (int64_t)counters_take(&node->told[i], counted[i]);
    assert_int_equal(traffic_add(node->db, at_us, n), RES_OK);
}

static int64_t sum(const struct traffic_history *h, enum counters_mail kind)
{
    int64_t n = 0;

    for (size_t i = 0; i < h->points; i++)
        n += h->n[kind][i];
    return n;
}

static void expect_everywhere(struct db *db, int64_t accepted, int64_t refused)
{
    for (enum traffic_range range = TRAFFIC_HOUR; range < TRAFFIC_RANGES; range++) {
        struct traffic_history h;

        assert_int_equal(traffic_get(db, range, &h), RES_OK);
        assert_int_equal(sum(&h, COUNTERS_ACCEPTED), accepted);
        assert_int_equal(sum(&h, COUNTERS_REFUSED), refused);
    }
}

static void play(void *arg)
{
    struct node *a = arg, *b = a + 1;
    int64_t now = wall_us(), minute = now / MINUTE_US * MINUTE_US;
    struct traffic_history h;

    assert_int_equal(traffic_get(a->db, TRAFFIC_DAY, &h), RES_OK); /* of an empty table: all 0 */
    assert_int_equal(h.points, 288);
    assert_int_equal(h.step_s, 300);
    assert_true(h.until_us > now && h.until_us <= now + 5 * MINUTE_US + 1000000 && h.until_us % (5 * MINUTE_US) == 0);
    expect_everywhere(a->db, 0, 0);

    tell(a, minute - 5 * MINUTE_US, (const uint64_t[]){ 10, 9, 1, 2 });
    tell(b, minute - 5 * MINUTE_US + 59000000, (const uint64_t[]){ 100, 90, 10, 20 }); /* another second of that minute */
    expect_everywhere(a->db, 110, 22);
    tell(a, minute - 4 * MINUTE_US, (const uint64_t[]){ 12, 9, 1, 2 });
    tell(b, minute - 4 * MINUTE_US, (const uint64_t[]){ 5, 4, 3, 0 }); /* it was restarted */
    expect_everywhere(b->db, 117, 22);

    assert_int_equal(traffic_get(a->db, TRAFFIC_HOUR, &h), RES_OK);
    assert_int_equal(h.points, 60);
    assert_int_equal(h.until_us % MINUTE_US, 0);
    assert_true(h.until_us <= now + MINUTE_US);
    for (size_t i = 0; i < h.points; i++) {
        int64_t at = h.until_us - (int64_t)(h.points - i) * MINUTE_US;

        assert_int_equal(h.n[COUNTERS_ACCEPTED][i], at == minute - 5 * MINUTE_US ? 110 : at == minute - 4 * MINUTE_US ? 7 : 0);
        assert_int_equal(h.n[COUNTERS_DEFERRED][i], at == minute - 5 * MINUTE_US ? 11 : at == minute - 4 * MINUTE_US ? 3 : 0);
    }

    /* A month has whole hours, two a point, and as many points as there may be. */
    assert_int_equal(traffic_add(a->db, now - 29 * 24 * 60 * MINUTE_US, (const int64_t[]){ 1000, 0, 0, 0 }), RES_OK);
    assert_int_equal(traffic_get(a->db, TRAFFIC_MONTH, &h), RES_OK);
    assert_int_equal(h.points, TRAFFIC_MAX_POINTS);
    assert_int_equal(sum(&h, COUNTERS_ACCEPTED), 1117);
    assert_int_equal(traffic_get(a->db, TRAFFIC_WEEK, &h), RES_OK);
    assert_int_equal(h.points, 168);
    assert_int_equal(sum(&h, COUNTERS_ACCEPTED), 117);

    /* Minutes go after two days, hours after 35. */
    assert_int_equal(traffic_add(a->db, now - 36 * 24 * 60 * MINUTE_US, (const int64_t[]){ 1, 1, 1, 1 }), RES_OK);
    assert_int_equal(traffic_sweep(a->db), RES_OK);
    assert_int_equal(test_number(pg, "SELECT count(*) FROM traffic WHERE step = 60"), 2);
    assert_int_equal(test_number(pg, "SELECT sum(accepted) FROM traffic WHERE step = 3600"), 1117);
    loop_stop();
}

static void test_traffic(void **state)
{
    static struct node nodes[2];

    (void)state;
    pg = test_connect();
    nodes[0].db = db_new(test_conninfo(), 1);
    nodes[1].db = db_new(test_conninfo(), 1);
    test_sql(pg, "DELETE FROM traffic");
    test_run(play, nodes);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_traffic) };

    return cmocka_run_group_tests_name("traffic", tests, NULL, NULL);
}
