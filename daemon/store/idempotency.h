/* store/idempotency.h - requests that were made once, by the SHA-256 of their Idempotency-Key: what was asked, and what was
 * answered.  SUSPENDS: all.  RES_TEMPFAIL: database trouble, already logged. */
#pragma once
#include "base/arena.h"
#include "base/result.h"
#include "base/str.h"
#include "db/db.h"

/* Begins to work on it.  RES_OK: it is the caller's now.  RES_EXISTS: it was answered: *ret_answer.  RES_LIMIT: somebody works
 * on it, since less than a minute.  RES_CONFLICT: another request has the key. */
enum result idempotency_begin(struct db *db, struct str hash, struct str request, struct arena *a, struct str *ret_answer)
    SUSPENDS NODISCARD;
/* What was answered; STR_NULL: nothing that counts, it may be asked again. */
enum result idempotency_end(struct db *db, struct str hash, struct str answer) SUSPENDS NODISCARD;
/* Forgets what is older than 24 hours. */
enum result idempotency_sweep(struct db *db) SUSPENDS NODISCARD;
