/* Any bytes as an address list and as an envelope mailbox; what the strict reader takes, the writer gives back. */
#include <assert.h>

#include "mail/address.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    CLEANUP(arena_releasep) struct arena a = { 0 };
    struct str text = str_of((const char *)data, size), local, domain, written, local2, domain2;
    struct mail_address *list;
    size_t n, open = 0;

    address_list(&a, text, &list, &n);
    assert(n <= ADDRESS_MAX_LIST);
    for (size_t i = 0; i < n; i++) {
        assert(list[i].local.len <= size && list[i].domain.len <= size && list[i].name.len <= size);
        open += list[i].kind == ADDRESS_GROUP;
        open -= list[i].kind == ADDRESS_GROUP_END;
        assert(open <= 1);
    }
    assert(open == 0 || n == ADDRESS_MAX_LIST);
    for (int utf8 = 0; utf8 < 2; utf8++) {
        if (address_parse_mailbox(text, utf8 == 1, &a, &local, &domain) != RES_OK)
            continue;
        assert(local.len > 0 && local.len <= ADDRESS_MAX_LOCAL);
        written = address_write_mailbox(&a, local, domain);
        if (address_parse_mailbox(written, utf8 == 1, &a, &local2, &domain2) == RES_OK)
            assert(str_eq(local, local2));
        else
            assert(!str_is_ascii(domain)); /* casefolding may lengthen a U-label past the limits */
    }
    return 0;
}
