/* base/strbuf.h - a growing byte string on the heap with a maximum.
 *
 * What a client can make grow is built here: an addition that would pass the maximum changes nothing, marks the
 * buffer as overflowed, and every later addition fails too, so one check at the end is enough.  A zeroed strbuf
 * with .max set is empty and valid; .max 0 means no limit (only for what we alone size). */
#pragma once
#include "base/macros.h"
#include "base/result.h"
#include "base/str.h"

#include <stdarg.h>

struct strbuf {
    char *p; /* NUL-terminated when not NULL */
    size_t len, cap, max;
    bool overflow;
};

void strbuf_release(struct strbuf *b);
/* Empties it and keeps the memory; clears the overflow. */
void strbuf_reset(struct strbuf *b);

/* RES_LIMIT when the maximum would be passed (or was). */
enum result strbuf_add(struct strbuf *b, struct str s);
enum result strbuf_addc(struct strbuf *b, char c);
enum result strbuf_addf(struct strbuf *b, const char *fmt, ...) PRINTF_LIKE(2, 3);
enum result strbuf_vaddf(struct strbuf *b, const char *fmt, va_list ap) PRINTF_LIKE(2, 0);
#define strbuf_adds(b, literal) strbuf_add((b), STR(literal))

/* Room for n more bytes at b->p + b->len; the caller then adds what it wrote to b->len.  NULL: the maximum. */
char *strbuf_room(struct strbuf *b, size_t n);

static inline struct str strbuf_str(const struct strbuf *b)
{
    return str_of(b->p != NULL ? b->p : "", b->len);
}
