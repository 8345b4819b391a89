#include "api/json_scan.h"
#include "base/strbuf.h"

#include <stdlib.h>

struct scan {
    struct str text;
    size_t at;
    const char *why;
    struct strbuf decoded; /* of the names of the objects that are open, one behind the other */
    struct name {
        size_t at, len; /* in `decoded` */
    } *names;
    size_t n, cap;
};

static bool fail(struct scan *s, const char *why)
{
    if (s->why == NULL)
        s->why = why;
    return false;
}

static int peek(const struct scan *s)
{
    return s->at < s->text.len ? (unsigned char)s->text.p[s->at] : -1;
}

static void skip_blanks(struct scan *s)
{
    while (s->at < s->text.len && strchr(" \t\n\r", s->text.p[s->at]) != NULL && s->text.p[s->at] != '\0')
        s->at++;
}

static bool take_word(struct scan *s, struct str word)
{
    if (!str_eq(str_sub(s->text, s->at, word.len), word))
        return fail(s, "a value was expected");
    s->at += word.len;
    return true;
}

static bool take_digits(struct scan *s)
{
    size_t from = s->at;

    while (peek(s) >= '0' && peek(s) <= '9')
        s->at++;
    return s->at > from ? true : fail(s, "a digit was expected");
}

/* RFC 8259, 6. */
static bool take_number(struct scan *s)
{
    if (peek(s) == '-')
        s->at++;
    if (peek(s) == '0')
        s->at++;
    else if (!take_digits(s))
        return false;
    if (peek(s) == '.') {
        s->at++;
        if (!take_digits(s))
            return false;
    }
    if (peek(s) == 'e' || peek(s) == 'E') {
        s->at++;
        if (peek(s) == '+' || peek(s) == '-')
            s->at++;
        return take_digits(s);
    }
    return true;
}

static bool take_hex4(struct scan *s, unsigned *ret)
{
    unsigned v = 0;

    for (int i = 0; i < 4; i++) {
        int c = peek(s);

        if (c >= '0' && c <= '9')
            v = v << 4 | (unsigned)(c - '0');
        else if ((c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F'))
            v = v << 4 | (unsigned)(ascii_lower((char)c) - 'a' + 10);
        else
            return fail(s, "four hexadecimal digits were expected");
        s->at++;
    }
    *ret = v;
    return true;
}

static void add_utf8(struct strbuf *b, unsigned c)
{
    if (c < 0x80) {
        strbuf_addc(b, (char)c);
    } else if (c < 0x800) {
        strbuf_addc(b, (char)(0xc0 | c >> 6));
        strbuf_addc(b, (char)(0x80 | (c & 63)));
    } else if (c < 0x10000) {
        strbuf_addc(b, (char)(0xe0 | c >> 12));
        strbuf_addc(b, (char)(0x80 | (c >> 6 & 63)));
        strbuf_addc(b, (char)(0x80 | (c & 63)));
    } else {
        strbuf_addc(b, (char)(0xf0 | c >> 18));
        strbuf_addc(b, (char)(0x80 | (c >> 12 & 63)));
        strbuf_addc(b, (char)(0x80 | (c >> 6 & 63)));
        strbuf_addc(b, (char)(0x80 | (c & 63)));
    }
}

/* What is behind a backslash. */
static bool take_escape(struct scan *s, struct strbuf *out)
{
    static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
    int c = peek(s);
    const char *found = c > 0 ? strchr(from, c) : NULL;
    unsigned high, low;

    if (found != NULL) {
        s->at++;
        if (out != NULL)
            strbuf_addc(out, to[found - from]);
        return true;
    }
    if (c != 'u')
        return fail(s, "this escape is unknown");
    s->at++;
    if (!take_hex4(s, &high))
        return false;
    if (high >= 0xdc00 && high <= 0xdfff)
        return fail(s, "a lone surrogate");
    if (high >= 0xd800 && high <= 0xdbff) {
        if (!str_eq(str_sub(s->text, s->at, 2), STR("\\u")))
            return fail(s, "a lone surrogate");
        s->at += 2;
        if (!take_hex4(s, &low))
            return false;
        if (low < 0xdc00 || low > 0xdfff)
            return fail(s, "a lone surrogate");
        high = 0x10000 + ((high - 0xd800) << 10) + (low - 0xdc00);
    }
    if (out != NULL)
        add_utf8(out, high);
    return true;
}

/* A string; with `out` what it stands for is added there. */
static bool take_string(struct scan *s, struct strbuf *out)
{
    if (peek(s) != '"')
        return fail(s, "a string was expected");
    s->at++;
    for (;;) {
        size_t from = s->at;

        while (peek(s) >= 0x20 && peek(s) != '"' && peek(s) != '\\')
            s->at++;
        if (out != NULL)
            strbuf_add(out, str_sub(s->text, from, s->at - from));
        if (peek(s) < 0)
            return fail(s, "the string has no end");
        if (peek(s) < 0x20)
            return fail(s, "a control character in a string");
        s->at++;
        if (s->text.p[s->at - 1] == '"')
            return true;
        if (!take_escape(s, out))
            return false;
    }
}

/* ---- names ---- */

static bool take_name(struct scan *s)
{
    size_t from = s->decoded.len;

    if (s->n == JSON_MAX_NAMES)
        return fail(s, "too many names");
    if (!take_string(s, &s->decoded))
        return false;
    if (memchr(s->decoded.p != NULL ? s->decoded.p + from : "", 0, s->decoded.len - from) != NULL)
        return fail(s, "a name holds NUL"); /* json-c's names end there */
    if (s->n == s->cap) {
        size_t cap = s->cap == 0 ? 32 : s->cap * 2;
        struct name *more = realloc(s->names, cap * sizeof(*more));

        if (more == NULL)
            abort();
        s->names = more;
        s->cap = cap;
    }
    s->names[s->n++] = (struct name){ .at = from, .len = s->decoded.len - from };
    return true;
}

static int compare_names(const void *a, const void *b, void *arg)
{
    const struct name *x = a, *y = b;
    const char *base = arg;

    return str_cmp(str_of(base + x->at, x->len), str_of(base + y->at, y->len));
}

/* Forgets the names of the object that ends; they began at `first`. */
static bool close_names(struct scan *s, size_t first, size_t decoded_from)
{
    struct name *v = s->names + first;
    size_t n = s->n - first;

    if (n > 1)
        qsort_r(v, n, sizeof(*v), compare_names, s->decoded.p);
    for (size_t i = 1; i < n; i++) {
        if (compare_names(&v[i - 1], &v[i], s->decoded.p) == 0)
            return fail(s, "a name stands twice in one object");
    }
    s->n = first;
    if (s->decoded.p != NULL)
        s->decoded.len = decoded_from;
    return true;
}

/* ---- values ---- */

static bool take_value(struct scan *s, unsigned depth);

static bool take_object(struct scan *s, unsigned depth)
{
    size_t first = s->n, decoded_from = s->decoded.len;

    s->at++;
    skip_blanks(s);
    if (peek(s) == '}') {
        s->at++;
        return true;
    }
    for (;;) {
        skip_blanks(s);
        if (!take_name(s))
            return false;
        skip_blanks(s);
        if (peek(s) != ':')
            return fail(s, "a colon was expected");
        s->at++;
        if (!take_value(s, depth))
            return false;
        if (peek(s) == '}') {
            s->at++;
            return close_names(s, first, decoded_from);
        }
        if (peek(s) != ',')
            return fail(s, "a comma or a closing brace was expected");
        s->at++;
    }
}

static bool take_array(struct scan *s, unsigned depth)
{
    s->at++;
    skip_blanks(s);
    if (peek(s) == ']') {
        s->at++;
        return true;
    }
    for (;;) {
        if (!take_value(s, depth))
            return false;
        if (peek(s) == ']') {
            s->at++;
            return true;
        }
        if (peek(s) != ',')
            return fail(s, "a comma or a closing bracket was expected");
        s->at++;
    }
}

/* A value with the blanks around it. */
static bool take_value(struct scan *s, unsigned depth)
{
    bool ok;

    skip_blanks(s);
    switch (peek(s)) {
    case '{':
    case '[':
        if (depth == JSON_MAX_DEPTH)
            return fail(s, "too many levels");
        ok = peek(s) == '{' ? take_object(s, depth + 1) : take_array(s, depth + 1);
        break;
    case '"':
        ok = take_string(s, NULL);
        break;
    case 't':
        ok = take_word(s, STR("true"));
        break;
    case 'f':
        ok = take_word(s, STR("false"));
        break;
    case 'n':
        ok = take_word(s, STR("null"));
        break;
    case '-':
    case '0' ... '9':
        ok = take_number(s);
        break;
    default:
        return fail(s, "a value was expected");
    }
    skip_blanks(s);
    return ok;
}

static bool is_utf8(struct str text)
{
    return text.len == 0 || str_is_utf8(text);
}

bool json_scan(struct str text, size_t *ret_at, const char **ret_why)
{
    struct scan s = { .text = text };
    bool ok = is_utf8(text) || fail(&s, "it is not UTF-8");

    ok = ok && take_value(&s, 0);
    if (ok && s.at < text.len)
        ok = fail(&s, "there is something behind the value");
    if (!ok) {
        *ret_at = s.at;
        *ret_why = s.why;
    }
    strbuf_release(&s.decoded);
    free(s.names);
    return ok;
}
