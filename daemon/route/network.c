/* route/network.c - lists of IP networks. */
#include "route/network.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#define MAX_NETWORKS 256

static const unsigned char v4_mapped[12] = { [10] = 0xff, [11] = 0xff };

static bool host_bits_zero(const struct network *net, size_t bytes)
{
    for (size_t i = 0; i < bytes; i++) {
        unsigned first = (unsigned)i * 8;
        unsigned host;

        if (first + 8 <= net->bits)
            continue;
        host = net->bits > first ? 0xffu >> (net->bits - first) : 0xffu;
        if ((net->address[i] & host) != 0)
            return false;
    }
    return true;
}

enum result network_parse(struct str text, struct network *ret)
{
    struct network net = { 0 };
    size_t slash = str_chr(text, '/');
    struct str address = str_sub(text, 0, slash);
    char copy[INET6_ADDRSTRLEN];
    unsigned max_bits;
    uint64_t bits;

    if (address.len == 0 || address.len >= sizeof(copy) || str_chr(address, '\0') != SIZE_MAX)
        return RES_INVALID;
    memcpy(copy, address.p, address.len);
    copy[address.len] = '\0';
    if (inet_pton(AF_INET, copy, net.address) == 1) {
        net.family = AF_INET;
        max_bits = 32;
    } else if (inet_pton(AF_INET6, copy, net.address) == 1) {
        net.family = AF_INET6;
        max_bits = 128;
    } else {
        return RES_INVALID;
    }
    bits = max_bits;
    if (slash != SIZE_MAX && !str_u64(str_from(text, slash + 1), max_bits, &bits))
        return RES_INVALID;
    net.bits = (unsigned)bits;
    if (!host_bits_zero(&net, max_bits / 8))
        return RES_INVALID;
    if (net.family == AF_INET6 && net.bits >= 96 && memcmp(net.address, v4_mapped, sizeof(v4_mapped)) == 0) {
        memmove(net.address, net.address + 12, 4);
        memset(net.address + 4, 0, 12);
        net.family = AF_INET;
        net.bits -= 96;
    }
    *ret = net;
    return RES_OK;
}

/* The next piece between blanks and commas. */
static bool next_piece(struct str *rest, struct str *ret_piece)
{
    size_t n = 0;

    while (rest->len > 0 && (rest->p[0] == ',' || rest->p[0] == ' ' || (rest->p[0] >= '\t' && rest->p[0] <= '\r')))
        *rest = str_from(*rest, 1);
    while (n < rest->len && rest->p[n] != ',' && rest->p[n] != ' ' && !(rest->p[n] >= '\t' && rest->p[n] <= '\r'))
        n++;
    *ret_piece = str_sub(*rest, 0, n);
    *rest = str_from(*rest, n);
    return n > 0;
}

enum result network_list_parse(struct str text, struct arena *a, struct network_list *ret, struct str *ret_bad)
{
    struct str rest = text, piece;
    struct network *v;
    size_t n = 0;

    while (next_piece(&rest, &piece)) {
        if (n++ == MAX_NETWORKS) {
            *ret_bad = piece;
            return RES_INVALID;
        }
    }
    v = arena_array(a, struct network, n);
    rest = text;
    for (size_t i = 0; i < n && next_piece(&rest, &piece); i++) {
        if (network_parse(piece, &v[i]) != RES_OK) {
            *ret_bad = piece;
            return RES_INVALID;
        }
    }
    *ret = (struct network_list){ v, n };
    return RES_OK;
}

/* The bytes of an IP address; a mapped IPv4 address as IPv4.  AF_UNSPEC: no IP address. */
static int address_bytes(const struct sockaddr *address, unsigned char ret_bytes[16])
{
    struct sockaddr_in in;
    struct sockaddr_in6 in6;

    if (address->sa_family == AF_INET) {
        memcpy(&in, address, sizeof(in));
        memcpy(ret_bytes, &in.sin_addr, 4);
        return AF_INET;
    }
    if (address->sa_family != AF_INET6)
        return AF_UNSPEC;
    memcpy(&in6, address, sizeof(in6));
    if (memcmp(&in6.sin6_addr, v4_mapped, sizeof(v4_mapped)) == 0) {
        memcpy(ret_bytes, in6.sin6_addr.s6_addr + 12, 4);
        return AF_INET;
    }
    memcpy(ret_bytes, &in6.sin6_addr, 16);
    return AF_INET6;
}

static bool prefix_equal(const unsigned char *a, const unsigned char *b, unsigned bits)
{
    unsigned rest = bits % 8;

    if (memcmp(a, b, bits / 8) != 0)
        return false;
    return rest == 0 || ((a[bits / 8] ^ b[bits / 8]) >> (8 - rest)) == 0;
}

bool network_contains(const struct network *net, const struct sockaddr *address)
{
    unsigned char bytes[16] = { 0 };

    return address_bytes(address, bytes) == net->family && prefix_equal(net->address, bytes, net->bits);
}

bool network_list_contains(const struct network_list *list, const struct sockaddr *address)
{
    for (size_t i = 0; i < list->n; i++) {
        if (network_contains(&list->v[i], address))
            return true;
    }
    return false;
}

bool network_is_loopback(const struct sockaddr *address)
{
    static const struct network v4 = { AF_INET, { 127 }, 8 };
    static const struct network v6 = { AF_INET6, { [15] = 1 }, 128 };

    return address->sa_family == AF_UNIX || network_contains(&v4, address) || network_contains(&v6, address);
}
