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
    bool fresh;             /* its owner has proven himself in the last 10 minutes */
    int64_t expires_us;     /* at the latest */
};

/* The session with this SHA-256 of its cookie, which counts as used now.  RES_NOTFOUND: none, too old, or the account
 * may no longer sign in. */
enum result session_find(struct db *db, struct str hash, struct arena *a, struct session *ret) SUSPENDS NODISCARD;
/* Ends it; one that is not there is RES_OK, too. */
enum result session_end(struct db *db, struct str hash) SUSPENDS NODISCARD;
/* The password that must_set_password asked for is set. */
enum result session_password_set(struct db *db, struct str hash) SUSPENDS NODISCARD;
/* What the account's owner sees of one. */
struct session_row {
    int64_t id, began_us, seen_us;
    struct str ip, user_agent; /* STR_NULL: unknown */
    bool current;              /* it is the one with the hash given */
};
#define SESSION_LIST_MAX 200
/* Of this account, newest first; hash STR_NULL: none is the current one. */
enum result session_list(struct db *db, int64_t account_id, struct str hash, struct arena *a, struct session_row **ret_v,
                         size_t *ret_n) SUSPENDS NODISCARD;
/* Ends one of the account.  RES_NOTFOUND: it has none with this id. */
enum result session_end_one(struct db *db, int64_t account_id, int64_t id, const struct audit *audit) SUSPENDS NODISCARD;
/* Removes those that are too old. */
enum result session_sweep(struct db *db) SUSPENDS NODISCARD;
