#include "filter/compile.h"
#include "io/coroutine.h"

#define COMPILE_ON_POOL ((size_t)16 << 10) /* compiling more than this would hold the loop up */

struct compiling {
    struct str text;
    struct arena *arena;
    struct sieve_script **ret;
    struct sieve_error *ret_error;
    enum result result;
};

static void compile(void *arg)
{
    struct compiling *c = arg;

    c->result = sieve_compile(c->text, NULL, c->arena, c->ret, c->ret_error);
}

enum result filter_compile(struct str text, struct arena *a, struct sieve_script **ret, struct sieve_error *ret_error)
{
    struct compiling c = { text, a, ret, ret_error, RES_OK };

    if (text.len > COMPILE_ON_POOL)
        coroutine_work(compile, &c);
    else
        compile(&c);
    return c.result;
}
