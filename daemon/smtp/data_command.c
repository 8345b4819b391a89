/* DATA (RFC 5321, 4.1.1.4): the message as lines, with dots stuffed, up to CR LF . CR LF. */
#include "smtp/incoming.h"

static void take_piece(void *arg, struct str piece)
{
    struct incoming *in = arg;

    (void)spool_add(&in->spool, piece); /* an error sticks; the rest is read and dropped */
}

static enum result read_data(struct stream *stream, struct incoming *in)
{
    enum result r = RES_OK;

    while (r == RES_OK && in->data.state != DATA_END) {
        struct str view;

        r = loop_now() > in->until ? RES_TIMEOUT : stream_peek(stream, &view);
        if (r == RES_OK)
            stream_skip(stream, smtp_data_feed(&in->data, view, take_piece, in));
    }
    return r;
}

enum next smtp_data(struct cmd *c)
{
    struct smtp_session *s = c->s;
    struct incoming in;
    enum next next;
    enum result r;

    if (c->args.len > 0)
        return smtp_reply(s, 501, "5.5.4", "Syntax: DATA");
    if (s->tx.params.binary) /* RFC 3030, 3 */
        return smtp_reply(s, 503, "5.5.1", "A binary message is sent by BDAT");
    if (incoming_begin(&in, c) != RES_OK)
        return smtp_reply_tempfail(s);
    stream_puts(s->stream, "354 End data with <CR><LF>.<CR><LF>\r\n");
    r = stream_flush(s->stream);
    stream_set_timeout(s->stream, INCOMING_BLOCK_MS);
    if (r == RES_OK)
        r = read_data(s->stream, &in);
    stream_set_timeout(s->stream, SMTP_COMMAND_MS);
    next = r == RES_OK ? incoming_finish(&in, c) : incoming_lost(s, r);
    incoming_release(&in);
    smtp_tx_reset(s);
    return next;
}
