#include "smtp/data.h"
#include "base/macros.h"

static bool has_eight_bit(struct str s)
{
    size_t i = 0;

    for (; i + 8 <= s.len; i += 8) {
        uint64_t word;

        memcpy(&word, s.p + i, 8);
        if ((word & 0x8080808080808080u) != 0)
            return true;
    }
    return !str_is_ascii(str_from(s, i));
}

/* Runs of whole lines go out in one piece: from `from` on nothing has gone out yet. */
size_t smtp_data_feed(struct smtp_data *d, struct str bytes, smtp_data_out *out, void *arg)
{
    size_t i = 0, from = 0;

    while (i < bytes.len && d->state != DATA_END) {
        char c = bytes.p[i];

        switch (d->state) {
        case DATA_LINE_START:
            if (c == '.') {
                if (i > from)
                    out(arg, str_sub(bytes, from, i - from));
                from = ++i; /* a leading dot is never part of the message */
                d->state = DATA_DOT;
            } else {
                d->state = DATA_IN_LINE;
            }
            break;
        case DATA_IN_LINE: {
            struct str rest = str_from(bytes, i);
            size_t cr = MIN(str_chr(rest, '\r'), rest.len);

            if (str_chr(str_sub(rest, 0, cr), '\n') != SIZE_MAX)
                d->bare = true;
            i += cr;
            if (i < bytes.len) {
                i++;
                d->state = DATA_CR;
            }
            break;
        }
        case DATA_CR:
            if (c == '\n') {
                i++;
                d->state = DATA_LINE_START;
            } else {
                d->bare = true;
                d->state = DATA_IN_LINE;
            }
            break;
        case DATA_DOT:
            if (c == '\r') {
                i++;
                d->state = DATA_DOT_CR;
            } else {
                d->state = DATA_IN_LINE;
            }
            break;
        case DATA_DOT_CR:
            if (c == '\n') {
                i++;
                d->state = DATA_END;
                from = i;
            } else {
                d->bare = true;
                if (from == i) /* the CR came in an earlier call and has not gone out */
                    out(arg, STR("\r"));
                d->state = DATA_IN_LINE;
            }
            break;
        case DATA_END:
            break;
        }
    }
    /* A CR behind a lone dot may belong to the end: it waits. */
    size_t until = d->state == DATA_DOT_CR && i > from ? i - 1 : i;

    if (until > from)
        out(arg, str_sub(bytes, from, until - from));
    if (!d->eight_bit && has_eight_bit(bytes))
        d->eight_bit = true;
    return i;
}

void smtp_data_scan(struct smtp_data *d, struct str bytes, bool last)
{
    size_t i = 0;

    while (i < bytes.len) {
        struct str rest = str_from(bytes, i);
        size_t cr;

        if (d->state == DATA_CR) {
            if (rest.p[0] != '\n')
                d->bare = true;
            else
                i++;
            d->state = DATA_IN_LINE;
            continue;
        }
        cr = MIN(str_chr(rest, '\r'), rest.len);
        if (str_chr(str_sub(rest, 0, cr), '\n') != SIZE_MAX)
            d->bare = true;
        i += cr;
        if (i < bytes.len) {
            i++;
            d->state = DATA_CR;
        }
    }
    if (last && d->state == DATA_CR)
        d->bare = true;
    if (!d->eight_bit && has_eight_bit(bytes))
        d->eight_bit = true;
}
