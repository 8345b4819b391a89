/* store/script.h - Sieve scripts: a person's own, and an administrator's of the server or of a domain.
 *
 * Texts are stored as they came; whoever stores one has compiled it first.  A script's hash is SHA-256 of its text and
 * the key under which compiled ones are kept.  What is returned lives in the arena given.  SUSPENDS: all.
 * RES_TEMPFAIL: database trouble, already logged. */
#pragma once
#include "store/audit.h"

enum script_place {
    SCRIPT_PERSONAL, /* a person's filter: at most one is active */
    SCRIPT_BEFORE,   /* an administrator's, before it; those that are active run by name */
    SCRIPT_AFTER,    /* and behind it */
    SCRIPT_GLOBAL,   /* for `include :global` (RFC 6609); never runs by itself */
    SCRIPT_IMAP,     /* an administrator's for imapsieve (RFC 6785): named by the annotation /shared/imapsieve/script */
};

#define SCRIPT_MAX_BYTES ((size_t)1 << 20)
#define SCRIPT_MAX_COUNT 100 /* of one owner in one place */

struct script_owner {
    int64_t account_id, domain_id; /* both 0: the server */
    enum script_place place;
};

struct script {
    int64_t id;
    struct str name, content; /* content: STR_NULL in lists */
    int64_t size;
    bool active;
    int64_t changed_us, version;
};

enum result script_list(struct db *db, const struct script_owner *owner, struct arena *a, struct script **ret_v,
                        size_t *ret_n) SUSPENDS NODISCARD;
/* RES_NOTFOUND. */
enum result script_get(struct db *db, const struct script_owner *owner, struct str name, struct arena *a,
                       struct script *ret) SUSPENDS NODISCARD;

/* Makes or replaces the script; its being active stays.  if_version -1: any; 0: only a new one.
 * RES_CONFLICT: another version.  RES_LIMIT: SCRIPT_MAX_COUNT, or too large. */
enum result script_put(struct db *db, const struct script_owner *owner, struct str name, struct str content,
                       int64_t if_version, const struct audit *audit) SUSPENDS NODISCARD;
struct script_change {
    struct str name;   /* STR_NULL: as it is */
    bool sets_active;
    bool active;       /* a person's: instead of the other one */
};
/* Renames it, makes it active or not.  if_version as above.  RES_NOTFOUND; RES_EXISTS: the new name is taken;
 * RES_CONFLICT: another version. */
enum result script_change(struct db *db, const struct script_owner *owner, struct str name,
                          const struct script_change *change, int64_t if_version, const struct audit *audit)
    SUSPENDS NODISCARD;
/* None of a person's is active from now on. */
enum result script_deactivate(struct db *db, const struct script_owner *owner, const struct audit *audit)
    SUSPENDS NODISCARD;
/* RES_NOTFOUND; RES_CONFLICT: another version, or it is active and `even_active` is not set (RFC 5804, 2.10). */
enum result script_delete(struct db *db, const struct script_owner *owner, struct str name, int64_t if_version,
                          bool even_active, const struct audit *audit) SUSPENDS NODISCARD;

/* ---- for delivery ---- */

#define SCRIPT_HASH_BYTES 32

struct script_ref {
    int64_t id;
    enum script_place place;
    struct str name;
    unsigned char hash[SCRIPT_HASH_BYTES];
};

/* SQL: whether anything runs on mail for the account. */
#define SCRIPTS_EXIST(account, domain)                                                                             \
    "(EXISTS (SELECT FROM sieve_script f WHERE f.account_id = " account " AND f.active AND f.place = 0) "          \
    "OR EXISTS (SELECT FROM sieve_script f WHERE f.domain_id = " domain " AND f.active AND f.place IN (1, 2)) "    \
    "OR EXISTS (SELECT FROM sieve_script f WHERE f.account_id IS NULL AND f.domain_id IS NULL AND f.active "       \
    "AND f.place IN (1, 2)))"
/* What runs on mail for the account, in this order: the server's and the domain's before, the person's active one, the
 * domain's and the server's after. */
enum result script_chain(struct db *db, int64_t account_id, struct arena *a, struct script_ref **ret_v, size_t *ret_n)
    SUSPENDS NODISCARD;
/* The one that `include` means: the person's of that name, or with `global` the domain's or else the server's.
 * RES_NOTFOUND. */
enum result script_find(struct db *db, int64_t account_id, bool global, struct str name, struct arena *a,
                        struct script_ref *ret) SUSPENDS NODISCARD;
/* The one of imapsieve with this name: the person's (any of their filters), else the domain's, else the server's.  RES_NOTFOUND. */
enum result script_find_imap(struct db *db, int64_t account_id, struct str name, struct arena *a, struct script_ref *ret)
    SUSPENDS NODISCARD;
/* Its text and, as it may have been changed meanwhile, the text's hash.  RES_NOTFOUND: it is gone. */
enum result script_content(struct db *db, int64_t id, struct arena *a, struct str *ret_text,
                           unsigned char ret_hash[static SCRIPT_HASH_BYTES]) SUSPENDS NODISCARD;
