/* api/dns_records.h - the DNS records that a domain needs, and what those that are found are worth.  Pure. */
#pragma once
#include "base/arena.h"
#include "config/config.h"

enum dns_purpose {
    DNS_MX, DNS_HOST, DNS_PTR, DNS_SPF, DNS_DMARC, DNS_SUBMISSIONS, DNS_IMAPS, DNS_POP3S, DNS_AUTOCONFIG, DNS_AUTODISCOVER,
    DNS_PURPOSES
};
extern const char *const dns_purpose_names[DNS_PURPOSES]; /* "mx", "host", ... */

/* found: right.  different: there is something else.  optional: not there, and mail flows without it.  unknown: no name
 * server answered. */
enum dns_state { DNS_FOUND, DNS_MISSING, DNS_DIFFERENT, DNS_OPTIONAL, DNS_UNKNOWN, DNS_STATES };
extern const char *const dns_state_names[DNS_STATES];

struct dns_record {
    enum dns_purpose purpose;
    struct str name, value; /* value: as dns_ask gives it; of DNS_HOST STR_NULL: any address */
    unsigned type;          /* ns_t_mx ... */
    bool optional, ours;    /* ours: of the mail host, not of the domain */
};
#define DNS_MAX_ADDRESSES 4
#define DNS_MAX_WANTED (DNS_PURPOSES + DNS_MAX_ADDRESSES)

/* The records of a domain whose mail this host takes.  relay: only as its backup, so nobody's mail is sent from it.
 * ports: of each listener, for SRV records (RFC 8314, 5.1); 0: nobody listens there.  addresses: of the host, each as
 * text and as the name of its PTR record. */
size_t dns_wanted(struct str domain, struct str host, bool relay, const int ports[static LISTENERS],
                  const struct str *reverse_names, size_t n_addresses, struct arena *a,
                  struct dns_record v[static DNS_MAX_WANTED]);
/* What was found for it; answered: a name server said so.  addresses: of the host, as text, for SPF. */
enum dns_state dns_judge(const struct dns_record *wanted, bool answered, const struct str *found, size_t n,
                         const struct str *addresses, size_t n_addresses);
/* "mx" of the type, as it is written in a zone file. */
const char *dns_type_name(unsigned type);
/* A line of a zone file, without its end. */
struct str dns_zone_line(const struct dns_record *r, struct arena *a);
