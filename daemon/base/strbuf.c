#include "base/strbuf.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

void strbuf_release(struct strbuf *b)
{
    size_t max = b->max;

    free(b->p);
    *b = (struct strbuf){ .max = max };
}

void strbuf_reset(struct strbuf *b)
{
    b->len = 0;
    b->overflow = false;
    if (b->p != NULL)
        b->p[0] = '\0';
}

char *strbuf_room(struct strbuf *b, size_t n)
{
    size_t cap;

    if (b->overflow || n > SIZE_MAX / 2 - b->len || (b->max != 0 && n > b->max - b->len)) {
        b->overflow = true;
        return NULL;
    }
    if (b->cap >= b->len + n + 1)
        return b->p + b->len;
    cap = MAX(b->cap * 2, b->len + n + 1);
    cap = MAX(cap, (size_t)64);
    b->p = realloc(b->p, cap);
    if (b->p == NULL) {
        fprintf(stderr, "out of memory: could not get %zu bytes\n", cap);
        abort();
    }
    b->cap = cap;
    return b->p + b->len;
}

enum result strbuf_add(struct strbuf *b, struct str s)
{
    char *p = strbuf_room(b, s.len);

    if (p == NULL)
        return RES_LIMIT;
    if (s.len > 0)
        memcpy(p, s.p, s.len);
    b->len += s.len;
    b->p[b->len] = '\0';
    return RES_OK;
}

enum result strbuf_addc(struct strbuf *b, char c)
{
    return strbuf_add(b, str_of(&c, 1));
}

enum result strbuf_vaddf(struct strbuf *b, const char *fmt, va_list ap)
{
    va_list again;
    int n;
    char *p;

    va_copy(again, ap);
    n = vsnprintf(NULL, 0, fmt, again);
    va_end(again);
    assert(n >= 0);
    p = strbuf_room(b, (size_t)n);
    if (p == NULL)
        return RES_LIMIT;
    vsnprintf(p, (size_t)n + 1, fmt, ap);
    b->len += (size_t)n;
    return RES_OK;
}

enum result strbuf_addf(struct strbuf *b, const char *fmt, ...)
{
    va_list ap;
    enum result r;

    va_start(ap, fmt);
    r = strbuf_vaddf(b, fmt, ap);
    va_end(ap);
    return r;
}
