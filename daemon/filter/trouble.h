/* filter/trouble.h - the message that tells a person that a filter of hers does not work.  Pure but for an id and the
 * time. */
#pragma once
#include "filter/filter.h"

void trouble_write(struct arena *a, struct str language, struct str to, struct str script, struct str include,
                   const struct sieve_error *error, struct filter_content *ret);
