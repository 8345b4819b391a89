/* relay/target.c - from a destination to hosts with addresses. */
#include "relay/target.h"

#include "base/encode.h"
#include "relay/self.h"
#include "store/queue.h"

#include <arpa/inet.h>
#include <idn2.h>
#include <netinet/in.h>
#include <stdlib.h>

struct resolver {
    struct service *service;
    struct arena *a;
    struct target *target;
    struct verdict *why;
    unsigned port;
};

static enum result never(struct resolver *r, int code, const char *enhanced, struct str reason, struct str text)
{
    *r->why = (struct verdict){ .kind = VERDICT_NEVER, .phase = PHASE_DNS, .reason = reason, .code = code,
                                .enhanced = str_c(enhanced), .text = text };
    return RES_INVALID;
}

static enum result later(struct resolver *r, struct str text)
{
    *r->why = (struct verdict){ .kind = VERDICT_LATER, .phase = PHASE_DNS, .reason = REASON_DNS_FAILED, .code = 0,
                                .enhanced = STR("4.4.3"), .text = text };
    return RES_TEMPFAIL;
}

/* ---- pure ---- */

static uint64_t random_next(uint64_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state;
}

static int compare_preference(const void *a, const void *b)
{
    unsigned x = ((const struct target_host *)a)->preference, y = ((const struct target_host *)b)->preference;

    return (x > y) - (x < y);
}

void target_order(struct target_host *v, size_t n, uint64_t *random)
{
    for (size_t i = n; i > 1; i--) { /* all in random order; the sort that follows keeps equal ones together */
        size_t k = (size_t)(random_next(random) % i);
        struct target_host one = v[i - 1];

        v[i - 1] = v[k];
        v[k] = one;
    }
    if (n > 1)
        qsort(v, n, sizeof(*v), compare_preference);
}

size_t target_cut_loops(struct target_host *v, size_t n, bool (*is_self)(void *arg, const struct target_host *host),
                        void *arg)
{
    for (size_t i = 0; i < n; i++) {
        if (!is_self(arg, &v[i]))
            continue;
        while (i > 0 && v[i - 1].preference == v[i].preference)
            i--;
        return i;
    }
    return n;
}

/* ---- hosts ---- */

static void set_ports(struct sockaddr_storage *v, size_t n, unsigned port)
{
    for (size_t i = 0; i < n; i++) {
        if (v[i].ss_family == AF_INET)
            ((struct sockaddr_in *)(void *)&v[i])->sin_port = htons((uint16_t)port);
        else
            ((struct sockaddr_in6 *)(void *)&v[i])->sin6_port = htons((uint16_t)port);
    }
}

/* Fills in the host's addresses with the port. */
static enum result find_addresses(struct resolver *r, struct target_host *host)
{
    struct dns_addresses found;
    struct sockaddr_storage *v;
    enum result res = dns_addresses(host->name, r->a, &found);

    if (res != RES_OK)
        return res;
    v = arena_array(r->a, struct sockaddr_storage, found.n);
    memcpy(v, found.v, found.n * sizeof(*v));
    set_ports(v, found.n, r->port);
    host->addresses = v;
    host->naddresses = found.n;
    return RES_OK;
}

/* A host that stands for itself: a smart host in brackets, or a domain without MX records (RFC 5321, 5.1). */
static enum result single_host(struct resolver *r, struct str name)
{
    struct target_host *host = arena_new(r->a, struct target_host);

    host->name = name;
    r->target->hosts = host;
    r->target->nhosts = 1;
    switch (find_addresses(r, host)) {
    case RES_OK:
        return RES_OK;
    case RES_NOTFOUND:
    case RES_INVALID:
        return never(r, 550, "5.1.2", REASON_NO_DOMAIN,
                     arena_printf(r->a, "the DNS knows no mail server and no address for %.*s", STR_ARG(name)));
    default:
        return later(r, arena_printf(r->a, "the DNS did not tell the addresses of %.*s", STR_ARG(name)));
    }
}

static enum result mx_hosts(struct resolver *r, struct str domain, const struct dns_mx_answer *mx)
{
    struct target *t = r->target;
    bool temporary = false;

    if (mx->null_mx)
        return never(r, 556, "5.1.10", REASON_NULL_MX, /* RFC 7505, 4.1 */
                     arena_printf(r->a, "%.*s says that it takes no mail (null MX)", STR_ARG(domain)));
    t->hosts = arena_array(r->a, struct target_host, MIN(mx->n, (size_t)TARGET_MAX_HOSTS));
    t->nhosts = 0;
    for (size_t i = 0; i < mx->n && t->nhosts < TARGET_MAX_HOSTS; i++) {
        struct target_host *host = &t->hosts[t->nhosts];
        enum result res;

        *host = (struct target_host){ .name = mx->v[i].host, .preference = mx->v[i].preference };
        res = find_addresses(r, host);
        if (res == RES_OK || self_is_name(host->name))
            t->nhosts++;
        else if (res == RES_TEMPFAIL)
            temporary = true;
    }
    if (t->nhosts > 0)
        return RES_OK;
    if (temporary || mx->n == 0)
        return later(r, arena_printf(r->a, "the DNS did not tell the addresses of the mail servers of %.*s", STR_ARG(domain)));
    return never(r, 550, "5.4.4", REASON_NO_ROUTE,
                 arena_printf(r->a, "none of the mail servers of %.*s has an address", STR_ARG(domain)));
}

static bool is_self(void *arg, const struct target_host *host)
{
    struct resolver *r = arg;

    if (self_is_name(host->name) && r->port == r->service->config->relay_port)
        return true;
    for (size_t i = 0; i < host->naddresses; i++) {
        if (self_is_listener(r->service->config, &host->addresses[i]))
            return true;
    }
    return false;
}

static enum result by_mx(struct resolver *r, struct str domain)
{
    struct dns_mx_answer mx;
    uint64_t random;
    enum result res = dns_mx(domain, r->a, &mx);

    if (res == RES_OK)
        res = mx_hosts(r, domain, &mx);
    else if (res == RES_NOTFOUND)
        res = single_host(r, domain);
    else if (res == RES_INVALID)
        return never(r, 550, "5.1.2", REASON_NO_DOMAIN, arena_printf(r->a, "%.*s is not a domain", STR_ARG(domain)));
    else
        return later(r, arena_printf(r->a, "the DNS did not tell the mail servers of %.*s", STR_ARG(domain)));
    if (res != RES_OK)
        return res;
    random_bytes(&random, sizeof(random));
    random |= 1;
    target_order(r->target->hosts, r->target->nhosts, &random);
    r->target->nhosts = target_cut_loops(r->target->hosts, r->target->nhosts, is_self, r);
    if (r->target->nhosts == 0)
        return never(r, 554, "5.4.6", REASON_LOOP, /* RFC 5321, 5.1 */
                     arena_printf(r->a, "the best mail server of %.*s is this one, which does not serve it", STR_ARG(domain)));
    return RES_OK;
}

/* "[192.0.2.1]", "[IPv6:2001:db8::1]" (RFC 5321, 4.1.3). */
static enum result by_literal(struct resolver *r, struct str literal)
{
    struct str address = str_sub(literal, 1, literal.len - 2);
    struct target_host *host = arena_new(r->a, struct target_host);

    if (str_istarts(address, STR("IPv6:")))
        address = str_from(address, 5);
    host->name = address;
    r->target->hosts = host;
    r->target->nhosts = 1;
    if (!str_ends(literal, STR("]")) || (str_chr(address, ':') == SIZE_MAX && str_chr(address, '.') == SIZE_MAX) ||
        find_addresses(r, host) != RES_OK)
        return never(r, 550, "5.1.2", REASON_NO_DOMAIN,
                     arena_printf(r->a, "%.*s is not an address", STR_ARG(literal)));
    if (is_self(r, host))
        return never(r, 554, "5.4.6", REASON_LOOP, STR("the address is this server's own"));
    return RES_OK;
}

static enum result by_route(struct resolver *r, const struct relay_route *route)
{
    r->target->tls = route->tls;
    r->target->user = arena_str(r->a, route->user);
    r->target->password_file = arena_str(r->a, route->password_file);
    r->port = route->port != 0 ? route->port : r->port;
    return route->use_mx ? by_mx(r, arena_str(r->a, route->host)) : single_host(r, arena_str(r->a, route->host));
}

/* A-labels of a domain (RFC 5891, 5); the domain as it is when it has none but ASCII. */
static enum result to_ascii(struct str domain, struct arena *a, struct str *ret)
{
    uint8_t *ascii = NULL;

    *ret = domain;
    if (str_is_ascii(domain))
        return RES_OK;
    if (str_chr(domain, '\0') != SIZE_MAX ||
        idn2_lookup_u8((const uint8_t *)arena_cstr(a, domain), &ascii, IDN2_NFC_INPUT | IDN2_NONTRANSITIONAL) != IDN2_OK)
        return RES_INVALID;
    *ret = arena_str(a, str_c((const char *)ascii));
    idn2_free(ascii);
    return RES_OK;
}

enum result target_resolve(struct service *service, struct str destination, struct arena *a, struct target *ret,
                           struct verdict *ret_why)
{
    struct resolver r = { .service = service, .a = a, .target = ret, .why = ret_why, .port = service->config->relay_port };
    struct queue_domain domain;
    struct relay_route parsed;
    const struct relay_route *route;
    struct str ascii, error;

    *ret = (struct target){ .tls = RELAY_TLS_MAY };
    if (str_eq(destination, QUEUE_LOCAL)) {
        ret->local = true;
        return RES_OK;
    }
    if (relay_route_is(destination))
        return relay_route_parse_target(destination, a, &parsed, &error) == RES_OK
                   ? by_route(&r, &parsed)
                   : never(&r, 550, "5.4.4", REASON_NO_ROUTE, arena_printf(a, "the route is wrong: %.*s", STR_ARG(error)));
    if (to_ascii(destination, a, &ascii) != RES_OK)
        return never(&r, 550, "5.1.2", REASON_NO_DOMAIN, STR("the domain is not a valid international name"));
    if (queue_domain(service->db, ascii, a, &domain) != RES_OK)
        return later(&r, STR("the database is away"));
    if (domain.kind == QUEUE_DOMAIN_LOCAL) {
        ret->local = true;
        return RES_OK;
    }
    if (domain.route.p != NULL) {
        if (relay_route_parse_target(domain.route, a, &parsed, &error) != RES_OK)
            return later(&r, arena_printf(a, "the domain's route is wrong: %.*s", STR_ARG(error)));
        return by_route(&r, &parsed);
    }
    route = relay_route_find(&settings_get()->relay_routes, ascii);
    if (route != NULL) {
        parsed = *route; /* the settings may change while we wait */
        parsed.host = arena_str(a, route->host);
        parsed.user = arena_str(a, route->user);
        parsed.password_file = arena_str(a, route->password_file);
        return by_route(&r, &parsed);
    }
    return str_starts(ascii, STR("[")) ? by_literal(&r, ascii) : by_mx(&r, ascii);
}
