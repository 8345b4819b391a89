#include "pop3/line.h"

enum result pop3_parse(struct str line, struct arena *a, struct pop3_line *ret)
{
    struct pop3_line out = { 0 };
    struct str rest, word;
    size_t blank = str_chr(line, ' ');
    char *verb;
    bool secret;

    if (blank == SIZE_MAX)
        blank = line.len;
    if (blank == 0 || blank > 20)
        return RES_INVALID;
    for (size_t i = 0; i < line.len; i++) {
        unsigned char c = (unsigned char)line.p[i];

        if (c < ' ' || c == 0x7f)
            return RES_INVALID;
    }
    verb = arena_alloc(a, blank + 1);
    for (size_t i = 0; i < blank; i++)
        verb[i] = ascii_upper(line.p[i]);
    out.verb = str_of(verb, blank);
    out.rest = str_from(line, blank + 1);
    secret = str_eq(out.verb, STR("PASS")) || str_eq(out.verb, STR("USER"));
    rest = out.rest;
    while (!secret && str_word(&rest, &word)) {
        if (out.n_args == POP3_MAX_ARGS)
            return RES_INVALID;
        out.args[out.n_args++] = word;
    }
    *ret = out;
    return RES_OK;
}

void pop3_stuffer_init(struct pop3_stuffer *st, uint64_t body_lines)
{
    *st = (struct pop3_stuffer){ .body_lines = body_lines };
}

/* One line, or the part of one that is in this piece; `ends`: with its LF. */
static void line_part(struct pop3_stuffer *st, struct str part, bool ends)
{
    bool blank;

    if (st->line_len == 0 && part.len > 0)
        st->starts_cr = part.p[0] == '\r';
    st->line_len += part.len;
    st->mid_line = !ends;
    if (!ends)
        return;
    blank = st->line_len == 1 || (st->line_len == 2 && st->starts_cr);
    st->line_len = 0;
    if (st->in_body && st->body_lines != UINT64_MAX)
        st->body_lines--;
    else if (!st->in_body && blank)
        st->in_body = true;
    if (st->in_body && st->body_lines == 0)
        st->done = true;
}

void pop3_stuff(struct pop3_stuffer *st, struct str piece, pop3_out *out, void *arg)
{
    size_t from = 0, i = 0;

    while (i < piece.len && !st->done) {
        size_t lf = str_chr(str_from(piece, i), '\n');
        size_t end = lf == SIZE_MAX ? piece.len : i + lf + 1;

        if (!st->mid_line && piece.p[i] == '.') {
            if (i > from)
                out(arg, str_sub(piece, from, i - from));
            out(arg, STR("."));
            from = i;
        }
        line_part(st, str_sub(piece, i, end - i), lf != SIZE_MAX);
        i = end;
    }
    if (i > from)
        out(arg, str_sub(piece, from, i - from));
    if (i > 0)
        st->last_cr = piece.p[i - 1] == '\r';
}

struct str pop3_stuffer_end(const struct pop3_stuffer *st)
{
    if (!st->mid_line)
        return STR("");
    return st->last_cr ? STR("\n") : STR("\r\n");
}
