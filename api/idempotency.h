/* api/idempotency.h - a POST with an Idempotency-Key is done once: the same request gets the same answer for 24 hours.
 *
 * Answers hold secrets that are shown once (links, tokens), so what is kept is sealed with the key; of the key only a hash
 * is kept.  Somebody who is not signed in has no keys. */
#pragma once
#include "api/request.h"

/* False: it has been answered: again, or refused.  Call it when the caller is known. */
bool idempotency_take(struct request *r) SUSPENDS;
/* Keeps the answer of a request that idempotency_take let through. */
void idempotency_give(struct request *r) SUSPENDS;
