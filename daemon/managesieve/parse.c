#include "managesieve/parse.h"

#define QUOTED_MAX 1024 /* RFC 5804, 4: of what we write; clients' may be as long as their line */
#define NUMBER_MAX UINT32_MAX

bool managesieve_literal(struct str line, uint64_t *ret_size)
{
    size_t open = str_rchr(line, '{');
    struct str inside;

    if (open == SIZE_MAX || !str_ends(line, STR("}")))
        return false;
    inside = str_sub(line, open + 1, line.len - open - 2);
    if (str_ends(inside, STR("+")))
        inside.len--;
    return str_u64(inside, INT64_MAX, ret_size);
}

struct reader {
    struct str rest;
    struct arena *a;
    const char *error;
};

static bool fail(struct reader *r, const char *error)
{
    r->error = error;
    return false;
}

/* Without its backslashes (RFC 5804, 4: only before a quote or a backslash). */
static bool unescape(struct reader *r, struct str quoted, struct str *ret)
{
    char *out = arena_alloc(r->a, quoted.len + 1);
    size_t n = 0;

    for (size_t i = 0; i < quoted.len; i++) {
        if (quoted.p[i] == '\\' && ++i < quoted.len && quoted.p[i] != '"' && quoted.p[i] != '\\')
            return fail(r, "A backslash stands before something else than a quote or a backslash");
        out[n++] = quoted.p[i];
    }
    *ret = str_of(out, n);
    return true;
}

static bool read_quoted(struct reader *r, struct str *ret)
{
    struct str s = str_from(r->rest, 1);
    bool escaped = false;
    size_t i = 0;

    for (; i < s.len && s.p[i] != '"'; i++) {
        if (s.p[i] == '\0' || s.p[i] == '\r' || s.p[i] == '\n')
            return fail(r, "A quoted string holds a line break or NUL");
        if (s.p[i] == '\\') {
            escaped = true;
            i++;
        }
    }
    if (i >= s.len)
        return fail(r, "A quoted string does not end");
    r->rest = str_from(s, i + 1);
    s.len = i;
    if (!str_is_utf8(s))
        return fail(r, "A string is not UTF-8");
    if (escaped)
        return unescape(r, s, ret);
    *ret = s;
    return true;
}

static bool read_literal(struct reader *r, struct str *ret)
{
    size_t eol = str_find(r->rest, STR("\r\n"));
    uint64_t size;

    if (eol == SIZE_MAX || !managesieve_literal(str_sub(r->rest, 0, eol), &size) || str_chr(r->rest, '}') != eol - 1)
        return fail(r, "Not a literal");
    r->rest = str_from(r->rest, eol + 2);
    if (size > r->rest.len)
        return fail(r, "A literal does not end");
    *ret = str_sub(r->rest, 0, size);
    r->rest = str_from(r->rest, size);
    return true;
}

static bool read_string(struct reader *r, struct str *ret)
{
    if (r->rest.len > 0 && r->rest.p[0] == '"')
        return read_quoted(r, ret);
    if (r->rest.len > 0 && r->rest.p[0] == '{')
        return read_literal(r, ret);
    return fail(r, "A string is wanted here");
}

static bool read_number(struct reader *r, uint64_t *ret)
{
    size_t n = 0;

    while (n < r->rest.len && ascii_digit(r->rest.p[n]))
        n++;
    if ((n > 1 && r->rest.p[0] == '0') || !str_u64(str_sub(r->rest, 0, n), NUMBER_MAX, ret))
        return fail(r, "A number is too large or begins with 0");
    r->rest = str_from(r->rest, n);
    return true;
}

static bool read_verb(struct reader *r, struct str *ret)
{
    char *verb;
    size_t n = 0;

    while (n < r->rest.len && n < 32 && ascii_alpha(r->rest.p[n]))
        n++;
    if (n == 0)
        return fail(r, "A command is wanted here");
    verb = arena_alloc(r->a, n);
    for (size_t i = 0; i < n; i++)
        verb[i] = ascii_upper(r->rest.p[i]);
    *ret = str_of(verb, n);
    r->rest = str_from(r->rest, n);
    return true;
}

static bool read_command(struct reader *r, struct managesieve_command *cmd)
{
    if (!read_verb(r, &cmd->verb))
        return false;
    while (r->rest.len > 0) {
        struct managesieve_arg *arg = &cmd->args[cmd->n];

        if (r->rest.p[0] != ' ')
            return fail(r, "A blank is wanted between the words");
        r->rest = str_from(r->rest, 1);
        if (cmd->n == MANAGESIEVE_MAX_ARGS)
            return fail(r, "Too many arguments");
        arg->is_number = r->rest.len > 0 && ascii_digit(r->rest.p[0]);
        if (arg->is_number ? !read_number(r, &arg->number) : !read_string(r, &arg->string))
            return false;
        cmd->n++;
    }
    return true;
}

enum result managesieve_parse(struct str text, struct arena *a, struct managesieve_command *ret, const char **ret_error)
{
    struct reader r = { .rest = text, .a = a };
    struct managesieve_command cmd = { 0 };

    if (!read_command(&r, &cmd)) {
        *ret_error = r.error;
        return RES_INVALID;
    }
    *ret = cmd;
    return RES_OK;
}

enum result managesieve_parse_string(struct str text, struct arena *a, struct str *ret)
{
    struct reader r = { .rest = text, .a = a };
    struct str s;

    if (!read_string(&r, &s) || r.rest.len > 0)
        return RES_INVALID;
    *ret = s;
    return RES_OK;
}

static bool may_be_quoted(struct str s)
{
    size_t len = s.len;

    for (size_t i = 0; i < s.len; i++) {
        if (s.p[i] == '\0' || s.p[i] == '\r' || s.p[i] == '\n')
            return false;
        len += s.p[i] == '"' || s.p[i] == '\\';
    }
    return len <= QUOTED_MAX && str_is_utf8(s);
}

void managesieve_add_string(struct strbuf *b, struct str s)
{
    if (!may_be_quoted(s)) {
        (void)strbuf_addf(b, "{%zu}\r\n", s.len);
        (void)strbuf_add(b, s);
        return;
    }
    (void)strbuf_addc(b, '"');
    for (size_t i = 0; i < s.len; i++) {
        if (s.p[i] == '"' || s.p[i] == '\\')
            (void)strbuf_addc(b, '\\');
        (void)strbuf_addc(b, s.p[i]);
    }
    (void)strbuf_addc(b, '"');
}
