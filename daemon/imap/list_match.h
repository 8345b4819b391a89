/* imap/list_match.h - LIST patterns (RFC 3501, 6.3.8): "*" is anything, "%" anything within a level. */
#pragma once
#include "base/str.h"

/* At most quadratic in the length of the name.  INBOX, as name or as its first level, matches in any case. */
bool list_match(struct str pattern, struct str name);
