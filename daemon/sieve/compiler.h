/* sieve/compiler.h - what the compiler's parts and the families' checks share.  Internal to sieve/. */
#pragma once
#include "sieve/lexer.h"
#include "sieve/script.h"

#define SIEVE_MAX_LOOPS        16
#define SIEVE_MAX_NODES        30000 /* commands and tests of a script */
#define SIEVE_MAX_INSTRUCTIONS 50000 /* of all its regular expressions */

struct sieve_compiler {
    struct arena *arena;
    const struct sieve_limits *limits;
    struct sieve_lexer lexer;
    struct sieve_script *script;
    struct sieve_error *error;
    enum result result;                     /* RES_OK until the first error */
    unsigned depth;                         /* blocks and tests around what is read now */
    unsigned loops;                         /* foreverypart around it */
    struct str loop_names[SIEVE_MAX_LOOPS]; /* STR_NULL: it has none */
    unsigned nodes;                         /* read so far */
    size_t instructions;
    bool head;    /* nothing but require was seen */
    bool unknown; /* the error is about a name that a later version may know */
};

/* Notes the first error; always false. */
bool compile_error(struct sieve_compiler *c, uint32_t line, uint32_t column, const char *fmt, ...) PRINTF_LIKE(4, 5);
bool compile_limit(struct sieve_compiler *c, uint32_t line, uint32_t column, const char *fmt, ...) PRINTF_LIKE(4, 5);

static inline bool compiler_has(const struct sieve_compiler *c, enum sieve_ext ext)
{
    return (c->script->required & EXT_BIT(ext)) != 0;
}

/* Reads the whole script. */
bool parse_script(struct sieve_compiler *c);

/* Places the arguments of n by its spec and checks them; the tests of n are there, its block is not read yet. */
bool check_node(struct sieve_compiler *c, struct sieve_node *n, struct sieve_arg *args);
/* Match type, comparator and keys of a node with SPEC_MATCHES. */
bool check_match(struct sieve_compiler *c, struct sieve_node *n);

/* encoded-character and variables in one string as it stood in the script. */
bool compile_string(struct sieve_compiler *c, const struct sieve_arg *arg, struct sieve_string *s);
/* The variable of that name ("x", "global.x") as `set` takes it: its index in the script.  An unknown namespace, a
 * match variable and a bad name are errors at `arg`. */
bool compile_variable(struct sieve_compiler *c, const struct sieve_arg *arg, struct str name, unsigned *ret_index);

/* For checks: the constant string of an argument, STR_NULL if it is none or the argument is left out. */
struct str arg_constant(const struct sieve_arg *arg);
