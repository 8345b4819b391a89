/* Small productions of RFC 3501, 9: atoms, strings, numbers, sets, flags, dates. */
#include "imap/parse_internal.h"
#include "mail/utf7.h"
#include "mail/date.h"
#include "store/message.h"

bool peek_char(const struct cursor *c, char want)
{
    return c->p < c->end && *c->p == want;
}

bool parse_char(struct cursor *c, char want)
{
    if (!peek_char(c, want))
        return false;
    c->p++;
    return true;
}

bool parse_sp(struct cursor *c)
{
    return parse_char(c, ' ') || parse_fail(c, c->p == c->end ? "Missing argument" : "Space expected");
}

bool parse_end(struct cursor *c)
{
    return c->p == c->end || parse_fail(c, "Unexpected text at the end of the command");
}

/* ATOM-CHAR: no specials, controls or 8-bit. */
static bool atom_char(char ch)
{
    unsigned char u = (unsigned char)ch;

    return u > 0x20 && u < 0x7f && strchr("(){%*\"\\]", ch) == NULL;
}

static bool astring_char(char ch)
{
    return atom_char(ch) || ch == ']';
}

static bool list_char(char ch)
{
    return astring_char(ch) || ch == '%' || ch == '*';
}

static bool parse_run(struct cursor *c, bool (*is)(char), struct str *ret)
{
    const char *from = c->p;

    while (c->p < c->end && is(*c->p))
        c->p++;
    *ret = str_of(from, (size_t)(c->p - from));
    return ret->len > 0;
}

bool parse_atom(struct cursor *c, struct str *ret)
{
    return parse_run(c, atom_char, ret) || parse_fail(c, "Atom expected");
}

bool take_word(struct cursor *c, const char *word)
{
    struct str w = str_c(word);

    if (!str_istarts(str_of(c->p, (size_t)(c->end - c->p)), w))
        return false;
    if (c->p + w.len < c->end && atom_char(c->p[w.len]) && c->p[w.len] != '[' && c->p[w.len] != '<')
        return false;
    c->p += w.len;
    return true;
}

/* Finds the quote that ends the string which begins at c->p; NULL: there is none on this line. */
static const char *quoted_end(const struct cursor *c)
{
    for (const char *p = c->p + 1; p < c->end && *p != '\0' && *p != '\r' && *p != '\n'; p++) {
        if (*p == '"')
            return p;
        if (*p == '\\' && p + 1 < c->end)
            p++;
    }
    return NULL;
}

/* 8-bit characters pass: they are UTF-8 in what newer clients send. */
static bool parse_quoted(struct cursor *c, struct str *ret)
{
    const char *end = quoted_end(c);
    char *out;
    size_t n = 0;

    if (end == NULL)
        return parse_fail(c, "Quoted string without end");
    out = arena_alloc(c->a, (size_t)(end - c->p));
    for (const char *p = c->p + 1; p < end; p++) {
        if (*p == '\\' && *++p != '"' && *p != '\\')
            return parse_fail(c, "Only \\\" and \\\\ may be escaped in a quoted string");
        out[n++] = *p;
    }
    *ret = str_of(out, n);
    c->p = end + 1;
    return true;
}

static bool parse_literal_bytes(struct cursor *c, struct str *ret)
{
    const char *p = c->p + 1, *digits = p;
    uint64_t n;

    if (c->p == c->body)
        return parse_fail(c, "A message does not belong here");
    while (p < c->end && ascii_digit(*p))
        p++;
    if (!str_u64(str_of(digits, (size_t)(p - digits)), UINT32_MAX, &n))
        return parse_fail(c, "Bad literal");
    if (p < c->end && *p == '+')
        p++;
    if (c->end - p < 3 || memcmp(p, "}\r\n", 3) != 0 || n > (uint64_t)(c->end - p - 3))
        return parse_fail(c, "Bad literal");
    *ret = str_of(p + 3, n);
    c->p = p + 3 + n;
    return true;
}

static bool parse_literal(struct cursor *c, struct str *ret)
{
    if (!parse_literal_bytes(c, ret))
        return false;
    return ret->len == 0 || memchr(ret->p, '\0', ret->len) == NULL || parse_fail(c, "NUL in a literal");
}

bool parse_string(struct cursor *c, struct str *ret)
{
    if (peek_char(c, '"'))
        return parse_quoted(c, ret);
    if (peek_char(c, '{'))
        return parse_literal(c, ret);
    return parse_fail(c, "String expected");
}

bool parse_astring(struct cursor *c, struct str *ret)
{
    if (peek_char(c, '"') || peek_char(c, '{'))
        return parse_string(c, ret);
    return parse_run(c, astring_char, ret) || parse_fail(c, "String expected");
}

bool parse_nstring(struct cursor *c, struct str *ret)
{
    if (take_word(c, "NIL")) {
        *ret = STR_NULL;
        return true;
    }
    return parse_string(c, ret);
}

bool parse_nstring8(struct cursor *c, struct str *ret)
{
    if (!peek_char(c, '~'))
        return parse_nstring(c, ret);
    c->p++;
    return peek_char(c, '{') ? parse_literal_bytes(c, ret) : parse_fail(c, "Literal expected");
}

bool parse_mailbox(struct cursor *c, struct str *ret)
{
    struct str wire;

    if (!parse_astring(c, &wire))
        return false;
    return utf7_decode(c->a, wire, ret) == RES_OK || parse_fail(c, "Mailbox name is not valid modified UTF-7");
}

bool parse_list_pattern(struct cursor *c, struct str *ret)
{
    struct str wire;

    if (peek_char(c, '"') || peek_char(c, '{')) {
        if (!parse_string(c, &wire))
            return false;
    } else if (!parse_run(c, list_char, &wire)) {
        return parse_fail(c, "Mailbox pattern expected");
    }
    if (wire.len > MAILBOX_NAME_MAX)
        return parse_fail(c, "Mailbox pattern too long");
    return utf7_decode(c->a, wire, ret) == RES_OK || parse_fail(c, "Mailbox pattern is not valid modified UTF-7");
}

bool parse_number(struct cursor *c, uint64_t max, uint64_t *ret)
{
    const char *from = c->p;

    while (c->p < c->end && ascii_digit(*c->p))
        c->p++;
    return str_u64(str_of(from, (size_t)(c->p - from)), max, ret) || parse_fail(c, "Number expected");
}

static bool parse_set_number(struct cursor *c, uint32_t *ret)
{
    uint64_t n;

    if (parse_char(c, '*')) {
        *ret = 0;
        return true;
    }
    if (!parse_number(c, UINT32_MAX, &n) || n == 0)
        return parse_fail(c, "Bad sequence set");
    *ret = (uint32_t)n;
    return true;
}

bool parse_set(struct cursor *c, struct imap_set *ret)
{
    size_t most = 1;

    for (const char *p = c->p; p < c->end && (ascii_digit(*p) || strchr("*:,", *p) != NULL); p++) {
        if (*p == '\0')
            break;
        most += *p == ',';
    }
    *ret = (struct imap_set){ .v = arena_array(c->a, struct imap_range, most) };
    do {
        struct imap_range *r = &ret->v[ret->n];

        if (!parse_set_number(c, &r->lo))
            return parse_fail(c, "Bad sequence set");
        r->hi = r->lo;
        if (parse_char(c, ':') && !parse_set_number(c, &r->hi))
            return parse_fail(c, "Bad sequence set");
        ret->n++;
    } while (parse_char(c, ','));
    return true;
}

bool parse_flag(struct cursor *c, struct imap_flags *flags)
{
    static const struct {
        const char *name;
        int bit;
    } system[] = { { "Seen", FLAG_SEEN }, { "Answered", FLAG_ANSWERED }, { "Flagged", FLAG_FLAGGED },
                   { "Deleted", FLAG_DELETED }, { "Draft", FLAG_DRAFT } };
    struct str name;

    if (parse_char(c, '\\')) {
        if (!parse_atom(c, &name))
            return false;
        for (size_t i = 0; i < ARRAY_LEN(system); i++) {
            if (str_ieq(name, str_c(system[i].name))) {
                flags->system |= system[i].bit;
                return true;
            }
        }
        return parse_fail(c, "No such system flag, or one that cannot be set");
    }
    if (!parse_atom(c, &name))
        return parse_fail(c, "Flag expected");
    if (flags->n == IMAP_MAX_KEYWORDS)
        return parse_fail(c, "Too many keywords");
    if (flags->keywords == NULL)
        flags->keywords = arena_array(c->a, struct str, IMAP_MAX_KEYWORDS);
    flags->keywords[flags->n++] = name;
    return true;
}

bool parse_flag_list(struct cursor *c, struct imap_flags *ret)
{
    if (!parse_char(c, '('))
        return parse_fail(c, "Flag list expected");
    if (parse_char(c, ')'))
        return true;
    do {
        if (!parse_flag(c, ret))
            return false;
    } while (parse_char(c, ' '));
    return parse_char(c, ')') || parse_fail(c, "Flag list without end");
}

bool parse_date(struct cursor *c, int64_t *ret_day)
{
    struct str text;

    if (!parse_astring(c, &text))
        return parse_fail(c, "Date expected");
    return date_parse_imap(text, ret_day) == RES_OK || parse_fail(c, "Bad date");
}

bool parse_date_time(struct cursor *c, int64_t *ret_us)
{
    struct str text;
    int zone;

    if (!peek_char(c, '"') || !parse_string(c, &text))
        return parse_fail(c, "Date and time expected");
    return date_parse_imap_time(text, ret_us, &zone) == RES_OK || parse_fail(c, "Bad date and time");
}
