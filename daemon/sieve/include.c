/* include, return and global (RFC 6609). */
#include "sieve/compiler.h"
#include "sieve/runtime.h"

enum { LOCATION_PERSONAL, LOCATION_GLOBAL };

static bool check_include(struct sieve_compiler *c, struct sieve_node *n)
{
    struct str name = arg_constant(n->args[0]);

    return sieve_is_script_name(name) ||
           compile_error(c, n->args[0]->line, n->args[0]->column, "\"%.*s\" is no name of a script",
                         (int)MIN(name.len, (size_t)100), name.p);
}

/* A global variable of the script is one that every script which says so shares (RFC 6609, 3.4.1). */
static bool check_global(struct sieve_compiler *c, struct sieve_node *n)
{
    const struct sieve_arg *arg = n->args[0];
    unsigned index;

    if (!compiler_has(c, EXT_VARIABLES))
        return compile_error(c, n->line, n->column, "\"global\" needs \"require\" of \"variables\"");
    for (size_t i = 0; i < arg->n; i++) {
        struct str name = arg->strings[i].text;

        if (str_chr(name, '.') != SIZE_MAX)
            return compile_error(c, arg->line, arg->column, "\"%.*s\" must be named without a namespace",
                                 (int)MIN(name.len, (size_t)100), name.p);
        if (!compile_variable(c, arg, name, &index))
            return false;
        if (c->script->variables[index].assigned && !c->script->variables[index].global)
            return compile_error(c, arg->line, arg->column, "the variable \"%.*s\" was set before it is made global",
                                 STR_ARG(name));
        c->script->variables[index].global = true;
    }
    return true;
}

static enum sieve_flow run_global_command(struct sieve_run *r UNUSED, const struct sieve_node *n UNUSED)
{
    return FLOW_NEXT; /* the variables were bound when the script began */
}

static enum sieve_flow run_return(struct sieve_run *r UNUSED, const struct sieve_node *n UNUSED)
{
    return FLOW_RETURN;
}

static bool is_running(const struct sieve_run *r, bool global, struct str name)
{
    for (const struct sieve_frame *f = r->frame; f != NULL; f = f->parent) {
        if (f->name.p != NULL && f->global == global && str_eq(f->name, name))
            return true;
    }
    return false;
}

static bool was_included(const struct sieve_run *r, bool global, struct str name)
{
    for (const struct sieve_included *i = r->included; i != NULL; i = i->next) {
        if (i->global == global && str_eq(i->name, name))
            return true;
    }
    return false;
}

/* Asks the caller for the script; *ret stays NULL when it is optional and not there. */
static bool find_script(struct sieve_run *r, const struct sieve_node *n, bool global, struct str name,
                        const struct sieve_script **ret)
{
    const struct sieve_env *env = r->env;
    enum result got = RES_NOTFOUND;

    *ret = NULL;
    if (env->ops != NULL && env->ops->include != NULL)
        got = env->ops->include(env->data, global, name, ret);
    if (got == RES_NOTFOUND) {
        *ret = NULL;
        return node_tag(n, SLOT_OPTIONAL) != NULL ||
               run_error(r, n, "there is no script \"%.*s\" to include", STR_ARG(name));
    }
    if (got == RES_INVALID)
        return run_error(r, n, "the script \"%.*s\" to include has an error", STR_ARG(name));
    return run_callback(r, got, RES_OK);
}

static void note_included(struct sieve_run *r, bool global, struct str name)
{
    struct sieve_included *i = arena_new(&r->keep, struct sieve_included);

    *i = (struct sieve_included){ .name = name, .global = global, .next = r->included };
    r->included = i;
    r->nincluded++;
}

static enum sieve_flow run_include(struct sieve_run *r, const struct sieve_node *n)
{
    const struct sieve_arg *location = node_tag(n, SLOT_LOCATION);
    struct sieve_frame frame = { .name = run_arg(r, n->args[0]) };
    struct sieve_loop *loop = r->view.loop;
    enum sieve_flow flow;

    frame.global = location != NULL && location->tag->id == LOCATION_GLOBAL;
    if (node_tag(n, SLOT_ONCE) != NULL &&
        (was_included(r, frame.global, frame.name) || is_running(r, frame.global, frame.name)))
        return FLOW_NEXT;
    if (is_running(r, frame.global, frame.name))
        run_error(r, n, "the script \"%.*s\" includes itself", STR_ARG(frame.name));
    else if (r->frame->depth == r->limits->includes || r->nincluded == (size_t)r->limits->includes * 8)
        run_error(r, n, "too many scripts are included");
    if (r->error.text.p != NULL || !find_script(r, n, frame.global, frame.name, &frame.script))
        return FLOW_ERROR;
    if (frame.script == NULL)
        return FLOW_NEXT;
    note_included(r, frame.global, frame.name);
    flow = run_script(r, &frame);
    r->view.loop = loop;
    return flow == FLOW_RETURN ? FLOW_NEXT : flow;
}

static const struct sieve_tag tags[] = {
    { "personal", SLOT_LOCATION, EXT_NONE, LOCATION_PERSONAL, 0 },
    { "global", SLOT_LOCATION, EXT_NONE, LOCATION_GLOBAL, 0 },
    { "once", SLOT_ONCE, EXT_NONE, 0, 0 },
    { "optional", SLOT_OPTIONAL, EXT_NONE, 0, 0 },
    { 0 },
};

const struct sieve_spec sieve_include_specs[] = {
    { .name = "include",
      .ext = EXT_INCLUDE,
      .args = "K",
      .tags = { tags },
      .check = check_include,
      .command = run_include },
    { .name = "return", .ext = EXT_INCLUDE, .args = "", .command = run_return },
    { .name = "global", .ext = EXT_INCLUDE, .args = "C", .check = check_global, .command = run_global_command },
    { 0 },
};
