/* The interpreter: blocks, tests, scripts in a row, and what happens when one fails (RFC 5228, 2.10.6). */
#include "sieve/runtime.h"

#include "mail/charset.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

bool run_error(struct sieve_run *r, const struct sieve_node *n, const char *fmt, ...)
{
    char text[1000];
    va_list ap;
    int len;

    if (r->error.text.p != NULL || r->result != RES_OK)
        return false;
    va_start(ap, fmt);
    len = vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);
    n = n != NULL ? n : r->current;
    r->error.line = n != NULL ? n->line : 0;
    r->error.column = n != NULL ? n->column : 0;
    r->error.text = arena_str(r->arena, utf8_clean(&r->keep, str_of(text, MIN((size_t)len, sizeof(text) - 1))));
    r->error_include = r->frame != NULL ? r->frame->name : STR_NULL;
    return false;
}

bool run_callback(struct sieve_run *r, enum result got, enum result allowed)
{
    if (got == RES_OK || got == allowed)
        return true;
    if (r->result == RES_OK)
        r->result = got;
    return false;
}

bool run_spend(struct sieve_run *r, const struct sieve_node *n, uint64_t steps)
{
    return budget_take(&r->budget, steps) || run_error(r, n, "the script needs more than the allowed steps");
}

bool run_question(struct sieve_run *r, const struct sieve_node *n)
{
    if (r->questions++ < SIEVE_MAX_QUESTIONS)
        return true;
    return run_error(r, n, "the scripts ask more than %d times for mailboxes, lists and the like", SIEVE_MAX_QUESTIONS);
}

static void trace(struct sieve_run *r, int kind, const struct sieve_node *n, bool result, struct str detail)
{
    struct sieve_trace t = { .script = r->script, .result = result, .detail = detail };

    if (r->env->trace == NULL)
        return;
    t.kind = (unsigned)kind;
    t.line = n != NULL ? n->line : kind == SIEVE_TRACE_ERROR ? r->error.line : 0;
    t.depth = r->frame != NULL ? r->frame->depth : 0;
    t.name = n != NULL ? n->name : STR("");
    r->env->trace(r->env->data, &t);
}

void run_trace_action(struct sieve_run *r, const struct sieve_node *n, struct str detail)
{
    trace(r, SIEVE_TRACE_ACTION, n, false, detail);
}

/* What an ihave has not allowed is an error when it is reached (RFC 5463, 4). */
static bool check_late(struct sieve_run *r, const struct sieve_node *n)
{
    if (n->late != 0 && (n->late & ~r->frame->enabled) != 0) {
        int ext = __builtin_ctzll(n->late & ~r->frame->enabled);

        return run_error(r, n, "\"%.*s\" needs \"%s\", which was neither required nor found by ihave", STR_ARG(n->name),
                         ext_name((enum sieve_ext)ext));
    }
    return n->deferred.p == NULL || run_error(r, n, "%.*s", STR_ARG(n->deferred));
}

static bool enter(struct sieve_run *r, const struct sieve_node *n)
{
    if (r->depth == SIEVE_MAX_DEPTH)
        return run_error(r, n, "blocks and tests of the scripts are nested too deep");
    r->depth++;
    return true;
}

bool run_test(struct sieve_run *r, const struct sieve_node *n, bool *ret)
{
    bool ok;

    r->current = n;
    if (!run_spend(r, n, SIEVE_STEP_COST) || !check_late(r, n) || !enter(r, n))
        return false;
    ok = n->spec->test(r, n, ret) && r->error.text.p == NULL;
    r->depth--;
    if (n->tests == NULL)
        arena_reset(&r->scratch);
    if (ok)
        trace(r, SIEVE_TRACE_TEST, n, *ret, STR_NULL);
    return ok;
}

/* if, elsif, else: moves *at to the last command of the chain. */
static enum sieve_flow run_if(struct sieve_run *r, const struct sieve_node **at)
{
    const struct sieve_node *n = *at, *chosen = NULL;

    for (;; n = n->next) {
        bool yes = n->tests == NULL; /* else */

        if (chosen == NULL && (!check_late(r, n) || (!yes && !run_test(r, n->tests, &yes))))
            return FLOW_ERROR;
        if (chosen == NULL && yes)
            chosen = n;
        if (n->next == NULL || (!str_ieq(n->next->name, STR("elsif")) && !str_ieq(n->next->name, STR("else"))))
            break;
    }
    *at = n;
    if (chosen == NULL)
        return FLOW_NEXT;
    return run_block(r, chosen->block);
}

static enum sieve_flow run_command(struct sieve_run *r, const struct sieve_node *n)
{
    enum sieve_flow flow;

    if (!check_late(r, n))
        return FLOW_ERROR;
    flow = n->spec->command(r, n);
    arena_reset(&r->scratch);
    return r->error.text.p != NULL ? FLOW_ERROR : flow;
}

enum sieve_flow run_block(struct sieve_run *r, const struct sieve_node *first)
{
    enum sieve_flow flow = FLOW_NEXT;

    if (first == NULL)
        return FLOW_NEXT;
    if (!enter(r, first))
        return FLOW_ERROR;
    for (const struct sieve_node *n = first; n != NULL && flow == FLOW_NEXT; n = n->next) {
        r->current = n;
        if (!run_spend(r, n, SIEVE_STEP_COST))
            return FLOW_ERROR;
        trace(r, SIEVE_TRACE_COMMAND, n, false, STR_NULL);
        flow = str_ieq(n->name, STR("if")) ? run_if(r, &n) : run_command(r, n);
    }
    r->depth--;
    return flow;
}

void run_set(struct sieve_run *r, struct sieve_value *v, struct str value)
{
    size_t len = MIN(value.len, r->limits->variable_bytes);

    if (len < value.len && str_is_utf8(value))
        len = utf8_cut_bytes(value, len).len;
    if (len > v->cap) {
        char *p = arena_alloc(&r->keep, MIN(MAX(len * 2, (size_t)64), MAX(len, r->limits->variable_bytes)));

        memcpy(p, value.p, len); /* value may lie in the old memory */
        v->p = p;
        v->cap = MIN(MAX(len * 2, (size_t)64), MAX(len, r->limits->variable_bytes));
    } else if (len > 0) {
        memmove(v->p, value.p, len);
    }
    v->len = len;
}

struct sieve_value *run_global(struct sieve_run *r, struct str name)
{
    struct sieve_global *g;

    for (g = r->globals; g != NULL; g = g->next) {
        if (str_eq(g->name, name))
            return &g->value;
    }
    if (r->nglobals == r->limits->variables)
        return NULL;
    g = arena_new(&r->keep, struct sieve_global);
    *g = (struct sieve_global){ .name = name, .next = r->globals };
    r->globals = g;
    r->nglobals++;
    return &g->value;
}

/* The frame's variables: its own ones empty, the global ones shared. */
static bool bind_variables(struct sieve_run *r, struct sieve_frame *frame)
{
    const struct sieve_script *s = frame->script;

    if (s->nvariables == 0)
        return true;
    frame->variables = arena_array(&r->keep, struct sieve_value *, s->nvariables);
    for (size_t i = 0; i < s->nvariables; i++) {
        frame->variables[i] =
            s->variables[i].global ? run_global(r, s->variables[i].name) : arena_new(&r->keep, struct sieve_value);
        if (frame->variables[i] == NULL)
            return run_error(r, NULL, "the scripts use more than %u global variables", r->limits->variables);
    }
    return true;
}

/* What is made for the delivery of new mail cannot be required for changes of a mailbox (RFC 6785, 3.11). */
static bool check_applicable(struct sieve_run *r, const struct sieve_script *script)
{
    static const enum sieve_ext delivery[] = { EXT_REJECT, EXT_EREJECT, EXT_VACATION, EXT_VACATION_SECONDS };

    for (size_t i = 0; i < ARRAY_LEN(delivery) && r->env->imap; i++) {
        if ((script->required & EXT_BIT(delivery[i])) != 0)
            return run_error(r, script->first, "\"%s\" cannot be required for changes of a mailbox",
                             ext_name(delivery[i]));
    }
    return true;
}

enum sieve_flow run_script(struct sieve_run *r, struct sieve_frame *frame)
{
    enum sieve_flow flow;

    frame->parent = r->frame;
    frame->enabled = frame->script->required;
    frame->depth = frame->parent != NULL ? frame->parent->depth + 1 : 0;
    r->frame = frame;
    flow = check_applicable(r, frame->script) && bind_variables(r, frame) ? run_block(r, frame->script->first)
                                                                          : FLOW_ERROR;
    r->frame = frame->parent;
    return flow;
}

static bool has_keep(const struct sieve_run *r)
{
    for (size_t i = r->first_action; i < r->state.nactions; i++) {
        if (r->actions[i].kind == SIEVE_KEEP)
            return true;
    }
    return false;
}

/* Takes the explicit keeps of the script out: what the next one decides takes their place. */
static void drop_keeps(struct sieve_run *r)
{
    size_t n = r->first_action;

    for (size_t i = n; i < r->state.nactions; i++) {
        if (r->actions[i].kind != SIEVE_KEEP)
            r->actions[n++] = r->actions[i];
    }
    r->state.nactions = n;
}

static void run_all(struct sieve_run *r, const struct sieve_script *const *scripts, size_t n)
{
    for (r->script = 0; r->script < n; r->script++) {
        struct sieve_frame frame = { .script = scripts[r->script] };
        struct sieve_state before = r->state;

        before.flags = arena_str(&r->keep, value_str(&r->flags));
        r->depth = 0;
        r->first_action = r->state.nactions;
        r->state.keep = true;
        if (run_script(r, &frame) == FLOW_ERROR) {
            r->state = before;
            run_set(r, &r->flags, before.flags);
            trace(r, SIEVE_TRACE_ERROR, NULL, false, r->error.text);
            break;
        }
        if (!r->state.keep && !has_keep(r))
            return;
        if (r->script + 1 < n)
            drop_keeps(r);
        else if (has_keep(r))
            return;
    }
    if (r->result == RES_OK)
        run_implicit_keep(r);
}

enum result sieve_run(const struct sieve_script *const *scripts, size_t n, const struct sieve_env *env,
                      const struct sieve_limits *limits, struct arena *a, struct sieve_result *ret)
{
    struct sieve_run r = {
        .env = env,
        .limits = limits != NULL ? limits : &sieve_default_limits,
        .arena = a,
    };

    r.budget.left = r.limits->steps;
    view_init(&r.view, &r.keep, env->message, r.limits->text_bytes);
    r.state.header = r.view.original = view_read_fields(&r.view, env->message);
    run_set(&r, &r.flags, flags_join(&r, env->flags, env->nflags));
    run_all(&r, scripts, n);
    if (r.result == RES_OK) {
        *ret = (struct sieve_result){
            .actions = r.actions,
            .nactions = r.state.nactions,
            .marks = r.marks,
            .nmarks = r.state.nmarks,
            .failed = r.error.text.p != NULL,
            .error = r.error,
            .error_script = r.error.text.p != NULL ? r.script : 0,
            .error_include = r.error_include.p != NULL ? arena_str(a, r.error_include) : STR_NULL,
            .steps = r.limits->steps - r.budget.left,
        };
    }
    arena_reset(&r.scratch);
    arena_reset(&r.keep);
    return r.result;
}
