/* Comparators (RFC 4790, RFC 5051) and match types (RFC 5228, 2.7; RFC 5231; RFC 6134). */
#include "sieve/match.h"
#include "mail/text.h"
#include "sieve/regex_internal.h"
#include "sieve/runtime.h"

/* i;ascii-numeric (RFC 4790, 9.1): the digits at the start without leading zeros; STR_NULL is infinity. */
static struct str numeric(struct str s)
{
    size_t n = 0;

    while (n < s.len && ascii_digit(s.p[n]))
        n++;
    if (n == 0)
        return STR_NULL;
    s = str_of(s.p, n);
    while (s.len > 1 && s.p[0] == '0')
        s = str_from(s, 1);
    return s;
}

static int compare_numeric(struct str a, struct str b)
{
    a = numeric(a);
    b = numeric(b);
    if (a.p == NULL || b.p == NULL)
        return (a.p == NULL) - (b.p == NULL);
    if (a.len != b.len)
        return a.len > b.len ? 1 : -1;
    return str_cmp(a, b);
}

/* i;ascii-casemap orders by the upper case letters (RFC 4790, 9.2.1). */
static int compare_casemap(struct str a, struct str b)
{
    for (size_t i = 0; i < MIN(a.len, b.len); i++) {
        int d = (unsigned char)ascii_upper(a.p[i]) - (unsigned char)ascii_upper(b.p[i]);

        if (d != 0)
            return d;
    }
    return (a.len > b.len) - (a.len < b.len);
}

static int compare_unicode(struct str a, struct str b)
{
    CLEANUP(arena_releasep) struct arena own = { 0 };

    return str_cmp(text_casefold(&own, a), text_casefold(&own, b));
}

int match_compare(enum sieve_comparator comparator, struct str a, struct str b)
{
    switch (comparator) {
    case COMPARATOR_NUMERIC:
        return compare_numeric(a, b);
    case COMPARATOR_CASEMAP:
        return compare_casemap(a, b);
    case COMPARATOR_UNICODE:
        return compare_unicode(a, b);
    case COMPARATOR_OCTET:
        break;
    }
    return str_cmp(a, b);
}

static bool contains_octets(struct str s, struct str key)
{
    return key.len == 0 || (key.len <= s.len && memmem(s.p, s.len, key.p, key.len) != NULL);
}

/* Window by window through a lower case copy: linear in the text, and no copy of a large body. */
static bool contains_lower(struct str s, struct str lower, char *window, size_t size)
{
    for (size_t from = 0;; from += size - (lower.len - 1)) {
        size_t n = MIN(size, s.len - from);

        for (size_t i = 0; i < n; i++)
            window[i] = ascii_lower(s.p[from + i]);
        if (memmem(window, n, lower.p, lower.len) != NULL)
            return true;
        if (from + n == s.len)
            return false;
    }
}

static bool contains_casemap(struct str s, struct str key)
{
    CLEANUP(arena_releasep) struct arena own = { 0 };
    char small[512], *room = small;
    size_t window = MIN(s.len, MAX((size_t)65536, key.len * 4));

    if (key.len == 0)
        return true;
    if (key.len > s.len)
        return false;
    if (key.len + window > sizeof(small))
        room = arena_alloc(&own, key.len + window);
    for (size_t i = 0; i < key.len; i++)
        room[i] = ascii_lower(key.p[i]);
    return contains_lower(s, str_of(room, key.len), room + key.len, window);
}

static bool contains_unicode(struct str s, struct str key)
{
    CLEANUP(arena_releasep) struct arena own = { 0 };

    return contains_octets(text_casefold(&own, s), text_casefold(&own, key));
}

bool match_contains(enum sieve_comparator comparator, struct str s, struct str key)
{
    switch (comparator) {
    case COMPARATOR_OCTET:
    case COMPARATOR_NUMERIC:
        return contains_octets(s, key);
    case COMPARATOR_CASEMAP:
        return contains_casemap(s, key);
    case COMPARATOR_UNICODE:
        break;
    }
    return contains_unicode(s, key);
}

struct glob {
    struct str pattern, s;
    size_t p, at; /* where the pattern and the text are read */
    size_t wildcard;
    struct str *groups;
    enum sieve_comparator comparator;
};

/* What a wildcard takes; groups[0] is the whole text, those beyond the last are not kept. */
static void note(struct glob *g, size_t wildcard, size_t from, size_t to)
{
    if (wildcard + 1 < SIEVE_MATCH_VALUES)
        g->groups[wildcard + 1] = str_sub(g->s, from, to - from);
}

/* One character of the text against the pattern at g->p, which is neither its end nor "*". */
static bool one(struct glob *g)
{
    bool octets = g->comparator != COMPARATOR_UNICODE;
    size_t from = g->at;

    if (from == g->s.len)
        return false;
    if (g->pattern.p[g->p] == '?') {
        regex_take_char(g->s, &g->at, octets);
        g->p++;
        note(g, g->wildcard++, from, g->at);
        return true;
    }
    if (g->pattern.p[g->p] == '\\' && g->p + 1 < g->pattern.len)
        g->p++;
    return regex_fold(regex_take_char(g->pattern, &g->p, octets), g->comparator) ==
           regex_fold(regex_take_char(g->s, &g->at, octets), g->comparator);
}

bool match_glob(enum sieve_comparator comparator, struct str s, struct str pattern, struct sieve_budget *budget,
                struct str *ret_groups)
{
    struct glob g = { .pattern = pattern, .s = s, .groups = ret_groups, .comparator = comparator };
    size_t star = SIZE_MAX, star_from = 0, star_at = 0, star_wildcard = 0;

    for (size_t i = 0; i < SIEVE_MATCH_VALUES; i++)
        ret_groups[i] = STR("");
    ret_groups[0] = s;
    for (;;) {
        if (!budget_take(budget, 2))
            return false;
        if (g.p < pattern.len && pattern.p[g.p] == '*') { /* as little as possible: nothing at first */
            star = ++g.p;
            star_from = star_at = g.at;
            star_wildcard = g.wildcard++;
            note(&g, star_wildcard, star_from, star_at);
            if (g.p < pattern.len)
                continue;
            note(&g, star_wildcard, star_from, s.len);
            return true;
        }
        if (g.p == pattern.len ? g.at == s.len : one(&g)) {
            if (g.p == pattern.len && g.at == s.len)
                return true;
            continue;
        }
        if (star == SIZE_MAX || star_at >= s.len)
            return false;
        regex_take_char(s, &star_at, comparator != COMPARATOR_UNICODE); /* the last star takes one more */
        note(&g, star_wildcard, star_from, star_at);
        g.p = star;
        g.at = star_at;
        g.wildcard = star_wildcard + 1;
    }
}
