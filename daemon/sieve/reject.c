/* reject and ereject (RFC 5429). */
#include "sieve/runtime.h"

#define DELIVERIES                                                                                                     \
    (1U << SIEVE_KEEP | 1U << SIEVE_FILEINTO | 1U << SIEVE_REDIRECT | 1U << SIEVE_PIPE | 1U << SIEVE_VACATION | 1U << SIEVE_REJECT |      \
     1U << SIEVE_EREJECT)

static enum sieve_flow run_refusal(struct sieve_run *r, const struct sieve_node *n, enum sieve_action_kind kind)
{
    struct str text = run_arg(r, n->args[0]);
    struct sieve_action *a;

    if (r->env->imap) {
        run_error(r, n, "\"%.*s\" cannot be used for changes of a mailbox", STR_ARG(n->name));
        return FLOW_ERROR;
    }
    if (run_has_action(r, DELIVERIES)) { /* RFC 5429, 2.4 */
        run_error(r, n, "\"%.*s\" cannot be used with another action on the message", STR_ARG(n->name));
        return FLOW_ERROR;
    }
    a = run_action(r, n, kind);
    if (a == NULL)
        return FLOW_ERROR;
    a->text = arena_str(r->arena, text);
    r->state.keep = false;
    run_trace_action(r, n, text);
    return FLOW_NEXT;
}

static enum sieve_flow run_reject(struct sieve_run *r, const struct sieve_node *n)
{
    return run_refusal(r, n, SIEVE_REJECT);
}

static enum sieve_flow run_ereject(struct sieve_run *r, const struct sieve_node *n)
{
    return run_refusal(r, n, SIEVE_EREJECT);
}

const struct sieve_spec sieve_reject_specs[] = {
    { .name = "reject", .ext = EXT_REJECT, .args = "S", .command = run_reject },
    { .name = "ereject", .ext = EXT_EREJECT, .args = "S", .command = run_ereject },
    { 0 },
};
