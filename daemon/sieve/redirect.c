/* redirect (RFC 5228, 4.2; RFC 3894; RFC 6009, 4 and 5; RFC 6134, 2.5). */
#include "sieve/compiler.h"
#include "sieve/runtime.h"

#include "mail/date.h"

enum { BY_RELATIVE, BY_ABSOLUTE };

#define BY_MAX ((int64_t)999999999) /* seconds (RFC 2852, 4) */

/* "NEVER", or "SUCCESS", "FAILURE", "DELAY" with commas between (RFC 3461, 4.1). */
static bool is_notify(struct str s)
{
    struct str word;
    bool first = true;

    if (str_ieq(s, STR("NEVER")))
        return true;
    for (; str_split(&s, ',', &word); first = false) {
        if (!str_ieq(word, STR("SUCCESS")) && !str_ieq(word, STR("FAILURE")) && !str_ieq(word, STR("DELAY")))
            return false;
    }
    return !first;
}

static bool read_by(struct sieve_run *r, const struct sieve_node *n, struct sieve_dsn *dsn)
{
    const struct sieve_arg *tag = node_tag(n, SLOT_BY_TIME);
    struct str mode = run_arg(r, node_tag_value(n, SLOT_BY_MODE)), when;
    int64_t at_us;
    int zone;

    if (tag == NULL)
        return true;
    dsn->by = true;
    dsn->by_trace = node_tag(n, SLOT_BY_TRACE) != NULL;
    dsn->by_mode = mode.p != NULL && str_ieq(mode, STR("return")) ? STR("R") : STR("N");
    if (mode.p != NULL && !str_ieq(mode, STR("return")) && !str_ieq(mode, STR("notify")))
        return run_error(r, n, "\":bymode\" must be \"notify\" or \"return\"");
    if (tag->tag->id == BY_RELATIVE) {
        dsn->by_seconds = MIN((int64_t)tag->value->number, BY_MAX);
        return true;
    }
    when = run_arg(r, tag->value);
    if (date_parse(when, &at_us, &zone) != RES_OK)
        return run_error(r, n, "\":bytimeabsolute\" needs a date and time as in \"2026-11-27T20:40:00Z\"");
    dsn->by_seconds = MAX(MIN((at_us - r->env->now_us) / 1000000, BY_MAX), -BY_MAX);
    return true;
}

static bool read_dsn(struct sieve_run *r, const struct sieve_node *n, struct sieve_dsn *dsn)
{
    struct str notify = run_arg(r, node_tag_value(n, SLOT_NOTIFY)), ret = run_arg(r, node_tag_value(n, SLOT_RET));

    *dsn = (struct sieve_dsn){ 0 };
    if (notify.p != NULL && !is_notify(notify))
        return run_error(r, n, "\":notify\" must be \"NEVER\" or a list of \"SUCCESS\", \"FAILURE\" and \"DELAY\"");
    if (ret.p != NULL && !str_ieq(ret, STR("FULL")) && !str_ieq(ret, STR("HDRS")))
        return run_error(r, n, "\":ret\" must be \"FULL\" or \"HDRS\"");
    dsn->notify = arena_str(r->arena, notify);
    if (ret.p != NULL)
        dsn->ret = str_ieq(ret, STR("FULL")) ? STR("FULL") : STR("HDRS");
    return read_by(r, n, dsn);
}

/* The redirect of this script to the same place: one copy is enough (RFC 5228, 2.10.3). */
static struct sieve_action *find_same(struct sieve_run *r, struct str address, struct str list)
{
    for (size_t i = r->first_action; i < r->state.nactions; i++) {
        struct sieve_action *a = &r->actions[i];

        if (a->kind == SIEVE_REDIRECT && str_ieq(a->address, address) && str_eq(a->list, list))
            return a;
    }
    return NULL;
}

static enum sieve_flow run_redirect(struct sieve_run *r, const struct sieve_node *n)
{
    struct str to = run_arg(r, n->args[0]), address = STR_NULL, list = STR_NULL;
    struct sieve_action *a;
    struct sieve_dsn dsn;

    if (run_has_action(r, 1U << SIEVE_REJECT | 1U << SIEVE_EREJECT)) {
        run_error(r, n, "\"redirect\" cannot be used for a message that is rejected");
        return FLOW_ERROR;
    }
    if (node_tag(n, SLOT_LIST) != NULL)
        list = arena_str(r->arena, to);
    else if (!run_address(r, to, &address)) {
        run_error(r, n, "\"%.*s\" is no address to redirect to", (int)MIN(to.len, (size_t)200), to.p);
        return FLOW_ERROR;
    }
    if (!read_dsn(r, n, &dsn))
        return FLOW_ERROR;
    a = find_same(r, address, list);
    if (a == NULL && r->state.redirects == r->limits->redirects) {
        run_error(r, n, "more than %u redirects", r->limits->redirects);
        return FLOW_ERROR;
    }
    if (a == NULL) {
        a = run_action(r, n, SIEVE_REDIRECT);
        if (a == NULL)
            return FLOW_ERROR;
        r->state.redirects++;
    }
    a->address = address;
    a->list = list;
    a->dsn = dsn;
    a->copy = node_tag(n, SLOT_COPY) != NULL;
    r->state.keep &= a->copy;
    run_trace_action(r, n, to);
    return FLOW_NEXT;
}

static bool check_redirect(struct sieve_compiler *c, struct sieve_node *n)
{
    const struct sieve_arg *tag = node_tag(n, SLOT_BY_MODE);

    tag = tag != NULL ? tag : node_tag(n, SLOT_BY_TRACE);
    if (tag != NULL && node_tag(n, SLOT_BY_TIME) == NULL)
        return compile_error(c, tag->line, tag->column, "\":%.*s\" needs \":bytimerelative\" or \":bytimeabsolute\"",
                             STR_ARG(tag->name));
    return true;
}

static const struct sieve_tag tags[] = {
    { "copy", SLOT_COPY, EXT_COPY, 0, 0 },
    { "list", SLOT_LIST, EXT_EXTLISTS, 0, 0 },
    { "notify", SLOT_NOTIFY, EXT_REDIRECT_DSN, 0, 'S' },
    { "ret", SLOT_RET, EXT_REDIRECT_DSN, 0, 'S' },
    { "bytimerelative", SLOT_BY_TIME, EXT_REDIRECT_DELIVERBY, BY_RELATIVE, 'N' },
    { "bytimeabsolute", SLOT_BY_TIME, EXT_REDIRECT_DELIVERBY, BY_ABSOLUTE, 'S' },
    { "bymode", SLOT_BY_MODE, EXT_REDIRECT_DELIVERBY, 0, 'S' },
    { "bytrace", SLOT_BY_TRACE, EXT_REDIRECT_DELIVERBY, 0, 0 },
    { 0 },
};

const struct sieve_spec sieve_redirect_specs[] = {
    { .name = "redirect", .args = "S", .tags = { tags }, .check = check_redirect, .command = run_redirect },
    { 0 },
};
