/* relay/dialogue.c - the record of a connection. */
#include "relay/dialogue.h"

#include "relay/reply.h"

#include <inttypes.h>

#define CUT_LINE "0 C: (the rest is not recorded)\n"

void dialogue_begin(struct dialogue *d, int64_t now_ms)
{
    strbuf_reset(&d->text);
    d->text.max = DIALOGUE_MAX;
    d->start_ms = now_ms;
    d->cut = false;
}

void dialogue_add(struct dialogue *d, char side, struct str text, int64_t now_ms)
{
    size_t before = d->text.len;

    if (d->cut)
        return;
    d->text.max = DIALOGUE_MAX - sizeof(CUT_LINE);
    (void)strbuf_addf(&d->text, "%" PRId64 " %c: ", now_ms - d->start_ms, side);
    reply_clean(&d->text, text);
    if (strbuf_addc(&d->text, '\n') == RES_OK)
        return;
    d->text.len = before;
    d->text.overflow = false;
    d->text.max = DIALOGUE_MAX;
    (void)strbuf_adds(&d->text, CUT_LINE);
    d->cut = true;
}

void dialogue_release(struct dialogue *d)
{
    strbuf_release(&d->text);
}
