#include "mail/header.h"

/* Length of the empty line at the start of s, 0 if there is none. */
static size_t empty_line(struct str s)
{
    if (s.len > 0 && s.p[0] == '\n')
        return 1;
    return s.len > 1 && s.p[0] == '\r' && s.p[1] == '\n' ? 2 : 0;
}

/* Length of the line at the start of s, its LF included. */
static size_t line_len(struct str s)
{
    size_t at = str_chr(s, '\n');

    return at == SIZE_MAX ? s.len : at + 1;
}

static struct str field_name(struct str line)
{
    size_t n = str_chr(line, ':');

    if (n == SIZE_MAX)
        return STR("");
    while (n > 0 && (line.p[n - 1] == ' ' || line.p[n - 1] == '\t')) /* RFC 5322, 4.5: blanks before the colon */
        n--;
    for (size_t i = 0; i < n; i++) {
        if (line.p[i] <= 32 || line.p[i] >= 127)
            return STR("");
    }
    return str_of(line.p, n);
}

bool header_next(struct str *rest, struct header_field *ret_field)
{
    size_t first, n, end;

    if (rest->len == 0 || empty_line(*rest) > 0)
        return false;
    first = n = line_len(*rest);
    while (n < rest->len && (rest->p[n] == ' ' || rest->p[n] == '\t'))
        n += line_len(str_from(*rest, n));
    ret_field->raw = str_of(rest->p, n);
    ret_field->name = field_name(str_of(rest->p, first));
    end = n;
    if (end > 0 && rest->p[end - 1] == '\n')
        end--;
    if (end > 0 && end < n && rest->p[end - 1] == '\r')
        end--;
    ret_field->value = str_of(rest->p, end);
    if (ret_field->name.len > 0)
        ret_field->value = str_from(ret_field->value, str_chr(ret_field->value, ':') + 1);
    *rest = str_from(*rest, n);
    return true;
}

size_t header_size(struct str message)
{
    size_t at = 0;

    while (at < message.len) {
        struct str rest = str_from(message, at);
        size_t empty = empty_line(rest);

        if (empty > 0)
            return at + empty;
        at += line_len(rest);
    }
    return message.len;
}

struct str header_block(struct str message)
{
    message = str_sub(message, 0, HEADER_MAX_SCAN);
    return str_sub(message, 0, header_size(message));
}

bool header_find_next(struct str *rest, struct str name, struct header_field *ret_field)
{
    struct header_field f;

    while (header_next(rest, &f)) {
        if (str_ieq(f.name, name) && name.len > 0) {
            *ret_field = f;
            return true;
        }
    }
    return false;
}

bool header_find(struct str header, struct str name, struct header_field *ret_field)
{
    return header_find_next(&header, name, ret_field);
}

static bool named(struct str name, const struct str *names, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (name.len > 0 && str_ieq(name, names[i]))
            return true;
    }
    return false;
}

enum result header_subset(struct str header, const struct str *names, size_t n, bool except, struct strbuf *out)
{
    struct header_field f;

    while (header_next(&header, &f)) {
        if (named(f.name, names, n) != except && strbuf_add(out, f.raw) != RES_OK)
            return RES_LIMIT;
    }
    return strbuf_add(out, str_sub(header, 0, empty_line(header)));
}

struct str header_unfold(struct arena *a, struct str value)
{
    char *p;
    size_t n = 0;

    value = str_trim(value);
    if (str_chr(value, '\n') == SIZE_MAX && str_chr(value, '\r') == SIZE_MAX)
        return value;
    p = arena_alloc(a, value.len + 1);
    for (size_t i = 0; i < value.len; i++) {
        if (value.p[i] != '\r' && value.p[i] != '\n')
            p[n++] = value.p[i];
    }
    return str_of(p, n);
}
