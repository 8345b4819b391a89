/* store/migrate.h - `correiod migrate`: roles, numbered migrations, grants.  Blocks: for a short-lived process only. */
#pragma once
#include "base/result.h"
#include "config/config.h"

/* Makes the roles that are missing, runs the migrations of config->sql that were not run yet, each in a transaction
 * under an advisory lock and with its checksum, and applies roles.sql.  `conninfo` is the owner's.  With an outside
 * database every role has a random password, the same for every node, which is written to home/secrets/ROLE.
 * RES_INVALID: a migration that was run differs from its file, or one failed (logged). */
enum result migrate(const struct config *config, const char *conninfo, bool outside) NODISCARD;

/* The roles, by the kind of process: "auth" -> "correio_auth". */
extern const char *const migrate_kinds[];
extern const size_t migrate_kinds_count;
