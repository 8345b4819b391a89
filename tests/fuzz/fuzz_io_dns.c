/* Answers of the DNS, as the network may send them. */
#include "io/dns.h"

#include <arpa/nameser.h>
#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const unsigned types[] = { ns_t_mx, ns_t_a, ns_t_aaaa };

    for (size_t i = 0; i < ARRAY_LEN(types); i++) {
        CLEANUP(arena_releasep) struct arena a = { 0 };
        struct dns_parsed p;

        dns_parse(str_of((const char *)data, size), STR("example.org"), types[i], &a, &p);
        assert(p.result == RES_OK || p.result == RES_NOTFOUND || p.result == RES_TEMPFAIL);
        assert(p.mx.n <= DNS_MAX_RECORDS && p.addresses.n <= DNS_MAX_RECORDS);
        for (size_t k = 0; k < p.mx.n; k++)
            assert(dns_is_name(p.mx.v[k].host));
    }
    return 0;
}
