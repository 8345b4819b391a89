/* environment (RFC 5183; RFC 6785, 4.2). */
#include "sieve/runtime.h"

/* An item that is not known makes the test false (RFC 5183, 4). */
static bool test_environment(struct sieve_run *r, const struct sieve_node *n, bool *ret)
{
    struct str name = run_arg(r, n->args[0]);
    struct str value = env_item(r->env->items, r->env->nitems, name);
    struct sieve_matcher m;

    if (str_istarts(name, STR("imap.")) && !run_has(r, EXT_IMAPSIEVE))
        value = STR_NULL;
    matcher_begin(&m, r, n, n->args[1]);
    if (value.p != NULL)
        matcher_value(&m, value);
    return matcher_end(&m, ret);
}

const struct sieve_spec sieve_environment_specs[] = {
    { .name = "environment",
      .ext = EXT_ENVIRONMENT,
      .or_ext = EXT_IMAPSIEVE,
      .flags = SPEC_TEST | SPEC_MATCHES,
      .args = "SL",
      .test = test_environment },
    { 0 },
};
