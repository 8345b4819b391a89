/* set and string (RFC 5229, 4 and 5; RFC 5435, 6 for :encodeurl; the regex draft, 5 for :quoteregex). */
#include "base/strbuf.h"
#include "sieve/compiler.h"
#include "sieve/runtime.h"

enum { CASE_LOWER, CASE_UPPER, QUOTE_WILDCARD, QUOTE_REGEX, QUOTE_URL };

static bool check_set(struct sieve_compiler *c, struct sieve_node *n)
{
    unsigned index;

    if (!compile_variable(c, n->args[0], arg_constant(n->args[0]), &index))
        return false;
    c->script->variables[index].assigned = true;
    n->number = (int)index;
    return true;
}

static struct str change_case(struct sieve_run *r, struct str s, bool upper, size_t n)
{
    char *p = arena_alloc(&r->scratch, s.len + 1);

    for (size_t i = 0; i < s.len; i++)
        p[i] = i >= n ? s.p[i] : upper ? ascii_upper(s.p[i]) : ascii_lower(s.p[i]);
    return str_of(p, s.len);
}

static struct str quote(struct sieve_run *r, struct str s, int how)
{
    CLEANUP(strbuf_release) struct strbuf out = { 0 };
    const char *special = how == QUOTE_REGEX ? "\\^$.[]|()*+?{}" : "\\*?";

    for (size_t i = 0; i < s.len; i++) {
        bool plain = ascii_alnum(s.p[i]) || (s.p[i] != '\0' && strchr("-._~", s.p[i]) != NULL);

        if (how == QUOTE_URL && !plain) {
            strbuf_addf(&out, "%%%02X", (unsigned)(unsigned char)s.p[i]);
            continue;
        }
        if (how != QUOTE_URL && s.p[i] != '\0' && strchr(special, s.p[i]) != NULL)
            strbuf_addc(&out, '\\');
        strbuf_addc(&out, s.p[i]);
    }
    return arena_str(&r->scratch, strbuf_str(&out));
}

/* Characters of UTF-8: bytes that are no continuation. */
static struct str length_of(struct sieve_run *r, struct str s)
{
    unsigned n = 0;

    for (size_t i = 0; i < s.len; i++)
        n += ((unsigned char)s.p[i] & 0xc0) != 0x80;
    return arena_printf(&r->scratch, "%u", n);
}

struct str variable_modify(struct sieve_run *r, const struct sieve_node *n, struct str value)
{
    const struct sieve_arg *tag;

    value = str_sub(value, 0, r->limits->variable_bytes * 4);
    if ((tag = node_tag(n, SLOT_CASE)) != NULL)
        value = change_case(r, value, tag->tag->id == CASE_UPPER, value.len);
    if ((tag = node_tag(n, SLOT_CASE_FIRST)) != NULL)
        value = change_case(r, value, tag->tag->id == CASE_UPPER, 1);
    if ((tag = node_tag(n, SLOT_QUOTE)) != NULL)
        value = quote(r, value, tag->tag->id);
    if (node_tag(n, SLOT_LENGTH) != NULL)
        value = length_of(r, value);
    return value;
}

static enum sieve_flow run_set_command(struct sieve_run *r, const struct sieve_node *n)
{
    struct str value = variable_modify(r, n, run_arg(r, n->args[1]));

    if (!run_spend(r, n, value.len))
        return FLOW_ERROR;
    run_set(r, r->frame->variables[n->number], value);
    return FLOW_NEXT;
}

/* The empty string does not count for :count (RFC 5229, 5). */
static bool test_string(struct sieve_run *r, const struct sieve_node *n, bool *ret)
{
    struct str *values = run_list(r, n->args[0]);
    struct sieve_matcher m;

    matcher_begin(&m, r, n, n->args[1]);
    for (size_t i = 0; i < n->args[0]->n; i++) {
        if (n->match.type == MATCH_COUNT && values[i].len == 0)
            continue;
        if (matcher_value(&m, values[i]))
            break;
    }
    return matcher_end(&m, ret);
}

const struct sieve_tag sieve_modifier_tags[] = {
    { "lower", SLOT_CASE, EXT_VARIABLES, CASE_LOWER, 0 },
    { "upper", SLOT_CASE, EXT_VARIABLES, CASE_UPPER, 0 },
    { "lowerfirst", SLOT_CASE_FIRST, EXT_VARIABLES, CASE_LOWER, 0 },
    { "upperfirst", SLOT_CASE_FIRST, EXT_VARIABLES, CASE_UPPER, 0 },
    { "quotewildcard", SLOT_QUOTE, EXT_VARIABLES, QUOTE_WILDCARD, 0 },
    { "quoteregex", SLOT_QUOTE, EXT_REGEX, QUOTE_REGEX, 0 },
    { "encodeurl", SLOT_QUOTE, EXT_ENOTIFY, QUOTE_URL, 0 },
    { "length", SLOT_LENGTH, EXT_VARIABLES, 0, 0 },
    { 0 },
};

const struct sieve_spec sieve_variables_specs[] = {
    { .name = "set",
      .ext = EXT_VARIABLES,
      .args = "KS",
      .tags = { sieve_modifier_tags },
      .check = check_set,
      .command = run_set_command },
    { .name = "string", .ext = EXT_VARIABLES, .flags = SPEC_TEST | SPEC_MATCHES, .args = "LL", .test = test_string },
    { 0 },
};
