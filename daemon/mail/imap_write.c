#include "mail/imap_write.h"

#define QUOTED_MAX ((size_t)1000) /* clients read quoted strings by the line */
#define TOKEN_MAX  ((size_t)127)

/* Bytes without line ends; whether it may be quoted (RFC 3501, 9: TEXT-CHAR). */
static size_t measure(struct str s, bool *ret_quotable)
{
    size_t n = 0;
    bool ok = true;

    for (size_t i = 0; i < s.len; i++) {
        unsigned char c = (unsigned char)s.p[i];

        n += c != '\r' && c != '\n';
        if ((c < 32 && c != '\t' && c != '\r' && c != '\n' && c != '\0') || c > 126)
            ok = false;
    }
    *ret_quotable = ok && n <= QUOTED_MAX;
    return n;
}

static void put_string(struct imap_writer *w, struct str s, size_t n, bool quoted)
{
    char *p;

    if (quoted)
        strbuf_addc(&w->out, '"');
    else
        strbuf_addf(&w->out, "{%zu}\r\n", n);
    p = strbuf_room(&w->out, n * 2);
    if (p == NULL)
        return;
    for (size_t i = 0; i < s.len; i++) {
        char c = s.p[i];

        if (c == '\r' || c == '\n')
            continue;
        if (quoted && (c == '"' || c == '\\'))
            *p++ = '\\';
        *p++ = c == '\0' ? '?' : c;
    }
    w->out.len = (size_t)(p - w->out.p);
    if (quoted)
        strbuf_addc(&w->out, '"');
}

void imap_put_string(struct imap_writer *w, struct str s)
{
    bool quoted;
    size_t n = measure(s, &quoted);

    if (n > w->budget) {
        strbuf_adds(&w->out, "\"\"");
        return;
    }
    w->budget -= n;
    put_string(w, s, n, quoted);
}

void imap_put_nstring(struct imap_writer *w, struct str s)
{
    bool quoted;
    size_t n;

    n = measure(s, &quoted);
    if (s.p == NULL || n > w->budget) {
        strbuf_adds(&w->out, "NIL");
        return;
    }
    w->budget -= n;
    put_string(w, s, n, quoted);
}

void imap_put_token(struct imap_writer *w, struct str s)
{
    bool quoted;
    size_t n;

    s = str_sub(s, 0, TOKEN_MAX);
    n = measure(s, &quoted);
    put_string(w, s, n, quoted);
}
