#include "filter/cache.h"
#include "base/macros.h"
#include "filter/compile.h"

#include <stdlib.h>
#include <string.h>

#define BUCKETS 1024
#define MAX_BYTES ((size_t)64 << 20)       /* of arenas; a script that somebody holds does not count against it */

struct filter_entry {
    unsigned char hash[SCRIPT_HASH_BYTES];
    struct arena arena;
    struct sieve_script *script; /* NULL: it does not compile */
    struct sieve_error error;
    unsigned holders;
    struct filter_entry *next;           /* in its bucket */
    struct filter_entry *newer, *older;  /* by their last use */
};

static struct {
    struct filter_entry *buckets[BUCKETS];
    struct filter_entry *newest, *oldest;
    size_t bytes;
} cache;

static struct filter_entry **place_of(const unsigned char *hash)
{
    return &cache.buckets[(hash[0] | (unsigned)hash[1] << 8) % BUCKETS];
}

static struct filter_entry *find(const unsigned char *hash)
{
    struct filter_entry *e = *place_of(hash);

    while (e != NULL && memcmp(e->hash, hash, SCRIPT_HASH_BYTES) != 0)
        e = e->next;
    return e;
}

static void take_out(struct filter_entry *e)
{
    *(e->newer != NULL ? &e->newer->older : &cache.newest) = e->older;
    *(e->older != NULL ? &e->older->newer : &cache.oldest) = e->newer;
}

static void put_first(struct filter_entry *e)
{
    e->newer = NULL;
    e->older = cache.newest;
    *(cache.newest != NULL ? &cache.newest->newer : &cache.oldest) = e;
    cache.newest = e;
}

static void drop(struct filter_entry *e)
{
    struct filter_entry **at = place_of(e->hash);

    while (*at != e)
        at = &(*at)->next;
    *at = e->next;
    take_out(e);
    cache.bytes -= e->arena.used;
    arena_reset(&e->arena);
    free(e);
}

static void make_room(void)
{
    struct filter_entry *e = cache.oldest;

    while (e != NULL && cache.bytes > MAX_BYTES) {
        struct filter_entry *newer = e->newer;

        if (e->holders == 0)
            drop(e);
        e = newer;
    }
}

static struct filter_entry *add(const unsigned char *hash, struct str text)
{
    struct filter_entry *e = calloc(1, sizeof(*e)), *present;

    if (e == NULL)
        abort();
    memcpy(e->hash, hash, SCRIPT_HASH_BYTES);
    if (filter_compile(text, &e->arena, &e->script, &e->error) != RES_OK)
        e->script = NULL;
    present = find(hash); /* somebody else was faster */
    if (present != NULL) {
        arena_reset(&e->arena);
        free(e);
        return present;
    }
    e->next = *place_of(e->hash);
    *place_of(e->hash) = e;
    put_first(e);
    cache.bytes += e->arena.used;
    return e;
}

enum result filter_acquire(struct db *db, const struct script_ref *ref, struct filter_script *ret)
{
    struct filter_entry *e = find(ref->hash);

    if (e == NULL) {
        CLEANUP(arena_releasep) struct arena a = { 0 };
        unsigned char hash[SCRIPT_HASH_BYTES];
        struct str text;
        enum result r = script_content(db, ref->id, &a, &text, hash);

        if (r != RES_OK)
            return r;
        e = add(hash, text);
    }
    take_out(e);
    put_first(e);
    e->holders++;
    make_room();
    *ret = (struct filter_script){ .script = e->script, .error = e->error, .entry = e };
    return RES_OK;
}

void filter_release(struct filter_script *s)
{
    if (s->entry != NULL)
        s->entry->holders--;
    *s = (struct filter_script){ 0 };
}
