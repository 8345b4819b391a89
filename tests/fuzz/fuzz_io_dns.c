/* Answers of the DNS, as the network may send them. */
#include "io/dns_ask.h"

#include <arpa/nameser.h>
#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const unsigned types[] = { ns_t_mx, ns_t_a, ns_t_aaaa };
    static const unsigned texts[] = { ns_t_mx, ns_t_txt, ns_t_srv, ns_t_cname, ns_t_ptr, ns_t_ns, ns_t_a, ns_t_aaaa, ns_t_soa };

    for (size_t i = 0; i < ARRAY_LEN(types); i++) {
        CLEANUP(arena_releasep) struct arena a = { 0 };
        struct dns_parsed p;

        dns_parse(str_of((const char *)data, size), STR("example.org"), types[i], &a, &p);
        assert(p.result == RES_OK || p.result == RES_NOTFOUND || p.result == RES_TEMPFAIL);
        assert(p.mx.n <= DNS_MAX_RECORDS && p.addresses.n <= DNS_MAX_RECORDS);
        for (size_t k = 0; k < p.mx.n; k++)
            assert(dns_is_name(p.mx.v[k].host));
    }
    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        CLEANUP(arena_releasep) struct arena a = { 0 };
        struct str *v;
        size_t n;
        enum result r = dns_parse_texts(str_of((const char *)data, size), STR("example.org"), texts[i], &a, &v, &n);

        assert(r == RES_TEMPFAIL ? n == 0 : (r == RES_OK) == (n > 0));
        for (size_t k = 0; k < n; k++)
            assert(v[k].len <= 4096 && str_is_ascii(v[k]));
    }
    return 0;
}
