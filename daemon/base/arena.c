#include "base/arena.h"

#include <assert.h>
#include <stdalign.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#define CHUNK_SIZE ((size_t)4096 - 32)

struct arena_chunk {
    struct arena_chunk *next;
    size_t cap, used;
    alignas(max_align_t) char data[];
};

static _Noreturn void out_of_memory(size_t len)
{
    fprintf(stderr, "out of memory: could not get %zu bytes\n", len);
    abort();
}

void arena_reset(struct arena *a)
{
    struct arena_chunk *c = a->head;

    while (c != NULL) {
        struct arena_chunk *next = c->next;

        free(c);
        c = next;
    }
    a->head = NULL;
    a->used = 0;
}

static struct arena_chunk *add_chunk(struct arena *a, size_t len)
{
    size_t cap = len > CHUNK_SIZE / 4 ? len : CHUNK_SIZE;
    struct arena_chunk *c;

    if (cap > SIZE_MAX - sizeof(*c))
        out_of_memory(len);
    c = malloc(sizeof(*c) + cap);
    if (c == NULL)
        out_of_memory(len);
    c->cap = cap;
    c->used = 0;
    if (cap != CHUNK_SIZE && a->head != NULL) { /* a big one goes behind the open chunk, which may have room left */
        c->next = a->head->next;
        a->head->next = c;
    } else {
        c->next = a->head;
        a->head = c;
    }
    return c;
}

void *arena_alloc(struct arena *a, size_t len)
{
    size_t want = (len + alignof(max_align_t) - 1) & ~(alignof(max_align_t) - 1);
    struct arena_chunk *c = a->head;
    char *p;

    if (want < len)
        out_of_memory(len);
    if (c == NULL || c->cap - c->used < want)
        c = add_chunk(a, want);
    p = c->data + c->used;
    c->used += want;
    a->used += want;
    memset(p, 0, want);
    return p;
}

void *arena_alloc_array(struct arena *a, size_t size, size_t n)
{
    size_t len;

    if (__builtin_mul_overflow(size, n, &len))
        out_of_memory(SIZE_MAX);
    return arena_alloc(a, len);
}

void *arena_grow(struct arena *a, void *v, size_t n, size_t *cap, size_t size)
{
    void *larger;

    if (n < *cap)
        return v;
    *cap = *cap == 0 ? 4 : *cap * 2;
    larger = arena_alloc_array(a, size, *cap);
    if (n > 0)
        memcpy(larger, v, n * size);
    return larger;
}

struct str arena_str(struct arena *a, struct str s)
{
    char *p;

    if (s.p == NULL)
        return STR_NULL;
    p = arena_alloc(a, s.len + 1);
    memcpy(p, s.p, s.len);
    return str_of(p, s.len);
}

char *arena_cstr(struct arena *a, struct str s)
{
    char *p = arena_alloc(a, s.len + 1);

    if (s.len > 0)
        memcpy(p, s.p, s.len);
    return p;
}

struct str arena_lower(struct arena *a, struct str s)
{
    char *p = arena_alloc(a, s.len + 1);

    for (size_t i = 0; i < s.len; i++)
        p[i] = ascii_lower(s.p[i]);
    return str_of(p, s.len);
}

struct str arena_printf(struct arena *a, const char *fmt, ...)
{
    va_list ap;
    int n;
    char *p;

    va_start(ap, fmt);
    n = vsnprintf(NULL, 0, fmt, ap);
    va_end(ap);
    assert(n >= 0);
    p = arena_alloc(a, (size_t)n + 1);
    va_start(ap, fmt);
    vsnprintf(p, (size_t)n + 1, fmt, ap);
    va_end(ap);
    return str_of(p, (size_t)n);
}
