/* store/account_address.h - further addresses of an account: mail for them comes to it, and it may use them as sender.
 *
 * Addresses are as in store/account.h.  Everything returned lives in the arena given.  SUSPENDS: all.  RES_TEMPFAIL: database
 * trouble, already logged. */
#pragma once
#include "store/audit.h"

#define ACCOUNT_ADDRESSES_MOST 100

/* All of them, sorted; the account's own among them. */
enum result account_address_list(struct db *db, int64_t account_id, struct arena *a, struct str **ret_v, size_t *ret_n)
    SUSPENDS NODISCARD;
/* The further addresses of accounts, sorted; ret (n of them) is in the order of ids. */
struct account_addresses {
    struct str *v;
    size_t n;
};
enum result account_address_further(struct db *db, const int64_t *ids, size_t n, struct arena *a, struct account_addresses *ret)
    SUSPENDS NODISCARD;
/* Whose these addresses are; ret (n of them) is in their order. */
struct address_use {
    bool local;         /* its domain is a local one of ours */
    bool alias;         /* it is an alias */
    int64_t account_id; /* it is an account's, 0: none's; also of a deleted one's */
};
enum result address_uses(struct db *db, const struct str *addresses, size_t n, struct arena *a, struct address_use *ret)
    SUSPENDS NODISCARD;
/* RES_NOTFOUND: the domain is no local one of ours, or the account is gone; RES_EXISTS: it is another's; RES_LIMIT: there are
 * ACCOUNT_ADDRESSES_MOST.  *ret_made: it was none of its addresses before. */
enum result account_address_add(struct db *db, int64_t account_id, struct str address, const struct audit *audit, bool *ret_made)
    SUSPENDS NODISCARD;
/* It leaves the aliases, too (one left empty goes).  RES_NOTFOUND: none of its addresses; RES_DENIED: its own. */
enum result account_address_remove(struct db *db, int64_t account_id, struct str address, const struct audit *audit)
    SUSPENDS NODISCARD;
