/* store/admins.h - the server must not be left without a system administrator.
 *
 * A transaction that may take one away calls admins_begin first and admins_check when its work is done. */
#pragma once
#include "base/result.h"
#include "db/db.h"

struct admins {
    int64_t able;  /* may sign in with a password, in an active domain */
    int64_t total; /* the invited ones, too */
};

/* Waits for other such transactions, then counts. */
enum result admins_begin(struct tx *tx, struct admins *ret) SUSPENDS NODISCARD;
/* RES_DENIED: the last one would be gone: roll back. */
enum result admins_check(struct tx *tx, const struct admins *before) SUSPENDS NODISCARD;
