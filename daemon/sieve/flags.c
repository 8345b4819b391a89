/* imap4flags (RFC 5232): lists of flags are strings of words with one blank between. */
#include "sieve/compiler.h"
#include "sieve/runtime.h"

#include "base/strbuf.h"

/* A keyword or a flag that a client may set (RFC 9051, 9: flag); what is none is ignored. */
static bool is_flag(struct str s)
{
    static const char *const system[] = { "\\Answered", "\\Flagged", "\\Deleted", "\\Seen", "\\Draft" };

    if (s.len == 0 || s.len > 128)
        return false;
    if (s.p[0] == '\\') {
        for (size_t i = 0; i < ARRAY_LEN(system); i++) {
            if (str_ieq(s, str_c(system[i])))
                return true;
        }
        return false;
    }
    for (size_t i = 0; i < s.len; i++) {
        if (s.p[i] <= 32 || s.p[i] >= 127 || strchr("(){%*\"\\]", s.p[i]) != NULL)
            return false;
    }
    return true;
}

static bool has_word(struct str words, struct str word)
{
    struct str one;

    while (str_word(&words, &one)) {
        if (str_ieq(one, word))
            return true;
    }
    return false;
}

/* Adds the flags in `words` that are not there, at most SIEVE_MAX_FLAGS and `max` bytes in all. */
static void add_words(struct strbuf *out, size_t *n, struct str words, size_t max)
{
    struct str word;

    while (str_word(&words, &word) && *n < SIEVE_MAX_FLAGS) {
        if (!is_flag(word) || out->len + 1 + word.len > max || has_word(strbuf_str(out), word))
            continue;
        if (out->len > 0)
            strbuf_addc(out, ' ');
        strbuf_add(out, word);
        (*n)++;
    }
}

struct str flags_join(struct sieve_run *r, const struct str *lists, size_t nlists)
{
    CLEANUP(strbuf_release) struct strbuf out = { 0 };
    size_t n = 0;

    for (size_t i = 0; i < nlists; i++)
        add_words(&out, &n, lists[i], r->limits->variable_bytes);
    return arena_str(&r->scratch, strbuf_str(&out));
}

const struct str *flags_split(struct sieve_run *r, struct str words, size_t *ret_n)
{
    struct str rest = words, word, *list;
    size_t n = 0;

    while (str_word(&rest, &word))
        n++;
    *ret_n = n;
    if (n == 0)
        return NULL;
    list = arena_array(r->arena, struct str, n);
    rest = arena_str(r->arena, words);
    for (n = 0; str_word(&rest, &word); n++)
        list[n] = word;
    return list;
}

/* The internal variable, or the script's own that the command names. */
static struct sieve_value *variable_of(struct sieve_run *r, const struct sieve_node *n)
{
    return n->args[0] == NULL ? &r->flags : r->frame->variables[n->number];
}

/* The variable's name is constant and needs the extension "variables" (RFC 5232, 3). */
static bool check_variable(struct sieve_compiler *c, struct sieve_node *n)
{
    unsigned index;

    if (n->args[0] == NULL)
        return true;
    if (!compiler_has(c, EXT_VARIABLES))
        return compile_error(c, n->args[0]->line, n->args[0]->column,
                             "naming a variable here needs \"require\" of \"variables\"");
    if (!compile_variable(c, n->args[0], arg_constant(n->args[0]), &index))
        return false;
    c->script->variables[index].assigned = true;
    n->number = (int)index;
    return true;
}

static enum sieve_flow run_setflag(struct sieve_run *r, const struct sieve_node *n)
{
    run_set(r, variable_of(r, n), flags_join(r, run_list(r, n->args[1]), n->args[1]->n));
    return FLOW_NEXT;
}

static enum sieve_flow run_addflag(struct sieve_run *r, const struct sieve_node *n)
{
    struct str both[2] = { value_str(variable_of(r, n)), flags_join(r, run_list(r, n->args[1]), n->args[1]->n) };

    run_set(r, variable_of(r, n), flags_join(r, both, ARRAY_LEN(both)));
    return FLOW_NEXT;
}

static enum sieve_flow run_removeflag(struct sieve_run *r, const struct sieve_node *n)
{
    CLEANUP(strbuf_release) struct strbuf out = { 0 };
    struct str have = value_str(variable_of(r, n)), gone = flags_join(r, run_list(r, n->args[1]), n->args[1]->n), word;

    while (str_word(&have, &word)) {
        if (has_word(gone, word))
            continue;
        if (out.len > 0)
            strbuf_addc(&out, ' ');
        strbuf_add(&out, word);
    }
    run_set(r, variable_of(r, n), strbuf_str(&out));
    return FLOW_NEXT;
}

static bool check_hasflag(struct sieve_compiler *c, struct sieve_node *n)
{
    const struct sieve_arg *list = n->args[0];
    unsigned index;

    if (list == NULL)
        return true;
    if (!compiler_has(c, EXT_VARIABLES))
        return compile_error(c, list->line, list->column, "naming a variable here needs \"require\" of \"variables\"");
    for (size_t i = 0; i < list->n; i++) {
        if (!compile_variable(c, list, list->strings[i].text, &index))
            return false;
        list->strings[i].npieces = index; /* a constant string has no pieces: the place holds its variable */
    }
    return true;
}

static bool match_words(struct sieve_matcher *m, struct str words)
{
    struct str word;

    while (str_word(&words, &word)) {
        if (matcher_value(m, word))
            return true;
    }
    return false;
}

/* A key of several words stands for each of them (RFC 5232, 4). */
static void split_keys(struct sieve_run *r, struct sieve_matcher *m)
{
    struct str *words, word;
    size_t n = 0, cap = 0;

    for (size_t k = 0; k < m->nkeys; k++)
        cap += m->key[k].len / 2 + 1;
    words = arena_array(&r->scratch, struct str, cap);
    for (size_t k = 0; k < m->nkeys; k++) {
        struct str rest = m->key[k];

        while (str_word(&rest, &word))
            words[n++] = word;
    }
    m->key = words;
    m->nkeys = n;
}

/* The flags are the values (RFC 5232, 4). */
static bool test_hasflag(struct sieve_run *r, const struct sieve_node *n, bool *ret)
{
    const struct sieve_arg *variables = n->args[0];
    struct sieve_matcher m;

    matcher_begin(&m, r, n, n->args[1]);
    if (n->match.type != MATCH_REGEX)
        split_keys(r, &m);
    if (variables == NULL)
        match_words(&m, value_str(&r->flags));
    for (size_t i = 0; variables != NULL && i < variables->n; i++) {
        if (match_words(&m, value_str(r->frame->variables[variables->strings[i].npieces])))
            break;
    }
    return matcher_end(&m, ret);
}

const struct sieve_spec sieve_flags_specs[] = {
    { .name = "setflag", .ext = EXT_IMAP4FLAGS, .args = "kL", .check = check_variable, .command = run_setflag },
    { .name = "addflag", .ext = EXT_IMAP4FLAGS, .args = "kL", .check = check_variable, .command = run_addflag },
    { .name = "removeflag", .ext = EXT_IMAP4FLAGS, .args = "kL", .check = check_variable, .command = run_removeflag },
    { .name = "hasflag",
      .ext = EXT_IMAP4FLAGS,
      .flags = SPEC_TEST | SPEC_MATCHES,
      .args = "cL",
      .check = check_hasflag,
      .test = test_hasflag },
    { 0 },
};
