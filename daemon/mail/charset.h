/* mail/charset.h - any charset to UTF-8.  Nothing fails: what cannot be converted becomes U+FFFD.
 *
 * Only charsets from a list go to iconv, under the name that the list gives: its rarer converters have had holes. */
#pragma once
#include "base/arena.h"
#include "base/str.h"

/* s as valid UTF-8 without NUL.  An empty name means US-ASCII or UTF-8.  An unknown charset is taken for UTF-8 when
 * the bytes are that, else for Windows-1252 (a superset of ISO-8859-1). */
struct str charset_to_utf8(struct arena *a, struct str s, struct str charset);

/* s as it is when it is valid UTF-8 without NUL (then a view of it), else with U+FFFD for each bad byte and NUL. */
struct str utf8_clean(struct arena *a, struct str s);

/* At most n bytes / n code points of the valid UTF-8 s, never cutting a character. */
struct str utf8_cut_bytes(struct str s, size_t n);
struct str utf8_cut_chars(struct str s, size_t n);

/* Writes one code point at p (room for 4 bytes), returns its length. */
size_t utf8_put(char *p, uint32_t c);
