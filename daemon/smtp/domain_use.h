/* smtp/domain_use.h - which domains with a limit are full: summed once a minute, kept in this process. */
#pragma once
#include "db/db.h"

/* Begins to sum, at once and then every 60 s, in a coroutine of its own. */
void domain_use_start(struct db *db);
/* Room in the domain for `size` bytes more?  What arrives within a minute may pass the limit.  A domain without limit,
 * or one that was not summed yet, has room. */
bool domain_use_has_room(int64_t domain_id, uint64_t size);
