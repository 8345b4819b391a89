/* What the extensions "encoded-character" (RFC 5228, 2.4.2.4) and "variables" (RFC 5229, 3) make of a string, in this
 * order, once, at compile time. */
#include "sieve/compiler.h"

#include "mail/charset.h"

static bool blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static int hex_value(char c)
{
    if (ascii_digit(c))
        return c - '0';
    c = ascii_lower(c);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* The next hexadecimal number of at most `digits` significant digits; false: none, or it is malformed. */
static bool take_hex(struct str *rest, size_t digits, uint32_t *ret_value)
{
    struct str word;
    uint32_t v = 0;

    if (!str_word(rest, &word))
        return false;
    while (digits > 2 && word.len > 1 && word.p[0] == '0')
        word = str_from(word, 1);
    if (word.len > digits)
        return false;
    for (size_t i = 0; i < word.len; i++) {
        if (hex_value(word.p[i]) < 0)
            return false;
        v = v << 4 | (uint32_t)hex_value(word.p[i]);
    }
    *ret_value = v;
    return true;
}

/* "${hex:...}" or "${unicode:...}" at the start of s: its length, 0 if it is none.  What it stands for is added to
 * `to`; *ret_bad: a code point that does not exist. */
static size_t decode_one(struct str s, char *to, size_t *n, bool *ret_bad)
{
    bool unicode = str_istarts(s, STR("${unicode:"));
    size_t prefix = unicode ? strlen("${unicode:") : strlen("${hex:"), end, have = *n, count = 0;
    struct str rest;

    if (!unicode && !str_istarts(s, STR("${hex:")))
        return 0;
    for (end = prefix; end < s.len && (hex_value(s.p[end]) >= 0 || blank(s.p[end])); end++)
        ;
    if (end >= s.len || s.p[end] != '}')
        return 0;
    rest = str_sub(s, prefix, end - prefix);
    for (; str_trim(rest).len > 0; count++) {
        uint32_t v;

        if (!take_hex(&rest, unicode ? 8 : 2, &v)) {
            if (!unicode)
                return 0;
            v = UINT32_MAX; /* well-formed, but too large */
        }
        if (unicode && (v > 0x10ffff || (v >= 0xd800 && v <= 0xdfff))) {
            *ret_bad = true;
            return 0;
        }
        if (unicode)
            have += utf8_put(to + have, v);
        else
            to[have++] = (char)v;
    }
    if (count == 0)
        return 0;
    *n = have;
    return end + 1;
}

static bool decode_characters(struct sieve_compiler *c, const struct sieve_arg *arg, struct str *s)
{
    char *to;
    size_t n = 0;

    if (str_ifind(*s, STR("${hex:")) == SIZE_MAX && str_ifind(*s, STR("${unicode:")) == SIZE_MAX)
        return true;
    to = arena_alloc(c->arena, s->len * 2 + 4); /* "A " gives at most 1 byte, "10000 " 4 */
    for (size_t i = 0; i < s->len;) {
        bool bad = false;
        size_t len = s->p[i] == '$' ? decode_one(str_from(*s, i), to, &n, &bad) : 0;

        if (bad)
            return compile_error(c, arg->line, arg->column,
                                 "this string names a Unicode character that does not exist");
        if (len == 0)
            to[n++] = s->p[i++];
        i += len;
    }
    *s = str_of(to, n);
    return true;
}

static bool is_identifier(struct str s)
{
    if (s.len == 0 || ascii_digit(s.p[0]))
        return false;
    for (size_t i = 0; i < s.len; i++) {
        if (!ascii_alnum(s.p[i]) && s.p[i] != '_')
            return false;
    }
    return true;
}

static bool is_digits(struct str s)
{
    for (size_t i = 0; i < s.len; i++) {
        if (!ascii_digit(s.p[i]))
            return false;
    }
    return s.len > 0;
}

/* variable-ref without "${" and "}": [namespace] variable-name. */
static bool is_reference(struct str s)
{
    struct str part, rest = s;
    bool first = true;

    if (s.len == 0 || s.p[s.len - 1] == '.')
        return false;
    for (; str_split(&rest, '.', &part); first = false) {
        if (!is_identifier(part) && !(is_digits(part) && (!first || part.len == s.len)))
            return false;
    }
    return true;
}

static bool find_variable(struct sieve_compiler *c, const struct sieve_arg *arg, struct str name, bool qualified,
                          unsigned *ret_index)
{
    struct sieve_script *s = c->script;

    for (size_t i = 0; i < s->nvariables; i++) {
        if (s->variables[i].qualified == qualified && str_ieq(s->variables[i].name, name)) {
            *ret_index = (unsigned)i;
            return true;
        }
    }
    if (s->nvariables == c->limits->variables)
        return compile_limit(c, arg->line, arg->column, "the script uses more than %u variables", c->limits->variables);
    if ((s->nvariables & (s->nvariables - 1)) == 0) { /* the array is full at each power of two */
        struct sieve_variable *more = arena_array(c->arena, struct sieve_variable, MAX(s->nvariables * 2, (size_t)1));

        if (s->nvariables > 0)
            memcpy(more, s->variables, s->nvariables * sizeof(*more));
        s->variables = more;
    }
    s->variables[s->nvariables] =
        (struct sieve_variable){ .name = arena_lower(c->arena, name), .global = qualified, .qualified = qualified };
    *ret_index = (unsigned)s->nvariables++;
    return true;
}

bool compile_variable(struct sieve_compiler *c, const struct sieve_arg *arg, struct str name, unsigned *ret_index)
{
    bool qualified = str_istarts(name, STR("global.")) && compiler_has(c, EXT_INCLUDE);
    struct str bare = qualified ? str_from(name, strlen("global.")) : name;

    if (is_digits(bare))
        return compile_error(c, arg->line, arg->column, "the match variable \"%.*s\" cannot be set", STR_ARG(name));
    if (!is_identifier(bare))
        return compile_error(c, arg->line, arg->column, "\"%.*s\" is no name of a variable that can be set",
                             STR_ARG(name));
    return find_variable(c, arg, bare, qualified, ret_index);
}

static bool compile_reference(struct sieve_compiler *c, const struct sieve_arg *arg, struct str name,
                              struct sieve_piece *ret)
{
    size_t dot = str_chr(name, '.');
    uint64_t index;

    if (is_digits(name)) {
        if (!str_u64(name, SIEVE_MATCH_VALUES - 1, &index))
            return compile_error(c, arg->line, arg->column, "there is no match variable \"${%.*s}\": the last is ${%d}",
                                 STR_ARG(name), SIEVE_MATCH_VALUES - 1);
        *ret = (struct sieve_piece){ .kind = PIECE_MATCH, .index = (unsigned)index };
        return true;
    }
    if (dot != SIZE_MAX && !(str_istarts(name, STR("global.")) && compiler_has(c, EXT_INCLUDE)))
        return compile_error(c, arg->line, arg->column, "there is no namespace \"%.*s\" for variables",
                             STR_ARG(str_of(name.p, dot)));
    *ret = (struct sieve_piece){ .kind = PIECE_VARIABLE };
    return compile_variable(c, arg, name, &ret->index);
}

/* The reference at s.p[at], which is "${": the name inside; false: it is plain text. */
static bool find_reference(struct str s, size_t at, struct str *ret_name)
{
    size_t end = at + 2;

    while (end < s.len && (ascii_alnum(s.p[end]) || s.p[end] == '_' || s.p[end] == '.'))
        end++;
    if (end >= s.len || s.p[end] != '}')
        return false;
    *ret_name = str_sub(s, at + 2, end - at - 2);
    return is_reference(*ret_name);
}

static bool compile_pieces(struct sieve_compiler *c, const struct sieve_arg *arg, struct sieve_string *s)
{
    struct str text = s->text, name;
    struct sieve_piece *pieces;
    size_t refs = 0, n = 0, from = 0;

    for (size_t i = 0; i + 2 < text.len; i++)
        refs += text.p[i] == '$' && text.p[i + 1] == '{' && find_reference(text, i, &name);
    if (refs == 0)
        return true;
    pieces = arena_array(c->arena, struct sieve_piece, refs * 2 + 1);
    for (size_t i = 0; i + 2 < text.len;) {
        if (text.p[i] != '$' || text.p[i + 1] != '{' || !find_reference(text, i, &name)) {
            i++;
            continue;
        }
        if (i > from)
            pieces[n++] = (struct sieve_piece){ .kind = PIECE_TEXT, .text = str_sub(text, from, i - from) };
        if (!compile_reference(c, arg, name, &pieces[n++]))
            return false;
        i += name.len + 3;
        from = i;
    }
    if (from < text.len)
        pieces[n++] = (struct sieve_piece){ .kind = PIECE_TEXT, .text = str_from(text, from) };
    s->pieces = pieces;
    s->npieces = n;
    return true;
}

bool compile_string(struct sieve_compiler *c, const struct sieve_arg *arg, struct sieve_string *s)
{
    if (compiler_has(c, EXT_ENCODED) && !decode_characters(c, arg, &s->text))
        return false;
    return !compiler_has(c, EXT_VARIABLES) || compile_pieces(c, arg, s);
}
