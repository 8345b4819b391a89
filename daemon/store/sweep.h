/* store/sweep.h - removes what has been deleted for a while, all the time, in small transactions.  For relay. */
#pragma once
#include "base/result.h"
#include "db/db.h"

#define SWEEP_KEEP_DAYS 7 /* so long a body outlives its EXPUNGE */

/* Removes the bodies of mail that was expunged a while ago, at most `most` records a transaction, until nothing is due or
 * `stop` says so. */
enum result sweep_mail(struct db *db, int most, bool (*stop)(void *arg), void *arg, int64_t *ret_swept) SUSPENDS NODISCARD;
/* The same for accounts that were deleted more than keep_s ago, or are to be kept no longer, with all their mail; and for
 * domains, when their last account is gone. */
enum result sweep_accounts(struct db *db, int64_t keep_s, int most, bool (*stop)(void *arg), void *arg, int64_t *ret_swept)
    SUSPENDS NODISCARD;
