/* Reading commands: lines, and the literals between them (RFC 3501, 4.3; LITERAL+: RFC 7888). */
#include "imap/session.h"

#include <assert.h>

#define DISCARD_MAX ((uint64_t)256 << 20) /* of a literal that we do not want and cannot refuse (RFC 7888, 4) */

static enum result go_on(struct imap_session *s, bool sync)
{
    if (!sync)
        return RES_OK;
    stream_puts(s->stream, "+ Ready for the literal\r\n");
    return stream_flush(s->stream);
}

/* A command that is refused before it is complete: what follows of it is read and dropped. */
static enum result refuse(struct imap_session *s, struct str tag, uint64_t size, bool sync, const char *why)
{
    enum result r = RES_OK;
    struct str line;

    while (!sync) { /* more literals may follow on the line behind this one */
        size_t at;

        if (size > (s->state == ST_GREETED ? LINE_MAX_SIGNED : DISCARD_MAX)) {
            stream_puts(s->stream, "* BYE [TOOBIG] Literal too large\r\n");
            (void)stream_flush(s->stream);
            return RES_CLOSED;
        }
        r = stream_discard(s->stream, size);
        if (r == RES_OK)
            r = stream_read_line(s->stream, LINE_MAX_SIGNED, &line);
        if (r != RES_OK || !imap_parse_literal(line, &size, &sync, &at))
            break;
    }
    if (r != RES_OK && r != RES_LIMIT)
        return r;
    stream_printf(s->stream, "%.*s %s\r\n", STR_ARG(tag.p != NULL ? tag : STR("*")), why);
    return RES_LIMIT;
}

/* ---- the message of an APPEND ---- */

/* RES_TEMPFAIL: the disk would not take it; all n bytes were read all the same. */
static enum result receive_body(struct imap_session *s, uint64_t n)
{
    enum result stored = RES_OK;

    spool_init(&s->body, n);
    s->has_body = true;
    for (uint64_t left = n; left > 0;) {
        struct str view;
        enum result r = stream_peek(s->stream, &view);

        if (r != RES_OK)
            return r;
        view.len = MIN(view.len, left);
        stored = spool_add(&s->body, view);
        stream_skip(s->stream, view.len);
        left -= view.len;
    }
    return stored == RES_OK ? RES_OK : RES_TEMPFAIL;
}

/* The literal behind `text` is a message. */
static enum result read_body(struct imap_session *s, struct str tag, uint64_t size, bool sync)
{
    enum result r;

    if (size > (uint64_t)settings_get()->max_message_size)
        return refuse(s, tag, size, sync, "NO [TOOBIG] The message is larger than this server takes");
    r = go_on(s, sync);
    if (r == RES_OK)
        r = receive_body(s, size);
    if (r == RES_TEMPFAIL)
        return refuse(s, tag, 0, false, "NO [UNAVAILABLE] Temporary trouble, try again later");
    return r;
}

/* ---- the command ---- */

/* Appends "{n}" CR LF and the literal's bytes to the text. */
static enum result read_literal(struct imap_session *s, struct strbuf *text, uint64_t size, bool sync)
{
    struct str tag = imap_parse_tag(strbuf_str(text));
    enum result r;
    char *room;

    if (size > text->max - MIN(text->len + 2, text->max) || strbuf_adds(text, "\r\n") != RES_OK)
        return refuse(s, tag, size, sync, "BAD [TOOBIG] Literal too large");
    r = go_on(s, sync);
    if (r != RES_OK)
        return r;
    room = strbuf_room(text, size);
    assert(room != NULL);
    r = stream_read_exact(s->stream, room, size);
    if (r == RES_OK)
        text->len += size;
    return r;
}

enum result read_command(struct imap_session *s, struct strbuf *text, size_t *ret_body_at)
{
    text->max = s->state == ST_GREETED ? LINE_MAX_GREETED : LINE_MAX_SIGNED;
    *ret_body_at = SIZE_MAX;
    for (;;) {
        struct str line, tag;
        size_t start = text->len, at;
        uint64_t size;
        enum result r;
        bool sync;

        r = stream_read_line(s->stream, text->max - text->len, &line);
        if (r == RES_LIMIT) {
            tag = imap_parse_tag(strbuf_str(text));
            stream_printf(s->stream, "%.*s BAD [TOOBIG] Command too long\r\n", STR_ARG(tag.p ? tag : STR("*")));
            return RES_LIMIT;
        }
        if (r != RES_OK)
            return r;
        (void)strbuf_add(text, line);
        if (!imap_parse_literal(str_from(strbuf_str(text), start), &size, &sync, &at))
            return RES_OK;
        at += start;
        if (s->state != ST_GREETED && *ret_body_at == SIZE_MAX &&
            imap_parse_is_append(&s->arena, str_of(text->p, at), &tag)) {
            r = read_body(s, tag, size, sync);
            *ret_body_at = at;
            if (r == RES_OK && strbuf_adds(text, "\r\n") != RES_OK)
                r = refuse(s, tag, 0, false, "BAD [TOOBIG] Command too long");
        } else {
            r = read_literal(s, text, size, sync);
        }
        if (r != RES_OK)
            return r;
    }
}
