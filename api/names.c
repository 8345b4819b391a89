#include "api/names.h"
#include "mail/address.h"

#include <idn2.h>

enum result name_domain(struct str text, struct arena *a, struct str *ret_name)
{
    uint8_t *ace = NULL;
    struct str name;
    int rc;

    if (text.len == 0 || text.len > 1000 || !str_is_utf8(text))
        return RES_INVALID;
    rc = idn2_lookup_u8((const uint8_t *)arena_cstr(a, text), &ace, IDN2_NFC_INPUT | IDN2_NONTRANSITIONAL);
    if (rc != IDN2_OK)
        return RES_INVALID;
    name = arena_lower(a, str_c((const char *)ace));
    idn2_free(ace);
    if (!address_is_domain(name, false) || (str_chr(name, '.') == SIZE_MAX && !str_eq(name, STR("localhost"))))
        return RES_INVALID;
    *ret_name = name;
    return RES_OK;
}

enum result name_address(struct str text, struct arena *a, struct str *ret_address)
{
    struct str local, domain;

    if (text.len == 0 || !str_is_utf8(text) || address_parse_mailbox(text, true, a, &local, &domain) != RES_OK)
        return RES_INVALID;
    if (name_domain(domain, a, &domain) != RES_OK)
        return RES_INVALID;
    for (size_t i = 0; i < local.len; i++) {
        if ((unsigned char)local.p[i] <= ' ' || local.p[i] == 0x7f || local.p[i] == '"' || local.p[i] == '\\' || local.p[i] == '@')
            return RES_INVALID; /* quoted local-parts are not given out */
    }
    *ret_address = arena_printf(a, "%.*s@%.*s", STR_ARG(address_fold_local(a, local)), STR_ARG(domain));
    return RES_OK;
}

struct str name_domain_of(struct str address)
{
    size_t at = str_rchr(address, '@');

    return at == SIZE_MAX ? STR("") : str_from(address, at + 1);
}
