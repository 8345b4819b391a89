/* store/sent.h - to how many recipients accounts have sent, and may send.
 *
 * Counted by the transaction that accepts a signed-in client's message (store/accept.h), in units of ten minutes: "the last
 * hour" is 50 to 60 minutes.  SUSPENDS: all.  RES_TEMPFAIL: database trouble, already logged. */
#pragma once
#include "base/result.h"
#include "db/db.h"

#define SENT_NO_LIMIT INT64_C(-1)

struct sent_limits { /* 0: what stands above it (account, domain, setting); SENT_NO_LIMIT */
    int64_t per_hour, per_day;
};

struct sent_use {
    struct sent_limits limits; /* in force: SENT_NO_LIMIT, or more than 0 */
    int64_t hour, day;         /* sent to in the last hour and day */
};
/* What the settings say for all. */
struct sent_limits sent_limits_of_all(void);
/* RES_NOTFOUND: no such account. */
enum result sent_get(struct db *db, int64_t account_id, struct sent_use *ret) SUSPENDS NODISCARD;

#define SENT_HOURS 24
/* Of each of the last hours, the latest one last. */
enum result sent_hours(struct db *db, int64_t account_id, int64_t ret_v[SENT_HOURS]) SUSPENDS NODISCARD;

struct sent_now {
    int64_t account_id;
    int32_t recipients;
};
/* The statement that adds to the counts, for the accepting transaction's pipeline; its parameters live in a. */
struct db_call sent_count(struct arena *a, const struct sent_now *v, size_t n);
/* Removes counts that nobody asks for any more. */
enum result sent_sweep(struct db *db) SUSPENDS NODISCARD;
