/* store/bootstrap.h - the way in for the first administrator, as the database's owner.  SUSPENDS: all.  RES_TEMPFAIL:
 * database trouble, already logged. */
#pragma once
#include "base/arena.h"
#include "base/result.h"
#include "base/str.h"
#include "db/db.h"

#define ADMIN_LINK_SECONDS 1800

/* A one-time link's secret, good for ADMIN_LINK_SECONDS, for the first system administrator who may sign in.  When there
 * is none, the local domain "localhost" and the invited account admin@localhost are made first.  Both results live in a.
 * RES_CONFLICT: admin@localhost is there and no administrator. */
enum result bootstrap_admin_link(struct db *db, struct arena *a, struct str *ret_secret, struct str *ret_address)
    SUSPENDS NODISCARD;

/* RES_OK: nobody has ever signed in as system administrator, so the first one is wanted.  RES_EXISTS: there is one. */
enum result bootstrap_wanted(struct db *db) SUSPENDS NODISCARD;
/* Makes that administrator, with the hash of a password; its domain, too, as a local one.  RES_CONFLICT: the address
 * belongs to somebody else, or its domain is not local. */
enum result bootstrap_admin(struct db *db, struct arena *a, struct str address, struct str verifier) SUSPENDS NODISCARD;
