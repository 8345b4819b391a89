/* relay/target.h - where mail for a destination goes: the route that the destination is, a relay domain's route, a smart host of relay.routes, or the hosts
 * of its MX records (RFC 5321, 5). */
#pragma once
#include "auth/service.h"
#include "io/dns.h"
#include "queue/verdict.h"

#define TARGET_MAX_HOSTS 20

struct target_host {
    struct str name; /* for SNI and the record; an address in brackets for literals */
    unsigned preference;
    const struct sockaddr_storage *addresses; /* with the port */
    size_t naddresses;
};
struct target {
    bool local; /* the domain is one of ours: into mailboxes */
    enum relay_tls tls;
    struct str user, password_file; /* STR_NULL: no AUTH */
    struct target_host *hosts;      /* in the order in which they are to be tried, at least one unless local */
    size_t nhosts;
};

/* RES_OK; RES_INVALID: it can never be reached; RES_TEMPFAIL: not now.  With the last two *ret_why tells. */
enum result target_resolve(struct service *service, struct str destination, struct arena *a, struct target *ret,
                           struct verdict *ret_why) SUSPENDS NODISCARD;

/* ---- the pure parts ---- */

/* Lowest preference first; equal ones in random order, which `random` (xorshift state, not 0) decides (RFC 5321, 5.1). */
void target_order(struct target_host *v, size_t n, uint64_t *random);
/* Cuts the list at the first host that is ourselves: it and all of its preference and higher numbers go.  is_self(arg,
 * host) tells.  The new length. */
size_t target_cut_loops(struct target_host *v, size_t n, bool (*is_self)(void *arg, const struct target_host *host),
                        void *arg);
