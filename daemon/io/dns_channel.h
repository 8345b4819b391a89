/* io/dns_channel.h - c-ares on the process's loop.  Internal to io/dns*.c. */
#pragma once
#include "base/macros.h"
#include "base/result.h"
#include "base/str.h"

#include <ares.h>

struct dns_channel;

struct dns_channel_options {
    struct str servers; /* "127.0.0.1:5353,[::1]:53", at most 8; STR_NULL: the system's */
    int timeout_ms;     /* of the first try; doubled for each further round */
    int tries;
    bool recursive;     /* the servers are asked to ask others */
};
/* RES_INVALID: not such a list, or c-ares could not start. */
enum result dns_channel_new(const struct dns_channel_options *options, struct dns_channel **ret) NODISCARD;
/* Questions under way are called back with ARES_EDESTRUCTION.  Not from a callback. */
void dns_channel_free(struct dns_channel *c);
/* Asks; the callback comes once, perhaps before this returns. */
void dns_channel_query(struct dns_channel *c, const char *name, unsigned type, ares_callback callback, void *arg);
