/* store/bootstrap.h - the way in for the first administrator: `correiod admin-link`, run as the database's owner. */
#pragma once
#include "base/arena.h"
#include "base/result.h"
#include "base/str.h"
#include "db/db.h"

#define ADMIN_LINK_SECONDS 1800

/* A one-time link's secret, good for ADMIN_LINK_SECONDS, for the first system administrator who may sign in.  When there
 * is none, the local domain "localhost" and the invited account admin@localhost are made first.  SUSPENDS.  Both
 * results live in a.  RES_CONFLICT: admin@localhost is there and no administrator; RES_TEMPFAIL. */
enum result bootstrap_admin_link(struct db *db, struct arena *a, struct str *ret_secret, struct str *ret_address)
    SUSPENDS NODISCARD;
