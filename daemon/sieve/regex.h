/* sieve/regex.h - POSIX extended regular expressions (draft-murchison-sieve-regex-07) in time linear in the text: a
 * set of states moves over it, nothing is tried again.  Internal to sieve/.
 *
 * The match is the leftmost and then the longest one; inside it a group prefers to be long, and an earlier alternative
 * to a later one.  "." and brackets take characters of UTF-8, with i;octet bytes.  Beyond POSIX: \w \W \s \S \d \D. */
#pragma once
#include "sieve/script.h"

struct sieve_budget {
    uint64_t left; /* steps */
};

/* Takes n steps; false, and nothing is left, when there are not so many. */
static inline bool budget_take(struct sieve_budget *b, uint64_t n)
{
    if (b->left <= n) {
        b->left = 0;
        return false;
    }
    b->left -= n;
    return true;
}

struct sieve_regex; /* read-only once compiled */

/* false: *ret_why says what is wrong with it. */
bool regex_compile(struct arena *a, struct str pattern, enum sieve_comparator comparator, struct sieve_regex **ret,
                   const char **ret_why);

/* Instructions of its program. */
size_t regex_size(const struct sieve_regex *re);

/* ret_groups[0] is the match, the others the groups, STR("") when they took no part; ngroups up to SIEVE_MATCH_VALUES,
 * 0 when none are wanted.  false also when the budget is used up. */
bool regex_match(const struct sieve_regex *re, struct str s, struct sieve_budget *budget, struct str *ret_groups,
                 size_t ngroups);
