#include "smtp/recent.h"

#define SLOTS 1024
#define KEEP_MS 1000
#define KEY_MAX 120 /* a longer address is asked for each time */

static struct slot {
    char key[KEY_MAX];
    size_t len;
    int64_t until;
    struct routing route;
} slots[SLOTS];

enum result recent_routing(struct db *db, struct str local, struct str domain, struct arena *a, struct routing *ret)
{
    struct str key = arena_lower(a, arena_printf(a, "%.*s@%.*s", STR_ARG(local), STR_ARG(domain)));
    struct slot *s = &slots[str_hash(key) % SLOTS];
    enum result r;

    if (s->until > loop_now() && str_eq(str_of(s->key, s->len), key)) {
        *ret = s->route;
        return RES_OK;
    }
    r = routing_find(db, local, domain, a, ret);
    if (r == RES_OK && ret->kind == ROUTING_ACCOUNT && key.len <= KEY_MAX) {
        memcpy(s->key, key.p, key.len);
        s->len = key.len;
        s->route = *ret; /* an account's holds nothing in the arena */
        s->until = deadline_in(KEEP_MS);
    }
    return r;
}
