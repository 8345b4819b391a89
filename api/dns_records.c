#include "api/dns_records.h"
#include "base/macros.h"

#include <arpa/nameser.h>

const char *const dns_purpose_names[DNS_PURPOSES] = { "mx", "host", "ptr", "spf", "dmarc", "submissions", "imaps", "pop3s",
                                                      "autoconfig", "autodiscover" };
const char *const dns_state_names[DNS_STATES] = { "found", "missing", "different", "optional", "unknown" };

/* Where mail programs find what listens, at most one record a service (RFC 6186, 3; RFC 8314, 5.1); IMAP before POP3. */
static size_t want_services(struct str domain, struct str host, const int *ports, struct arena *a, struct dns_record *v)
{
    static const struct {
        enum dns_purpose purpose;
        enum listener listener;
        int priority;
    } services[] = {
        { DNS_SUBMISSIONS, LISTEN_SMTPS, 0 }, { DNS_IMAPS, LISTEN_IMAPS, 0 }, { DNS_POP3S, LISTEN_POP3S, 10 }
    };
    size_t n = 0;

    for (size_t i = 0; i < ARRAY_LEN(services); i++) {
        int port = ports[services[i].listener];

        if (port == 0)
            continue;
        v[n++] = (struct dns_record){
            .purpose = services[i].purpose, .type = ns_t_srv, .optional = true,
            .name = arena_printf(a, "_%s._tcp.%.*s", dns_purpose_names[services[i].purpose], STR_ARG(domain)),
            .value = arena_printf(a, "%d 1 %d %.*s", services[i].priority, port, STR_ARG(host)),
        };
    }
    return n;
}

size_t dns_wanted(struct str domain, struct str host, bool relay, const int ports[static LISTENERS],
                  const struct str *reverse_names, size_t n_addresses, struct arena *a,
                  struct dns_record v[static DNS_MAX_WANTED])
{
    size_t n = 0;

    v[n++] = (struct dns_record){ .purpose = DNS_MX, .name = domain, .type = ns_t_mx,
                                  .value = arena_printf(a, "%d %.*s", relay ? 20 : 10, STR_ARG(host)) };
    v[n++] = (struct dns_record){ .purpose = DNS_HOST, .name = host, .type = ns_t_a, .ours = true };
    for (size_t i = 0; i < n_addresses && i < DNS_MAX_ADDRESSES; i++)
        v[n++] = (struct dns_record){ .purpose = DNS_PTR, .name = reverse_names[i], .type = ns_t_ptr, .value = host, .ours = true };
    if (relay)
        return n;
    v[n++] = (struct dns_record){ .purpose = DNS_SPF, .name = domain, .type = ns_t_txt, .value = STR("v=spf1 mx -all") };
    v[n++] = (struct dns_record){ .purpose = DNS_DMARC, .name = arena_printf(a, "_dmarc.%.*s", STR_ARG(domain)), .type = ns_t_txt,
                                  .value = STR("v=DMARC1; p=none") };
    n += want_services(domain, host, ports, a, v + n);
    v[n++] = (struct dns_record){ .purpose = DNS_AUTOCONFIG, .name = arena_printf(a, "autoconfig.%.*s", STR_ARG(domain)),
                                  .type = ns_t_cname, .value = host, .optional = true };
    v[n++] = (struct dns_record){ .purpose = DNS_AUTODISCOVER, .name = arena_printf(a, "autodiscover.%.*s", STR_ARG(domain)),
                                  .type = ns_t_cname, .value = host, .optional = true };
    return n;
}

/* Does the term name one of our addresses ("ip4:192.0.2.1", "ip6:2001:db8::1", perhaps with a prefix of all its bits)? */
static bool names_address(struct str term, const struct str *addresses, size_t n)
{
    struct str text = str_from(term, 4);

    if (!str_istarts(term, STR("ip4:")) && !str_istarts(term, STR("ip6:")))
        return false;
    if (str_ends(text, STR("/32")) || str_ends(text, STR("/128")))
        text = str_sub(text, 0, str_chr(text, '/'));
    for (size_t i = 0; i < n; i++) {
        if (str_ieq(text, addresses[i]))
            return true;
    }
    return false;
}

/* Whether SPF lets this host send (RFC 7208, 5), as far as the record alone says it: by mx, by name, or by address. */
static bool spf_names_us(struct str record, const struct str *addresses, size_t n)
{
    struct str term;

    (void)str_split(&record, ' ', &term); /* the version */
    while (str_split(&record, ' ', &term)) {
        if (str_starts(term, STR("+")))
            term = str_from(term, 1);
        if (str_ieq(term, STR("mx")) || names_address(term, addresses, n))
            return true;
    }
    return false;
}

static bool is_spf(struct str s)
{
    return str_ieq(s, STR("v=spf1")) || str_istarts(s, STR("v=spf1 "));
}

static enum dns_state judge_spf(const struct str *found, size_t n, const struct str *addresses, size_t n_addresses)
{
    size_t records = 0;
    bool right = false;

    for (size_t i = 0; i < n; i++) {
        if (!is_spf(found[i]))
            continue;
        records++;
        right = spf_names_us(found[i], addresses, n_addresses);
    }
    return records == 0 ? DNS_MISSING : records == 1 && right ? DNS_FOUND : DNS_DIFFERENT; /* RFC 7208, 4.5: two are an error */
}

static enum dns_state judge_dmarc(const struct str *found, size_t n)
{
    bool any = false;

    for (size_t i = 0; i < n; i++) {
        if (!str_starts(found[i], STR("v=DMARC1"))) /* RFC 7489, 6.6.3: others are not looked at */
            continue;
        if (str_ifind(found[i], STR("p=")) != SIZE_MAX)
            return DNS_FOUND;
        any = true;
    }
    return any ? DNS_DIFFERENT : DNS_MISSING;
}

/* MX: the host, whatever the preference.  SRV: port and host, whatever the priority and weight.  Others: the very value. */
static bool is_value(const struct dns_record *wanted, struct str found)
{
    struct str value = wanted->value, number;

    for (int skip = wanted->type == ns_t_srv ? 2 : wanted->type == ns_t_mx ? 1 : 0; skip > 0; skip--) {
        (void)str_split(&value, ' ', &number);
        (void)str_split(&found, ' ', &number);
    }
    return str_ieq(found, value);
}

enum dns_state dns_judge(const struct dns_record *wanted, bool answered, const struct str *found, size_t n,
                         const struct str *addresses, size_t n_addresses)
{
    if (!answered)
        return DNS_UNKNOWN;
    if (wanted->purpose == DNS_SPF)
        return judge_spf(found, n, addresses, n_addresses);
    if (wanted->purpose == DNS_DMARC)
        return judge_dmarc(found, n);
    if (n == 0)
        return wanted->optional ? DNS_OPTIONAL : DNS_MISSING;
    for (size_t i = 0; i < n; i++) {
        if (wanted->value.p == NULL || is_value(wanted, found[i]))
            return DNS_FOUND;
    }
    return wanted->optional ? DNS_OPTIONAL : DNS_DIFFERENT;
}

const char *dns_type_name(unsigned type)
{
    switch (type) {
    case ns_t_mx:
        return "MX";
    case ns_t_txt:
        return "TXT";
    case ns_t_ptr:
        return "PTR";
    case ns_t_cname:
        return "CNAME";
    case ns_t_srv:
        return "SRV";
    default:
        return "A";
    }
}

struct str dns_zone_line(const struct dns_record *r, struct arena *a)
{
    if (r->type == ns_t_txt)
        return arena_printf(a, "%.*s. 3600 IN TXT \"%.*s\"", STR_ARG(r->name), STR_ARG(r->value));
    return arena_printf(a, "%.*s. 3600 IN %s %.*s.", STR_ARG(r->name), dns_type_name(r->type), STR_ARG(r->value));
}
