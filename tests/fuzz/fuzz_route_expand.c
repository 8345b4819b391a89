/* A world made of the bytes: each line "name kind members..." is an address of our.test; whoever expands any of them gets
 * an end, each final recipient once, and never more than the limits allow. */
#include <assert.h>

#include "route/expand.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static enum result look_up(void *data, struct str local, struct str domain, struct arena *a, struct route_facts *ret)
{
    struct str rest = *(struct str *)data, line, name, kind, member;

    *ret = (struct route_facts){ .kind = str_eq(domain, STR("our.test")) ? FACT_UNKNOWN : FACT_REMOTE };
    while (ret->kind == FACT_UNKNOWN && str_split(&rest, '\n', &line)) {
        if (!str_word(&line, &name) || !str_ieq(name, local) || !str_word(&line, &kind))
            continue;
        ret->kind = kind.p[0] == 'a' ? FACT_ACCOUNT : kind.p[0] == 'd' ? FACT_DISABLED : FACT_ALIAS;
        ret->address = arena_printf(a, "%.*s@our.test", STR_ARG(name));
        ret->account_id = (int64_t)(str_hash(name) | 1);
        ret->inbox_id = 1;
        ret->senders = (enum route_senders)(kind.len % 4);
        ret->members = arena_array(a, struct str, line.len / 2 + 1);
        while (str_word(&line, &member))
            ret->members[ret->n_members++] = member;
        ret->forward = ret->members;
        ret->n_forward = ret->kind == FACT_ACCOUNT ? ret->n_members : 0;
        ret->forward_keep = kind.len > 1;
    }
    return RES_OK;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    CLEANUP(arena_releasep) struct arena a = { 0 };
    struct str world = str_of((const char *)data, size), first = str_sub(world, 0, str_chr(world, '\n'));
    const struct route_sender sender = { first, size % 2 == 0 };
    struct route_result r;

    if (size > 4096)
        return 0;
    route_expand(first, &sender, look_up, &world, &a, &r);
    assert(r.n_recipients <= ROUTE_MAX_MEMBERS);
    assert(r.verdict != ROUTE_FOUND || r.n_recipients > 0);
    for (size_t i = 0; i < r.n_recipients; i++) {
        assert(r.recipients[i].depth <= ROUTE_MAX_DEPTH);
        for (size_t k = 0; k < i && r.recipients[i].kind == ROUTE_MAILBOX; k++)
            assert(r.recipients[k].kind != ROUTE_MAILBOX || r.recipients[k].facts.account_id != r.recipients[i].facts.account_id);
    }
    return 0;
}
