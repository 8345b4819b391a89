/* store/alias.h - aliases: an address, or with a "*" in its local part many, whose mail goes to other addresses and programs.
 *
 * Addresses are as in store/account.h.  Everything returned lives in the arena given.  SUSPENDS: all.  RES_TEMPFAIL:
 * database trouble, already logged. */
#pragma once
#include "store/audit.h"
#include "store/domain.h"

struct alias {
    int64_t id;
    struct str address;
    struct str *members; /* sorted: addresses, also of aliases, and "|" with the name of a program */
    size_t n_members;
    struct str who_may_send;     /* "anyone", "domain", "members", "list" */
    struct str *allowed_senders; /* of "list": addresses, or "@domain" */
    size_t n_allowed_senders;
    bool has_send_as;            /* false: accounts that are members may use it as sender */
    struct str *send_as;         /* else these */
    size_t n_send_as;
    bool disabled;
    int64_t expires_us;          /* DB_NO_TIME: never */
    int64_t created_us, version;
};

struct alias_filter {
    const struct str *domains, *members; /* members: whole addresses */
    size_t n_domains, n_members;         /* 0: any */
    struct str text; /* part of the alias or of a member, lower case; STR_NULL: any */
    struct visible visible;
};

/* By address; `after` is the last one of the page before, STR_NULL for the first page. */
enum result alias_list(struct db *db, const struct alias_filter *filter, bool descending, struct str after, size_t limit,
                       struct arena *a, struct alias **ret_v, size_t *ret_n, bool *ret_more) SUSPENDS NODISCARD;
enum result alias_count(struct db *db, const struct alias_filter *filter, int64_t at_most, int64_t *ret_n)
    SUSPENDS NODISCARD;
/* RES_NOTFOUND: none, or not to be seen. */
enum result alias_get(struct db *db, struct str address, const struct visible *visible, struct arena *a, struct alias *ret)
    SUSPENDS NODISCARD;

/* What an address that is to be a member is. */
enum alias_member_kind { MEMBER_ELSEWHERE, MEMBER_ACCOUNT, MEMBER_ALIAS, MEMBER_UNKNOWN };
/* ret_kinds: room for n.  MEMBER_UNKNOWN: in a local domain of ours, but nobody gets its mail. */
enum result alias_check_members(struct db *db, const struct str *members, size_t n, struct arena *a,
                                enum alias_member_kind *ret_kinds) SUSPENDS NODISCARD;

/* Makes (create) or replaces the alias: all but its id, created_us and version.  if_version -1: any.  RES_NOTFOUND:
 * create: its domain is no local one of ours; else there is no such alias.  RES_EXISTS: the address is taken.
 * RES_CONFLICT: another version.  RES_DENIED: it would lead to itself.  RES_LIMIT: aliases in aliases, more than
 * ROUTE_MAX_DEPTH deep. */
enum result alias_put(struct db *db, const struct alias *alias, bool create, int64_t if_version, const struct audit *audit)
    SUSPENDS NODISCARD;
/* RES_NOTFOUND; RES_CONFLICT. */
enum result alias_delete(struct db *db, struct str address, int64_t if_version, const struct audit *audit)
    SUSPENDS NODISCARD;
