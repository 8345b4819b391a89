/* store/token.h - bearer tokens of programs.  Only the SHA-256 of the whole token is kept.
 *
 * Everything returned lives in the arena given; times are microseconds since 1970.  SUSPENDS: all.  RES_TEMPFAIL:
 * database trouble, already logged. */
#pragma once
#include "store/account.h"

struct token {
    int64_t id;
    struct str name;
    enum account_role role;
    struct str *scopes;
    size_t n_scopes;
    struct str *domains; /* NULL: all that the role may see */
    size_t n_domains;
    struct str *networks; /* "10.0.0.0/8"; NULL: from anywhere */
    size_t n_networks;
    int64_t account_id;    /* its maker; 0: the local administrator */
    struct str created_by; /* the maker's address; STR_NULL: the local administrator */
    int64_t created_us, expires_us, last_used_us; /* last_used_us DB_NO_TIME: never */
};

/* Newest first; expired ones for 30 days.  `after` is the id of the last one of the page before, 0 for the first page. */
enum result token_list(struct db *db, int64_t after, size_t limit, struct arena *a, struct token **ret_v, size_t *ret_n,
                       bool *ret_more) SUSPENDS NODISCARD;
/* RES_NOTFOUND. */
enum result token_get(struct db *db, int64_t id, struct arena *a, struct token *ret) SUSPENDS NODISCARD;

/* Writes the token down; its id is taken from the sequence beforehand (token_id), since the token names it. */
enum result token_id(struct db *db, int64_t *ret_id) SUSPENDS NODISCARD;
enum result token_create(struct db *db, const struct token *t, struct str hash, const struct audit *audit) SUSPENDS NODISCARD;
/* RES_NOTFOUND. */
enum result token_revoke(struct db *db, int64_t id, const struct audit *audit) SUSPENDS NODISCARD;

struct token_use {
    struct token token;
    enum account_role maker_role; /* ROLE_SYSTEM_ADMIN for the local administrator */
    struct str *maker_domains;    /* the domains that a maker who is a domain administrator administers now */
    size_t n_maker_domains;
};
/* Who shows this token.  RES_NOTFOUND: unknown, expired, or its maker may no longer sign in. */
enum result token_find(struct db *db, struct str hash, struct arena *a, struct token_use *ret) SUSPENDS NODISCARD;
/* Remembers that it was used now; at most one write a minute. */
enum result token_used(struct db *db, const struct token *t) SUSPENDS NODISCARD;
