/* relay/content.c - looking for bytes above 127. */
#include "relay/content.h"

/* Are the bytes [0, end) of the message ASCII?  When nobody can say: no. */
static bool is_ascii_up_to(const struct body_source *source, uint64_t end)
{
    CLEANUP(body_cursor_release) struct body_cursor cursor = { .source = *source, .end = end };
    struct str piece;

    for (;;) {
        if (body_next(&cursor, &piece) != RES_OK)
            return false;
        if (piece.len == 0)
            return true;
        if (!str_is_ascii(piece))
            return false;
    }
}

static bool addresses_ascii(const struct queue_envelope *m, const struct queue_job *jobs, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (!str_is_ascii(jobs[i].recipient))
            return false;
    }
    return str_is_ascii(m->reverse_path);
}

void content_needs(const struct body_source *source, const struct queue_envelope *m, const struct queue_job *jobs, size_t n,
                   const struct ehlo *ehlo, struct client_message *ret)
{
    ret->eightbit = (m->body_flags & QUEUE_8BITMIME) != 0;
    ret->binary = (m->body_flags & QUEUE_BINARYMIME) != 0;
    ret->smtputf8 = (m->body_flags & QUEUE_SMTPUTF8) != 0 || !addresses_ascii(m, jobs, n);
    if (ret->eightbit && !ehlo->eightbitmime)
        ret->eightbit = !is_ascii_up_to(source, source->shape.size);
    if (ret->smtputf8 && !ehlo->smtputf8)
        ret->smtputf8 = !addresses_ascii(m, jobs, n) || !is_ascii_up_to(source, source->shape.header_size);
}
