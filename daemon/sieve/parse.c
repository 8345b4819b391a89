/* The grammar of RFC 5228, 8.2: what is generic, with line and column.  Each command is checked as soon as its
 * arguments and tests are read, so `require` and `ihave` act on what follows them. */
#include "sieve/compiler.h"

static bool parse_block(struct sieve_compiler *c, struct sieve_node **ret, bool top);

static bool error_here(struct sieve_compiler *c, const char *expected)
{
    const struct sieve_lexer *l = &c->lexer;

    if (l->token == TOKEN_BAD)
        return compile_error(c, l->token_line, l->token_column, "%.*s", STR_ARG(l->text));
    if (l->token == TOKEN_END)
        return compile_error(c, l->token_line, l->token_column, "the script ends here, but %s was expected", expected);
    return compile_error(c, l->token_line, l->token_column, "%s was expected here", expected);
}

static bool is(const struct sieve_compiler *c, char punctuation)
{
    return c->lexer.token == TOKEN_PUNCTUATION && c->lexer.punctuation == punctuation;
}

static bool expect(struct sieve_compiler *c, char punctuation, const char *expected)
{
    if (!is(c, punctuation))
        return error_here(c, expected);
    lexer_next(&c->lexer);
    return true;
}

/* "[" string *("," string) "]" */
static bool parse_list(struct sieve_compiler *c, struct sieve_arg *arg)
{
    size_t cap = 4;

    arg->strings = arena_array(c->arena, struct sieve_string, cap);
    do {
        lexer_next(&c->lexer);
        if (c->lexer.token != TOKEN_STRING)
            return error_here(c, "a string");
        if (arg->n == cap) {
            struct sieve_string *more = arena_array(c->arena, struct sieve_string, cap * 2);

            memcpy(more, arg->strings, cap * sizeof(*more));
            arg->strings = more;
            cap *= 2;
        }
        arg->strings[arg->n++].text = c->lexer.text;
        lexer_next(&c->lexer);
    } while (is(c, ','));
    return expect(c, ']', "a comma or \"]\"");
}

/* One argument, *ret NULL if there is none here. */
static bool parse_argument(struct sieve_compiler *c, struct sieve_arg **ret)
{
    struct sieve_lexer *l = &c->lexer;
    struct sieve_arg *arg;

    *ret = NULL;
    if (l->token == TOKEN_BAD)
        return error_here(c, "an argument");
    if (l->token != TOKEN_TAG && l->token != TOKEN_NUMBER && l->token != TOKEN_STRING && !is(c, '['))
        return true;
    *ret = arg = arena_new(c->arena, struct sieve_arg);
    arg->line = l->token_line;
    arg->column = l->token_column;
    if (is(c, '[')) {
        arg->kind = ARG_LIST;
        return parse_list(c, arg);
    }
    if (l->token == TOKEN_TAG) {
        arg->kind = ARG_TAG;
        arg->name = l->text;
    } else if (l->token == TOKEN_NUMBER) {
        arg->kind = ARG_NUMBER;
        arg->number = l->number;
    } else {
        arg->kind = ARG_STRING;
        arg->strings = arena_new(c->arena, struct sieve_string);
        arg->strings->text = l->text;
        arg->n = 1;
    }
    lexer_next(l);
    return true;
}

static bool parse_arguments(struct sieve_compiler *c, struct sieve_arg **ret)
{
    size_t n = 0;

    for (;; n++) {
        if (!parse_argument(c, ret))
            return false;
        if (*ret == NULL)
            return true;
        if (n == SIEVE_MAX_ARGUMENTS)
            return compile_limit(c, (*ret)->line, (*ret)->column, "more than %d arguments", SIEVE_MAX_ARGUMENTS);
        ret = &(*ret)->next;
    }
}

static bool enter(struct sieve_compiler *c, const struct sieve_node *n)
{
    if (c->depth == c->limits->nesting)
        return compile_limit(c, n->line, n->column, "blocks and tests are nested more than %u deep",
                             c->limits->nesting);
    c->depth++;
    return true;
}

static bool parse_node(struct sieve_compiler *c, bool test, struct sieve_node **ret);

static bool parse_tests(struct sieve_compiler *c, struct sieve_node **ret)
{
    do {
        lexer_next(&c->lexer);
        if (!parse_node(c, true, ret))
            return false;
        ret = &(*ret)->next;
    } while (is(c, ','));
    return expect(c, ')', "a comma or \")\"");
}

/* Whether the tests that were read are what the command takes. */
static bool check_tests(struct sieve_compiler *c, const struct sieve_node *n, bool list)
{
    unsigned takes = n->spec->flags & (SPEC_TAKES_TEST | SPEC_TAKES_TESTS);

    if (takes == SPEC_TAKES_TESTS && !list)
        return compile_error(c, n->line, n->column, "\"%.*s\" takes a list of tests in parentheses", STR_ARG(n->name));
    if (takes == SPEC_TAKES_TEST && (n->tests == NULL || list))
        return compile_error(c, n->line, n->column, "\"%.*s\" takes one test", STR_ARG(n->name));
    if (takes == 0 && n->tests != NULL)
        return compile_error(c, n->tests->line, n->tests->column, "\"%.*s\" takes no test", STR_ARG(n->name));
    return true;
}

/* identifier, arguments, tests: a test, or a command up to its ";" or block. */
static bool parse_node(struct sieve_compiler *c, bool test, struct sieve_node **ret)
{
    struct sieve_lexer *l = &c->lexer;
    struct sieve_node *n;
    struct sieve_arg *args;
    bool list = false;

    if (l->token != TOKEN_IDENTIFIER)
        return error_here(c, test ? "a test" : "a command");
    if (c->nodes++ == SIEVE_MAX_NODES)
        return compile_limit(c, l->token_line, l->token_column, "more than %d commands and tests", SIEVE_MAX_NODES);
    *ret = n = arena_new(c->arena, struct sieve_node);
    n->name = l->text;
    n->line = l->token_line;
    n->column = l->token_column;
    n->spec = spec_find(n->name, test);
    if (n->spec == NULL && !compiler_has(c, EXT_IHAVE))
        return compile_error(c, n->line, n->column, "there is no %s \"%.*s\"", test ? "test" : "command",
                             STR_ARG(n->name));
    if (n->spec == NULL)
        n->deferred = arena_printf(c->arena, "there is no %s \"%.*s\"", test ? "test" : "command", STR_ARG(n->name));
    lexer_next(l);
    if (!enter(c, n) || !parse_arguments(c, &args))
        return false;
    if (is(c, '(')) {
        list = true;
        if (!parse_tests(c, &n->tests))
            return false;
    } else if (l->token == TOKEN_IDENTIFIER) {
        if (n->spec != NULL && (n->spec->flags & (SPEC_TAKES_TEST | SPEC_TAKES_TESTS)) == 0)
            return error_here(c, test ? "the end of the test" : "\";\"");
        if (!parse_node(c, true, &n->tests))
            return false;
    }
    c->depth--;
    if (n->spec == NULL)
        return true;
    return check_tests(c, n, list) && check_node(c, n, args);
}

/* Behind a command: ";" or a block. */
static bool parse_command_end(struct sieve_compiler *c, struct sieve_node *n)
{
    bool block = n->spec != NULL ? (n->spec->flags & SPEC_TAKES_BLOCK) != 0 : is(c, '{');
    bool loop = n->spec != NULL && n->spec->ext == EXT_FOREVERYPART && block;

    if (!block)
        return expect(c, ';', "\";\"");
    if (!is(c, '{'))
        return error_here(c, "a block in braces");
    if (!enter(c, n))
        return false;
    if (loop && c->loops == SIEVE_MAX_LOOPS)
        return compile_limit(c, n->line, n->column, "more than %d loops are nested", SIEVE_MAX_LOOPS);
    if (loop)
        c->loop_names[c->loops++] = arg_constant(node_tag_value(n, SLOT_NAME));
    lexer_next(&c->lexer);
    if (!parse_block(c, &n->block, false))
        return false;
    c->loops -= loop;
    c->depth--;
    return expect(c, '}', "a command or \"}\"");
}

/* elsif and else must follow if or elsif (RFC 5228, 3.1). */
static bool check_order(struct sieve_compiler *c, const struct sieve_node *previous, const struct sieve_node *n)
{
    if (!str_ieq(n->name, STR("elsif")) && !str_ieq(n->name, STR("else")))
        return true;
    if (previous != NULL && (str_ieq(previous->name, STR("if")) || str_ieq(previous->name, STR("elsif"))))
        return true;
    return compile_error(c, n->line, n->column, "\"%.*s\" must follow the block of \"if\" or \"elsif\"",
                         STR_ARG(n->name));
}

static bool parse_block(struct sieve_compiler *c, struct sieve_node **ret, bool top)
{
    struct sieve_node *previous = NULL;

    while (c->lexer.token == TOKEN_IDENTIFIER) {
        bool require = str_ieq(c->lexer.text, STR("require"));

        if (require && !(top && c->head))
            return compile_error(c, c->lexer.token_line, c->lexer.token_column,
                                 "\"require\" must stand before all other commands");
        c->head &= require;
        if (!parse_node(c, false, ret) || !check_order(c, previous, *ret) || !parse_command_end(c, *ret))
            return false;
        previous = *ret;
        ret = &previous->next;
    }
    return true;
}

bool parse_script(struct sieve_compiler *c)
{
    c->head = true;
    if (!parse_block(c, &c->script->first, true))
        return false;
    if (c->lexer.token != TOKEN_END)
        return error_here(c, "a command");
    return true;
}
