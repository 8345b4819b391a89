/* store/routing.h - what the control plane knows of an address: all that smtp and relay read to route. */
#pragma once
#include "base/arena.h"
#include "base/result.h"
#include "base/str.h"
#include "db/db.h"
#include "route/expand.h"

/* What is known of the address, for route_expand: exact, then without its sub-address ("alice+lists"), then by a pattern,
 * then the same in the domain that this one is an alias of, then the catch-all.  local: unquoted, any case; domain: lower
 * case. */
enum result routing_find(struct db *db, struct str local, struct str domain, struct arena *a, struct route_facts *ret)
    SUSPENDS NODISCARD;

/* May this account use `address` as sender: its own address (with a sub-address), one of its further addresses, or an
 * alias that names it as sender or, naming none, has it as member?  A pattern and an alias of the domain count, too. */
enum result routing_may_send_as(struct db *db, int64_t account_id, struct str local, struct str domain, bool *ret_may)
    SUSPENDS NODISCARD;

/* The address of the first system administrator, who gets the mail for postmaster.  RES_NOTFOUND: there is none. */
enum result routing_postmaster(struct db *db, struct arena *a, struct str *ret_address) SUSPENDS NODISCARD;
