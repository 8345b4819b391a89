/* relay/reply.c - replies of SMTP servers. */
#include "relay/reply.h"

/* The length of a well-formed UTF-8 character at s.p, 0 when there is none or it is a control character. */
static size_t printable(struct str s)
{
    unsigned char c = (unsigned char)s.p[0];
    size_t n = c < 0x80 ? 1 : c < 0xe0 ? 2 : c < 0xf0 ? 3 : 4;

    if (c < 0x20 || c == 0x7f || n > s.len || !str_is_utf8(str_sub(s, 0, n)))
        return 0;
    return n == 2 && c == 0xc2 && (unsigned char)s.p[1] < 0xa0 ? 0 : n; /* C1 controls */
}

void reply_clean(struct strbuf *out, struct str text)
{
    while (text.len > 0) {
        size_t run = 0, n;

        while (run < text.len && (n = printable(str_from(text, run))) > 0)
            run += n;
        (void)strbuf_add(out, str_sub(text, 0, run));
        text = str_from(text, run);
        if (text.len > 0) {
            (void)strbuf_addc(out, '?');
            text = str_from(text, 1);
        }
    }
}

/* "5.1.1" at the start of a line's text, followed by a blank or the end, with the class of the code (RFC 2034, 4);
 * its length, else 0. */
static size_t enhanced_at(struct str text, int code)
{
    size_t i = 1, digits;

    if (text.len < 5 || text.p[0] != '0' + code / 100)
        return 0;
    for (int part = 0; part < 2; part++) {
        if (i >= text.len || text.p[i] != '.')
            return 0;
        i++;
        for (digits = 0; i < text.len && ascii_digit(text.p[i]); digits++)
            i++;
        if (digits < 1 || digits > 3)
            return 0;
    }
    return i == text.len || text.p[i] == ' ' ? i : 0;
}

enum reply_step reply_feed(struct reply_parser *p, struct str line)
{
    struct str text;
    size_t enhanced;
    uint64_t code;

    if (!str_u64(str_sub(line, 0, 3), 599, &code) || line.len < 3 || code < 200 || ++p->lines > REPLY_MAX_LINES ||
        (p->code != 0 && p->code != (int)code) || (line.len > 3 && line.p[3] != ' ' && line.p[3] != '-'))
        return REPLY_BAD;
    if (p->code != 0)
        (void)strbuf_addc(&p->text, '\n');
    p->code = (int)code;
    p->text.max = REPLY_MAX_TEXT;
    text = str_from(line, 4);
    enhanced = enhanced_at(text, p->code);
    if (enhanced > 0) {
        if (p->enhanced[0] == '\0')
            memcpy(p->enhanced, text.p, enhanced); /* at most 9 bytes; the rest stays zero */
        text = str_from(text, enhanced + 1);
    }
    reply_clean(&p->text, text);
    return line.len > 3 && line.p[3] == '-' ? REPLY_MORE : REPLY_DONE;
}

void reply_take(struct reply_parser *p, struct arena *a, struct reply *ret)
{
    ret->code = p->code;
    ret->enhanced = p->enhanced[0] != '\0' ? arena_str(a, str_c(p->enhanced)) : STR_NULL;
    ret->text = arena_str(a, strbuf_str(&p->text));
    strbuf_reset(&p->text);
    p->code = p->lines = 0;
    memset(p->enhanced, 0, sizeof(p->enhanced));
}

void reply_parser_release(struct reply_parser *p)
{
    strbuf_release(&p->text);
}

static void parse_auth(struct str mechanisms, struct ehlo *ret)
{
    struct str mechanism;

    while (str_word(&mechanisms, &mechanism)) {
        ret->auth_plain |= str_ieq(mechanism, STR("PLAIN"));
        ret->auth_login |= str_ieq(mechanism, STR("LOGIN"));
    }
}

void ehlo_parse(struct str text, struct ehlo *ret)
{
    struct str line, keyword;

    *ret = (struct ehlo){ 0 };
    (void)str_split(&text, '\n', &line); /* the server's name and greeting */
    while (str_split(&text, '\n', &line)) {
        if (str_istarts(line, STR("AUTH="))) { /* as servers wrote it before RFC 4954 */
            parse_auth(str_from(line, 5), ret);
            continue;
        }
        if (!str_word(&line, &keyword))
            continue;
        ret->starttls |= str_ieq(keyword, STR("STARTTLS"));
        ret->pipelining |= str_ieq(keyword, STR("PIPELINING"));
        ret->eightbitmime |= str_ieq(keyword, STR("8BITMIME"));
        ret->smtputf8 |= str_ieq(keyword, STR("SMTPUTF8"));
        ret->dsn |= str_ieq(keyword, STR("DSN"));
        if (str_ieq(keyword, STR("DELIVERBY"))) {
            ret->deliverby = true;
            (void)str_u64(str_trim(line), UINT64_MAX, &ret->min_by_s);
        }
        if (str_ieq(keyword, STR("AUTH")))
            parse_auth(line, ret);
        if (str_ieq(keyword, STR("SIZE"))) {
            ret->has_size = true;
            (void)str_u64(str_trim(line), UINT64_MAX, &ret->max_size);
        }
    }
}
