#include "mail/charset.h"
#include "mail/header.h"

static bool blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* Index behind the comment that begins at s.p[at] (RFC 5322, 3.2.2); the end of s if it is not closed. */
static size_t skip_comment(struct str s, size_t at)
{
    size_t depth = 0;

    for (; at < s.len; at++) {
        if (s.p[at] == '\\')
            at++;
        else if (s.p[at] == '(')
            depth++;
        else if (s.p[at] == ')' && --depth == 0)
            return at + 1;
    }
    return s.len;
}

static size_t skip_blanks(struct str s, size_t at)
{
    while (at < s.len && (blank(s.p[at]) || s.p[at] == '('))
        at = s.p[at] == '(' ? skip_comment(s, at) : at + 1;
    return at;
}

/* Everything up to the next ";", without blanks and comments, lower case. */
static struct str read_word(struct arena *a, struct str s, size_t *at)
{
    char *p = arena_alloc(a, s.len + 1);
    size_t n = 0;

    while ((*at = skip_blanks(s, *at)) < s.len && s.p[*at] != ';')
        p[n++] = ascii_lower(s.p[(*at)++]);
    return str_of(p, n);
}

static struct str read_quoted(struct arena *a, struct str s, size_t *at)
{
    size_t i = *at + 1, n = 0;
    char *p;

    while (i < s.len && s.p[i] != '"')
        i += s.p[i] == '\\' ? 2 : 1;
    p = arena_alloc(a, MIN(i, s.len) - *at + 1);
    for (i = *at + 1; i < s.len && s.p[i] != '"'; i++) {
        if (s.p[i] == '\\' && i + 1 < s.len)
            i++;
        p[n++] = s.p[i];
    }
    *at = MIN(i + 1, s.len);
    return str_of(p, n);
}

/* A value without quotes: a token (RFC 2045, 5.1), or, as some programs send it, anything up to ";" or a comment. */
static struct str read_token(struct str s, size_t *at)
{
    size_t from = *at, i = from;

    while (i < s.len && s.p[i] != ';' && !(s.p[i] == '(' && i > from && blank(s.p[i - 1])))
        i++;
    *at = i;
    return str_trim(str_sub(s, from, i - from));
}

static bool read_param(struct arena *a, struct str s, size_t *at, struct header_param *ret)
{
    size_t from = *at;

    while (*at < s.len && s.p[*at] != '=' && s.p[*at] != ';')
        (*at)++;
    if (*at == s.len || s.p[*at] == ';')
        return false;
    ret->name = arena_lower(a, str_trim(str_sub(s, from, *at - from)));
    *at = skip_blanks(s, *at + 1);
    if (*at < s.len && s.p[*at] == '"')
        ret->value = read_quoted(a, s, at);
    else
        ret->value = read_token(s, at);
    return ret->name.len > 0;
}

void header_params(struct arena *a, struct str value, struct str *ret_word, struct header_param **ret_params,
                   size_t *ret_n)
{
    struct str s = header_unfold(a, value);
    struct header_param *params = NULL;
    size_t at = 0, n = 0, cap = 0;

    *ret_word = read_word(a, s, &at);
    while (at < s.len && n < HEADER_MAX_PARAMS) {
        struct header_param one;

        while (at < s.len && s.p[at] != ';') /* what follows a value and is no parameter */
            at = s.p[at] == '(' ? skip_comment(s, at) : at + 1;
        at = skip_blanks(s, at + 1);
        if (at >= s.len || !read_param(a, s, &at, &one))
            continue;
        if (n == cap) {
            struct header_param *more = arena_array(a, struct header_param, cap == 0 ? 4 : cap * 2);

            if (n > 0)
                memcpy(more, params, n * sizeof(*more));
            params = more;
            cap = cap == 0 ? 4 : cap * 2;
        }
        params[n++] = one;
    }
    *ret_params = params;
    *ret_n = n;
}

/* The parameter `name` + `suffix`; NULL: none. */
static const struct header_param *find(const struct header_param *params, size_t n, struct str name, struct str suffix)
{
    for (size_t i = 0; i < n; i++) {
        struct str have = params[i].name;

        if (have.len == name.len + suffix.len && str_istarts(have, name) && str_ends(have, suffix))
            return &params[i];
    }
    return NULL;
}

static int hex_value(char c)
{
    if (ascii_digit(c))
        return c - '0';
    c = ascii_lower(c);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static void add_percent_decoded(struct strbuf *out, struct str s)
{
    for (size_t i = 0; i < s.len; i++) {
        if (s.p[i] == '%' && i + 2 < s.len && hex_value(s.p[i + 1]) >= 0 && hex_value(s.p[i + 2]) >= 0) {
            strbuf_addc(out, (char)(hex_value(s.p[i + 1]) << 4 | hex_value(s.p[i + 2])));
            i += 2;
        } else {
            strbuf_addc(out, s.p[i]);
        }
    }
}

/* Takes charset'language' from the start of *value (RFC 2231, 4). */
static struct str take_charset(struct str *value)
{
    size_t first = str_chr(*value, '\''), second;
    struct str charset;

    if (first == SIZE_MAX)
        return STR("");
    second = str_chr(str_from(*value, first + 1), '\'');
    if (second == SIZE_MAX)
        return STR("");
    charset = str_of(value->p, first);
    *value = str_from(*value, first + 1 + second + 1);
    return charset;
}

/* name*0, name*1*, ... joined (RFC 2231, 3 and 4.1); name* alone counts as a single marked piece. */
static struct str join_pieces(struct arena *a, const struct header_param *params, size_t n, struct str name)
{
    CLEANUP(strbuf_release) struct strbuf out = { 0 };
    const struct header_param *piece = find(params, n, name, STR("*"));
    struct str charset = STR(""), value;

    if (piece != NULL) {
        value = piece->value;
        charset = take_charset(&value);
        add_percent_decoded(&out, value);
        return arena_str(a, charset_to_utf8(a, strbuf_str(&out), charset));
    }
    for (unsigned i = 0; i < HEADER_MAX_PARAMS; i++) {
        piece = find(params, n, name, arena_printf(a, "*%u", i));
        if (piece != NULL) {
            strbuf_add(&out, piece->value);
            continue;
        }
        piece = find(params, n, name, arena_printf(a, "*%u*", i));
        if (piece == NULL) {
            if (i == 0)
                return STR_NULL;
            break;
        }
        value = piece->value;
        if (i == 0)
            charset = take_charset(&value);
        add_percent_decoded(&out, value);
    }
    return arena_str(a, charset_to_utf8(a, strbuf_str(&out), charset));
}

struct str header_param(struct arena *a, const struct header_param *params, size_t n, struct str name)
{
    const struct header_param *plain;
    struct str joined = join_pieces(a, params, n, name);

    if (joined.p != NULL)
        return joined;
    plain = find(params, n, name, STR(""));
    return plain != NULL ? header_decode(a, plain->value) : STR_NULL;
}
