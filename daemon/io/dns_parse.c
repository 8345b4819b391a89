/* io/dns_parse.c - answers of the DNS as bytes.  They come from the network: glibc's ns_initparse checks the frame of
 * each record, what is inside is checked here. */
#include "io/dns.h"
#include "base/strbuf.h"
#include "io/dns_ask.h"

#include <arpa/inet.h>
#include <arpa/nameser.h>
#include <netinet/in.h>
#include <resolv.h>
#include <stdlib.h>

#define MAX_RECORDS_SEEN 1000 /* of all kinds; the rest of an answer is not looked at */
#define MAX_CHAIN 8           /* aliases in one answer */
#define MAX_NEGATIVE_TTL 300

/* A host name as text: labels of letters, digits, "-" and "_", no dot at the end. */
static bool is_host(struct str s)
{
    size_t label = 0;

    if (s.len == 0 || s.len > 253)
        return false;
    for (size_t i = 0; i < s.len; i++) {
        if (s.p[i] == '.' ? label == 0 : !(ascii_alnum(s.p[i]) || s.p[i] == '-' || s.p[i] == '_'))
            return false;
        label = s.p[i] == '.' ? 0 : label + 1;
        if (label > 63)
            return false;
    }
    return label > 0;
}

bool dns_is_name(struct str name)
{
    return is_host(name);
}

static struct str without_dot(struct str name)
{
    return name.len > 0 && name.p[name.len - 1] == '.' ? str_sub(name, 0, name.len - 1) : name;
}

/* The name that stands at `at` in the record's data; false when there is none. */
static bool name_in(const ns_msg *msg, const ns_rr *rr, size_t at, char out[NS_MAXDNAME])
{
    return at < ns_rr_rdlen(*rr) &&
           dn_expand(ns_msg_base(*msg), ns_msg_end(*msg), ns_rr_rdata(*rr) + at, out, NS_MAXDNAME) >= 0;
}

/* The i-th record of the answer when it belongs to `owner`. */
static bool record_of(ns_msg *msg, int i, struct str owner, ns_rr *rr)
{
    return ns_parserr(msg, ns_s_an, i, rr) == 0 && ns_rr_class(*rr) == ns_c_in &&
           str_ieq(without_dot(str_c(ns_rr_name(*rr))), owner);
}

/* Follows the aliases in the answer from `name`; *ttl becomes the smallest TTL on the way. */
static struct str follow(ns_msg *msg, int n, struct str name, struct arena *a, unsigned *ttl)
{
    char target[NS_MAXDNAME];
    ns_rr rr;

    for (int step = 0; step < MAX_CHAIN; step++) {
        int i = 0;

        while (i < n && !(record_of(msg, i, name, &rr) && ns_rr_type(rr) == ns_t_cname && name_in(msg, &rr, 0, target)))
            i++;
        if (i == n || !is_host(without_dot(str_c(target))))
            return name;
        name = arena_lower(a, without_dot(str_c(target)));
        *ttl = MIN(*ttl, ns_rr_ttl(rr));
    }
    return name;
}

static void add_mx(ns_msg *msg, const ns_rr *rr, struct arena *a, struct dns_mx *v, struct dns_mx_answer *mx)
{
    char host[NS_MAXDNAME];
    struct str name;

    if (ns_rr_rdlen(*rr) < 3 || !name_in(msg, rr, 2, host))
        return;
    name = without_dot(str_c(host));
    if (name.len == 0)
        mx->null_mx = true;
    else if (is_host(name))
        v[mx->n++] = (struct dns_mx){ ns_get16(ns_rr_rdata(*rr)), arena_lower(a, name) };
}

static void add_address(const ns_rr *rr, struct sockaddr_storage *v, struct dns_addresses *addresses)
{
    struct sockaddr_in in = { .sin_family = AF_INET };
    struct sockaddr_in6 in6 = { .sin6_family = AF_INET6 };

    if (ns_rr_type(*rr) == ns_t_a && ns_rr_rdlen(*rr) == sizeof(in.sin_addr)) {
        memcpy(&in.sin_addr, ns_rr_rdata(*rr), sizeof(in.sin_addr));
        memcpy(&v[addresses->n++], &in, sizeof(in));
    } else if (ns_rr_type(*rr) == ns_t_aaaa && ns_rr_rdlen(*rr) == sizeof(in6.sin6_addr)) {
        memcpy(&in6.sin6_addr, ns_rr_rdata(*rr), sizeof(in6.sin6_addr));
        memcpy(&v[addresses->n++], &in6, sizeof(in6));
    }
}

/* How long "there is none" may be believed: the SOA record in the authority section (RFC 2308, 5). */
static unsigned negative_ttl(ns_msg *msg)
{
    int n = MIN((int)ns_msg_count(*msg, ns_s_ns), MAX_RECORDS_SEEN);
    ns_rr rr;

    for (int i = 0; i < n; i++) {
        unsigned minimum;

        if (ns_parserr(msg, ns_s_ns, i, &rr) != 0 || ns_rr_type(rr) != ns_t_soa || ns_rr_rdlen(rr) < 22)
            continue;
        minimum = (unsigned)ns_get32(ns_rr_rdata(rr) + ns_rr_rdlen(rr) - 4);
        return MIN(MIN(minimum, ns_rr_ttl(rr)), MAX_NEGATIVE_TTL);
    }
    return 0;
}

/* Stable, since the answers are short. */
static void sort_mx(struct dns_mx *v, size_t n)
{
    for (size_t i = 1; i < n; i++) {
        struct dns_mx one = v[i];
        size_t k = i;

        for (; k > 0 && v[k - 1].preference > one.preference; k--)
            v[k] = v[k - 1];
        v[k] = one;
    }
}

void dns_parse(struct str packet, struct str name, unsigned type, struct arena *a, struct dns_parsed *ret)
{
    struct dns_mx *mx;
    struct sockaddr_storage *addresses;
    unsigned ttl = INT32_MAX;
    ns_msg msg;
    ns_rr rr;
    size_t room;
    int n, rcode;

    *ret = (struct dns_parsed){ .result = RES_TEMPFAIL, .type = type };
    if (packet.len > NS_MAXMSG || ns_initparse((const unsigned char *)packet.p, (int)packet.len, &msg) != 0 ||
        ns_msg_getflag(msg, ns_f_qr) != 1)
        return;
    rcode = ns_msg_getflag(msg, ns_f_rcode);
    if (rcode != ns_r_noerror && rcode != ns_r_nxdomain)
        return;
    n = MIN((int)ns_msg_count(msg, ns_s_an), MAX_RECORDS_SEEN);
    room = MIN((size_t)n, DNS_MAX_RECORDS);
    mx = arena_array(a, struct dns_mx, type == ns_t_mx ? room : 0);
    addresses = arena_array(a, struct sockaddr_storage, type == ns_t_mx ? 0 : room);
    ret->mx.canonical = follow(&msg, n, name, a, &ttl);
    for (int i = 0; i < n && ret->mx.n < room && ret->addresses.n < room; i++) {
        if (!record_of(&msg, i, ret->mx.canonical, &rr) || ns_rr_type(rr) != type)
            continue;
        ttl = MIN(ttl, ns_rr_ttl(rr));
        ret->result = RES_OK;
        if (type == ns_t_mx)
            add_mx(&msg, &rr, a, mx, &ret->mx);
        else
            add_address(&rr, addresses, &ret->addresses);
    }
    if (ret->result != RES_OK || (type != ns_t_mx && ret->addresses.n == 0)) {
        ret->result = RES_NOTFOUND;
        ret->ttl_s = negative_ttl(&msg);
        return;
    }
    sort_mx(mx, ret->mx.n);
    ret->mx.v = mx;
    ret->mx.null_mx = ret->mx.null_mx && ret->mx.n == 0;
    ret->addresses.v = addresses;
    ret->ttl_s = ret->mx.ttl_s = ret->addresses.ttl_s = ttl;
}

/* ---- records as text ---- */

/* The strings of a TXT record, put together (RFC 7208, 3.3).  False: they do not fit the record. */
static bool join_strings(const ns_rr *rr, struct strbuf *out)
{
    size_t at = 0, len = ns_rr_rdlen(*rr);

    while (at < len) {
        size_t n = ns_rr_rdata(*rr)[at];

        if (at + 1 + n > len)
            return false;
        (void)strbuf_add(out, str_of((const char *)ns_rr_rdata(*rr) + at + 1, n));
        at += 1 + n;
    }
    return !out->overflow;
}

/* One record's data; false: it is damaged, or of a type that is not asked for here. */
static bool rdata_text(const ns_msg *msg, const ns_rr *rr, struct strbuf *out)
{
    const unsigned char *data = ns_rr_rdata(*rr);
    const struct str dot = STR(".");
    size_t len = ns_rr_rdlen(*rr), at = 0;
    char name[NS_MAXDNAME];
    struct str host;

    switch (ns_rr_type(*rr)) {
    case ns_t_a:
        return len == 4 && inet_ntop(AF_INET, data, name, sizeof(name)) != NULL && strbuf_add(out, str_c(name)) == RES_OK;
    case ns_t_aaaa:
        return len == 16 && inet_ntop(AF_INET6, data, name, sizeof(name)) != NULL && strbuf_add(out, str_c(name)) == RES_OK;
    case ns_t_txt:
        return join_strings(rr, out);
    case ns_t_mx:
        at = 2;
        break;
    case ns_t_srv:
        at = 6;
        break;
    case ns_t_cname:
    case ns_t_ptr:
    case ns_t_ns:
        break;
    default:
        return false;
    }
    if (len < at || !name_in(msg, rr, at, name))
        return false;
    for (size_t i = 0; i < at; i += 2)
        (void)strbuf_addf(out, "%u ", ns_get16(data + i));
    host = without_dot(str_c(name));
    return strbuf_add(out, host.len == 0 ? dot : host) == RES_OK;
}

/* What a terminal or a page may show. */
static struct str shown(struct arena *a, struct str text)
{
    char *p = arena_cstr(a, text);

    for (size_t i = 0; i < text.len; i++) {
        if ((unsigned char)p[i] < ' ' || (unsigned char)p[i] > '~')
            p[i] = '?';
    }
    return str_of(p, text.len);
}

enum result dns_parse_texts(struct str packet, struct str name, unsigned type, struct arena *a, struct str **ret_v, size_t *ret_n)
{
    unsigned ttl = INT32_MAX;
    struct str owner;
    ns_msg msg;
    ns_rr rr;
    int n, rcode;

    *ret_n = 0;
    if (packet.len > NS_MAXMSG || ns_initparse((const unsigned char *)packet.p, (int)packet.len, &msg) != 0 ||
        ns_msg_getflag(msg, ns_f_qr) != 1)
        return RES_TEMPFAIL;
    rcode = ns_msg_getflag(msg, ns_f_rcode);
    if (rcode != ns_r_noerror && rcode != ns_r_nxdomain)
        return RES_TEMPFAIL;
    n = MIN((int)ns_msg_count(msg, ns_s_an), MAX_RECORDS_SEEN);
    *ret_v = arena_array(a, struct str, MIN((size_t)n, (size_t)DNS_MAX_RECORDS));
    owner = type == ns_t_cname ? name : follow(&msg, n, name, a, &ttl);
    for (int i = 0; i < n && *ret_n < DNS_MAX_RECORDS; i++) {
        CLEANUP(strbuf_release) struct strbuf text = { .max = 4096 };

        if (record_of(&msg, i, owner, &rr) && ns_rr_type(rr) == type && rdata_text(&msg, &rr, &text))
            (*ret_v)[(*ret_n)++] = shown(a, strbuf_str(&text));
    }
    return *ret_n > 0 ? RES_OK : RES_NOTFOUND;
}
