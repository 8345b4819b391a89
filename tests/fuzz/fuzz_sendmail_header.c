/* Any bytes as a message for correio-sendmail: nothing that it makes of them ends a command line or the header early. */
#include <assert.h>

#include "base/macros.h"
#include "mail/header.h"
#include "sendmail/compose.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    CLEANUP(arena_releasep) struct arena a = { 0 };
    struct str text = str_of((const char *)data, size), header, body, composed, *v, bad;
    struct header_field f;
    size_t n;

    sendmail_split(text, &header, &body);
    assert(header.len + body.len <= size);
    if (sendmail_recipients(header, STR("host.example"), &a, &v, &n, &bad) == RES_OK) {
        for (size_t i = 0; i < n; i++)
            assert(str_chr(v[i], '\n') == SIZE_MAX && str_chr(v[i], '\r') == SIZE_MAX && str_chr(v[i], '@') != SIZE_MAX);
    }
    composed = sendmail_header(header, STR("alice@host.example"), str_sub(text, 0, 40), &a);
    assert(composed.len > 0 && composed.p[composed.len - 1] == '\n');
    assert(!header_find(composed, STR("Bcc"), &f) && header_find(composed, STR("From"), &f));
    return 0;
}
