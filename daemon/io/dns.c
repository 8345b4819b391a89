/* io/dns.c - look-ups with c-ares and a cache.
 *
 * An entry of the cache is one question: under way (`waiting` holds the coroutines that share it), answered, or failed
 * a moment ago.  Entries that somebody uses are never evicted; the others go, the least recently used first. */
#include "io/dns.h"

#include "base/log.h"
#include "io/dns_channel.h"

#include <arpa/inet.h>
#include <arpa/nameser.h>
#include <assert.h>
#include <netinet/in.h>
#include <stdlib.h>

#define QUERY_TIMEOUT_MS 2000 /* of the first try; c-ares doubles it for each round */
#define QUERY_TRIES 3
#define MIN_TTL_S 1
#define MAX_TTL_S 3600
#define FAILED_TTL_S 5
#define MAX_ALIASES 8 /* questions for one look-up */
#define BUCKETS 4096

struct entry {
    struct entry *next;              /* in its bucket */
    struct entry *newer, *older;     /* by last use */
    struct arena arena;              /* name, answer */
    struct str name;                 /* lower case */
    unsigned type, users;
    bool pending, detached;          /* detached: not in the table any more, the last user frees it */
    int64_t expires;
    struct waitlist waiting;
    struct dns_parsed answer;
};

static struct {
    struct dns_channel *channel; /* NULL: not yet, or not any more */
    struct str servers;
    struct arena arena; /* servers */
    struct entry *buckets[BUCKETS];
    struct entry *newest, *oldest;
    unsigned entries;
} dns;

enum result dns_init(struct str servers)
{
    const struct dns_channel_options options = { .servers = servers, .timeout_ms = QUERY_TIMEOUT_MS, .tries = QUERY_TRIES,
                                                 .recursive = true };

    if (ares_library_init(ARES_LIB_INIT_ALL) != ARES_SUCCESS)
        return RES_INVALID;
    dns.servers = arena_str(&dns.arena, servers);
    return dns_channel_new(&options, &dns.channel);
}

struct str dns_servers(void)
{
    return dns.servers;
}

/* ---- the cache ---- */

static struct entry **bucket_of(struct str name, unsigned type)
{
    return &dns.buckets[(str_hash(name) ^ type) % BUCKETS];
}

static void unlink_use(struct entry *e)
{
    *(e->newer != NULL ? &e->newer->older : &dns.newest) = e->older;
    *(e->older != NULL ? &e->older->newer : &dns.oldest) = e->newer;
}

static void link_newest(struct entry *e)
{
    e->newer = NULL;
    e->older = dns.newest;
    *(dns.newest != NULL ? &dns.newest->newer : &dns.oldest) = e;
    dns.newest = e;
}

static void entry_free(struct entry *e)
{
    struct arena arena = e->arena;

    arena_reset(&arena);
    free(e);
}

/* Takes e out of the table. */
static void detach(struct entry *e)
{
    struct entry **at = bucket_of(e->name, e->type);

    while (*at != e)
        at = &(*at)->next;
    *at = e->next;
    unlink_use(e);
    dns.entries--;
    e->detached = true;
    if (e->users == 0)
        entry_free(e);
}

static void put(struct entry *e)
{
    if (--e->users == 0 && e->detached)
        entry_free(e);
}

static bool make_room(void)
{
    struct entry *e = dns.oldest;

    if (dns.entries < DNS_MAX_CACHE)
        return true;
    while (e != NULL && e->users > 0)
        e = e->newer;
    if (e == NULL)
        return false;
    detach(e);
    return true;
}

static void on_answer(void *arg, int status, int timeouts, unsigned char *packet, int len)
{
    struct entry *e = arg;
    int64_t ttl = FAILED_TTL_S;

    (void)timeouts;
    e->answer.result = RES_TEMPFAIL;
    if (packet != NULL && (status == ARES_SUCCESS || status == ARES_ENODATA || status == ARES_ENOTFOUND))
        dns_parse(str_of((const char *)packet, (size_t)len), e->name, e->type, &e->arena, &e->answer);
    if (e->answer.result == RES_TEMPFAIL)
        log_debug("dns-failed", F_STR("name", e->name), F_INT("type", e->type), F_C("error", ares_strerror(status)));
    else
        ttl = MAX(MIN_TTL_S, MIN(MAX_TTL_S, (int64_t)e->answer.ttl_s));
    e->expires = deadline_in(ttl * 1000);
    e->pending = false;
    waitlist_wake_all(&e->waiting);
    put(e);
}

/* The entry for a question, asked when it is not known; NULL: the cache is full of questions.  The caller puts it. */
static struct entry *ask(struct str name, unsigned type)
{
    CLEANUP(arena_releasep) struct arena a = { 0 };
    struct str lower = arena_lower(&a, name);
    struct entry *e = *bucket_of(lower, type);

    while (e != NULL && !(e->type == type && str_eq(e->name, lower)))
        e = e->next;
    if (e != NULL && !e->pending && loop_now() >= e->expires) {
        detach(e);
        e = NULL;
    }
    if (e != NULL) {
        e->users++;
        unlink_use(e);
        link_newest(e);
        return e;
    }
    if (!make_room())
        return NULL;
    e = calloc(1, sizeof(*e));
    if (e == NULL)
        abort();
    e->name = arena_str(&e->arena, lower);
    e->type = type;
    e->pending = true;
    e->users = 2; /* the caller, and the query */
    e->next = *bucket_of(lower, type);
    *bucket_of(lower, type) = e;
    link_newest(e);
    dns.entries++;
    dns_channel_query(dns.channel, arena_cstr(&e->arena, e->name), type, on_answer, e);
    return e;
}

static void wait_answer(struct entry *e)
{
    while (e->pending) {
        enum result r = waitlist_wait(&e->waiting, NO_DEADLINE, false); /* c-ares has its own time limits */

        assert(r == RES_OK);
    }
}

void dns_release(void)
{
    struct dns_channel *channel = dns.channel;

    if (channel == NULL)
        return;
    dns.channel = NULL;
    dns_channel_free(channel);
    ares_library_cleanup();
    while (dns.oldest != NULL)
        detach(dns.oldest);
    arena_reset(&dns.arena);
    dns.servers = STR_NULL;
}

/* Asks, and asks for the name behind an alias when the server did not.  *ret is put by the caller. */
static enum result resolve(struct str name, unsigned type, struct entry **ret)
{
    struct entry *e = ask(name, type);

    for (int i = 0; e != NULL; i++) {
        struct entry *next;

        wait_answer(e);
        if (e->answer.result != RES_NOTFOUND || str_ieq(e->answer.mx.canonical, e->name) || i == MAX_ALIASES ||
            dns.channel == NULL)
            break;
        next = ask(e->answer.mx.canonical, type);
        put(e);
        e = next;
    }
    if (e == NULL)
        return RES_TEMPFAIL;
    *ret = e;
    return e->answer.result;
}

enum result dns_mx(struct str name, struct arena *a, struct dns_mx_answer *ret)
{
    struct entry *e = NULL;
    struct dns_mx *v;
    enum result r;

    if (!dns_is_name(name))
        return RES_INVALID;
    if (dns.channel == NULL)
        return RES_TEMPFAIL;
    r = resolve(name, ns_t_mx, &e);
    if (r == RES_OK) {
        *ret = e->answer.mx;
        ret->canonical = arena_str(a, ret->canonical);
        v = arena_array(a, struct dns_mx, ret->n);
        for (size_t i = 0; i < ret->n; i++)
            v[i] = (struct dns_mx){ ret->v[i].preference, arena_str(a, ret->v[i].host) };
        ret->v = v;
    }
    if (e != NULL)
        put(e);
    return r;
}

/* "192.0.2.1", "2001:db8::1", and localhost (RFC 6761, 6.3): no question for the DNS. */
static bool without_dns(struct str name, struct arena *a, struct dns_addresses *ret)
{
    struct sockaddr_in in = { .sin_family = AF_INET };
    struct sockaddr_in6 in6 = { .sin6_family = AF_INET6 };
    struct sockaddr_storage *v = arena_new(a, struct sockaddr_storage);
    char text[INET6_ADDRSTRLEN];

    if (str_ieq(name, STR("localhost")))
        name = STR("127.0.0.1");
    if (name.len == 0 || name.len >= sizeof(text))
        return false;
    memcpy(text, name.p, name.len);
    text[name.len] = '\0';
    if (inet_pton(AF_INET, text, &in.sin_addr) == 1)
        memcpy(v, &in, sizeof(in));
    else if (inet_pton(AF_INET6, text, &in6.sin6_addr) == 1)
        memcpy(v, &in6, sizeof(in6));
    else
        return false;
    *ret = (struct dns_addresses){ .v = v, .n = 1, .ttl_s = MAX_TTL_S };
    return true;
}

enum result dns_addresses(struct str name, struct arena *a, struct dns_addresses *ret)
{
    struct entry *e6 = NULL, *e4 = NULL, *early;
    struct sockaddr_storage *v;
    enum result r6, r4;
    size_t n6, n4;

    if (without_dns(name, a, ret))
        return RES_OK;
    if (!dns_is_name(name))
        return RES_INVALID;
    if (dns.channel == NULL)
        return RES_TEMPFAIL;
    early = ask(name, ns_t_a); /* so that both are under way */
    r6 = resolve(name, ns_t_aaaa, &e6);
    r4 = resolve(name, ns_t_a, &e4);
    n6 = r6 == RES_OK ? e6->answer.addresses.n : 0;
    n4 = r4 == RES_OK ? e4->answer.addresses.n : 0;
    if (n6 + n4 > 0) {
        v = arena_array(a, struct sockaddr_storage, n6 + n4);
        if (n6 > 0)
            memcpy(v, e6->answer.addresses.v, n6 * sizeof(*v));
        if (n4 > 0)
            memcpy(v + n6, e4->answer.addresses.v, n4 * sizeof(*v));
        *ret = (struct dns_addresses){ .v = v, .n = n6 + n4,
                                       .ttl_s = MIN(n6 > 0 ? e6->answer.ttl_s : UINT32_MAX,
                                                    n4 > 0 ? e4->answer.ttl_s : UINT32_MAX) };
    }
    for (size_t i = 0; i < 3; i++) {
        struct entry *e = ((struct entry *[]){ early, e6, e4 })[i];

        if (e != NULL)
            put(e);
    }
    if (n6 + n4 > 0)
        return RES_OK;
    return r6 == RES_NOTFOUND && r4 == RES_NOTFOUND ? RES_NOTFOUND : RES_TEMPFAIL;
}
