/* api/delivery.h - the members delivery and delivery_user of an account and of a domain. */
#pragma once
#include "api/request.h"

/* Checks them, as they would be stored; what is wrong becomes an error of the body.  of_domain: %u and %d stand for a
 * mailbox's local part and domain, and the user may be "%u".  `changed`: they are not what they were, which only an
 * administrator without limits may do: a target runs programs and writes files. */
void delivery_check(struct request *r, struct str target, struct str unix_user, bool of_domain, bool changed);
