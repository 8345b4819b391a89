/* Server-sent events: all at once gives what byte by byte gives. */
#include "api/ctl/sse.h"
#include "base/macros.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool note(const struct sse_event *e, void *arg)
{
    struct strbuf *b = arg;

    if (e->data.len > SSE_MAX || e->type.len == 0 || e->type.len > SSE_MAX)
        abort();
    strbuf_add(b, e->type);
    strbuf_addc(b, '\n');
    strbuf_add(b, e->data);
    strbuf_addc(b, '\0');
    return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    CLEANUP(strbuf_release) struct strbuf at_once = { 0 }, by_bytes = { 0 };
    struct str all = str_of((const char *)data, size);
    struct sse s = { 0 };
    bool more = sse_feed(&s, all, note, &at_once), still = true;

    sse_release(&s);
    s = (struct sse){ 0 };
    for (size_t i = 0; i < size; i++)
        still = sse_feed(&s, str_sub(str_from(all, i), 0, 1), note, &by_bytes);
    sse_release(&s);
    if (more != still || !str_eq(strbuf_str(&at_once), strbuf_str(&by_bytes)))
        abort();
    return 0;
}
