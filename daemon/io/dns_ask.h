/* io/dns_ask.h - what the name servers of a zone say themselves, past every cache: for checking records that somebody is
 * about to set.  Needs dns_init. */
#pragma once
#include "io/dns.h"

struct dns_zone {
    struct str name;    /* where its NS records are: the name itself or one above it */
    struct str *hosts;  /* its name servers */
    size_t n_hosts;
    struct str servers; /* their addresses, as dns_init takes them */
};
/* The zone that the name lies in, by the resolver.  port: where name servers listen, 53 but in tests.  RES_NOTFOUND: no
 * zone above it, or servers without an address.  RES_INVALID: not a name.  RES_TEMPFAIL. */
enum result dns_zone_find(struct str name, unsigned port, struct arena *a, struct dns_zone *ret) SUSPENDS NODISCARD;

struct dns_question {
    struct str name;
    unsigned type; /* ns_t_mx, ns_t_txt, ns_t_srv, ns_t_cname, ns_t_ptr, ns_t_ns, ns_t_a, ns_t_aaaa */
    /* out: */
    enum result result; /* RES_OK: at least one record; RES_NOTFOUND: none, for certain; RES_TEMPFAIL: nobody answered */
    struct str *records; /* "10 mail.example.org", "v=spf1 -all", "192.0.2.1": as people write them, names without the dot */
    size_t n;
};
/* Asks all at the same time.  zone NULL: the resolver.  Takes a few seconds at most. */
void dns_ask(const struct dns_zone *zone, struct dns_question *v, size_t n, struct arena *a) SUSPENDS;

/* The name under which an address's PTR record is (RFC 1035, 3.5; RFC 3596, 2.5). */
struct str dns_reverse_name(const struct sockaddr_storage *address, struct arena *a);
/* Pure: one answer's records as text.  RES_OK, RES_NOTFOUND, RES_TEMPFAIL as above. */
enum result dns_parse_texts(struct str packet, struct str name, unsigned type, struct arena *a, struct str **ret_v, size_t *ret_n);
