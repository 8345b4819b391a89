/* route/delivery.c - delivery targets. */
#include "route/delivery.h"

#include "base/strbuf.h"

#define MAX_USERS 1000
#define MAX_PROGRAMS 100

static bool has_control(struct str s)
{
    for (size_t i = 0; i < s.len; i++) {
        if ((unsigned char)s.p[i] < ' ' || s.p[i] == 127)
            return true;
    }
    return false;
}

/* ---- targets ---- */

static bool path_ok(struct str path)
{
    struct str rest = path, part;

    if (path.len < 2 || path.p[0] != '/')
        return false;
    while (str_split(&rest, '/', &part)) {
        if (str_eq(part, STR("..")))
            return false;
    }
    return true;
}

static enum result parse_lmtp(struct str text, struct delivery_target *d, struct str *ret_error)
{
    size_t colon = str_rchr(text, ':');
    uint64_t port;

    *ret_error = STR("The target is lmtp:host:port, or lmtp:/path of a socket.");
    if (text.len > 0 && text.p[0] == '/') {
        d->path = text;
        return path_ok(text) && text.len < 108 ? RES_OK : RES_INVALID;
    }
    if (colon == SIZE_MAX || !str_u64(str_from(text, colon + 1), 65535, &port) || port == 0)
        return RES_INVALID;
    d->host = str_sub(text, 0, colon);
    d->port = (unsigned)port;
    if (d->host.len > 2 && d->host.p[0] == '[' && d->host.p[d->host.len - 1] == ']')
        d->host = str_sub(d->host, 1, d->host.len - 2);
    for (size_t i = 0; i < d->host.len; i++) {
        if (!ascii_alnum(d->host.p[i]) && memchr("-.:%", d->host.p[i], 4) == NULL)
            return RES_INVALID;
    }
    return d->host.len > 0 ? RES_OK : RES_INVALID;
}

static enum result parse_pipe(struct str text, struct delivery_target *d, struct str *ret_error)
{
    CLEANUP(arena_releasep) struct arena a = { 0 };
    struct str *words;
    size_t n;

    d->command = text;
    *ret_error = STR("The target is pipe:/program arguments, with its absolute path and closed quotes.");
    return command_words(text, &a, &words, &n);
}

enum result delivery_parse(struct str text, struct delivery_target *ret, struct str *ret_error)
{
    struct delivery_target d = { .kind = DELIVERY_STORE };
    size_t colon = str_chr(text, ':');
    struct str kind = str_sub(text, 0, colon), rest = colon == SIZE_MAX ? STR("") : str_from(text, colon + 1);
    enum result r = RES_OK;

    *ret_error =
        STR("The target is store, maildir:/path, mbox:/path, pipe:/program arguments, lmtp:host:port or lmtp:/path.");
    if (text.len > DELIVERY_MAX_TEXT || has_control(text) || !str_is_utf8(text))
        return RES_INVALID;
    if (str_eq(kind, STR("maildir")) || str_eq(kind, STR("mbox"))) {
        d.kind = str_eq(kind, STR("mbox")) ? DELIVERY_MBOX : DELIVERY_MAILDIR;
        d.path = rest;
        *ret_error = STR("The path is not absolute, or holds \"..\".");
        r = path_ok(rest) ? RES_OK : RES_INVALID;
    } else if (str_eq(kind, STR("pipe"))) {
        d.kind = DELIVERY_PIPE;
        r = parse_pipe(rest, &d, ret_error);
    } else if (str_eq(kind, STR("lmtp"))) {
        d.kind = DELIVERY_LMTP;
        r = parse_lmtp(rest, &d, ret_error);
    } else if (!str_eq(text, STR("store"))) {
        r = RES_INVALID;
    }
    if (r == RES_OK)
        *ret = d;
    return r;
}

static bool value_ok(struct str value)
{
    return value.len > 0 && value.p[0] != '.' && !has_control(value) && str_chr(value, '/') == SIZE_MAX &&
           str_find(value, STR("..")) == SIZE_MAX;
}

enum result delivery_expand(struct str text, struct str local, struct str domain, struct arena *a, struct str *ret)
{
    CLEANUP(strbuf_release) struct strbuf out = { .max = 16384 };

    for (size_t i = 0; i < text.len; i++) {
        char c = i + 1 < text.len ? text.p[i + 1] : '\0';
        struct str value = c == 'u' ? local : c == 'd' ? domain : STR("%");

        if (text.p[i] != '%') {
            (void)strbuf_addc(&out, text.p[i]);
            continue;
        }
        if (c != 'u' && c != 'd' && c != '%')
            return RES_INVALID;
        if (c != '%' && !value_ok(value))
            return RES_INVALID;
        (void)strbuf_add(&out, value);
        i++;
    }
    if (out.overflow)
        return RES_INVALID;
    *ret = arena_str(a, strbuf_str(&out));
    return RES_OK;
}

/* ---- command lines ---- */

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

/* One word from text[*at], which is no blank.  false: a quote or a backslash stays open. */
static bool take_word(struct str text, size_t *at, struct strbuf *out)
{
    char quote = '\0';
    size_t i = *at;

    for (; i < text.len && (quote != '\0' || !is_blank(text.p[i])); i++) {
        char c = text.p[i];

        if (c == '\\' && quote != '\'') {
            if (++i == text.len)
                return false;
            (void)strbuf_addc(out, text.p[i]);
        } else if (c == quote) {
            quote = '\0';
        } else if (quote == '\0' && (c == '\'' || c == '"')) {
            quote = c;
        } else {
            (void)strbuf_addc(out, c);
        }
    }
    *at = i;
    return quote == '\0';
}

enum result command_words(struct str text, struct arena *a, struct str **ret_words, size_t *ret_n)
{
    CLEANUP(strbuf_release) struct strbuf word = { .max = 16384 };
    struct str *words = arena_array(a, struct str, COMMAND_MAX_WORDS);
    size_t n = 0, at = 0;

    if (memchr(text.p != NULL ? text.p : "", '\0', text.len) != NULL)
        return RES_INVALID;
    for (;;) {
        while (at < text.len && is_blank(text.p[at]))
            at++;
        if (at == text.len)
            break;
        strbuf_reset(&word);
        if (n == COMMAND_MAX_WORDS || !take_word(text, &at, &word) || word.overflow)
            return RES_INVALID;
        words[n++] = arena_str(a, strbuf_str(&word));
    }
    if (n == 0 || words[0].len < 2 || words[0].p[0] != '/')
        return RES_INVALID;
    *ret_words = words;
    *ret_n = n;
    return RES_OK;
}

/* ---- lists ---- */

bool unix_name_ok(struct str name)
{
    if (name.len == 0 || name.len > 32 || ascii_digit(name.p[0]) || name.p[0] == '-' || name.p[0] == '.')
        return false;
    for (size_t i = 0; i < name.len; i++) {
        if (!ascii_alnum(name.p[i]) && memchr("_-.", name.p[i], 3) == NULL)
            return false;
    }
    return true;
}

bool name_list_contains(const struct name_list *list, struct str name)
{
    for (size_t i = 0; i < list->n; i++) {
        if (str_eq(list->v[i], name))
            return true;
    }
    return false;
}

enum result unix_users_parse(struct str text, struct arena *a, struct name_list *ret, struct str *ret_error)
{
    struct name_list list = { .v = arena_array(a, struct str, MAX_USERS) };
    struct str name;

    while (str_word(&text, &name)) {
        if (str_eq(name, STR("root"))) {
            *ret_error = STR("Nothing is delivered as root.");
            return RES_INVALID;
        }
        if (!unix_name_ok(name)) {
            *ret_error = arena_printf(a, "\"%.*s\" is not the name of a Unix user.", STR_ARG(str_sub(name, 0, 40)));
            return RES_INVALID;
        }
        if (list.n == MAX_USERS) {
            *ret_error = arena_printf(a, "There are more than %d users.", MAX_USERS);
            return RES_INVALID;
        }
        list.v[list.n++] = name;
    }
    *ret = list;
    return RES_OK;
}

const struct program *program_find(const struct program_list *list, struct str name)
{
    for (size_t i = 0; i < list->n; i++) {
        if (str_eq(list->v[i].name, name))
            return &list->v[i];
    }
    return NULL;
}

/* "name=user:/path arguments" */
static bool parse_program(struct str text, struct arena *a, struct program *ret)
{
    size_t equals = str_chr(text, '='), colon = str_chr(text, ':');
    struct str *words;
    size_t n;

    if (equals == SIZE_MAX || colon == SIZE_MAX || colon < equals)
        return false;
    ret->name = str_trim(str_sub(text, 0, equals));
    ret->user = str_trim(str_sub(text, equals + 1, colon - equals - 1));
    ret->command = str_trim(str_from(text, colon + 1));
    return unix_name_ok(ret->name) && unix_name_ok(ret->user) && !str_eq(ret->user, STR("root")) &&
           command_words(ret->command, a, &words, &n) == RES_OK;
}

enum result programs_parse(struct str text, struct arena *a, struct program_list *ret, struct str *ret_error)
{
    struct program_list list = { .v = arena_array(a, struct program, MAX_PROGRAMS) };
    struct str one;

    while (str_split(&text, ';', &one)) {
        struct program program;

        one = str_trim(one);
        if (one.len == 0)
            continue;
        if (!parse_program(one, a, &program)) {
            *ret_error =
                arena_printf(a, "\"%.*s\" is not name=user:/absolute/path arguments, with a user that is not root.",
                             STR_ARG(str_sub(one, 0, 80)));
            return RES_INVALID;
        }
        if (list.n == MAX_PROGRAMS || program_find(&list, program.name) != NULL) {
            *ret_error = list.n == MAX_PROGRAMS
                             ? arena_printf(a, "There are more than %d programs.", MAX_PROGRAMS)
                             : arena_printf(a, "There are two programs \"%.*s\".", STR_ARG(program.name));
            return RES_INVALID;
        }
        list.v[list.n++] = program;
    }
    *ret = list;
    return RES_OK;
}
