/* store/domain_dns.h - what the last look at a domain's DNS records found.  SUSPENDS: all.  RES_TEMPFAIL: database trouble,
 * already logged. */
#pragma once
#include "base/arena.h"
#include "base/result.h"
#include "base/str.h"
#include "db/db.h"

/* Replaces it.  found: JSON. */
enum result domain_dns_put(struct db *db, int64_t domain_id, struct str found) SUSPENDS NODISCARD;
/* RES_NOTFOUND: nobody looked yet. */
enum result domain_dns_get(struct db *db, int64_t domain_id, struct arena *a, int64_t *ret_checked_us, struct str *ret_found)
    SUSPENDS NODISCARD;
