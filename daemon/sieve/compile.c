#include "sieve/compile.h"
#include "mail/charset.h"
#include "sieve/compiler.h"

#include <stdarg.h>
#include <stdio.h>

const struct sieve_limits sieve_default_limits = {
    .script_bytes = (size_t)1 << 20,
    .nesting = 32,
    .actions = 32,
    .redirects = 4,
    .includes = 10,
    .variables = 256,
    .variable_bytes = 4096,
    .steps = 100000000,
    .text_bytes = (size_t)4 << 20,
};

static void PRINTF_LIKE(5, 0)
    note_error(struct sieve_compiler *c, enum result r, uint32_t line, uint32_t column, const char *fmt, va_list ap)
{
    char text[400];
    int n;

    if (c->result != RES_OK)
        return;
    n = vsnprintf(text, sizeof(text), fmt, ap);
    c->result = r;
    *c->error = (struct sieve_error){
        .line = line,
        .column = column,
        .text = arena_str(c->arena, utf8_clean(c->arena, str_of(text, MIN((size_t)n, sizeof(text) - 1)))),
    };
}

bool compile_error(struct sieve_compiler *c, uint32_t line, uint32_t column, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    note_error(c, RES_INVALID, line, column, fmt, ap);
    va_end(ap);
    return false;
}

bool compile_limit(struct sieve_compiler *c, uint32_t line, uint32_t column, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    note_error(c, RES_LIMIT, line, column, fmt, ap);
    va_end(ap);
    return false;
}

/* The first byte that is not UTF-8, or a NUL, is an error (RFC 5228, 2.1). */
static bool check_encoding(struct sieve_compiler *c, struct str text)
{
    unsigned line = 1;
    struct str rest = text, piece;

    if (str_is_utf8(text))
        return true;
    while (str_split(&rest, '\n', &piece) && str_is_utf8(piece))
        line++;
    return compile_error(c, line, 1, "this line is not valid UTF-8 or holds a NUL");
}

enum result sieve_compile(struct str text, const struct sieve_limits *limits, struct arena *a,
                          struct sieve_script **ret, struct sieve_error *ret_error)
{
    struct sieve_compiler c = {
        .arena = a,
        .limits = limits != NULL ? limits : &sieve_default_limits,
        .error = ret_error,
    };

    if (text.len > c.limits->script_bytes) {
        compile_limit(&c, 1, 1, "the script is larger than %zu bytes", c.limits->script_bytes);
        return c.result;
    }
    c.script = arena_new(a, struct sieve_script);
    c.script->required = EXT_BIT(EXT_NONE) | EXT_BIT(EXT_OCTET) | EXT_BIT(EXT_CASEMAP);
    text = arena_str(a, text.p != NULL ? text : STR(""));
    if (!check_encoding(&c, text))
        return c.result;
    lexer_init(&c.lexer, a, text);
    if (!parse_script(&c))
        return c.result;
    *ret = c.script;
    return RES_OK;
}

bool sieve_is_script_name(struct str name)
{
    if (name.len == 0 || name.len > 512 || !str_is_utf8(name))
        return false;
    for (size_t i = 0; i < name.len; i++) {
        unsigned char b = (unsigned char)name.p[i], b1 = i + 1 < name.len ? (unsigned char)name.p[i + 1] : 0,
                      b2 = i + 2 < name.len ? (unsigned char)name.p[i + 2] : 0;

        if (b < 0x20 || b == 0x7f || (b == 0xc2 && b1 < 0xa0))
            return false;
        if (b == 0xe2 && b1 == 0x80 && (b2 == 0xa8 || b2 == 0xa9)) /* line and paragraph separator */
            return false;
    }
    return true;
}
