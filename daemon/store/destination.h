/* store/destination.h - the destinations of the queue as the administrator sees them: pauses and limits.
 *
 * A destination has a row while mail waits for it, and as long as something is said of it that is not the default.  Times
 * are microseconds since 1970, DB_NO_TIME where there is none.  Everything returned lives in the arena given.  All
 * functions suspend.  RES_TEMPFAIL: database trouble, already logged. */
#pragma once
#include "base/arena.h"
#include "base/result.h"
#include "base/str.h"
#include "db/db.h"
#include "store/audit.h"

#define DESTINATION_MAX_IN_FLIGHT 20 /* the default */
#define DESTINATION_COUNT_MAX 1000   /* recipients are counted so far */

struct destination {
    struct str name;
    int64_t waiting, failing, held; /* recipients; failing: of those that wait, tried at least once */
    int64_t oldest_due_at;          /* the nearest attempt */
    struct str reason, reply;       /* of one that failed; STR_NULL: none */
    int in_flight, max_in_flight;   /* connections over all nodes */
    bool paused;
    int64_t paused_at, paused_until; /* paused_until DB_NO_TIME: until it is resumed */
    struct str paused_by, paused_reason;
    int64_t version;
};
/* In the order of their names.  after: the last one of the page before, STR_NULL at first.  prefix: names that begin so,
 * STR_NULL: all.  only_paused: those alone. */
enum result destination_list(struct db *db, struct str after, struct str prefix, bool only_paused, size_t limit, struct arena *a,
                             struct destination **ret_v, size_t *ret_n, bool *ret_more) SUSPENDS NODISCARD;
/* RES_NOTFOUND: nothing waits for it and nothing is said of it. */
enum result destination_get(struct db *db, struct str name, struct arena *a, struct destination *ret) SUSPENDS NODISCARD;

struct destination_write {
    struct str name;
    int max_in_flight;
    bool paused;
    int64_t paused_until; /* DB_NO_TIME: until it is resumed */
    struct str actor, reason;
};
/* Says how it shall be; makes it when it is not there.  if_version: -1 any.  RES_CONFLICT: another version.  The relays
 * hear of it. */
enum result destination_put(struct db *db, const struct destination_write *v, int64_t if_version, const struct audit *audit)
    SUSPENDS NODISCARD;
