#include "smtp/recent.h"

#define SLOTS 1024
#define KEEP_MS 1000
#define KEY_MAX 120 /* a longer address is asked for each time */

static struct slot {
    char key[KEY_MAX];
    size_t len;
    int64_t until;
    struct route_facts facts;
    char address[KEY_MAX]; /* of the account */
} slots[SLOTS];

enum result recent_routing(struct db *db, struct str local, struct str domain, struct arena *a, struct route_facts *ret)
{
    struct str key = arena_lower(a, arena_printf(a, "%.*s@%.*s", STR_ARG(local), STR_ARG(domain)));
    struct slot *s = &slots[str_hash(key) % SLOTS];
    enum result r;

    if (s->until > loop_now() && str_eq(str_of(s->key, s->len), key)) {
        *ret = s->facts;
        ret->address = arena_str(a, ret->address);
        return RES_OK;
    }
    r = routing_find(db, local, domain, a, ret);
    if (r == RES_OK && ret->kind == FACT_ACCOUNT && ret->n_forward == 0 && key.len <= KEY_MAX && ret->address.len <= KEY_MAX) {
        memcpy(s->key, key.p, key.len);
        s->len = key.len;
        s->facts = *ret;
        s->facts.forward = NULL;
        memcpy(s->address, ret->address.p, ret->address.len);
        s->facts.address.p = s->address;
        s->until = deadline_in(KEEP_MS);
    }
    return r;
}
