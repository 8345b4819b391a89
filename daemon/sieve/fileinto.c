/* keep, discard and fileinto (RFC 5228, 2.10 and 4; RFC 3894; RFC 5232, 5; RFC 5490, 3.2; RFC 8579; RFC 9042). */
#include "sieve/runtime.h"

#define REFUSALS (1U << SIEVE_REJECT | 1U << SIEVE_EREJECT)

/* What is delivered cannot be refused as well (RFC 5429, 2.4). */
static bool check_refusal(struct sieve_run *r, const struct sieve_node *n)
{
    return !run_has_action(r, REFUSALS) ||
           run_error(r, n, "\"%.*s\" cannot be used for a message that is rejected", STR_ARG(n->name));
}

static enum sieve_flow run_keep(struct sieve_run *r, const struct sieve_node *n)
{
    struct sieve_target target;
    struct sieve_action *a = NULL;

    if (!check_refusal(r, n) || !run_target(r, n, STR_NULL, &target))
        return FLOW_ERROR;
    for (size_t i = r->first_action; i < r->state.nactions; i++) {
        if (r->actions[i].kind == SIEVE_KEEP)
            a = &r->actions[i]; /* one copy, however often (RFC 5228, 2.10.3); the later flags hold */
    }
    if (a == NULL)
        a = run_action(r, n, SIEVE_KEEP);
    if (a == NULL)
        return FLOW_ERROR;
    a->target = target;
    r->state.keep = false;
    run_trace_action(r, n, STR("keep"));
    return FLOW_NEXT;
}

static enum sieve_flow run_discard(struct sieve_run *r, const struct sieve_node *n)
{
    r->state.keep = false;
    if (!run_has_action(r, 1U << SIEVE_DISCARD) && run_action(r, n, SIEVE_DISCARD) == NULL)
        return FLOW_ERROR;
    run_trace_action(r, n, STR("discard"));
    return FLOW_NEXT;
}

/* The action of this script that files into the same place, NULL if there is none. */
static struct sieve_action *find_same(struct sieve_run *r, const struct sieve_target *t)
{
    for (size_t i = r->first_action; i < r->state.nactions; i++) {
        struct sieve_action *a = &r->actions[i];

        if (a->kind == SIEVE_FILEINTO && str_eq(a->target.mailbox, t->mailbox) &&
            str_eq(a->target.mailbox_id, t->mailbox_id) && str_ieq(a->target.special_use, t->special_use))
            return a;
    }
    return NULL;
}

static enum sieve_flow run_fileinto(struct sieve_run *r, const struct sieve_node *n)
{
    struct sieve_target target;
    struct sieve_action *a;

    if (!check_refusal(r, n) || !run_target(r, n, run_arg(r, n->args[0]), &target))
        return FLOW_ERROR;
    a = find_same(r, &target);
    if (a == NULL)
        a = run_action(r, n, SIEVE_FILEINTO);
    if (a == NULL)
        return FLOW_ERROR;
    a->copy = node_tag(n, SLOT_COPY) != NULL;
    target.create |= a->target.create;
    a->target = target;
    r->state.keep &= a->copy;
    run_trace_action(r, n, target.mailbox);
    return FLOW_NEXT;
}

static const struct sieve_tag copy_tags[] = {
    { "copy", SLOT_COPY, EXT_COPY, 0, 0 },
    { 0 },
};

static const struct sieve_tag keep_tags[] = {
    { "flags", SLOT_FLAGS, EXT_IMAP4FLAGS, 0, 'L' },
    { 0 },
};

const struct sieve_spec sieve_fileinto_specs[] = {
    { .name = "keep", .args = "", .tags = { keep_tags }, .command = run_keep },
    { .name = "discard", .args = "", .command = run_discard },
    { .name = "fileinto",
      .ext = EXT_FILEINTO,
      .args = "S",
      .tags = { copy_tags, sieve_mailbox_tags },
      .command = run_fileinto },
    { 0 },
};
