/* Text of HTML for searching: simple on purpose.  It renders nothing, so nothing here needs to be safe to show. */
#include "mail/charset.h"
#include "mail/text.h"

/* Index behind the first `end` at or after `at`, letter case ignored; the end of s if there is none. */
static size_t behind(struct str s, size_t at, struct str end)
{
    size_t found = str_ifind(str_from(s, at), end);

    return found == SIZE_MAX ? s.len : at + found + end.len;
}

static bool opens(struct str s, size_t at, struct str name)
{
    struct str rest = str_from(s, at + 1);

    return str_istarts(rest, name) && (rest.len == name.len || !ascii_alnum(rest.p[name.len]));
}

/* Index behind the ">" that ends the tag at s.p[at]; quoted attribute values may hold ">". */
static size_t skip_tag(struct str s, size_t at)
{
    char quote = '\0';

    for (at++; at < s.len; at++) {
        char c = s.p[at];

        if (quote != '\0')
            quote = c == quote ? '\0' : quote;
        else if ((c == '"' || c == '\'') && s.p[at - 1] == '=')
            quote = c;
        else if (c == '>')
            return at + 1;
    }
    return s.len;
}

static size_t skip_markup(struct str s, size_t at)
{
    if (str_starts(str_from(s, at), STR("<!--")))
        return behind(s, at + 4, STR("-->"));
    if (opens(s, at, STR("script")))
        return behind(s, skip_tag(s, at), STR("</script>"));
    if (opens(s, at, STR("style")))
        return behind(s, skip_tag(s, at), STR("</style>"));
    return skip_tag(s, at);
}

/* Tags inside a word ("<b>") leave it whole; all others part words. */
static bool is_inline(struct str s, size_t at)
{
    static const struct str names[] = { { "b", 1 },    { "i", 1 },    { "u", 1 },   { "em", 2 },  { "strong", 6 },
                                        { "span", 4 }, { "font", 4 }, { "a", 1 },   { "wbr", 3 }, { "small", 5 },
                                        { "sub", 3 },  { "sup", 3 },  { "mark", 4 } };

    if (at + 1 < s.len && s.p[at + 1] == '/')
        at++;
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        if (opens(s, at, names[i]))
            return true;
    }
    return false;
}

/* The character that "&...;" at s.p[at] stands for; 0 and *ret_len 1 when it is none. */
static uint32_t read_entity(struct str s, size_t at, size_t *ret_len)
{
    static const struct {
        const char *name;
        uint32_t c;
    } entities[] = { { "amp", '&' },      { "lt", '<' },       { "gt", '>' },       { "quot", '"' },
                     { "apos", '\'' },    { "nbsp", ' ' },     { "copy", 0xa9 },    { "reg", 0xae },
                     { "euro", 0x20ac },  { "ndash", 0x2013 }, { "mdash", 0x2014 }, { "lsquo", 0x2018 },
                     { "rsquo", 0x2019 }, { "ldquo", 0x201c }, { "rdquo", 0x201d }, { "hellip", 0x2026 },
                     { "aacute", 0xe1 },  { "agrave", 0xe0 },  { "acirc", 0xe2 },   { "atilde", 0xe3 },
                     { "auml", 0xe4 },    { "ccedil", 0xe7 },  { "eacute", 0xe9 },  { "egrave", 0xe8 },
                     { "ecirc", 0xea },   { "iacute", 0xed },  { "oacute", 0xf3 },  { "ocirc", 0xf4 },
                     { "otilde", 0xf5 },  { "ouml", 0xf6 },    { "uacute", 0xfa },  { "uuml", 0xfc },
                     { "ntilde", 0xf1 },  { "szlig", 0xdf } };
    struct str rest = str_sub(s, at + 1, 12);
    size_t end = str_chr(rest, ';');
    uint32_t c = 0;

    *ret_len = 1;
    if (end == SIZE_MAX || end == 0)
        return 0;
    rest = str_sub(rest, 0, end);
    for (size_t i = 0; i < ARRAY_LEN(entities); i++) {
        if (str_ieq(rest, str_c(entities[i].name)))
            c = entities[i].c;
    }
    if (c == 0 && rest.p[0] == '#' && rest.len > 1) {
        bool hex = rest.len > 2 && ascii_lower(rest.p[1]) == 'x';

        for (size_t i = hex ? 2 : 1; i < rest.len; i++) {
            char d = ascii_lower(rest.p[i]);

            if (!ascii_digit(d) && !(hex && d >= 'a' && d <= 'f'))
                return 0;
            c = c * (hex ? 16 : 10) + (uint32_t)(ascii_digit(d) ? d - '0' : d - 'a' + 10);
            if (c > 0x10ffff)
                return 0;
        }
        if (c >= 0xd800 && c <= 0xdfff)
            return 0;
    }
    if (c != 0)
        *ret_len = end + 2;
    return c;
}

struct str text_from_html(struct arena *a, struct str html)
{
    struct str s = utf8_clean(a, html);
    char *p = arena_alloc(a, s.len + 4); /* no entity is shorter than what it stands for */
    size_t n = 0;

    for (size_t at = 0; at < s.len;) {
        size_t len = 1;
        uint32_t c = 0;

        if (s.p[at] == '<' && at + 1 < s.len && (ascii_alpha(s.p[at + 1]) || strchr("/!?", s.p[at + 1]) != NULL)) {
            if (!is_inline(s, at) && n > 0 && p[n - 1] != ' ')
                p[n++] = ' ';
            at = skip_markup(s, at);
            continue;
        }
        if (s.p[at] == '&')
            c = read_entity(s, at, &len);
        if (c != 0)
            n += utf8_put(p + n, c);
        else
            p[n++] = s.p[at];
        at += len;
    }
    return str_of(p, n);
}
