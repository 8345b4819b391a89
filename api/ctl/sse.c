#include "api/ctl/sse.h"

static bool put(struct strbuf *b, struct str s)
{
    b->max = SSE_MAX;
    return strbuf_add(b, s) == RES_OK;
}

/* An empty line: the event is complete.  One without data is none. */
static bool dispatch(struct sse *s, sse_handler *handler, void *arg)
{
    const struct sse_event e = { .type = s->type.len > 0 ? strbuf_str(&s->type) : STR("message"), .data = strbuf_str(&s->data) };
    bool more = !s->has_data || handler(&e, arg);

    s->type.len = s->data.len = 0;
    s->has_data = false;
    return more;
}

static bool take_line(struct sse *s, struct str line, sse_handler *handler, void *arg)
{
    size_t colon = str_chr(line, ':');
    struct str name = str_sub(line, 0, colon), value = colon == SIZE_MAX ? STR("") : str_from(line, colon + 1);

    if (line.len == 0)
        return dispatch(s, handler, arg);
    if (str_starts(value, STR(" ")))
        value = str_from(value, 1);
    if (str_eq(name, STR("event"))) {
        s->type.len = 0;
        return put(&s->type, value);
    }
    if (str_eq(name, STR("data"))) {
        bool first = !s->has_data;

        s->has_data = true;
        return (first || put(&s->data, STR("\n"))) && put(&s->data, value);
    }
    return true; /* a comment, or a field that nobody asks for */
}

bool sse_feed(struct sse *s, struct str bytes, sse_handler *handler, void *arg)
{
    for (size_t i = 0; i < bytes.len && !s->over; i++) {
        char c = bytes.p[i];

        if (c == '\n' && s->after_cr) {
            s->after_cr = false;
            continue;
        }
        s->after_cr = c == '\r';
        if (c != '\n' && c != '\r') {
            s->over = !put(&s->line, str_sub(str_from(bytes, i), 0, 1));
            continue;
        }
        s->over = !take_line(s, strbuf_str(&s->line), handler, arg);
        s->line.len = 0;
    }
    return !s->over;
}

void sse_release(struct sse *s)
{
    strbuf_release(&s->line);
    strbuf_release(&s->type);
    strbuf_release(&s->data);
}
