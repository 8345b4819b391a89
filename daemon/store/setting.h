/* store/setting.h - the runtime settings in the database, and following their changes. */
#pragma once
#include "base/arena.h"
#include "base/result.h"
#include "base/str.h"
#include "config/config.h"
#include "db/db.h"
#include "store/audit.h"

/* Loads the settings, with what file and environment fix on top, and makes them current (config/settings.h). */
enum result setting_load(const struct config *config, struct db *db) SUSPENDS NODISCARD;
/* Follows their changes within two seconds, in a coroutine of its own. */
void setting_follow(const struct config *config, struct db *db);

struct setting_row {
    struct str key, value; /* canonical text */
    int64_t version;
    int64_t changed_us;
    struct str changed_by;
};
/* What is set in the database (defaults are not). */
enum result setting_list(struct db *db, struct arena *a, struct setting_row **ret_v, size_t *ret_n) SUSPENDS NODISCARD;
/* Sets a checked value, or removes it when value is STR_NULL.  if_version: the version that must be there (0: none is
 * set), -1: any.  RES_CONFLICT: another one is.  `audit`, when not NULL, is written in the same transaction. */
enum result setting_put(struct db *db, struct str key, struct str value, struct str actor, int64_t if_version,
                        const struct audit *audit) SUSPENDS NODISCARD;

struct setting_write { /* as the parameters of setting_put */
    struct str key, value;
    int64_t if_version;
};
/* Several of them in one transaction, in this order, or none. */
enum result setting_put_all(struct db *db, const struct setting_write *v, size_t n, struct str actor, const struct audit *audit)
    SUSPENDS NODISCARD;
