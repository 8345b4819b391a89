/* store/activity.h - the sign-ins of an account, good and bad ones, of the last 30 days.
 *
 * Kept by hour, protocol, result and network, so that what repeats is counted.  An account has rows of at most about 50
 * networks an hour; more are counted together.  SUSPENDS: all.  RES_TEMPFAIL: database trouble, already logged. */
#pragma once
#include "base/arena.h"
#include "base/result.h"
#include "base/str.h"
#include "db/db.h"

enum activity_result { ACTIVITY_OK, ACTIVITY_WRONG_PASSWORD, ACTIVITY_WRONG_CODE, ACTIVITY_CODE_DUE };

struct activity {
    int64_t account_id;
    enum activity_result result;
    struct str protocol; /* as auth/client.h has it */
    struct str ip;       /* empty: none, or several; from activity_list STR_NULL */
    struct str network;  /* from activity_list; STR_NULL: several, or none */
    int64_t first_us, last_us, count;
    bool new_network;    /* from activity_list: a good one, the first from there, but not the first of all */
};
/* Adds what was counted; ip must be an address or empty.  With the first sign-in from a network a letter to the owner
 * (store/owner_letter.h), but not with the first of all; the last 500 networks of an account are known. */
enum result activity_add(struct db *db, const struct activity *v, size_t n) SUSPENDS NODISCARD;
/* Newest first; before_us: those whose last one was before; INT64_MAX: all. */
enum result activity_list(struct db *db, int64_t account_id, int64_t before_us, size_t limit, struct arena *a,
                          struct activity **ret_v, size_t *ret_n, bool *ret_more) SUSPENDS NODISCARD;
/* Removes what is older than 30 days. */
enum result activity_sweep(struct db *db) SUSPENDS NODISCARD;
