/* base/str.h - string views: a pointer and a length, never owning, not NUL-terminated.
 *
 * Bytes, not characters; may hold NUL.  An absent value is STR_NULL (p is NULL), an empty one has len 0.
 * Case-insensitive means ASCII only. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct str {
    const char *p;
    size_t len;
};

#define STR(literal) ((struct str){ "" literal, sizeof(literal) - 1 })
#define STR_NULL ((struct str){ NULL, 0 })
/* printf("%.*s", STR_ARG(s)) */
#define STR_ARG(s) (int)(s).len, (s).p != NULL ? (s).p : ""

static inline struct str str_of(const char *p, size_t len)
{
    return (struct str){ p, len };
}

/* A view of a C string; NULL gives STR_NULL. */
static inline struct str str_c(const char *cstring)
{
    return (struct str){ cstring, cstring != NULL ? strlen(cstring) : 0 };
}

static inline bool str_eq(struct str a, struct str b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.p, b.p, a.len) == 0);
}

static inline char ascii_lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c + 32) : c;
}

static inline char ascii_upper(char c)
{
    return c >= 'a' && c <= 'z' ? (char)(c - 32) : c;
}

static inline bool ascii_digit(char c)
{
    return c >= '0' && c <= '9';
}

static inline bool ascii_alpha(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static inline bool ascii_alnum(char c)
{
    return ascii_digit(c) || ascii_alpha(c);
}

bool str_ieq(struct str a, struct str b);
bool str_starts(struct str s, struct str prefix);
bool str_istarts(struct str s, struct str prefix);
bool str_ends(struct str s, struct str suffix);
bool str_iends(struct str s, struct str suffix);

/* memcmp order, the shorter first: for qsort and sorted tables. */
int str_cmp(struct str a, struct str b);
int str_icmp(struct str a, struct str b);

/* The part of s from `from` on (both clamped to s), at most len bytes. */
struct str str_sub(struct str s, size_t from, size_t len);

static inline struct str str_from(struct str s, size_t from)
{
    return str_sub(s, from, SIZE_MAX);
}

/* Index of the first / last c in s, SIZE_MAX if none. */
size_t str_chr(struct str s, char c);
size_t str_rchr(struct str s, char c);

/* Index of the first needle in s, SIZE_MAX if none; the second ignores ASCII case. */
size_t str_find(struct str s, struct str needle);
size_t str_ifind(struct str s, struct str needle);

/* Without spaces, tabs, CR and LF at both ends. */
struct str str_trim(struct str s);

/* Takes from *rest the piece before the next sep and the sep with it; false when *rest was exhausted.
 * "a,,b" gives "a", "", "b"; "" gives nothing. */
bool str_split(struct str *rest, char sep, struct str *ret_piece);

/* Takes the next run of non-blank bytes from *rest; false when there is none. */
bool str_word(struct str *rest, struct str *ret_word);

/* All of s as a decimal number without sign, at most `max`; false if it is none or is larger. */
bool str_u64(struct str s, uint64_t max, uint64_t *ret_value);

/* A number of bytes ("50 MiB", "256k", "10MB", "1000") or a duration ("1m", "15m", "4h", "5d", "90s") in seconds. */
bool str_size(struct str s, uint64_t *ret_bytes);
bool str_duration(struct str s, uint64_t *ret_seconds);

/* True when s is well-formed UTF-8 (RFC 3629) without NUL. */
bool str_is_utf8(struct str s);
bool str_is_ascii(struct str s);

/* FNV-1a; for tables inside the process, not against attackers. */
uint64_t str_hash(struct str s);
