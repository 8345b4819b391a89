/* filter/env.h - what a running script may know of the message's way here, from its envelope and session. */
#pragma once
#include "filter/filter.h"

/* All but trace and data; ops is filter_ops.  event NULL: the message arrives.  *ret is a view of what is given, or lives in the arena. */
void filter_env_fill(const struct filter_message *m, const struct filter_recipient *to,
                     const struct filter_account *account, const struct filter_event *event, struct arena *a,
                     struct sieve_env *ret);
/* The limits of one run on the loop. */
struct sieve_limits filter_limits(void);
