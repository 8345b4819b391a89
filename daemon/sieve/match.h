/* sieve/match.h - comparing one value with one key.  Internal to sieve/. */
#pragma once
#include "sieve/regex.h"

/* As strcmp. */
int match_compare(enum sieve_comparator comparator, struct str a, struct str b);
/* Linear in s and key. */
bool match_contains(enum sieve_comparator comparator, struct str s, struct str key);
/* :matches; ret_groups has SIEVE_MATCH_VALUES elements, what they hold without a match says nothing.  Takes at most
 * 2 * s.len * pattern.len steps; false also when the budget is used up. */
bool match_glob(enum sieve_comparator comparator, struct str s, struct str pattern, struct sieve_budget *budget,
                struct str *ret_groups);
