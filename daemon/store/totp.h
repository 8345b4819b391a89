/* store/totp.h - two-step sign-in, as auth sees it: keys, recovery codes, sign-ins that wait for their code.  Only auth's role
 * may run these.  SUSPENDS: all.  RES_TEMPFAIL: database trouble, already logged. */
#pragma once
#include "store/credential.h"

#define TOTP_RECOVERY_CODES 10
#define TOTP_TRIES 5 /* of a sign-in; then the password again */

struct totp_state {
    int64_t since_us; /* DB_NO_TIME: it is off */
    int64_t recovery_left;
};
enum result totp_state(struct db *db, int64_t account_id, struct totp_state *ret) SUSPENDS NODISCARD;
/* A key (hex) that waits 15 minutes to be confirmed, instead of one that does.  RES_EXISTS: it is on.  RES_NOTFOUND: no such
 * account. */
enum result totp_begin(struct db *db, int64_t account_id, struct str key) SUSPENDS NODISCARD;
/* The key; waiting: the one that is to be confirmed.  RES_NOTFOUND: none. */
enum result totp_key(struct db *db, int64_t account_id, bool waiting, struct arena *a, struct str *ret_key) SUSPENDS NODISCARD;
/* The key that waits is confirmed by the code of `step`: it is on, with these recovery codes (TOTP_RECOVERY_CODES hashes).
 * RES_NOTFOUND: it does not wait any more. */
enum result totp_confirm(struct db *db, int64_t account_id, struct str key, int64_t step, const struct str *hashes)
    SUSPENDS NODISCARD;
/* RES_OK also when it was off. */
enum result totp_remove(struct db *db, int64_t account_id) SUSPENDS NODISCARD;
/* Uses up the code of a step, and all of earlier steps; a recovery code.  RES_DENIED: it was used before, or is none. */
enum result totp_use_step(struct db *db, int64_t account_id, int64_t step) SUSPENDS NODISCARD;
enum result totp_use_recovery(struct db *db, int64_t account_id, struct str hash) SUSPENDS NODISCARD;

/* Counts one try of the sign-in that waits for its code, before the code is looked at.  RES_NOTFOUND: there is none, it is
 * older than five minutes, all tries are used, or the account may no longer sign in. */
enum result totp_try(struct db *db, struct str session_hash, struct arena *a, struct credential_account *ret) SUSPENDS NODISCARD;
/* The code was right: the sign-in becomes a session, under a new cookie.  RES_NOTFOUND: it is gone. */
enum result totp_pass(struct db *db, struct str session_hash, struct str new_hash, struct str csrf, bool *ret_must_set_password)
    SUSPENDS NODISCARD;
/* A session's owner has proven himself again: the same session under a new cookie.  RES_NOTFOUND. */
enum result session_renew(struct db *db, struct str session_hash, int64_t account_id, struct str new_hash) SUSPENDS NODISCARD;
