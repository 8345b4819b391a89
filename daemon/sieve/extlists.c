/* valid_ext_list (RFC 6134, 2.6); :list is a match type, see values.c, and a tag of redirect. */
#include "sieve/runtime.h"

static bool test_valid_ext_list(struct sieve_run *r, const struct sieve_node *n, bool *ret)
{
    const struct sieve_ops *ops = r->env->ops;
    struct str *names = run_list(r, n->args[0]);

    *ret = true;
    for (size_t i = 0; i < n->args[0]->n && *ret; i++) {
        enum result got = RES_NOTFOUND;
        bool exists = false;

        if (ops != NULL && ops->list_exists != NULL)
            got = ops->list_exists(r->env->data, names[i], &exists);
        if (!run_question(r, n) || !run_callback(r, got, RES_NOTFOUND))
            return false;
        *ret = got == RES_OK && exists;
    }
    return true;
}

const struct sieve_spec sieve_extlists_specs[] = {
    { .name = "valid_ext_list", .ext = EXT_EXTLISTS, .flags = SPEC_TEST, .args = "L", .test = test_valid_ext_list },
    { 0 },
};
