/* store/credential.h - passwords, one-time links and dashboard sessions, as auth sees them.  Only auth's role may run
 * these.  SUSPENDS: all. */
#pragma once
#include "base/arena.h"
#include "base/result.h"
#include "base/str.h"
#include "db/db.h"

enum account_state { ACCOUNT_INVITED, ACCOUNT_ACTIVE, ACCOUNT_FROZEN, ACCOUNT_SUSPENDED, ACCOUNT_DELETED };
enum credential_kind { CREDENTIAL_PASSWORD, CREDENTIAL_APP, CREDENTIAL_TOTP, CREDENTIAL_RECOVERY, CREDENTIAL_LINK };

struct credential_account {
    int64_t id;
    struct str address, language;
    int role;
    enum account_state state;
    bool domain_active;
    bool totp;      /* two-step sign-in is on */
    int64_t now_us; /* when it was looked up, by the database's clock */
};
struct credential {
    int64_t id;
    enum credential_kind kind;
    struct str verifier;
};

/* The account that signs in as `address` (lower case), its password, and its app password with the hash `app` (hex;
 * STR_NULL: none) if that one is for `protocol`: it has matched.  RES_NOTFOUND: no such account. */
enum result credential_find(struct db *db, struct str address, struct str protocol, struct str app, struct arena *a,
                            struct credential_account *ret_account, struct credential **ret_v, size_t *ret_n)
    SUSPENDS NODISCARD;

/* Replaces the account's password; an invited account becomes active, all its dashboard sessions end but `keep_session`
 * (a hash, STR_NULL: none), and its links are void.  RES_NOTFOUND: no such account. */
enum result credential_set_password(struct db *db, int64_t account_id, struct str verifier, struct str keep_session)
    SUSPENDS NODISCARD;
/* The same password in a newer hash form: only if it is still `old`. */
enum result credential_rehash(struct db *db, int64_t credential_id, struct str old, struct str verifier) SUSPENDS NODISCARD;

/* Remembers when and from where the account signed in last, and when and where the credential was used; at most one write
 * a minute and protocol. */
enum result credential_used(struct db *db, int64_t account_id, int64_t credential_id, struct str protocol, struct str ip)
    SUSPENDS NODISCARD;

/* ---- app passwords ---- */

#define APP_PASSWORDS_MAX 20 /* an account */
struct app_password {
    int64_t id;
    struct str name, protocols;       /* protocols: words, with blanks between them */
    int64_t created_us, used_us;      /* used_us: DB_NO_TIME: never */
    struct str used_protocol, used_ip; /* STR_NULL: never, or unknown */
};
/* RES_NOTFOUND: no such account; RES_LIMIT: it has as many as it may. */
enum result app_password_add(struct db *db, int64_t account_id, struct str name, struct str protocols, struct str hash,
                             struct arena *a, struct app_password *ret) SUSPENDS NODISCARD;
/* Oldest first, at most APP_PASSWORDS_MAX. */
enum result app_password_list(struct db *db, int64_t account_id, struct arena *a, struct app_password **ret_v, size_t *ret_n)
    SUSPENDS NODISCARD;
/* RES_NOTFOUND: the account has none with this id. */
enum result app_password_remove(struct db *db, int64_t account_id, int64_t id) SUSPENDS NODISCARD;

/* One-time links: kept as the hex SHA-256 of the secret; a new one voids the account's earlier ones; taking one uses it
 * up.  RES_NOTFOUND: none, used or expired. */
enum result credential_link_add(struct db *db, int64_t account_id, struct str hash, int64_t expires_us) SUSPENDS NODISCARD;
enum result credential_link_take(struct db *db, struct str hash, struct arena *a, struct credential_account *ret)
    SUSPENDS NODISCARD;
/* The account with the system administrator's role that was made first; RES_NOTFOUND: none yet. */
enum result credential_first_admin(struct db *db, struct arena *a, struct credential_account *ret) SUSPENDS NODISCARD;

/* A session of the dashboard; hash is the SHA-256 of its cookie.  code_due: it is none before store/totp.h says so. */
enum result credential_session_add(struct db *db, struct str hash, int64_t account_id, struct str csrf, struct str ip,
                                   struct str user_agent, bool must_set_password, bool code_due) SUSPENDS NODISCARD;
