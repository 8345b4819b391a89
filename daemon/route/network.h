/* route/network.h - lists of IP networks ("10.0.0.0/8 2001:db8::/32 192.0.2.1"). */
#pragma once
#include "base/arena.h"
#include "base/result.h"
#include "base/str.h"

#include <sys/socket.h>

struct network {
    int family; /* AF_INET, AF_INET6 */
    unsigned char address[16];
    unsigned bits;
};
struct network_list {
    const struct network *v;
    size_t n;
};

/* One network or address.  Host bits must be zero ("10.0.0.1/8" is refused: it is most often a mistake). */
enum result network_parse(struct str text, struct network *ret) NODISCARD;
/* Separated by blanks or commas, at most 256.  RES_INVALID: *ret_bad is the first that is none. */
enum result network_list_parse(struct str text, struct arena *a, struct network_list *ret, struct str *ret_bad) NODISCARD;
/* IPv4-mapped IPv6 addresses match IPv4 networks.  Unix sockets match nothing. */
bool network_contains(const struct network *net, const struct sockaddr *address);
bool network_list_contains(const struct network_list *list, const struct sockaddr *address);
/* 127.0.0.0/8, ::1, and Unix sockets. */
bool network_is_loopback(const struct sockaddr *address);
