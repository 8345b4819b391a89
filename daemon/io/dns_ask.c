#include "io/dns_ask.h"
#include "base/strbuf.h"
#include "io/dns_channel.h"

#include <arpa/inet.h>
#include <arpa/nameser.h>
#include <netinet/in.h>

#define TIMEOUT_MS 1000 /* a server; the next one is asked then */
#define MAX_SERVERS 3
#define MAX_LEVELS 8

struct asking {
    struct arena *a;
    struct coroutine *waiter;
    size_t open;
};

struct asked {
    struct asking *all;
    struct dns_question *question;
};

static void on_answer(void *arg, int status, int timeouts, unsigned char *packet, int len)
{
    struct asked *one = arg;
    struct dns_question *q = one->question;

    (void)timeouts;
    q->result = RES_TEMPFAIL;
    if (packet != NULL && (status == ARES_SUCCESS || status == ARES_ENODATA || status == ARES_ENOTFOUND))
        q->result = dns_parse_texts(str_of((const char *)packet, (size_t)len), q->name, q->type, one->all->a, &q->records, &q->n);
    if (--one->all->open == 0)
        coroutine_wake(one->all->waiter);
}

void dns_ask(const struct dns_zone *zone, struct dns_question *v, size_t n, struct arena *a)
{
    const struct dns_channel_options options = { .servers = zone != NULL ? zone->servers : dns_servers(), .timeout_ms = TIMEOUT_MS,
                                                 .tries = zone != NULL ? 1 : 2, .recursive = zone == NULL };
    struct asking all = { .a = a, .waiter = coroutine_self(), .open = n };
    struct asked *asked = arena_array(a, struct asked, n);
    struct dns_channel *channel;

    for (size_t i = 0; i < n; i++)
        v[i].result = RES_TEMPFAIL;
    if (n == 0 || dns_channel_new(&options, &channel) != RES_OK)
        return;
    for (size_t i = 0; i < n; i++) {
        asked[i] = (struct asked){ &all, &v[i] };
        if (dns_is_name(v[i].name))
            dns_channel_query(channel, arena_cstr(a, v[i].name), v[i].type, on_answer, &asked[i]);
        else
            all.open--;
    }
    while (all.open > 0)
        (void)coroutine_wait(NO_DEADLINE, false); /* c-ares has its own time limits */
    dns_channel_free(channel);
}

/* Addresses of the first servers that have one, with the port. */
static enum result find_servers(struct dns_zone *zone, unsigned port, struct arena *a)
{
    CLEANUP(strbuf_release) struct strbuf b = { .max = 1000 };
    size_t n = 0;

    for (size_t i = 0; i < zone->n_hosts && n < MAX_SERVERS; i++) {
        struct dns_addresses found;
        char text[INET6_ADDRSTRLEN];

        if (dns_addresses(zone->hosts[i], a, &found) != RES_OK)
            continue;
        for (size_t k = 0; k < found.n && n < MAX_SERVERS; k++) {
            const struct sockaddr_in *in = (const void *)&found.v[k];

            if (in->sin_family != AF_INET || inet_ntop(AF_INET, &in->sin_addr, text, sizeof(text)) == NULL)
                continue; /* a host may have no way to IPv6; every zone is served over IPv4, too */
            (void)strbuf_addf(&b, "%s%s:%u", n > 0 ? "," : "", text, port);
            n++;
        }
    }
    zone->servers = arena_str(a, strbuf_str(&b));
    return n > 0 ? RES_OK : RES_NOTFOUND;
}

enum result dns_zone_find(struct str name, unsigned port, struct arena *a, struct dns_zone *ret)
{
    enum result r = RES_NOTFOUND;

    if (!dns_is_name(name))
        return RES_INVALID;
    for (int level = 0; level < MAX_LEVELS && r == RES_NOTFOUND && str_chr(name, '.') != SIZE_MAX; level++) {
        struct dns_question q = { .name = name, .type = ns_t_ns };

        dns_ask(NULL, &q, 1, a);
        r = q.result;
        *ret = (struct dns_zone){ .name = name, .hosts = q.records, .n_hosts = q.n };
        name = str_from(name, str_chr(name, '.') + 1);
    }
    return r == RES_OK ? find_servers(ret, port, a) : r;
}

struct str dns_reverse_name(const struct sockaddr_storage *address, struct arena *a)
{
    CLEANUP(strbuf_release) struct strbuf b = { .max = 100 };

    if (address->ss_family == AF_INET) {
        const unsigned char *p = (const void *)&((const struct sockaddr_in *)(const void *)address)->sin_addr;

        return arena_printf(a, "%u.%u.%u.%u.in-addr.arpa", p[3], p[2], p[1], p[0]);
    }
    for (int i = 15; i >= 0; i--) {
        unsigned byte = ((const struct sockaddr_in6 *)(const void *)address)->sin6_addr.s6_addr[i];

        (void)strbuf_addf(&b, "%x.%x.", byte & 15, byte >> 4);
    }
    (void)strbuf_adds(&b, "ip6.arpa");
    return arena_str(a, strbuf_str(&b));
}
