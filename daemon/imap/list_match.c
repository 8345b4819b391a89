#include "imap/list_match.h"

/* Bytes of the name in which ASCII case does not count: the first level, when it is INBOX. */
static size_t caseless(struct str name)
{
    return str_eq(name, STR("INBOX")) || str_starts(name, STR("INBOX/")) ? 5 : 0;
}

/* The usual walk with one place to come back to: a later "*" makes an earlier one irrelevant; a "%" that fails at a '/'
 * goes back to the last "*". */
bool list_match(struct str pattern, struct str name)
{
    size_t fold = caseless(name), p = 0, n = 0;
    size_t star_p = SIZE_MAX, star_n = 0, percent_p = SIZE_MAX, percent_n = 0;

    while (n < name.len || p < pattern.len) {
        if (p < pattern.len && pattern.p[p] == '*') {
            star_p = ++p;
            star_n = n;
            percent_p = SIZE_MAX;
            continue;
        }
        if (p < pattern.len && pattern.p[p] == '%') {
            percent_p = ++p;
            percent_n = n;
            continue;
        }
        if (p < pattern.len && n < name.len &&
            (pattern.p[p] == name.p[n] || (n < fold && ascii_upper(pattern.p[p]) == name.p[n]))) {
            p++;
            n++;
            continue;
        }
        if (percent_p != SIZE_MAX && percent_n < name.len && name.p[percent_n] != '/') {
            n = ++percent_n;
            p = percent_p;
            continue;
        }
        if (star_p != SIZE_MAX && star_n < name.len) {
            n = ++star_n;
            p = star_p;
            percent_p = SIZE_MAX;
            continue;
        }
        return false;
    }
    return true;
}
