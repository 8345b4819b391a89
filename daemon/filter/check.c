#include "filter/check.h"
#include "io/coroutine.h"

#define INLINE_BYTES ((size_t)8 << 10) /* compiled at once: less than the loop may stand still */

struct check {
    struct str text;
    struct arena arena;
    struct sieve_error error;
    enum result result;
};

static void check_run(void *arg)
{
    struct check *c = arg;
    struct sieve_script *script;

    c->result = sieve_compile(c->text, NULL, &c->arena, &script, &c->error);
}

enum result filter_check(struct str text, struct arena *a, struct sieve_error *ret_error)
{
    struct check c = { .text = text };

    if (text.len > INLINE_BYTES)
        coroutine_work(check_run, &c);
    else
        check_run(&c);
    if (c.result != RES_OK) {
        *ret_error = c.error;
        ret_error->text = arena_str(a, c.error.text);
    }
    arena_reset(&c.arena);
    return c.result;
}
