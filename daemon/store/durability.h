/* store/durability.h - may we promise that a committed message survives a crash?
 *
 * fsync, full_page_writes and synchronous_commit must be on and the server must not be a standby; checked at start and
 * every minute.  With an unsafe value new mail is answered 451 4.3.0 and reading goes on. */
#pragma once
#include "base/result.h"
#include "db/db.h"

/* Checks now, before it returns, then every minute, in a coroutine of its own.  For the processes that accept mail. */
void durability_watch(struct db *db) SUSPENDS;
/* The last finding: NULL when storage is safe, else one sentence that says what is not.  Before the first check: not
 * safe. */
const char *durability_problem(void);
/* One check: RES_OK with *ret_problem NULL or a sentence (static). */
enum result durability_check(struct db *db, const char **ret_problem) SUSPENDS NODISCARD;
