/* ihave and error (RFC 5463). */
#include "sieve/runtime.h"

/* True, and the extensions may be used from here on, when all of them are there.  What changes how the script itself
 * is read cannot be had this way (RFC 5463, 4). */
static bool test_ihave(struct sieve_run *r, const struct sieve_node *n, bool *ret)
{
    uint64_t more = 0;

    *ret = true;
    for (size_t i = 0; i < n->args[0]->n && *ret; i++) {
        enum sieve_ext ext = ext_find(n->args[0]->strings[i].text);
        bool required = ext != EXT_NONE && (r->frame->script->required & EXT_BIT(ext)) != 0;

        *ret = ext != EXT_NONE && (required || (ext != EXT_VARIABLES && ext != EXT_ENCODED));
        more |= EXT_BIT(ext);
    }
    if (*ret)
        r->frame->enabled |= more;
    return true;
}

static enum sieve_flow run_error_command(struct sieve_run *r, const struct sieve_node *n)
{
    struct str text = run_arg(r, n->args[0]);

    run_error(r, n, "%.*s", (int)MIN(text.len, (size_t)900), text.p);
    return FLOW_ERROR;
}

const struct sieve_spec sieve_ihave_specs[] = {
    { .name = "ihave", .ext = EXT_IHAVE, .flags = SPEC_TEST, .args = "C", .test = test_ihave },
    { .name = "error", .ext = EXT_IHAVE, .args = "S", .command = run_error_command },
    { 0 },
};
