/* The scan of Autodiscover's request, and what is then written with the address that it gave. */
#include "api/autodiscover.h"
#include "api/client_setup.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const int ports[LISTENERS] = { [LISTEN_IMAPS] = 993, [LISTEN_SMTPS] = 465 };
    CLEANUP(arena_releasep) struct arena a = { 0 };
    struct client_setup setup = { .host = STR("mail.example.org"), .ports = ports, .domain = STR("example.org") };
    struct str body = str_of((const char *)data, size), text;

    if (autodiscover_address(body, &setup.address) != RES_OK)
        return 0;
    if (setup.address.len == 0 || setup.address.p < body.p || setup.address.p + setup.address.len > body.p + body.len)
        abort();
    setup.name = setup.address;
    text = client_setup_autodiscover(&setup, &a);
    if (!str_is_utf8(text) || !str_ends(text, STR("</Autodiscover>\n")))
        abort();
    text = client_setup_profile(&setup, &a);
    if (!str_is_utf8(text) || !str_ends(text, STR("</plist>\n")))
        abort();
    return 0;
}
