/* io/dns.h - DNS look-ups from coroutines: c-ares over the process's loop, with a cache.
 *
 * The answers of the network are not trusted: every length is checked, an answer gives at most DNS_MAX_RECORDS.  Answers
 * are kept for their TTL, between 1 s and 1 h, negative ones for at most 5 min and a failed server for 5 s; the cache
 * holds at most DNS_MAX_CACHE answers.  Equal look-ups that run at the same time share one query.
 *
 * Results: RES_OK; RES_NOTFOUND: the name or the record does not exist, for certain; RES_TEMPFAIL: no usable answer
 * (SERVFAIL, time-out); RES_INVALID: not a name that can be asked for.  What is returned lives in the arena given. */
#pragma once
#include "base/arena.h"
#include "base/result.h"
#include "base/str.h"
#include "io/coroutine.h"

#include <sys/socket.h>

#define DNS_MAX_RECORDS 100
#define DNS_MAX_CACHE 4096

/* servers: "127.0.0.1:5353,[::1]:53", at most 8; STR_NULL: the system's.  RES_INVALID: not such a list, or c-ares could
 * not start.  Call it once, before the first look-up. */
enum result dns_init(struct str servers) NODISCARD;
/* As they were given to dns_init. */
struct str dns_servers(void);
/* Ends look-ups under way with RES_TEMPFAIL and forgets everything. */
void dns_release(void);

struct dns_mx {
    unsigned preference;
    struct str host; /* lower case, without a dot at the end */
};
struct dns_mx_answer {
    const struct dns_mx *v; /* lowest preference first, else in the order of the answer */
    size_t n;
    bool null_mx;  /* "MX 0 .": the domain takes no mail (RFC 7505); then n is 0 */
    unsigned ttl_s;
    struct str canonical; /* the name behind CNAMEs; equal to the name when there were none */
};
/* The MX records of a name.  An alias is followed (RFC 5321, 5.1). */
enum result dns_mx(struct str name, struct arena *a, struct dns_mx_answer *ret) SUSPENDS NODISCARD;

struct dns_addresses {
    const struct sockaddr_storage *v; /* IPv6 first, port 0 */
    size_t n;
    unsigned ttl_s;
};
/* A and AAAA, asked at the same time.  RES_OK when at least one address was found; RES_TEMPFAIL when none was and one
 * of the two questions had no answer. */
enum result dns_addresses(struct str name, struct arena *a, struct dns_addresses *ret) SUSPENDS NODISCARD;

/* One answer as bytes. */
struct dns_parsed {
    enum result result; /* as above; RES_TEMPFAIL for what is no answer */
    unsigned type;
    struct dns_mx_answer mx;
    struct dns_addresses addresses;
    unsigned ttl_s;
};
/* A host name in its text form that may be asked for: labels of letters, digits, "-" and "_", no dot at the end. */
bool dns_is_name(struct str name);
/* Pure.  type: ns_t_mx, ns_t_a, ns_t_aaaa. */
void dns_parse(struct str packet, struct str name, unsigned type, struct arena *a, struct dns_parsed *ret);
