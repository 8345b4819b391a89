/* store/domain.h - the domains that this server takes mail for.
 *
 * Names are A-labels in lower case.  Everything returned lives in the arena given; times are microseconds since 1970.
 * SUSPENDS: all.  RES_TEMPFAIL: database trouble, already logged. */
#pragma once
#include "store/audit.h"
#include "store/sent.h"

enum domain_kind { DOMAIN_LOCAL, DOMAIN_RELAY, DOMAIN_ALIAS };

struct domain {
    int64_t id;
    struct str name;
    enum domain_kind kind;
    struct str route; /* relay only; STR_NULL: by MX */
    bool disabled;
    struct str language;       /* STR_NULL: the server's */
    struct str delivery, delivery_user; /* of its accounts that have none (route/delivery.h); delivery_user may be STR_NULL */
    struct str alias_of;       /* DOMAIN_ALIAS: the local domain that it stands for */
    struct str catch_all;      /* who gets what nobody else does; STR_NULL: refused */
    struct str subaddress;     /* separator of sub-addresses; empty: none */
    int64_t accounts, aliases; /* how many */
    int64_t quota_bytes;       /* of all its accounts together; 0: no limit */
    int64_t used_bytes;        /* 0 without a limit */
    struct sent_limits limits; /* of its accounts that have none of their own (store/sent.h) */
    int64_t deleted_us;        /* DB_NO_TIME: it is not deleted */
    int64_t created_us, version;
};

/* What the caller may see: all, or the domains named. */
struct visible {
    bool limited;
    const struct str *domains;
    size_t n;
};

struct domain_filter {
    unsigned kinds, states; /* bits 1 << kind; 1 << disabled, 4: deleted; 0: any that is not deleted */
    struct str text;        /* part of the name, lower case; STR_NULL: any */
    struct visible visible;
};

/* By name; `after` is the last name of the page before, STR_NULL for the first page. */
enum result domain_list(struct db *db, const struct domain_filter *filter, bool descending, struct str after, size_t limit,
                        struct arena *a, struct domain **ret_v, size_t *ret_n, bool *ret_more) SUSPENDS NODISCARD;
/* How many, counted up to `at_most`. */
enum result domain_count(struct db *db, const struct domain_filter *filter, int64_t at_most, int64_t *ret_n)
    SUSPENDS NODISCARD;
/* RES_NOTFOUND: none, or not to be seen; a deleted one is none. */
enum result domain_get(struct db *db, struct str name, const struct visible *visible, struct arena *a, struct domain *ret)
    SUSPENDS NODISCARD;
/* The same of the deleted ones that can be restored. */
enum result domain_get_deleted(struct db *db, struct str name, const struct visible *visible, struct arena *a,
                               struct domain *ret) SUSPENDS NODISCARD;

/* Whether people have accounts in this domain: it is local and not disabled.  Costs the same however many there are. */
enum result domain_serves(struct db *db, struct str name, bool *ret_serves) SUSPENDS NODISCARD;

struct domain_write {
    struct str name;
    enum domain_kind kind;
    struct str route;
    bool disabled;
    struct str language;
    struct str delivery, delivery_user; /* delivery STR_NULL: "store" */
    int64_t quota_bytes;                /* 0: no limit */
    struct str alias_of, catch_all;     /* STR_NULL: none */
    struct str subaddress;              /* STR_NULL: "+" */
    struct sent_limits limits;
};
/* RES_EXISTS: also a deleted one.  RES_INVALID: alias_of is no local domain of ours, or another one. */
enum result domain_create(struct db *db, const struct domain_write *w, const struct audit *audit) SUSPENDS NODISCARD;
/* Replaces what is written.  if_version -1: any.  RES_NOTFOUND; RES_CONFLICT: another version; RES_LIMIT: it would
 * be no local domain any more and has accounts or aliases; RES_DENIED: the last system administrator lives there. */
enum result domain_update(struct db *db, const struct domain_write *w, int64_t if_version, const struct audit *audit)
    SUSPENDS NODISCARD;
/* Deletes the domain; with `force` its accounts and aliases, too.  RES_LIMIT: it is not empty and force is not set.
 * RES_NOTFOUND, RES_CONFLICT, RES_DENIED as above.  It keeps its name and can be restored until a sweeper purges it
 * (store/sweep.h).  purge: a deleted one, too; it is not kept, and its name and addresses are free at once. */
enum result domain_delete(struct db *db, struct str name, bool force, bool purge, int64_t if_version, const struct audit *audit)
    SUSPENDS NODISCARD;
/* A deleted domain is again what it was, with the accounts that were deleted with it.  RES_NOTFOUND. */
enum result domain_restore(struct db *db, struct str name, const struct audit *audit) SUSPENDS NODISCARD;
