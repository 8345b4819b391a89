/* vnd.correio.pipe and vnd.correio.filter: programs that an administrator named.
 *
 *   pipe [:copy] <program-name: string>
 *   filter <program-name: string>
 *
 * pipe gives it the message; like redirect it cancels the implicit keep, and not with ":copy".  What is stored behind a
 * filter is what the program made of the message; the script goes on with the message as it was.  The name is one of the
 * setting mda.programs; a script cannot say what is run, nor as whom, nor with which arguments. */
#include "sieve/compiler.h"
#include "sieve/runtime.h"

static bool is_known(struct sieve_run *r, const struct sieve_node *n, struct str name)
{
    const struct sieve_ops *ops = r->env->ops;

    if (ops != NULL && ops->program_exists != NULL && ops->program_exists(r->env->data, name))
        return true;
    return run_error(r, n, "\"%.*s\" is no program that may be used here", (int)MIN(name.len, (size_t)200),
                     name.p != NULL ? name.p : "");
}

static struct sieve_action *find_same(struct sieve_run *r, struct str name)
{
    for (size_t i = r->first_action; i < r->state.nactions; i++) {
        if (r->actions[i].kind == SIEVE_PIPE && str_eq(r->actions[i].address, name))
            return &r->actions[i];
    }
    return NULL;
}

static enum sieve_flow run_pipe(struct sieve_run *r, const struct sieve_node *n)
{
    struct str name = run_arg(r, n->args[0]);
    struct sieve_action *a;

    if (run_has_action(r, 1U << SIEVE_REJECT | 1U << SIEVE_EREJECT)) {
        run_error(r, n, "\"pipe\" cannot be used for a message that is rejected");
        return FLOW_ERROR;
    }
    if (!is_known(r, n, name))
        return FLOW_ERROR;
    a = find_same(r, name);
    if (a == NULL)
        a = run_action(r, n, SIEVE_PIPE);
    if (a == NULL)
        return FLOW_ERROR;
    a->address = arena_str(r->arena, name);
    a->copy = node_tag(n, SLOT_COPY) != NULL;
    r->state.keep &= a->copy;
    run_trace_action(r, n, name);
    return FLOW_NEXT;
}

static enum sieve_flow run_filter(struct sieve_run *r, const struct sieve_node *n)
{
    struct str name = run_arg(r, n->args[0]);

    if (!is_known(r, n, name))
        return FLOW_ERROR;
    if (r->state.program.p != NULL && !str_eq(r->state.program, name)) {
        run_error(r, n, "a message can go through one program only");
        return FLOW_ERROR;
    }
    r->state.program = arena_str(r->arena, name);
    run_trace_action(r, n, name);
    return FLOW_NEXT;
}

static const struct sieve_tag tags[] = { { "copy", SLOT_COPY, EXT_COPY, 0, 0 }, { 0 } };

const struct sieve_spec sieve_pipe_specs[] = {
    { .name = "pipe", .ext = EXT_PIPE, .args = "S", .tags = { tags }, .command = run_pipe },
    { .name = "filter", .ext = EXT_FILTER, .args = "S", .command = run_filter },
    { 0 },
};
