/* api/caller.h - who calls, and what they may do: rights = role, scopes and domains together. */
#pragma once
#include "base/str.h"
#include "store/account.h"

/* What a route wants.  A :write scope includes :read of its area (caller_has). */
enum scope {
    SCOPE_QUEUE_READ, SCOPE_QUEUE_WRITE, SCOPE_TRACE_READ, SCOPE_DOMAINS_READ, SCOPE_DOMAINS_WRITE, SCOPE_ACCOUNTS_READ,
    SCOPE_ACCOUNTS_WRITE, SCOPE_ALIASES_READ, SCOPE_ALIASES_WRITE, SCOPE_SETTINGS_READ, SCOPE_SETTINGS_WRITE,
    SCOPE_TOKENS_READ, SCOPE_TOKENS_WRITE, SCOPE_METRICS_READ, SCOPE_AUDIT_READ, SCOPE_EXPLAIN_PROBE, SCOPE_MAIL_CONTENT,
    SCOPES,
    SCOPE_ANY = SCOPES, /* anybody who is signed in */
    SCOPE_NONE,         /* everybody; what writes, from our own page only */
    SCOPE_PROGRAM,      /* everybody, and from anywhere: whatever the method, nothing is written */
};
extern const char *const scope_names[SCOPES]; /* "queue:read" */

struct caller {
    enum { VIA_NOBODY, VIA_PAGE, VIA_TOKEN, VIA_SOCKET } via;
    int64_t account_id; /* the account that acts; 0: the local administrator or a token of his */
    int64_t token_id;
    struct str address, name, language; /* of the account; VIA_PAGE only */
    struct str actor;                   /* "alice@example.org", "token:t4", "local" */
    enum account_role role;
    unsigned scopes; /* bits 1 << enum scope */
    struct visible visible;
    /* VIA_PAGE */
    struct str session_hash, csrf;
    int64_t expires_us;
    bool must_set_password;
    bool fresh; /* its owner has proven himself in the last 10 minutes */
};

struct request;

/* All scopes of a role. */
unsigned role_scopes(enum account_role role);
bool caller_has(const struct caller *c, enum scope scope);
/* The bit of a scope's name; SCOPES when there is none. */
enum scope scope_of_name(struct str name);
/* Whether the domain is one that the caller may see. */
bool caller_sees(const struct caller *c, struct str domain);
/* Whether the caller may change this account at all: a limited one must not touch administrators. */
bool caller_may_change(const struct caller *c, enum account_role of);

/* Finds out who calls, and whether he may call r->route.  False: it has been answered (401, 403, 503). */
bool caller_admit(struct request *r) SUSPENDS;
/* For routes that everybody may call and that say more to some. */
bool caller_identify(struct request *r) SUSPENDS;
/* Whether the caller has proven in the last 10 minutes who he is, as what cannot be taken back needs; a token and the local
 * administrator do so with each request.  False: answered (403). */
bool caller_fresh(struct request *r);
/* The SHA-256 of the request's cookie; STR_NULL: it has none. */
struct str caller_cookie_hash(struct request *r);
/* A write that comes from a browser must come from our own page.  False: it has been answered. */
bool caller_same_origin(struct request *r);
/* The name of a token that is shown: its SHA-256; makes a new token's text from its id. */
struct str token_make(struct arena *a, int64_t id, struct str *ret_hash);
/* RES_INVALID: not the form of a token (prefix, checksum). */
enum result token_hash(struct arena *a, struct str text, struct str *ret_hash) NODISCARD;
struct str sha256(struct arena *a, struct str bytes);
