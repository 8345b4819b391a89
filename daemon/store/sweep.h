/* store/sweep.h - removes the bodies of mail that was expunged a while ago, all the time, in small transactions. */
#pragma once
#include "base/result.h"
#include "db/db.h"

#define SWEEP_KEEP_DAYS 7 /* so long a body outlives its EXPUNGE */

/* Removes what is due, at most `most` records a transaction, until nothing is or `stop` says so.  For relay. */
enum result sweep_mail(struct db *db, int most, bool (*stop)(void *arg), void *arg, int64_t *ret_swept) SUSPENDS NODISCARD;
