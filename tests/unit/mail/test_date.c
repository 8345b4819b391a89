#include "tests/support/cmocka.h"

#include "base/macros.h"
#include "mail/date.h"

#define T(seconds) ((int64_t)(seconds)*1000000)

struct date_case {
    const char *name, *value;
    enum result want;
    int64_t us;
    int zone;
};

static struct date_case cases[] = {
    { "rfc 5322", "Fri, 21 Nov 1997 09:55:06 -0600", RES_OK, T(880127706), -360 },
    { "no weekday", "21 Nov 1997 09:55:06 -0600", RES_OK, T(880127706), -360 },
    { "no seconds", "21 Nov 1997 09:55 -0600", RES_OK, T(880127700), -360 },
    { "comments and folds", "Thu,\r\n 13\r\n Feb\r\n 1969\r\n 23:32\r\n -0330 (Newfoundland Time)", RES_OK,
      T(-27723480), -210 },
    { "obsolete zone", "21 Nov 97 09:55:06 GMT", RES_OK, T(880106106), 0 },
    { "est", "21 Nov 97 09:55:06 EST", RES_OK, T(880124106), -300 },
    { "unknown zone", "21 Nov 1997 09:55:06 XYZ", RES_OK, T(880106106), 0 },
    { "military zone", "21 Nov 1997 09:55:06 A", RES_OK, T(880106106), 0 },
    { "no zone", "21 Nov 1997 09:55:06", RES_OK, T(880106106), 0 },
    { "no time", "21 Nov 1997", RES_OK, T(880070400), 0 },
    { "bad time", "21 Nov 1997 25:00:00 +0000", RES_OK, T(880070400), 0 },
    { "bad zone", "21 Nov 1997 09:55:06 +9999", RES_OK, T(880106106), 0 },
    { "two digit year", "1 Jan 49 00:00:00 +0000", RES_OK, T(2493072000), 0 },
    { "two digit year, last century", "1 Jan 70 00:00:00 +0000", RES_OK, 0, 0 },
    { "three digit year", "1 Jan 100 00:00:00 +0000", RES_OK, T(946684800), 0 },
    { "asctime", "Fri Nov 21 09:55:06 1997", RES_OK, T(880106106), 0 },
    { "iso 8601", "1997-11-21T09:55:06Z", RES_OK, T(880106106), 0 },
    { "iso 8601 zone", "1997-11-21 09:55:06.123+01:00", RES_OK, T(880102506), 60 },
    { "full month", "21 November 1997 09:55:06 +0000", RES_OK, T(880106106), 0 },
    { "hyphens", "21-Nov-1997 09:55:06 +0000", RES_OK, T(880106106), 0 },
    { "pm", "21 Nov 1997 9:55:06 PM +0000", RES_OK, T(880149306), 0 },
    { "leap second", "31 Dec 1998 23:59:60 +0000", RES_OK, T(915148800), 0 },
    { "leap day", "29 Feb 2000 00:00:00 +0000", RES_OK, T(951782400), 0 },
    { "no leap day", "29 Feb 1900 00:00:00 +0000", RES_INVALID, 0, 0 },
    { "day 0", "0 Jan 2000 00:00:00 +0000", RES_INVALID, 0, 0 },
    { "day 32", "32 Jan 2000 00:00:00 +0000", RES_INVALID, 0, 0 },
    { "huge year", "1 Jan 99999 00:00:00 +0000", RES_INVALID, 0, 0 },
    { "year 0", "1 Jan 0000 00:00:00 +0000", RES_INVALID, 0, 0 },
    { "iso month 13", "2000-13-01", RES_INVALID, 0, 0 },
    { "huge numbers", "99999999999999999999 Jan 99999999999999999999", RES_INVALID, 0, 0 },
    { "words", "yesterday", RES_INVALID, 0, 0 },
    { "all in a comment", "(21 Nov 1997", RES_INVALID, 0, 0 },
    { "empty", "", RES_INVALID, 0, 0 },
};

static void run_case(void **state)
{
    const struct date_case *c = *state;
    int64_t us;
    int zone;

    assert_int_equal(date_parse(str_c(c->value), &us, &zone), c->want);
    if (c->want != RES_OK)
        return;
    assert_int_equal(us, c->us);
    assert_int_equal(zone, c->zone);
}

static void test_print(void **state)
{
    CLEANUP(arena_releasep) struct arena a = { 0 };
    static const int64_t times[] = { 0, T(880127706), T(-27723480), T(-62135000000), T(253402000000), T(951782400) };

    (void)state;
    assert_true(str_eq(date_print(&a, T(880127706), -360), STR("Fri, 21 Nov 1997 09:55:06 -0600")));
    assert_true(str_eq(date_print(&a, -1, 0), STR("Wed, 31 Dec 1969 23:59:59 +0000")));
    assert_true(str_eq(date_print_imap_time(&a, T(880127706), 330), STR("21-Nov-1997 21:25:06 +0530")));
    assert_true(str_eq(date_print_imap_time(&a, T(837570265), -420), STR("16-Jul-1996 19:24:25 -0700")));
    assert_true(str_eq(date_print_imap_time(&a, 0, 0), STR(" 1-Jan-1970 00:00:00 +0000")));
    assert_true(str_ends(date_print(&a, INT64_MAX, 9999), STR(" 9999 00:00:00 +0000"))); /* moved into 1 to 9999 */
    assert_true(str_ends(date_print(&a, INT64_MIN, 0), STR(" 0001 00:00:00 +0000")));
    for (size_t i = 0; i < ARRAY_LEN(times); i++) {
        for (int zone = -1439; zone < 1440; zone += 89) {
            int64_t us;
            int back;

            assert_int_equal(date_parse(date_print(&a, times[i], zone), &us, &back), RES_OK);
            assert_int_equal(us, times[i]);
            assert_int_equal(back, zone);
            assert_int_equal(date_parse_imap_time(date_print_imap_time(&a, times[i], zone), &us, &back), RES_OK);
            assert_int_equal(us, times[i]);
            assert_int_equal(back, zone);
        }
    }
}

static void test_imap_date(void **state)
{
    CLEANUP(arena_releasep) struct arena a = { 0 };
    static const char *const bad[] = { "",           "1-Feb",       "1-Feb-94",     "31-Feb-1994", "1-Foo-1994",
                                       "1 Feb 1994", "1-Feb-1994 ", "001-Feb-1994", "a-Feb-1994",  "1-Feb-0000" };
    int64_t day = 7, back;

    (void)state;
    assert_int_equal(date_parse_imap(STR("1-Feb-1994"), &day), RES_OK);
    assert_int_equal(day, 8797);
    assert_int_equal(date_parse_imap(STR("01-feb-1994"), &day), RES_OK);
    assert_int_equal(day, 8797);
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        assert_int_equal(date_parse_imap(str_c(bad[i]), &day), RES_INVALID);
    for (day = -700000; day < 2900000; day += 9973) {
        assert_int_equal(date_parse_imap(date_print_imap(&a, day), &back), RES_OK);
        assert_int_equal(back, day);
    }
    assert_true(str_eq(date_print_imap(&a, INT64_MAX), STR("30-Dec-9999")));
}

static void test_imap_time(void **state)
{
    static const char *const bad[] = {
        "",
        "17-Jul-1996 02:44:25",
        "17-Jul-1996 02:44:25 -070",
        "17-Jul-1996 02:44:25 0700 ",
        "17-Jul-1996 24:44:25 -0700",
        "17-Jul-1996 02:60:25 -0700",
        "17-Jul-1996 02:44:25 -2400",
        "17-Jul-1996 02:44:25 -0760",
        "31-Jun-1996 02:44:25 -0700",
        "17-Jul-1996T02:44:25 -0700",
        "  7-Jul-1996 2:44:25 -0700",
        "17-Jul-1996 02:4a:25 -0700",
    };
    int64_t us;
    int zone;

    (void)state;
    assert_int_equal(date_parse_imap_time(STR("17-Jul-1996 02:44:25 -0700"), &us, &zone), RES_OK);
    assert_int_equal(us, T(837596665));
    assert_int_equal(zone, -420);
    assert_int_equal(date_parse_imap_time(STR(" 7-Jul-1996 02:44:25 +0000"), &us, &zone), RES_OK);
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        assert_int_equal(date_parse_imap_time(str_c(bad[i]), &us, &zone), RES_INVALID);
}

static void test_day(void **state)
{
    (void)state;
    assert_int_equal(date_day(0, 0), 0);
    assert_int_equal(date_day(0, -1), -1);
    assert_int_equal(date_day(-1, 0), -1);
    assert_int_equal(date_day(T(86399), 1), 1);
}

int main(void)
{
    static struct CMUnitTest tests[ARRAY_LEN(cases) + 4] = { cmocka_unit_test(test_print),
                                                             cmocka_unit_test(test_imap_date),
                                                             cmocka_unit_test(test_imap_time),
                                                             cmocka_unit_test(test_day) };

    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        tests[4 + i] = (struct CMUnitTest){ .name = cases[i].name, .test_func = run_case, .initial_state = &cases[i] };
    return cmocka_run_group_tests_name("mail_date", tests, NULL, NULL);
}
