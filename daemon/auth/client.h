/* auth/client.h - what the other processes ask of auth, over ipc.  All functions suspend.
 *
 * auth alone reads hashes and holds the TLS key. */
#pragma once
#include "base/arena.h"
#include "base/result.h"
#include "base/str.h"
#include "io/coroutine.h"

struct auth_client;
struct tls_context;

/* socket_path is copied. */
struct auth_client *auth_client_new(const char *socket_path);

struct auth_request {
    struct str user, password; /* as the client gave them */
    const char *protocol;      /* "imap", "pop3", "managesieve", "submission", "http" */
    struct str ip;
};
struct auth_identity {
    int64_t account_id;
    struct str address;  /* the account's own */
    struct str token;    /* for struct principal */
    int role;            /* account.role */
    bool frozen;         /* may read, may not send */
    struct str language; /* STR_NULL: none set */
    int64_t credential_id, signed_in_us; /* for auth/presence.h; the time is by the database's clock */
};
/* RES_OK; RES_DENIED: wrong user or password, or suspended (the same words for all); RES_LIMIT: too many attempts, try
 * later; RES_TEMPFAIL.  The identity lives in a. */
enum result auth_password(struct auth_client *c, const struct auth_request *req, struct arena *a,
                          struct auth_identity *ret) SUSPENDS NODISCARD;

/* A TLS context for servers with auth's certificate; its key operations are asked of auth.  The caller holds one
 * reference.  Called at start and again at a reload. */
enum result auth_tls_server(struct auth_client *c, struct tls_context **ret_ctx) SUSPENDS NODISCARD;

/* ---- for api ---- */

struct auth_session {
    struct str cookie, csrf; /* the cookie is told once; the database keeps its SHA-256 */
    int64_t account_id;
    bool must_set_password; /* signed in by a one-time link */
    bool code_due;          /* it is no session yet: auth_code_sign_in comes next */
};
/* A session of the dashboard for user and password; results as auth_password.  It lives in a. */
enum result auth_sign_in(struct auth_client *c, struct str user, struct str password, struct str ip,
                         struct str user_agent, struct arena *a, struct auth_session *ret) SUSPENDS NODISCARD;
/* The same for the secret of a one-time link, which is used up.  RES_DENIED: unknown, used or expired. */
enum result auth_link_sign_in(struct auth_client *c, struct str secret, struct str ip, struct str user_agent,
                              struct arena *a, struct auth_session *ret) SUSPENDS NODISCARD;
/* The second step of a sign-in, whose cookie has the hash: a code by the clock, or a recovery code.  RES_DENIED: wrong or used
 * before; RES_LIMIT: too many wrong ones, try later; RES_NOTFOUND: there is no such sign-in (any more): begin again. */
enum result auth_code_sign_in(struct auth_client *c, struct str ip, struct str hash, struct str code, struct arena *a,
                              struct auth_session *ret) SUSPENDS NODISCARD;
/* The owner of a session proves himself again; it gets a new cookie.  RES_DENIED: wrong password; RES_CONFLICT: a code is
 * needed (code is empty); RES_INVALID: wrong code; RES_LIMIT; RES_NOTFOUND: the session is over. */
enum result auth_reauth(struct auth_client *c, struct str address, struct str ip, struct str session_hash, struct str password,
                        struct str code, struct arena *a, struct str *ret_cookie) SUSPENDS NODISCARD;
/* Stores a new password: ends the account's other dashboard sessions (all but the one with the hash keep_session, which
 * may be STR_NULL), voids its links, makes an invited account active.  RES_NOTFOUND: no such account; RES_INVALID:
 * empty, longer than 512 bytes, or with NUL; RES_LIMIT: busy. */
enum result auth_set_password(struct auth_client *c, int64_t account_id, struct str password, struct str keep_session)
    SUSPENDS NODISCARD;
/* A one-time link's secret (URL-safe), good for `seconds`.  Told once. */
enum result auth_link(struct auth_client *c, int64_t account_id, int64_t seconds, struct arena *a, struct str *ret_secret)
    SUSPENDS NODISCARD;

/* ---- app passwords (store/credential.h) ---- */
struct app_password;
/* protocols: words with blanks between them.  The secret is told once.  RES_NOTFOUND: no such account; RES_LIMIT: it has
 * as many as it may.  What is returned lives in a. */
enum result auth_app_add(struct auth_client *c, int64_t account_id, struct str name, struct str protocols, struct arena *a,
                         struct app_password *ret, struct str *ret_secret) SUSPENDS NODISCARD;
enum result auth_app_list(struct auth_client *c, int64_t account_id, struct arena *a, struct app_password **ret_v,
                          size_t *ret_n) SUSPENDS NODISCARD;
/* RES_NOTFOUND: the account has none with this id. */
enum result auth_app_remove(struct auth_client *c, int64_t account_id, int64_t id) SUSPENDS NODISCARD;

/* ---- two-step sign-in (store/totp.h) ---- */
struct totp_state;
enum result auth_totp_state(struct auth_client *c, int64_t account_id, struct totp_state *ret) SUSPENDS NODISCARD;
/* A new key in base32, good once it is confirmed.  RES_EXISTS: it is on already. */
enum result auth_totp_begin(struct auth_client *c, int64_t account_id, struct arena *a, struct str *ret_key) SUSPENDS NODISCARD;
/* Turns it on; ret_codes takes TOTP_RECOVERY_CODES, told once.  RES_DENIED: wrong code; RES_NOTFOUND: no key waits. */
enum result auth_totp_confirm(struct auth_client *c, int64_t account_id, struct str code, struct arena *a,
                              struct str *ret_codes) SUSPENDS NODISCARD;
enum result auth_totp_remove(struct auth_client *c, int64_t account_id) SUSPENDS NODISCARD;
