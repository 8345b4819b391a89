/* Strings with their variables, and the comparison of a test's values with its keys. */
#include "mail/charset.h"
#include "sieve/match.h"
#include "sieve/runtime.h"

#define REGEX_COMPILE_COST 10000 /* steps */

static struct str piece_value(const struct sieve_run *r, const struct sieve_piece *p)
{
    if (p->kind == PIECE_TEXT)
        return p->text;
    return value_str(p->kind == PIECE_MATCH ? &r->frame->matches[p->index] : r->frame->variables[p->index]);
}

/* A script of a megabyte may name a variable of 4 KiB in every fifth byte: such a string is not made, and the steps pay
 * for those that are. */
struct str run_string(struct sieve_run *r, const struct sieve_string *s)
{
    size_t len = 0;
    char *p;

    if (s->pieces == NULL)
        return s->text;
    for (size_t i = 0; i < s->npieces; i++)
        len += piece_value(r, &s->pieces[i]).len;
    if (len > r->limits->script_bytes) {
        run_error(r, NULL, "a string with its variables is longer than %zu bytes", r->limits->script_bytes);
        return STR("");
    }
    if (!run_spend(r, NULL, len * 8))
        return STR("");
    p = arena_alloc(&r->scratch, len + 1);
    len = 0;
    for (size_t i = 0; i < s->npieces; i++) {
        struct str piece = piece_value(r, &s->pieces[i]);

        memcpy(p + len, piece.p, piece.len);
        len += piece.len;
    }
    return str_of(p, len);
}

struct str run_arg(struct sieve_run *r, const struct sieve_arg *arg)
{
    return arg == NULL ? STR_NULL : run_string(r, &arg->strings[0]);
}

struct str *run_list(struct sieve_run *r, const struct sieve_arg *arg)
{
    struct str *list = arena_array(&r->scratch, struct str, arg->n);

    for (size_t i = 0; i < arg->n; i++)
        list[i] = run_string(r, &arg->strings[i]);
    return list;
}

struct str env_item(const struct sieve_item *items, size_t n, struct str name)
{
    for (size_t i = 0; i < n; i++) {
        if (str_ieq(items[i].name, name))
            return items[i].value;
    }
    return STR_NULL;
}

void matcher_begin(struct sieve_matcher *m, struct sieve_run *r, const struct sieve_node *n,
                   const struct sieve_arg *keys)
{
    *m = (struct sieve_matcher){ .r = r, .n = n, .key = run_list(r, keys), .nkeys = keys->n };
}

static void set_matches(struct sieve_run *r, const struct str *groups)
{
    for (size_t i = 0; i < SIEVE_MATCH_VALUES; i++)
        run_set(r, &r->frame->matches[i], groups[i]);
}

static bool match_pattern(struct sieve_matcher *m, struct str value, size_t k)
{
    struct sieve_run *r = m->r;
    struct str groups[SIEVE_MATCH_VALUES];
    size_t ngroups = run_has(r, EXT_VARIABLES) && !m->no_variables ? SIEVE_MATCH_VALUES : 0;
    CLEANUP(arena_releasep) struct arena own = { 0 };
    struct sieve_regex *re;
    const char *why;
    bool found;

    if (m->n->match.type == MATCH_MATCHES) {
        found = match_glob(m->n->match.comparator, value, m->key[k], &r->budget, groups);
    } else {
        re = m->n->regexes[k];
        if (re == NULL && !run_spend(r, m->n, REGEX_COMPILE_COST)) {
            m->failed = true;
            return false;
        }
        if (re == NULL && !regex_compile(&own, m->key[k], m->n->match.comparator, &re, &why)) {
            m->failed = true;
            return run_error(r, m->n, "the regular expression \"%.*s\" is wrong: %s",
                             (int)MIN(m->key[k].len, (size_t)100), m->key[k].p, why);
        }
        found = regex_match(re, value, &r->budget, groups, ngroups);
    }
    if (found && ngroups > 0)
        set_matches(r, groups);
    return found;
}

static bool relation_holds(enum sieve_relation relation, int d)
{
    switch (relation) {
    case RELATION_GT:
        return d > 0;
    case RELATION_GE:
        return d >= 0;
    case RELATION_LT:
        return d < 0;
    case RELATION_LE:
        return d <= 0;
    case RELATION_EQ:
        return d == 0;
    case RELATION_NE:
        return d != 0;
    }
    return false;
}

/* Is the value in the external list that the key names (RFC 6134, 2.2)? */
static bool in_list(struct sieve_matcher *m, struct str value, struct str list)
{
    const struct sieve_env *env = m->r->env;
    enum result got = RES_NOTFOUND;
    bool in = false;

    if (!run_question(m->r, m->n)) {
        m->failed = true;
        return false;
    }
    if (env->ops != NULL && env->ops->list_contains != NULL)
        got = env->ops->list_contains(env->data, list, value, &in);
    if (!run_callback(m->r, got, RES_NOTFOUND)) {
        m->failed = true;
        return false;
    }
    if (got == RES_NOTFOUND) {
        m->failed = true;
        return run_error(m->r, m->n, "there is no external list \"%.*s\"", STR_ARG(list));
    }
    return in;
}

static bool match_key(struct sieve_matcher *m, struct str value, size_t k)
{
    const struct sieve_match *how = &m->n->match;

    switch (how->type) {
    case MATCH_IS:
        return match_compare(how->comparator, value, m->key[k]) == 0;
    case MATCH_CONTAINS:
        return match_contains(how->comparator, value, m->key[k]);
    case MATCH_MATCHES:
    case MATCH_REGEX:
        return match_pattern(m, value, k);
    case MATCH_VALUE:
        return relation_holds(how->relation, match_compare(how->comparator, value, m->key[k]));
    case MATCH_LIST:
        return in_list(m, value, m->key[k]);
    case MATCH_COUNT:
        break;
    }
    return false;
}

/* Folding Unicode takes its time. */
static uint64_t match_cost(const struct sieve_node *n, size_t bytes)
{
    return n->match.comparator == COMPARATOR_UNICODE ? (uint64_t)bytes * 20 : bytes;
}

bool matcher_value(struct sieve_matcher *m, struct str value)
{
    if (value.p == NULL)
        value = STR("");
    m->count++;
    if (m->n->match.type == MATCH_COUNT)
        return false;
    for (size_t k = 0; k < m->nkeys && !m->found && !m->failed; k++) {
        if (!run_spend(m->r, m->n, match_cost(m->n, value.len + m->key[k].len + 1))) {
            m->failed = true;
            break;
        }
        m->found = match_key(m, value, k);
    }
    if (m->r->budget.left == 0)
        m->failed = !run_spend(m->r, m->n, 1);
    return m->found || m->failed;
}

/* A count is compared as a number, whatever the comparator (RFC 5231, 4.2). */
bool matcher_end(struct sieve_matcher *m, bool *ret)
{
    struct str count;

    if (m->failed || !run_spend(m->r, m->n, 1))
        return false;
    if (m->n->match.type == MATCH_COUNT) {
        count = arena_printf(&m->r->scratch, "%llu", (unsigned long long)m->count);
        for (size_t k = 0; k < m->nkeys && !m->found; k++)
            m->found = relation_holds(m->n->match.relation, match_compare(COMPARATOR_NUMERIC, count, m->key[k]));
    }
    *ret = m->found;
    return true;
}
