/* base/arena.h - memory that is freed in one go.
 *
 * Three lifetimes in this program: the command, the session, the process; the first two are arenas.
 * arena_alloc never returns NULL: it logs and aborts.  So no size that a client chooses reaches it unchecked:
 * client bytes go into a strbuf with a maximum first. */
#pragma once
#include "base/macros.h"
#include "base/str.h"

struct arena {
    struct arena_chunk *head; /* newest first; all zero is an empty arena */
    size_t used;              /* bytes handed out since the last reset */
};

/* Frees everything; the arena is empty and may be used again. */
void arena_reset(struct arena *a);

static inline void arena_releasep(struct arena *a)
{
    arena_reset(a);
}

/* len bytes, zeroed, aligned for any type.  Never NULL; len 0 is fine. */
void *arena_alloc(struct arena *a, size_t len) __attribute__((malloc, returns_nonnull));
#define arena_new(a, type) ((type *)arena_alloc((a), sizeof(type)))
#define arena_array(a, type, n) ((type *)arena_alloc_array((a), sizeof(type), (n)))
void *arena_alloc_array(struct arena *a, size_t size, size_t n) __attribute__((returns_nonnull));

/* Room for one more behind the n elements of v: v itself, or a larger copy of it.  v NULL and *cap 0: nothing yet. */
void *arena_grow(struct arena *a, void *v, size_t n, size_t *cap, size_t size) __attribute__((returns_nonnull));
/* A copy of s in the arena; a NUL follows it, so .p is also a C string if s holds none.  STR_NULL stays so. */
struct str arena_str(struct arena *a, struct str s);
/* The same as a C string; never NULL. */
char *arena_cstr(struct arena *a, struct str s);
/* Lower case by ASCII. */
struct str arena_lower(struct arena *a, struct str s);
struct str arena_printf(struct arena *a, const char *fmt, ...) PRINTF_LIKE(2, 3);
