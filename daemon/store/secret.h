/* store/secret.h - keys of the whole installation, made by the migration that brought their use. */
#pragma once
#include "base/arena.h"
#include "base/result.h"
#include "db/db.h"

/* RES_NOTFOUND.  RES_TEMPFAIL: database trouble, already logged. */
enum result secret_get(struct db *db, struct str name, struct arena *a, struct str *ret) SUSPENDS NODISCARD;
