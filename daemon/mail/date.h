/* mail/date.h - dates of header fields and of IMAP.
 *
 * A moment is int64_t microseconds since 1970 UTC (zone-less), a zone is minutes east of UTC. */
#pragma once
#include "base/arena.h"
#include "base/result.h"
#include "base/str.h"

/* A Date field's value: RFC 5322, 3.3 and 4.3, and what is seen in the wild: missing seconds or zone, two-digit years,
 * asctime(), ISO 8601.  A bad time counts as 00:00:00, an unknown zone as UTC (RFC 5256, 2.2).
 * RES_INVALID: no day, month and year in it, or not between the years 1 and 9999. */
enum result date_parse(struct str value, int64_t *ret_us, int *ret_zone_minutes) NODISCARD;

/* "Fri, 27 Nov 2026 20:46:35 -0300". */
struct str date_print(struct arena *a, int64_t us, int zone_minutes);

/* "2026-11-27T20:46:35-03:00", of UTC "2026-11-27T23:46:35Z" (RFC 3339), in whole seconds. */
struct str date_print_iso(struct arena *a, int64_t us, int zone_minutes);

/* IMAP date "27-Nov-2026" (RFC 3501, 9), without quotes: the day's number since 1970. */
enum result date_parse_imap(struct str text, int64_t *ret_day) NODISCARD;
struct str date_print_imap(struct arena *a, int64_t day);

/* IMAP date-time "27-Nov-2026 20:46:35 -0300", the day with a blank or a digit before it, without quotes.  Strict. */
enum result date_parse_imap_time(struct str text, int64_t *ret_us, int *ret_zone_minutes) NODISCARD;
struct str date_print_imap_time(struct arena *a, int64_t us, int zone_minutes);

/* The day's number since 1970 in which `us` lies, as a clock in that zone shows it (SEARCH SENTON, SINCE, ...). */
int64_t date_day(int64_t us, int zone_minutes);
