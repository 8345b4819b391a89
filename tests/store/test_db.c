/* Look-ups by key: one plan for all values where the pool says so, and only for them. */
#include "tests/store/support.h"

#define MODE "SELECT current_setting('plan_cache_mode')"

static const struct db_stmt mode_stmt = { "test_mode", MODE };
static const struct db_stmt row_stmt = { "test_mode_row", MODE " WHERE $1" };
static const struct db_stmt wrong_stmt = { "test_wrong", "SELECT 1 / $1" };

static void check_mode(struct db *db, bool lookup, const char *want)
{
    const struct db_param params[] = { db_bool(true) };
    CLEANUP(db_rows_freep) struct db_rows rows = { 0 };
    enum result r = lookup ? db_query_row(db, &row_stmt, params, 1, &rows) : db_query(db, &mode_stmt, NULL, 0, &rows);

    assert_int_equal(r, RES_OK);
    assert_int_equal(db_count(&rows), 1);
    assert_true(str_eq(db_get_str(&rows, 0, 0), str_c(want)));
}

static void lookups_body(void *arg)
{
    struct db *db = db_new(test_conninfo(), 1), *once = db_new(test_conninfo(), 1);
    const struct db_param no[] = { db_bool(false) }, zero[] = { db_int4(0) };
    CLEANUP(db_rows_freep) struct db_rows rows = { 0 };

    (void)arg;
    db_plan_once(once);
    check_mode(db, true, "auto");
    check_mode(once, false, "auto");
    check_mode(once, true, "force_generic_plan");
    check_mode(once, false, "auto");
    assert_int_equal(db_query_row(once, &row_stmt, no, 1, &rows), RES_NOTFOUND);
    db_rows_free(&rows);
    assert_int_equal(db_query_row(once, &wrong_stmt, zero, 1, &rows), RES_INVALID);
    assert_null(rows.res);
    check_mode(once, false, "auto");
    check_mode(once, true, "force_generic_plan");
    db_free(once);
    db_free(db);
    loop_stop();
}

static void test_lookups(void **state)
{
    (void)state;
    test_run(lookups_body, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_lookups) };

    return cmocka_run_group_tests_name("db", tests, NULL, NULL);
}
