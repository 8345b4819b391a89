/* Reading commands: lines, and the literals between them (RFC 5804, 4).  A client sends a literal at once, so one that
 * is too large has to be read all the same, unless that is too much to ask. */
#include "managesieve/session.h"

#define DISCARD_MAX ((uint64_t)16 << 20)

/* A command that is refused before it is complete: this literal and what follows of it are read and dropped. */
static enum result refuse(struct managesieve *s, uint64_t size)
{
    uint64_t budget = s->state == ST_GREETED ? LINE_MAX_BYTES : DISCARD_MAX;
    struct str line;
    enum result r;

    do {
        if (size > budget) {
            (void)ms_bye(s, "QUOTA/MAXSIZE", "That is far too large");
            return RES_CLOSED;
        }
        budget -= size;
        r = stream_discard(s->stream, size);
        if (r == RES_OK)
            r = stream_read_line(s->stream, LINE_MAX_BYTES, &line);
    } while (r == RES_OK && managesieve_literal(line, &size));
    if (r != RES_OK && r != RES_LIMIT)
        return r;
    (void)ms_no(s, "QUOTA/MAXSIZE", "A script may have at most %zu bytes", SCRIPT_MAX_BYTES);
    return RES_LIMIT;
}

/* Appends CR LF and the literal's bytes, which take memory only as they come. */
static enum result read_literal(struct managesieve *s, struct strbuf *text, uint64_t size)
{
    if (size > text->max - MIN(text->len + 2, text->max))
        return refuse(s, size);
    (void)strbuf_adds(text, "\r\n");
    while (size > 0) {
        struct str view;
        enum result r = stream_peek(s->stream, &view);

        if (r != RES_OK)
            return r;
        view.len = MIN(view.len, size);
        (void)strbuf_add(text, view);
        stream_skip(s->stream, view.len);
        size -= view.len;
    }
    return RES_OK;
}

enum result ms_read_command(struct managesieve *s, struct strbuf *text, size_t max)
{
    text->max = max;
    for (;;) {
        struct str line;
        uint64_t size;
        enum result r = stream_read_line(s->stream, MIN(LINE_MAX_BYTES, text->max - text->len), &line);
        bool more;

        if (r == RES_LIMIT)
            (void)ms_no(s, NULL, "The line is too long");
        if (r != RES_OK)
            return r;
        more = managesieve_literal(line, &size);
        (void)strbuf_add(text, line);
        if (!more)
            return RES_OK;
        r = read_literal(s, text, size);
        if (r != RES_OK)
            return r;
    }
}
