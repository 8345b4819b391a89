/* Dates (RFC 5322, 3.3 and 4.3; RFC 3501, 9).  The lenient reader takes words and numbers in any order that makes
 * sense, so one loop covers RFC 5322, asctime() and ISO 8601. */
#include "mail/date.h"

#define US_PER_SECOND   ((int64_t)1000000)
#define SECONDS_PER_DAY ((int64_t)86400)
#define ZONE_MAX        (24 * 60) /* minutes; further off no zone is */

static const char months[12][4] = {
    "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"
};
static const char weekdays[7][4] = { "Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed" }; /* 1970-01-01 was a Thursday */

struct fields {
    int year, month, day; /* month from 1; 0 or, for the year, -1: not seen */
    int hour, minute, second;
    int zone;
    bool have_time, have_zone;
};

static bool leap(int year)
{
    return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

static int month_days(int year, int month)
{
    static const int days[12] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };

    return days[month - 1] + (month == 2 && leap(year));
}

static bool is_date(const struct fields *f)
{
    return f->year >= 1 && f->year <= 9999 && f->month >= 1 && f->month <= 12 && f->day >= 1 &&
           f->day <= month_days(f->year, f->month);
}

static bool is_time(const struct fields *f)
{
    return f->hour <= 23 && f->minute <= 59 && f->second <= 60;
}

/* Days since 1970 of a date of the Gregorian calendar. */
static int64_t days_of(int year, int month, int day)
{
    int64_t y = month <= 2 ? year - 1 : year, days;
    int m = month <= 2 ? month + 9 : month - 3; /* March is 0: the leap day comes last */

    days = y * 365 + y / 4 - y / 100 + y / 400;
    return days + (153 * m + 2) / 5 + day - 1 - 719468;
}

static void date_of(int64_t day, int *ret_year, int *ret_month, int *ret_day)
{
    int64_t z = day + 719468;
    int64_t era = (z >= 0 ? z : z - 146096) / 146097; /* 400 years */
    int64_t doe = z - era * 146097;
    int64_t yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
    int64_t doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
    int64_t m = (5 * doy + 2) / 153;

    *ret_day = (int)(doy - (153 * m + 2) / 5 + 1);
    *ret_month = (int)(m < 10 ? m + 3 : m - 9);
    *ret_year = (int)(yoe + era * 400 + (*ret_month <= 2));
}

static int64_t us_of(const struct fields *f)
{
    int64_t seconds = days_of(f->year, f->month, f->day) * SECONDS_PER_DAY;

    return (seconds + f->hour * 3600 + f->minute * 60 + f->second - f->zone * 60) * US_PER_SECOND;
}

/* The month that begins with these three letters, 0 if none does. */
static int month_of(struct str word)
{
    for (int i = 0; i < 12; i++) {
        if (word.len >= 3 && str_ieq(str_of(word.p, 3), str_of(months[i], 3)))
            return i + 1;
    }
    return 0;
}

/* Up to 9 digits at s.p[*at]; returns how many there were. */
static size_t read_number(struct str s, size_t *at, int *ret_value)
{
    size_t from = *at;
    int v = 0;

    while (*at < s.len && ascii_digit(s.p[*at]) && *at - from < 9)
        v = v * 10 + (s.p[(*at)++] - '0');
    *ret_value = v;
    return *at - from;
}

/* Behind the hour: ":mm[:ss[.fraction]]".  What is out of range counts as 00:00:00. */
static void read_time(struct str s, size_t *at, int hour, struct fields *f)
{
    f->have_time = true;
    f->hour = hour;
    (*at)++;
    read_number(s, at, &f->minute);
    if (*at < s.len && s.p[*at] == ':') {
        (*at)++;
        read_number(s, at, &f->second);
    }
    if (*at < s.len && s.p[*at] == '.') {
        int fraction;

        (*at)++;
        read_number(s, at, &fraction);
    }
    if (!is_time(f))
        f->hour = f->minute = f->second = 0;
}

/* "+hhmm", "+hh:mm", "+hh" at s.p[*at], which is the sign. */
static void read_offset(struct str s, size_t *at, struct fields *f)
{
    int sign = s.p[(*at)++] == '-' ? -1 : 1, hours, minutes = 0;
    size_t n = read_number(s, at, &hours);

    if (n > 2) {
        minutes = hours % 100;
        hours /= 100;
    } else if (n > 0 && *at < s.len && s.p[*at] == ':') {
        (*at)++;
        read_number(s, at, &minutes);
    }
    if (f->have_zone || n == 0)
        return;
    f->have_zone = true;
    if (hours < ZONE_MAX / 60 && minutes < 60)
        f->zone = sign * (hours * 60 + minutes);
}

/* Names of zones (RFC 5322, 4.3); single letters were used wrongly and say nothing. */
static void read_word(struct str word, struct fields *f)
{
    static const struct {
        const char *name;
        int minutes;
    } zones[] = { { "EST", -300 }, { "EDT", -240 }, { "CST", -360 }, { "CDT", -300 }, { "MST", -420 }, { "MDT", -360 },
                  { "PST", -480 }, { "PDT", -420 }, { "UT", 0 },     { "GMT", 0 },    { "UTC", 0 },    { "Z", 0 } };

    if (f->month == 0 && month_of(word) > 0) {
        f->month = month_of(word);
        return;
    }
    if (f->have_time && (str_ieq(word, STR("PM")) || str_ieq(word, STR("AM")))) {
        if (f->hour >= 1 && f->hour <= 12)
            f->hour = f->hour % 12 + (ascii_lower(word.p[0]) == 'p' ? 12 : 0);
        return;
    }
    for (size_t i = 0; i < ARRAY_LEN(zones); i++) {
        if (!f->have_zone && f->have_time && str_ieq(word, str_c(zones[i].name))) {
            f->have_zone = true;
            f->zone = zones[i].minutes;
        }
    }
}

/* Two- and three-digit years (RFC 5322, 4.3). */
static int full_year(int year, size_t digits)
{
    if (digits == 2)
        return year < 50 ? year + 2000 : year + 1900;
    return digits == 3 ? year + 1900 : year;
}

/* A number that is no time and no zone: the day, the year, or the start of an ISO 8601 date. */
static void read_day_or_year(struct str s, size_t *at, int value, size_t digits, struct fields *f)
{
    if (digits == 4 && f->month == 0 && f->day == 0 && *at + 2 < s.len && s.p[*at] == '-' &&
        ascii_digit(s.p[*at + 1])) {
        f->year = value;
        (*at)++;
        read_number(s, at, &f->month);
        if (*at < s.len && s.p[*at] == '-') {
            (*at)++;
            read_number(s, at, &f->day);
        }
        if (*at < s.len && ascii_lower(s.p[*at]) == 't')
            (*at)++;
    } else if (f->day == 0 && digits <= 2) {
        f->day = value;
    } else if (f->year < 0 && digits >= 2) {
        f->year = full_year(value, digits);
    }
}

enum result date_parse(struct str value, int64_t *ret_us, int *ret_zone_minutes)
{
    struct fields f = { .year = -1 };
    size_t comment = 0, from;
    int number;

    for (size_t at = 0; at < value.len;) {
        char c = value.p[at];

        if (c == '(' || (c == ')' && comment > 0)) {
            comment += c == '(' ? 1 : (size_t)-1;
            at++;
        } else if (comment > 0) {
            at++;
        } else if (ascii_digit(c)) {
            size_t digits = read_number(value, &at, &number);

            if (digits <= 2 && at < value.len && value.p[at] == ':' && !f.have_time)
                read_time(value, &at, number, &f);
            else
                read_day_or_year(value, &at, number, digits, &f);
        } else if ((c == '+' || c == '-') && f.have_time) {
            read_offset(value, &at, &f);
        } else if (ascii_alpha(c)) {
            for (from = at; at < value.len && ascii_alpha(value.p[at]); at++)
                ;
            read_word(str_sub(value, from, at - from), &f);
        } else {
            at++;
        }
    }
    if (!is_date(&f))
        return RES_INVALID;
    *ret_us = us_of(&f);
    *ret_zone_minutes = f.zone;
    return RES_OK;
}

static int64_t floor_div(int64_t a, int64_t b)
{
    return a / b - (a % b < 0);
}

int64_t date_day(int64_t us, int zone_minutes)
{
    return floor_div(floor_div(us, US_PER_SECOND) + zone_minutes * 60, SECONDS_PER_DAY);
}

/* Year to second as a clock in the zone shows it; moments outside the years 1 to 9999 are moved into them. */
static struct fields fields_of(int64_t us, int zone_minutes, int64_t *ret_day)
{
    const int64_t least = days_of(1, 1, 2) * SECONDS_PER_DAY, most = days_of(9999, 12, 30) * SECONDS_PER_DAY;
    int64_t seconds = floor_div(us, US_PER_SECOND), rest;
    struct fields f = { 0 };

    f.zone = zone_minutes > -ZONE_MAX && zone_minutes < ZONE_MAX ? zone_minutes : 0;
    seconds = (seconds < least ? least : seconds > most ? most : seconds) + f.zone * 60;
    *ret_day = floor_div(seconds, SECONDS_PER_DAY);
    rest = seconds - *ret_day * SECONDS_PER_DAY;
    date_of(*ret_day, &f.year, &f.month, &f.day);
    f.hour = (int)(rest / 3600);
    f.minute = (int)(rest / 60 % 60);
    f.second = (int)(rest % 60);
    return f;
}

struct str date_print(struct arena *a, int64_t us, int zone_minutes)
{
    int64_t day;
    struct fields f = fields_of(us, zone_minutes, &day);
    int zone = f.zone < 0 ? -f.zone : f.zone;

    return arena_printf(a, "%s, %d %s %04d %02d:%02d:%02d %c%02d%02d", weekdays[(day % 7 + 7) % 7], f.day,
                        months[f.month - 1], f.year, f.hour, f.minute, f.second, f.zone < 0 ? '-' : '+', zone / 60,
                        zone % 60);
}

struct str date_print_iso(struct arena *a, int64_t us, int zone_minutes)
{
    int64_t day;
    struct fields f = fields_of(us, zone_minutes, &day);
    int zone = f.zone < 0 ? -f.zone : f.zone;
    struct str local = arena_printf(a, "%04d-%02d-%02dT%02d:%02d:%02d", f.year, f.month, f.day, f.hour, f.minute, f.second);

    if (zone == 0)
        return arena_printf(a, "%.*sZ", STR_ARG(local));
    return arena_printf(a, "%.*s%c%02d:%02d", STR_ARG(local), f.zone < 0 ? '-' : '+', zone / 60, zone % 60);
}

struct str date_print_imap(struct arena *a, int64_t day)
{
    struct fields f;

    f = fields_of(day < -SECONDS_PER_DAY * 365  ? INT64_MIN
                  : day > SECONDS_PER_DAY * 365 ? INT64_MAX
                                                : day * SECONDS_PER_DAY * US_PER_SECOND,
                  0, &day);
    return arena_printf(a, "%d-%s-%04d", f.day, months[f.month - 1], f.year);
}

struct str date_print_imap_time(struct arena *a, int64_t us, int zone_minutes)
{
    int64_t day;
    struct fields f = fields_of(us, zone_minutes, &day);
    int zone = f.zone < 0 ? -f.zone : f.zone;

    return arena_printf(a, "%2d-%s-%04d %02d:%02d:%02d %c%02d%02d", f.day, months[f.month - 1], f.year, f.hour,
                        f.minute, f.second, f.zone < 0 ? '-' : '+', zone / 60, zone % 60);
}

/* Exactly n digits at s.p[at]. */
static bool digits(struct str s, size_t at, size_t n, int *ret_value)
{
    if (s.len < at + n)
        return false;
    return read_number(str_sub(s, at, n), &(size_t){ 0 }, ret_value) == n;
}

/* "dd-Mon-yyyy", the day with one or two digits; returns its length, 0 if it is none. */
static size_t read_imap_date(struct str s, struct fields *f)
{
    size_t n = s.len > 1 && ascii_digit(s.p[1]) ? 2 : 1;

    if (!digits(s, 0, n, &f->day) || s.len < n + 9 || s.p[n] != '-' || s.p[n + 4] != '-')
        return 0;
    f->month = month_of(str_sub(s, n + 1, 3));
    if (!digits(s, n + 5, 4, &f->year) || !is_date(f))
        return 0;
    return n + 9;
}

enum result date_parse_imap(struct str text, int64_t *ret_day)
{
    struct fields f = { 0 };

    if (text.len == 0 || read_imap_date(text, &f) != text.len)
        return RES_INVALID;
    *ret_day = days_of(f.year, f.month, f.day);
    return RES_OK;
}

enum result date_parse_imap_time(struct str text, int64_t *ret_us, int *ret_zone_minutes)
{
    struct fields f = { 0 };
    struct str s = text;
    int zone;

    if (s.len != 26)
        return RES_INVALID;
    if (s.p[0] == ' ')
        s = str_from(s, 1);
    if (read_imap_date(s, &f) != s.len - 15)
        return RES_INVALID;
    s = str_from(s, s.len - 15); /* " hh:mm:ss +zzzz" */
    if (s.p[0] != ' ' || s.p[3] != ':' || s.p[6] != ':' || s.p[9] != ' ' || (s.p[10] != '+' && s.p[10] != '-'))
        return RES_INVALID;
    if (!digits(s, 1, 2, &f.hour) || !digits(s, 4, 2, &f.minute) || !digits(s, 7, 2, &f.second) || !is_time(&f) ||
        !digits(s, 11, 4, &zone) || zone / 100 >= ZONE_MAX / 60 || zone % 100 > 59)
        return RES_INVALID;
    f.zone = (zone / 100 * 60 + zone % 100) * (s.p[10] == '-' ? -1 : 1);
    *ret_us = us_of(&f);
    *ret_zone_minutes = f.zone;
    return RES_OK;
}
