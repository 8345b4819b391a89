/* store/domain_admin.h - who administers a domain.
 *
 * An account with such a row has the role of a domain administrator; the role ends with the last row.  Names and addresses
 * are as in store/account.h.  Everything returned lives in the arena given.  SUSPENDS: all.  RES_TEMPFAIL: database trouble,
 * already logged. */
#pragma once
#include "store/account.h"

struct domain_admin {
    struct str address, name;
    enum account_state state;
};

/* By address; deleted accounts are left out.  `after` is the last address of the page before, STR_NULL for the first
 * page.  A domain that is not there, or not to be seen, has none: ask domain_get. */
enum result domain_admin_list(struct db *db, struct str domain, const struct visible *visible, struct str after, size_t limit,
                              struct arena *a, struct domain_admin **ret_v, size_t *ret_n, bool *ret_more) SUSPENDS NODISCARD;
/* RES_NOTFOUND: no such domain or account; RES_INVALID: it is a system administrator, who needs no such row.  *ret_made:
 * it was none before. */
enum result domain_admin_put(struct db *db, struct str domain, struct str address, const struct audit *audit, bool *ret_made)
    SUSPENDS NODISCARD;
/* RES_NOTFOUND: it is none. */
enum result domain_admin_remove(struct db *db, struct str domain, struct str address, const struct audit *audit)
    SUSPENDS NODISCARD;
