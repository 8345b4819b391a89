/* smtp/recent.h - accounts that were looked up a moment ago: a busy mailbox is not asked for with each RCPT.
 *
 * Only accounts that forward nothing are remembered, for one second: what is new is seen at once, what is gone a second later (its mail
 * is then refused by the delivering statement).  Quota figures are as old; the delivering statement counts exactly. */
#pragma once
#include "store/routing.h"

/* As routing_find. */
enum result recent_routing(struct db *db, struct str local, struct str domain, struct arena *a, struct route_facts *ret)
    SUSPENDS NODISCARD;
