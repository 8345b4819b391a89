/* BODY out of BODYSTRUCTURE: copies the fields of each body and leaves its extension data out (RFC 3501, 7.4.2).
 *
 *   body = "(" 1*body SP subtype [extensions] ")"                                       multipart
 *        / "(" type SP subtype SP params SP id SP desc SP enc SP octets                 all others,
 *              [SP envelope SP body SP lines]                                           message/rfc822
 *              [SP lines]                                                               text
 *              [extensions] ")" */
#include "mail/parts.h"

#define NESTING_MAX 16 /* of parentheses in one value; parameters and envelopes have 3 */

struct scan {
    struct str s;
    size_t at;
    struct strbuf *out;
};

static bool accept(struct scan *c, char want)
{
    if (c->at >= c->s.len || c->s.p[c->at] != want)
        return false;
    c->at++;
    return true;
}

/* Moves over the quoted string, literal, or atom (NIL, number) at c->at. */
static bool skip_atom(struct scan *c)
{
    size_t from = c->at, end;
    uint64_t n;

    if (accept(c, '"')) {
        while (c->at < c->s.len && c->s.p[c->at] != '"')
            c->at += c->s.p[c->at] == '\\' ? 2 : 1;
        return accept(c, '"');
    }
    if (accept(c, '{')) {
        end = str_chr(str_from(c->s, c->at), '}');
        if (end == SIZE_MAX || !str_u64(str_sub(c->s, c->at, end), UINT32_MAX, &n))
            return false;
        c->at += end + 1;
        if (!accept(c, '\r') || !accept(c, '\n') || n > c->s.len - c->at)
            return false;
        c->at += n;
        return true;
    }
    while (c->at < c->s.len && ascii_alnum(c->s.p[c->at]))
        c->at++;
    return c->at > from;
}

/* Moves over one value: an atom or a parenthesized list of values. */
static bool skip_value(struct scan *c)
{
    unsigned depth = 0;

    do {
        if (accept(c, '(')) {
            if (++depth > NESTING_MAX)
                return false;
        } else if (accept(c, ')')) {
            if (depth-- == 0)
                return false;
        } else if (!accept(c, ' ') && !skip_atom(c)) {
            return false;
        }
    } while (depth > 0);
    return true;
}

/* Copies `n` values, each with the blank before it. */
static bool copy_values(struct scan *c, unsigned n)
{
    size_t from = c->at;

    while (n-- > 0) {
        if (!accept(c, ' ') || !skip_value(c))
            return false;
    }
    return strbuf_add(c->out, str_sub(c->s, from, c->at - from)) == RES_OK;
}

/* Leaves the extension data out, up to and including the ")" of this body. */
static bool drop_extensions(struct scan *c)
{
    while (accept(c, ' ')) {
        if (!skip_value(c))
            return false;
    }
    return accept(c, ')') && strbuf_addc(c->out, ')') == RES_OK;
}

static bool copy_body(struct scan *c, unsigned depth)
{
    size_t from, second;
    struct str type, subtype;

    if (depth == 0 || !accept(c, '('))
        return false;
    if (strbuf_addc(c->out, '(') != RES_OK)
        return false;
    if (c->at < c->s.len && c->s.p[c->at] == '(') {
        while (c->at < c->s.len && c->s.p[c->at] == '(') {
            if (!copy_body(c, depth - 1))
                return false;
        }
        return copy_values(c, 1) && drop_extensions(c);
    }
    from = c->at;
    if (!skip_atom(c))
        return false;
    type = str_sub(c->s, from, c->at - from);
    second = c->at;
    if (!accept(c, ' ') || !skip_atom(c))
        return false;
    subtype = str_sub(c->s, second + 1, c->at - second - 1);
    if (strbuf_add(c->out, str_sub(c->s, from, c->at - from)) != RES_OK || !copy_values(c, 5))
        return false;
    if (str_ieq(type, STR("\"text\"")) && !copy_values(c, 1))
        return false;
    if (str_ieq(type, STR("\"message\"")) && str_ieq(subtype, STR("\"rfc822\""))) {
        if (!copy_values(c, 1) || !accept(c, ' ') || strbuf_addc(c->out, ' ') != RES_OK || !copy_body(c, depth - 1) ||
            !copy_values(c, 1))
            return false;
    }
    return drop_extensions(c);
}

enum result imap_body_from_structure(struct str bodystructure, struct strbuf *out)
{
    struct scan c = { .s = bodystructure, .out = out };

    if (copy_body(&c, MAIL_MAX_DEPTH) && c.at == c.s.len)
        return RES_OK;
    return out->overflow ? RES_LIMIT : RES_INVALID;
}
