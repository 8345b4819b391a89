#include "auth/throttle.h"
#include "base/macros.h"

#define SLOTS 8192
#define FREE_TRIES 8
#define MAX_WAIT_MS 60000
#define FORGET_MS (15 * 60 * 1000)

struct slot {
    uint64_t key;
    unsigned fails;
    int64_t last, until;
};

static struct slot slots[SLOTS];

/* The network of an address: IPv4 /24, IPv6 /64 in its text form, which is near enough for a table of hashes. */
static struct str network_of(struct str ip)
{
    size_t colons = 0, dot = str_rchr(ip, '.');

    if (dot != SIZE_MAX)
        return str_sub(ip, 0, dot);
    for (size_t i = 0; i < ip.len; i++) {
        if (ip.p[i] == ':' && ++colons == 4)
            return str_sub(ip, 0, i);
    }
    return ip;
}

static struct slot *find(struct str user, struct str ip, int64_t now_ms)
{
    uint64_t key = str_hash(user) * 31 + str_hash(network_of(ip)) + 1;
    struct slot *s = &slots[key % SLOTS];

    if (s->key != key || now_ms - s->last > FORGET_MS)
        *s = (struct slot){ .key = key, .last = now_ms };
    return s;
}

int64_t throttle_wait_ms(struct str user, struct str ip, int64_t now_ms)
{
    const struct slot *s = find(user, ip, now_ms);

    return s->until > now_ms ? s->until - now_ms : 0;
}

void throttle_failed(struct str user, struct str ip, int64_t now_ms)
{
    struct slot *s = find(user, ip, now_ms);

    s->fails++;
    s->last = now_ms;
    if (s->fails > FREE_TRIES) {
        unsigned doubled = MIN(s->fails - FREE_TRIES, 6u);

        s->until = now_ms + MIN((int64_t)1000 << doubled, (int64_t)MAX_WAIT_MS);
    }
}

void throttle_succeeded(struct str user, struct str ip)
{
    *find(user, ip, 0) = (struct slot){ 0 };
}
