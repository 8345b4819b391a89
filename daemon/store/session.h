/* store/session.h - sessions of the dashboard, as api looks them up; auth makes them (store/credential.h).
 *
 * A session ends after 30 minutes without a request and after 12 hours.  SUSPENDS: all.  RES_TEMPFAIL: database trouble,
 * already logged. */
#pragma once
#include "store/account.h"

struct session {
    int64_t account_id;
    struct str address, name, language; /* language STR_NULL: none */
    enum account_role role;
    struct str *domains; /* that a domain administrator administers */
    size_t n_domains;
    struct str csrf;
    bool must_set_password; /* it was begun by a one-time link */
    int64_t expires_us;     /* at the latest */
};

/* The session with this SHA-256 of its cookie, which counts as used now.  RES_NOTFOUND: none, too old, or the account
 * may no longer sign in. */
enum result session_find(struct db *db, struct str hash, struct arena *a, struct session *ret) SUSPENDS NODISCARD;
/* Ends it; one that is not there is RES_OK, too. */
enum result session_end(struct db *db, struct str hash) SUSPENDS NODISCARD;
/* The password that must_set_password asked for is set. */
enum result session_password_set(struct db *db, struct str hash) SUSPENDS NODISCARD;
/* Removes those that are too old. */
enum result session_sweep(struct db *db) SUSPENDS NODISCARD;
