#include "sieve/lexer.h"

static char at(const struct sieve_lexer *l, size_t ahead)
{
    return l->at + ahead < l->s.len ? l->s.p[l->at + ahead] : '\0';
}

static void bad(struct sieve_lexer *l, const char *what)
{
    l->token = TOKEN_BAD;
    l->text = str_c(what);
}

/* Moves one byte on and counts lines. */
static void advance(struct sieve_lexer *l)
{
    if (l->s.p[l->at++] == '\n') {
        l->line++;
        l->line_at = l->at;
    }
}

/* Moves over blanks and comments (RFC 5228, 2.3); false: a bracketed comment has no end. */
static bool skip_blanks(struct sieve_lexer *l)
{
    while (l->at < l->s.len) {
        char c = at(l, 0);

        if (c == ' ' || c == '\t' || c == '\r' || c == '\n') {
            advance(l);
        } else if (c == '#') {
            while (l->at < l->s.len && at(l, 0) != '\n')
                l->at++;
        } else if (c == '/' && at(l, 1) == '*') {
            l->token_line = l->line;
            l->token_column = (unsigned)(l->at - l->line_at) + 1;
            l->at += 2;
            while (l->at < l->s.len && !(at(l, 0) == '*' && at(l, 1) == '/'))
                advance(l);
            if (l->at >= l->s.len)
                return false;
            l->at += 2;
        } else {
            break;
        }
    }
    return true;
}

static void read_quoted(struct sieve_lexer *l)
{
    size_t from = l->at + 1, i = from, n = 0;
    bool escaped = false;
    char *p;

    while (i < l->s.len && l->s.p[i] != '"') {
        escaped |= l->s.p[i] == '\\';
        i += l->s.p[i] == '\\' ? 2 : 1;
    }
    if (i >= l->s.len) {
        bad(l, "this string has no closing quote");
        return;
    }
    l->token = TOKEN_STRING;
    l->text = str_sub(l->s, from, i - from);
    while (l->at <= i)
        advance(l);
    if (!escaped)
        return;
    p = arena_alloc(l->arena, l->text.len + 1);
    for (i = 0; i < l->text.len; i++) {
        if (l->text.p[i] == '\\')
            i++;
        p[n++] = l->text.p[i];
    }
    l->text = str_of(p, n);
}

/* "text:" was read: the rest of its line, then lines up to "." alone (RFC 5228, 2.4.2). */
static void read_multiline(struct sieve_lexer *l)
{
    size_t n = 0, from;
    char *p;

    while (at(l, 0) == ' ' || at(l, 0) == '\t')
        l->at++;
    if (at(l, 0) == '#') {
        while (l->at < l->s.len && at(l, 0) != '\n')
            l->at++;
    } else if (at(l, 0) == '\r') {
        l->at++;
    }
    if (at(l, 0) != '\n') {
        bad(l, "only blanks or a # comment may follow \"text:\" on its line");
        return;
    }
    advance(l);
    from = l->at;
    while (l->at < l->s.len) {
        if (at(l, 0) == '.' && (at(l, 1) == '\n' || (at(l, 1) == '\r' && at(l, 2) == '\n') || l->at + 1 == l->s.len))
            break;
        while (l->at < l->s.len && at(l, 0) != '\n')
            l->at++;
        if (l->at < l->s.len)
            advance(l);
    }
    if (l->at >= l->s.len) {
        bad(l, "this multi-line string has no line with a single dot at its end");
        return;
    }
    p = arena_alloc(l->arena, l->at - from + 1);
    for (size_t i = from; i < l->at; i++) {
        bool line_start = i == from || l->s.p[i - 1] == '\n';

        if (line_start && l->s.p[i] == '.' && l->s.p[i + 1] == '.')
            continue;
        p[n++] = l->s.p[i];
    }
    l->at++;
    l->token = TOKEN_STRING;
    l->text = str_of(p, n);
}

static void read_number(struct sieve_lexer *l)
{
    size_t from = l->at;
    unsigned shift = 0;

    while (ascii_digit(at(l, 0)))
        l->at++;
    if (!str_u64(str_sub(l->s, from, l->at - from), INT64_MAX, &l->number)) {
        bad(l, "this number is too large");
        return;
    }
    switch (ascii_lower(at(l, 0))) {
    case 'k':
        shift = 10;
        break;
    case 'm':
        shift = 20;
        break;
    case 'g':
        shift = 30;
        break;
    default:
        break;
    }
    if (shift > 0)
        l->at++;
    if (ascii_alnum(at(l, 0)) || at(l, 0) == '_') {
        bad(l, "a number may be followed only by K, M or G");
        return;
    }
    if (l->number > (uint64_t)INT64_MAX >> shift) {
        bad(l, "this number is too large");
        return;
    }
    l->number <<= shift;
    l->token = TOKEN_NUMBER;
}

static void read_identifier(struct sieve_lexer *l)
{
    size_t from = l->at;

    while (ascii_alnum(at(l, 0)) || at(l, 0) == '_')
        l->at++;
    l->text = str_sub(l->s, from, l->at - from);
    l->token = TOKEN_IDENTIFIER;
    if (str_ieq(l->text, STR("text")) && at(l, 0) == ':') {
        l->at++;
        read_multiline(l);
    }
}

void lexer_next(struct sieve_lexer *l)
{
    char c;

    if (l->token == TOKEN_BAD)
        return;
    if (!skip_blanks(l)) {
        bad(l, "this comment has no end");
        return;
    }
    l->token_line = l->line;
    l->token_column = (unsigned)(l->at - l->line_at) + 1;
    c = at(l, 0);
    if (l->at >= l->s.len) {
        l->token = TOKEN_END;
    } else if (ascii_alpha(c) || c == '_') {
        read_identifier(l);
    } else if (ascii_digit(c)) {
        read_number(l);
    } else if (c == '"') {
        read_quoted(l);
    } else if (c == ':') {
        if (!ascii_alpha(at(l, 1)) && at(l, 1) != '_') {
            bad(l, "a colon must be followed by the name of a tag");
            return;
        }
        l->at++;
        read_identifier(l);
        if (l->token == TOKEN_IDENTIFIER)
            l->token = TOKEN_TAG;
    } else if (c != '\0' && strchr("()[]{},;", c) != NULL) {
        l->at++;
        l->token = TOKEN_PUNCTUATION;
        l->punctuation = c;
    } else {
        bad(l, "this character is not allowed here");
    }
}

void lexer_init(struct sieve_lexer *l, struct arena *a, struct str s)
{
    *l = (struct sieve_lexer){ .arena = a, .s = s, .line = 1 };
    if (str_starts(s, STR("\xef\xbb\xbf"))) /* a byte order mark, as some editors leave */
        l->at = l->line_at = 3;
    lexer_next(l);
}
