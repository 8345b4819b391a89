#include "base/str.h"
#include "base/macros.h"

#include <strings.h>

bool str_ieq(struct str a, struct str b)
{
    return a.len == b.len && (a.len == 0 || strncasecmp(a.p, b.p, a.len) == 0);
}

bool str_starts(struct str s, struct str prefix)
{
    return s.len >= prefix.len && str_eq(str_of(s.p, prefix.len), prefix);
}

bool str_istarts(struct str s, struct str prefix)
{
    return s.len >= prefix.len && str_ieq(str_of(s.p, prefix.len), prefix);
}

bool str_ends(struct str s, struct str suffix)
{
    return s.len >= suffix.len && str_eq(str_from(s, s.len - suffix.len), suffix);
}

bool str_iends(struct str s, struct str suffix)
{
    return s.len >= suffix.len && str_ieq(str_from(s, s.len - suffix.len), suffix);
}

int str_cmp(struct str a, struct str b)
{
    size_t n = MIN(a.len, b.len);
    int d = n == 0 ? 0 : memcmp(a.p, b.p, n);

    if (d != 0)
        return d;
    return (a.len > b.len) - (a.len < b.len);
}

int str_icmp(struct str a, struct str b)
{
    size_t n = MIN(a.len, b.len);
    int d = n == 0 ? 0 : strncasecmp(a.p, b.p, n);

    if (d != 0)
        return d;
    return (a.len > b.len) - (a.len < b.len);
}

struct str str_sub(struct str s, size_t from, size_t len)
{
    if (s.p == NULL || from >= s.len)
        return str_of(s.p != NULL ? s.p + s.len : NULL, 0);
    return str_of(s.p + from, MIN(len, s.len - from));
}

size_t str_chr(struct str s, char c)
{
    const char *at = s.len == 0 ? NULL : memchr(s.p, c, s.len);

    return at == NULL ? SIZE_MAX : (size_t)(at - s.p);
}

size_t str_rchr(struct str s, char c)
{
    const char *at = s.len == 0 ? NULL : memrchr(s.p, c, s.len);

    return at == NULL ? SIZE_MAX : (size_t)(at - s.p);
}

size_t str_find(struct str s, struct str needle)
{
    const char *at;

    if (needle.len == 0)
        return 0;
    if (s.len < needle.len)
        return SIZE_MAX;
    at = memmem(s.p, s.len, needle.p, needle.len);
    return at == NULL ? SIZE_MAX : (size_t)(at - s.p);
}

size_t str_ifind(struct str s, struct str needle)
{
    for (size_t i = 0; i + needle.len <= s.len; i++) {
        if (strncasecmp(s.p + i, needle.p, needle.len) == 0)
            return i;
    }
    return needle.len == 0 ? 0 : SIZE_MAX;
}

static bool blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

struct str str_trim(struct str s)
{
    while (s.len > 0 && blank(s.p[0])) {
        s.p++;
        s.len--;
    }
    while (s.len > 0 && blank(s.p[s.len - 1]))
        s.len--;
    return s;
}

bool str_split(struct str *rest, char sep, struct str *ret_piece)
{
    size_t at;

    if (rest->p == NULL || rest->len == 0)
        return false;
    at = str_chr(*rest, sep);
    if (at == SIZE_MAX) {
        *ret_piece = *rest;
        *rest = STR_NULL;
    } else {
        *ret_piece = str_of(rest->p, at);
        rest->p += at + 1;
        rest->len -= at + 1;
    }
    return true;
}

bool str_word(struct str *rest, struct str *ret_word)
{
    size_t n = 0;

    while (rest->len > 0 && blank(rest->p[0])) {
        rest->p++;
        rest->len--;
    }
    if (rest->len == 0)
        return false;
    while (n < rest->len && !blank(rest->p[n]))
        n++;
    *ret_word = str_of(rest->p, n);
    rest->p += n;
    rest->len -= n;
    return true;
}

bool str_u64(struct str s, uint64_t max, uint64_t *ret_value)
{
    uint64_t v = 0;

    if (s.len == 0)
        return false;
    for (size_t i = 0; i < s.len; i++) {
        unsigned d;

        if (!ascii_digit(s.p[i]))
            return false;
        d = (unsigned)(s.p[i] - '0');
        if (v > (max - d) / 10 && (v > max / 10 || v * 10 > max - d))
            return false;
        v = v * 10 + d;
    }
    if (v > max)
        return false;
    *ret_value = v;
    return true;
}

/* Splits "12 unit" into the number and the unit. */
static bool number_and_unit(struct str s, uint64_t *ret_number, struct str *ret_unit)
{
    size_t n = 0;

    s = str_trim(s);
    while (n < s.len && ascii_digit(s.p[n]))
        n++;
    if (!str_u64(str_of(s.p, n), INT64_MAX, ret_number))
        return false;
    *ret_unit = str_trim(str_from(s, n));
    return true;
}

static bool scaled(struct str s, const struct str *units, const uint64_t *factors, size_t n, uint64_t *ret_value)
{
    uint64_t number;
    struct str unit;

    if (!number_and_unit(s, &number, &unit))
        return false;
    for (size_t i = 0; i < n; i++) {
        if (str_ieq(unit, units[i])) {
            if (number > (uint64_t)INT64_MAX / factors[i])
                return false;
            *ret_value = number * factors[i];
            return true;
        }
    }
    return false;
}

bool str_size(struct str s, uint64_t *ret_bytes)
{
    static const uint64_t K = 1024, M = K * 1024, G = M * 1024, T = G * 1024;
    const struct str units[] = { STR(""),  STR("b"),  STR("kB"), STR("k"),   STR("KiB"), STR("MB"), STR("m"),
                                 STR("MiB"), STR("GB"), STR("g"),  STR("GiB"), STR("TB"),  STR("t"),  STR("TiB") };
    const uint64_t factors[] = { 1, 1, 1000, K, K, 1000000, M, M, 1000000000, G, G, 1000000000000, T, T };

    return scaled(s, units, factors, ARRAY_LEN(units), ret_bytes);
}

bool str_duration(struct str s, uint64_t *ret_seconds)
{
    static const struct str units[] = { { "s", 1 }, { "m", 1 }, { "h", 1 }, { "d", 1 }, { "w", 1 }, { "min", 3 } };
    static const uint64_t factors[] = { 1, 60, 3600, 86400, 604800, 60 };

    return scaled(s, units, factors, ARRAY_LEN(units), ret_seconds);
}

bool str_is_ascii(struct str s)
{
    for (size_t i = 0; i < s.len; i++) {
        if ((unsigned char)s.p[i] >= 0x80)
            return false;
    }
    return true;
}

bool str_is_utf8(struct str s)
{
    const unsigned char *p = (const unsigned char *)s.p;

    for (size_t i = 0; i < s.len;) {
        unsigned char c = p[i];
        size_t more;
        uint32_t v, least;

        if (c == 0)
            return false;
        if (c < 0x80) {
            i++;
            continue;
        }
        if (c >= 0xc2 && c <= 0xdf) {
            more = 1;
            v = c & 0x1f;
            least = 0x80;
        } else if ((c & 0xf0) == 0xe0) {
            more = 2;
            v = c & 0x0f;
            least = 0x800;
        } else if (c >= 0xf0 && c <= 0xf4) {
            more = 3;
            v = c & 0x07;
            least = 0x10000;
        } else {
            return false;
        }
        if (s.len - i <= more)
            return false;
        for (size_t k = 1; k <= more; k++) {
            if ((p[i + k] & 0xc0) != 0x80)
                return false;
            v = v << 6 | (p[i + k] & 0x3f);
        }
        if (v < least || v > 0x10ffff || (v >= 0xd800 && v <= 0xdfff))
            return false;
        i += more + 1;
    }
    return true;
}

uint64_t str_hash(struct str s)
{
    uint64_t h = 0xcbf29ce484222325u;

    for (size_t i = 0; i < s.len; i++)
        h = (h ^ (unsigned char)s.p[i]) * 0x100000001b3u;
    return h;
}
