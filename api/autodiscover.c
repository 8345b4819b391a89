#include "api/autodiscover.h"

#define MAX_DEPTH 16
#define MAX_ADDRESS 320

struct scan {
    struct str s;
    size_t at;
    struct str open[MAX_DEPTH]; /* elements that have begun and not ended */
    size_t depth;
    bool begun;         /* the outermost element has */
    bool found;         /* so has the address's */
    struct str address; /* STR_NULL: no text yet */
};

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static bool is_name_byte(char c)
{
    return ascii_alnum(c) || c == '_' || c == '-' || c == '.' || c == ':';
}

static bool at_byte(const struct scan *s, char c)
{
    return s->at < s->s.len && s->s.p[s->at] == c;
}

static bool take(struct scan *s, struct str what)
{
    if (!str_starts(str_from(s->s, s->at), what))
        return false;
    s->at += what.len;
    return true;
}

/* True when there was at least one. */
static bool take_blanks(struct scan *s)
{
    size_t from = s->at;

    while (s->at < s->s.len && is_blank(s->s.p[s->at]))
        s->at++;
    return s->at > from;
}

static bool take_name(struct scan *s, struct str *ret)
{
    size_t from = s->at;

    while (s->at < s->s.len && is_name_byte(s->s.p[s->at]))
        s->at++;
    *ret = str_sub(s->s, from, s->at - from);
    return ret->len > 0 && (ascii_alpha(ret->p[0]) || ret->p[0] == '_');
}

/* Text or the value of an attribute, up to one of the two bytes: no entity, no control character. */
static bool take_text(struct scan *s, char end, char end2, struct str *ret)
{
    size_t from = s->at;

    for (; s->at < s->s.len && s->s.p[s->at] != end && s->s.p[s->at] != end2; s->at++) {
        char c = s->s.p[s->at];

        if (c == '&' || c == 0x7f || ((unsigned char)c < ' ' && !is_blank(c)))
            return false;
    }
    *ret = str_sub(s->s, from, s->at - from);
    return true;
}

/* name="value" */
static bool take_attribute(struct scan *s)
{
    struct str name, value;
    char quote;

    if (!take_name(s, &name))
        return false;
    take_blanks(s);
    if (!take(s, STR("=")))
        return false;
    take_blanks(s);
    if (!at_byte(s, '"') && !at_byte(s, '\''))
        return false;
    quote = s->s.p[s->at++];
    return take_text(s, quote, '<', &value) && take(s, str_of(&quote, 1));
}

static bool take_attributes(struct scan *s)
{
    while (take_blanks(s) && !at_byte(s, '>') && !at_byte(s, '/') && !at_byte(s, '?')) {
        if (!take_attribute(s))
            return false;
    }
    return true;
}

static bool is_in_address(const struct scan *s)
{
    static const struct str path[] = { STR("Autodiscover"), STR("Request"), STR("EMailAddress") };

    if (s->depth != ARRAY_LEN(path))
        return false;
    for (size_t i = 0; i < ARRAY_LEN(path); i++) {
        if (!str_eq(s->open[i], path[i]))
            return false;
    }
    return true;
}

static bool take_start(struct scan *s)
{
    struct str name;

    if ((s->depth == 0 && s->begun) || s->depth == MAX_DEPTH || is_in_address(s) || !take_name(s, &name) || !take_attributes(s))
        return false;
    s->begun = true;
    s->open[s->depth++] = name;
    if (is_in_address(s)) {
        if (s->found)
            return false;
        s->found = true;
    }
    if (take(s, STR("/>"))) {
        s->depth--;
        return true;
    }
    return take(s, STR(">"));
}

static bool take_end(struct scan *s)
{
    struct str name;

    if (s->depth == 0 || !take_name(s, &name) || !str_eq(name, s->open[s->depth - 1]))
        return false;
    take_blanks(s);
    s->depth--;
    return take(s, STR(">"));
}

/* A mark of byte order and the XML declaration. */
static bool take_head(struct scan *s)
{
    (void)take(s, STR("\xef\xbb\xbf"));
    return !take(s, STR("<?xml")) || (take_attributes(s) && take(s, STR("?>")));
}

static bool take_next(struct scan *s)
{
    struct str text;

    if (take(s, STR("</")))
        return take_end(s);
    if (take(s, STR("<")))
        return take_start(s);
    if (!take_text(s, '<', '<', &text))
        return false;
    text = str_trim(text);
    if (is_in_address(s))
        s->address = text;
    return s->depth > 0 || text.len == 0;
}

enum result autodiscover_address(struct str body, struct str *ret_address)
{
    struct scan s = { .s = body };

    if (body.len > AUTODISCOVER_MAX)
        return RES_LIMIT;
    if (!str_is_utf8(body) || !take_head(&s))
        return RES_INVALID;
    while (s.at < s.s.len) {
        if (!take_next(&s))
            return RES_INVALID;
    }
    if (s.depth > 0 || s.address.len == 0 || s.address.len > MAX_ADDRESS)
        return RES_INVALID;
    *ret_address = s.address;
    return RES_OK;
}
