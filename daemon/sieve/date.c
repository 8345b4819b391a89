/* date and currentdate (RFC 5260, 4 and 5). */
#include "sieve/compiler.h"
#include "sieve/runtime.h"

#include "mail/date.h"

#include <time.h>

#define US_PER_SECOND ((int64_t)1000000)
#define MJD_OF_1970   40587

static const char *const parts[] = { "year",   "month", "day",     "date",  "julian", "hour",   "minute",
                                     "second", "time",  "iso8601", "std11", "zone",   "weekday" };

static bool is_part(struct str s)
{
    for (size_t i = 0; i < ARRAY_LEN(parts); i++) {
        if (str_ieq(s, str_c(parts[i])))
            return true;
    }
    return false;
}

/* "+hhmm", "-hhmm". */
static bool read_zone(struct str s, int *ret_minutes)
{
    uint64_t v;

    if (s.len != 5 || (s.p[0] != '+' && s.p[0] != '-') || !str_u64(str_from(s, 1), 2359, &v) || v % 100 > 59)
        return false;
    *ret_minutes = (int)(v / 100 * 60 + v % 100) * (s.p[0] == '-' ? -1 : 1);
    return true;
}

static struct str zone_text(struct arena *a, int zone)
{
    int minutes = zone < 0 ? -zone : zone;

    return arena_printf(a, "%c%02d%02d", zone < 0 ? '-' : '+', minutes / 60, minutes % 60);
}

/* The part of a moment as a clock in the zone shows it; STR_NULL: there is no such part. */
static struct str part_value(struct arena *a, struct str part, int64_t us, int zone)
{
    time_t seconds = (time_t)(us / US_PER_SECOND - (us % US_PER_SECOND < 0) + zone * 60);
    struct tm t;
    const struct {
        const char *name;
        int value, width;
    } numbers[] = { { "year", 0, 4 },   { "month", 0, 2 },  { "day", 0, 2 },    { "hour", 0, 2 },
                    { "minute", 0, 2 }, { "second", 0, 2 }, { "weekday", 0, 1 } };
    int values[ARRAY_LEN(numbers)];

    if (gmtime_r(&seconds, &t) == NULL || t.tm_year > 9999 - 1900)
        return STR_NULL;
    memcpy(values, (int[]){ t.tm_year + 1900, t.tm_mon + 1, t.tm_mday, t.tm_hour, t.tm_min, t.tm_sec, t.tm_wday },
           sizeof(values));
    for (size_t i = 0; i < ARRAY_LEN(numbers); i++) {
        if (str_ieq(part, str_c(numbers[i].name)))
            return arena_printf(a, "%0*d", numbers[i].width, values[i]);
    }
    if (str_ieq(part, STR("date")))
        return arena_printf(a, "%04d-%02d-%02d", t.tm_year + 1900, t.tm_mon + 1, t.tm_mday);
    if (str_ieq(part, STR("time")))
        return arena_printf(a, "%02d:%02d:%02d", t.tm_hour, t.tm_min, t.tm_sec);
    if (str_ieq(part, STR("julian")))
        return arena_printf(a, "%lld", (long long)date_day(us, zone) + MJD_OF_1970);
    if (str_ieq(part, STR("iso8601")))
        return date_print_iso(a, us, zone);
    if (str_ieq(part, STR("std11")))
        return date_print(a, us, zone);
    if (str_ieq(part, STR("zone")))
        return zone_text(a, zone);
    return STR_NULL;
}

static bool check_date(struct sieve_compiler *c, struct sieve_node *n)
{
    const struct sieve_arg *part = n->args[strlen(n->spec->args) - 2], *zone = node_tag_value(n, SLOT_ZONE);
    struct str name = arg_constant(part);
    int minutes;

    if (name.p != NULL && !is_part(name))
        return compile_error(c, part->line, part->column, "there is no part \"%.*s\" of a date",
                             (int)MIN(name.len, (size_t)100), name.p);
    name = arg_constant(zone);
    if (name.p != NULL && !read_zone(name, &minutes))
        return compile_error(c, zone->line, zone->column, "a time zone must be as in \"+0100\"");
    return true;
}

/* The zone to show the moment in; `original` is the one that it was written with. */
static bool find_zone(struct sieve_run *r, const struct sieve_node *n, int original, int *ret)
{
    const struct sieve_arg *tag = node_tag(n, SLOT_ZONE);
    struct str zone;

    *ret = r->env->zone_minutes;
    if (tag == NULL)
        return true;
    if (tag->value == NULL) {
        *ret = original;
        return true;
    }
    zone = run_arg(r, tag->value);
    return read_zone(zone, ret) || run_error(r, n, "\"%.*s\" is no time zone", (int)MIN(zone.len, (size_t)100), zone.p);
}

static bool match_moment(struct sieve_run *r, const struct sieve_node *n, const struct sieve_arg *part_arg,
                         struct sieve_matcher *m, int64_t us, int original)
{
    struct str value;
    int zone;

    if (!find_zone(r, n, original, &zone))
        return false;
    value = part_value(&r->scratch, run_arg(r, part_arg), us, zone);
    if (value.p != NULL)
        matcher_value(m, value);
    return true;
}

/* The field's value, or what follows the last semicolon in it (RFC 5260, 4). */
static bool test_date(struct sieve_run *r, const struct sieve_node *n, bool *ret)
{
    size_t nfields, semicolon;
    struct sieve_field **fields = run_fields(r, n, run_arg(r, n->args[0]), &nfields);
    struct sieve_matcher m;
    struct str text;
    int64_t us;
    int zone;

    matcher_begin(&m, r, n, n->args[2]);
    if (nfields > 0) {
        text = view_field_text(&r->view, fields[0]);
        semicolon = str_rchr(text, ';');
        if (semicolon != SIZE_MAX)
            text = str_from(text, semicolon + 1);
        if (date_parse(text, &us, &zone) == RES_OK && !match_moment(r, n, n->args[1], &m, us, zone))
            return false;
    }
    return matcher_end(&m, ret);
}

static bool test_currentdate(struct sieve_run *r, const struct sieve_node *n, bool *ret)
{
    struct sieve_matcher m;

    matcher_begin(&m, r, n, n->args[1]);
    return match_moment(r, n, n->args[0], &m, r->env->now_us, r->env->zone_minutes) && matcher_end(&m, ret);
}

static const struct sieve_tag date_tags[] = {
    { "zone", SLOT_ZONE, EXT_NONE, 0, 'S' },
    { "originalzone", SLOT_ZONE, EXT_NONE, 0, 0 },
    { 0 },
};

static const struct sieve_tag currentdate_tags[] = {
    { "zone", SLOT_ZONE, EXT_NONE, 0, 'S' },
    { 0 },
};

const struct sieve_spec sieve_date_specs[] = {
    { .name = "date",
      .ext = EXT_DATE,
      .flags = SPEC_TEST | SPEC_MATCHES,
      .args = "SSL",
      .tags = { date_tags, sieve_index_tags },
      .check = check_date,
      .test = test_date },
    { .name = "currentdate",
      .ext = EXT_DATE,
      .flags = SPEC_TEST | SPEC_MATCHES,
      .args = "SL",
      .tags = { currentdate_tags },
      .check = check_date,
      .test = test_currentdate },
    { 0 },
};
