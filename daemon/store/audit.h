/* store/audit.h - who changed what: one row for each write of the control plane.
 *
 * Each row carries the hash of the one before and of its own members, so that a row which is changed or taken out is
 * found.  Rows are added by the transaction that does the work, as its last statement: the lock that orders them is
 * held until the commit. */
#pragma once
#include "base/arena.h"
#include "base/result.h"
#include "base/str.h"
#include "db/db.h"

struct audit {
    struct str actor;  /* JSON object: kind, account, ip, via; for the socket the uid */
    struct str action; /* "domain.create" */
    const struct str *objects;
    size_t n_objects;
    struct str before, after; /* JSON, secrets left out; STR_NULL: none */
    struct str request_id;    /* STR_NULL: none */
};

/* SQL: what a row's hash is over, behind the hash of the row before, from its columns in this order.  jsonb's own text form is
 * the same wherever it is computed. */
#define AUDIT_HASHED(at, actor, action, objects, before, after, result, request_id)                                 \
    "convert_to(jsonb_build_array(" at ", " actor "::jsonb, " action "::text, " objects "::text[], " before "::jsonb, " \
    after "::jsonb, " result "::text, " request_id "::text)::text, 'UTF8')"

/* Adds the row to the caller's transaction.  entry NULL: nothing is done (work that nobody asked for by name). */
enum result audit_add(struct tx *tx, const struct audit *entry) SUSPENDS NODISCARD;
/* The same, and commits the caller's transaction; RES_TEMPFAIL too when the commit is in doubt.  *tx is NULL once the
 * commit was tried. */
enum result audit_commit(struct tx **tx, const struct audit *entry) SUSPENDS NODISCARD;
/* The same in a transaction of its own, for work that was committed piece by piece. */
enum result audit_write(struct db *db, const struct audit *entry) SUSPENDS NODISCARD;
