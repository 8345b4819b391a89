/* relay/self.c - our own names, addresses and ports. */
#include "relay/self.h"

#include "base/encode.h"
#include "base/macros.h"
#include "config/settings.h"

#include <arpa/inet.h>
#include <ifaddrs.h>
#include <netinet/in.h>

#define REFRESH_MS 60000
#define MAX_ADDRESSES 256

static struct { /* of the interfaces, looked at once a minute */
    struct sockaddr_storage v[MAX_ADDRESSES];
    size_t n;
    int64_t until;
} own;

static size_t size_of(int family)
{
    return family == AF_INET ? sizeof(struct sockaddr_in) : family == AF_INET6 ? sizeof(struct sockaddr_in6) : 0;
}

static void refresh(void)
{
    struct ifaddrs *all;

    if (own.until > mono_ms() || getifaddrs(&all) != 0)
        return;
    own.n = 0;
    own.until = mono_ms() + REFRESH_MS;
    for (struct ifaddrs *i = all; i != NULL && own.n < MAX_ADDRESSES; i = i->ifa_next) {
        size_t len = i->ifa_addr != NULL ? size_of(i->ifa_addr->sa_family) : 0;

        if (len > 0)
            memcpy(&own.v[own.n++], i->ifa_addr, len);
    }
    freeifaddrs(all);
}

/* The address without its port; an IPv4-mapped one as IPv4. */
static int bytes_of(const struct sockaddr_storage *s, unsigned char out[16])
{
    static const unsigned char mapped[12] = { [10] = 0xff, [11] = 0xff };

    if (s->ss_family == AF_INET) {
        memcpy(out, &((const struct sockaddr_in *)(const void *)s)->sin_addr, 4);
        return AF_INET;
    }
    memcpy(out, &((const struct sockaddr_in6 *)(const void *)s)->sin6_addr, 16);
    if (memcmp(out, mapped, sizeof(mapped)) != 0)
        return AF_INET6;
    memmove(out, out + 12, 4);
    return AF_INET;
}

static bool same_address(const struct sockaddr_storage *a, const struct sockaddr_storage *b)
{
    unsigned char x[16], y[16];
    int family = bytes_of(a, x);

    return family == bytes_of(b, y) && memcmp(x, y, family == AF_INET ? 4 : 16) == 0;
}

static bool is_own(const struct sockaddr_storage *address)
{
    unsigned char bytes[16];

    if (bytes_of(address, bytes) == AF_INET && bytes[0] == 127)
        return true;
    refresh();
    for (size_t i = 0; i < own.n; i++) {
        if (same_address(address, &own.v[i]))
            return true;
    }
    return false;
}

static unsigned port_of(const struct sockaddr_storage *s)
{
    return ntohs(s->ss_family == AF_INET ? ((const struct sockaddr_in *)(const void *)s)->sin_port
                                         : ((const struct sockaddr_in6 *)(const void *)s)->sin6_port);
}

/* "host:port" or "[host]:port": does it take connections to the address? */
static bool listens(struct str entry, const struct sockaddr_storage *address)
{
    struct sockaddr_storage s = { 0 };
    struct sockaddr_in in = { .sin_family = AF_INET };
    struct sockaddr_in6 in6 = { .sin6_family = AF_INET6 };
    size_t at = str_rchr(entry, ':');
    struct str host = str_sub(entry, 0, at);
    char text[INET6_ADDRSTRLEN];
    uint64_t port;

    if (at == SIZE_MAX || !str_u64(str_from(entry, at + 1), 65535, &port) || port != port_of(address))
        return false;
    if (str_starts(host, STR("[")) && str_ends(host, STR("]")))
        host = str_sub(host, 1, host.len - 2);
    if (host.len >= sizeof(text))
        return false;
    memcpy(text, host.p, host.len);
    text[host.len] = '\0';
    if (inet_pton(AF_INET, text, &in.sin_addr) == 1) {
        memcpy(&s, &in, sizeof(in));
        if (in.sin_addr.s_addr == INADDR_ANY)
            return address->ss_family == AF_INET;
    } else if (inet_pton(AF_INET6, text, &in6.sin6_addr) == 1) {
        memcpy(&s, &in6, sizeof(in6));
        if (IN6_IS_ADDR_UNSPECIFIED(&in6.sin6_addr))
            return true; /* IPv4 may come in, too */
    } else {
        return false;
    }
    return same_address(&s, address);
}

bool self_listens(struct str list, const struct sockaddr_storage *address)
{
    struct str entry;

    while (str_split(&list, ',', &entry)) {
        if (listens(str_trim(entry), address))
            return true;
    }
    return false;
}

bool self_is_name(struct str name)
{
    return str_ieq(name, settings_get()->hostname);
}

bool self_is_listener(const struct config *config, const struct sockaddr_storage *address)
{
    return self_listens(config->listen[LISTEN_SMTP], address) && is_own(address);
}
