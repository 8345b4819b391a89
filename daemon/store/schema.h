/* store/schema.h - has the database the schema that this program was built for? */
#pragma once
#include "base/result.h"
#include "db/db.h"

/* RES_OK: *ret_problem is NULL, or one sentence (static) when migrations are missing.  A newer schema is right: within a
 * version, migrations only add.  For the api process alone: no other role reads the table. */
enum result schema_check(struct db *db, const char **ret_problem) SUSPENDS NODISCARD;
