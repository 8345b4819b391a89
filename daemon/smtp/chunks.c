/* BDAT (RFC 3030): the message in pieces of a told length, byte for byte.
 *
 * The bytes of a piece come in any case, right or wrong, and are read before the answer: the next command stands behind
 * them.  A piece that is refused fails the transaction: nothing of it is kept, and more pieces are refused, until RSET,
 * EHLO, or the last piece.
 *
 *   ST_RCPT --BDAT--> ST_CHUNKS --BDAT LAST--> delivered, ST_GREETED
 *   ST_MAIL --BDAT--> ST_FAILED <--refused--- ST_CHUNKS
 *                     ST_FAILED --BDAT LAST--> ST_GREETED
 *
 * Without BODY=BINARYMIME a bare CR or LF is refused as in DATA. */
#include "smtp/incoming.h"

struct chunk {
    uint64_t size;
    bool last;
};

struct refusal { /* code 0: none */
    int code;
    const char *enhanced, *text;
};
static const struct refusal fine, out_of_memory = { 452, "4.3.1", "Not enough storage" };

/* The answer to a piece that is refused.  In LMTP the last one is answered once for each accepted recipient, so never
 * when there is none (RFC 2033, 4.3): the client counts. */
static enum next refuse(struct smtp_session *s, bool last, const struct refusal *why)
{
    enum next next;

    if (last && smtp_is_lmtp(s))
        next = smtp_reply_end(s, why->code, why->enhanced, "%s", why->text);
    else
        next = smtp_reply(s, why->code, why->enhanced, "%s", why->text);
    if (last) {
        smtp_tx_reset(s);
    } else if (s->state > ST_GREETED) {
        incoming_release(s->tx.incoming);
        s->tx.incoming = NULL;
        s->state = ST_FAILED;
    }
    return next;
}

static struct refusal out_of_sequence(const struct smtp_session *s)
{
    switch (s->state) {
    case ST_NEW:
        return (struct refusal){ 503, "5.5.1", smtp_is_lmtp(s) ? "Say LHLO first" : "Say EHLO first" };
    case ST_GREETED:
        return (struct refusal){ 503, "5.5.1", "MAIL comes before BDAT" };
    case ST_MAIL:
        return (struct refusal){ 503, "5.5.1", "No valid recipients" };
    default:
        return (struct refusal){ 503, "5.5.1", "The mail transaction has failed: say RSET first" };
    }
}

/* Can the piece be taken?  Its bytes have not been read yet. */
static struct refusal prepare(struct cmd *c, const struct chunk *chunk)
{
    struct smtp_session *s = c->s;
    struct smtp_tx *tx = &s->tx;

    if (s->state == ST_RCPT) {
        struct incoming *in = arena_new(&tx->arena, struct incoming);

        if (incoming_begin(in, c) != RES_OK)
            return (struct refusal){ 451, "4.3.0", SMTP_TEMPFAIL_TEXT };
        tx->incoming = in;
        s->state = ST_CHUNKS;
    }
    if (s->state != ST_CHUNKS)
        return out_of_sequence(s);
    if (chunk->size > tx->incoming->spool.max - spool_size(&tx->incoming->spool))
        return (struct refusal){ 552, "5.3.4", "The message is too large" };
    return fine;
}

/* Reads the bytes of a piece; in NULL: drops them. */
static enum result read_chunk(struct stream *stream, uint64_t left, int64_t until, struct incoming *in)
{
    while (left > 0) {
        struct str view;
        enum result r = RES_OK;

        if (stream_buffered(stream) == 0)
            r = stream_flush(stream); /* answers to what was pipelined before it (RFC 2920, 3.2) */
        if (r == RES_OK)
            r = loop_now() > until ? RES_TIMEOUT : stream_peek(stream, &view);
        if (r != RES_OK)
            return r;
        view = str_sub(view, 0, (size_t)MIN(left, (uint64_t)view.len));
        if (in != NULL) {
            smtp_data_scan(&in->data, view, false);
            (void)spool_add(&in->spool, view);
        }
        left -= view.len;
        stream_skip(stream, view.len);
    }
    return RES_OK;
}

/* What the bytes were like, as far as it can be said before the end. */
static struct refusal judge(const struct smtp_session *s, const struct incoming *in)
{
    if (in->spool.error != RES_OK)
        return out_of_memory;
    if (in->data.bare && !s->tx.params.binary)
        return (struct refusal){ 550, "5.5.2", "The message holds a CR or LF alone" };
    return fine;
}

static enum next finish(struct cmd *c, struct incoming *in)
{
    enum next next;

    smtp_data_scan(&in->data, STR(""), true);
    next = incoming_finish(in, c);
    smtp_tx_reset(c->s);
    return next;
}

enum next smtp_bdat(struct cmd *c)
{
    struct smtp_session *s = c->s;
    struct chunk chunk;
    struct refusal why;
    struct incoming *in;
    enum result r;

    if (smtp_parse_bdat(c->args, &chunk.size, &chunk.last) != RES_OK)
        return refuse(s, false, &(struct refusal){ 501, "5.5.4", "Syntax: BDAT size [LAST]" });
    why = prepare(c, &chunk);
    in = why.code == 0 ? s->tx.incoming : NULL;
    stream_set_timeout(s->stream, INCOMING_BLOCK_MS);
    r = read_chunk(s->stream, chunk.size, in != NULL ? in->until : deadline_in(INCOMING_END_MS), in);
    stream_set_timeout(s->stream, SMTP_COMMAND_MS);
    if (r != RES_OK)
        return incoming_lost(s, r);
    if (in != NULL)
        why = judge(s, in);
    if (why.code != 0)
        return refuse(s, chunk.last, &why);
    if (chunk.last)
        return finish(c, in);
    return smtp_reply(s, 250, "2.0.0", "%llu bytes taken", (unsigned long long)chunk.size);
}
