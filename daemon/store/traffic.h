/* store/traffic.h - what became of mail over time: a row a minute, kept for 2 days, and a row an hour, kept for 35.
 *
 * Each node adds what its processes counted (base/counters.h) to the same rows, once a minute; nobody else writes here, and
 * delivery never does.  SUSPENDS: all.  RES_TEMPFAIL: database trouble, already logged. */
#pragma once
#include "base/counters.h"
#include "base/result.h"
#include "db/db.h"

/* What was counted in the minute that holds at_us.  RES_TEMPFAIL: nothing of it is there, or (the connection broke at its
 * commit) nobody can say. */
enum result traffic_add(struct db *db, int64_t at_us, const int64_t n[COUNTERS_MAIL]) SUSPENDS NODISCARD;

enum traffic_range { TRAFFIC_HOUR, TRAFFIC_DAY, TRAFFIC_WEEK, TRAFFIC_MONTH, TRAFFIC_RANGES };

#define TRAFFIC_MAX_POINTS 360
struct traffic_history {
    int step_s;
    size_t points;
    int64_t until_us; /* the end of the last step: in the future when that step goes on */
    int64_t n[COUNTERS_MAIL][TRAFFIC_MAX_POINTS]; /* the oldest first; 0 where nothing was counted */
};
/* Steps lie at multiples of their length since 1970.  An hour ends with its last whole minute, the others with the step that
 * goes on. */
enum result traffic_get(struct db *db, enum traffic_range range, struct traffic_history *ret) SUSPENDS NODISCARD;
/* Removes what is kept no longer. */
enum result traffic_sweep(struct db *db) SUSPENDS NODISCARD;
