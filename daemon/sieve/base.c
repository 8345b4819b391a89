/* Control commands and the tests of RFC 5228, 3 and 5, without address and envelope. */
#include "sieve/compiler.h"
#include "sieve/runtime.h"

enum { SIZE_OVER, SIZE_UNDER };
enum { PART_TYPE, PART_SUBTYPE, PART_CONTENT_TYPE, PART_PARAM };

static bool check_require(struct sieve_compiler *c, struct sieve_node *n)
{
    for (size_t i = 0; i < n->args[0]->n; i++) {
        struct str name = n->args[0]->strings[i].text;
        enum sieve_ext ext = ext_find(name);

        if (ext == EXT_NONE)
            return compile_error(c, n->args[0]->line, n->args[0]->column, "there is no extension \"%.*s\"",
                                 (int)MIN(name.len, (size_t)100), name.p);
        c->script->required |= EXT_BIT(ext);
    }
    return true;
}

static enum sieve_flow run_require(struct sieve_run *r UNUSED, const struct sieve_node *n UNUSED)
{
    return FLOW_NEXT;
}

static enum sieve_flow run_stop(struct sieve_run *r UNUSED, const struct sieve_node *n UNUSED)
{
    return FLOW_STOP;
}

static bool test_true(struct sieve_run *r UNUSED, const struct sieve_node *n UNUSED, bool *ret)
{
    *ret = true;
    return true;
}

static bool test_false(struct sieve_run *r UNUSED, const struct sieve_node *n UNUSED, bool *ret)
{
    *ret = false;
    return true;
}

static bool test_not(struct sieve_run *r, const struct sieve_node *n, bool *ret)
{
    if (!run_test(r, n->tests, ret))
        return false;
    *ret = !*ret;
    return true;
}

static bool test_allof(struct sieve_run *r, const struct sieve_node *n, bool *ret)
{
    *ret = true;
    for (const struct sieve_node *t = n->tests; t != NULL && *ret; t = t->next) {
        if (!run_test(r, t, ret))
            return false;
    }
    return true;
}

static bool test_anyof(struct sieve_run *r, const struct sieve_node *n, bool *ret)
{
    *ret = false;
    for (const struct sieve_node *t = n->tests; t != NULL && !*ret; t = t->next) {
        if (!run_test(r, t, ret))
            return false;
    }
    return true;
}

static bool check_size(struct sieve_compiler *c, struct sieve_node *n)
{
    return node_tag(n, SLOT_SIZE) != NULL ||
           compile_error(c, n->line, n->column, "\"size\" needs \":over\" or \":under\"");
}

/* A message of exactly the limit is neither (RFC 5228, 5.9). */
static bool test_size(struct sieve_run *r, const struct sieve_node *n, bool *ret)
{
    const struct sieve_arg *tag = node_tag(n, SLOT_SIZE);

    *ret =
        tag->tag->id == SIZE_OVER ? r->env->message.len > tag->value->number : r->env->message.len < tag->value->number;
    return true;
}

static bool test_exists(struct sieve_run *r, const struct sieve_node *n, bool *ret)
{
    struct str *names = run_list(r, n->args[0]);
    size_t found = 1;

    for (size_t i = 0; i < n->args[0]->n && found > 0; i++)
        run_fields(r, n, names[i], &found);
    *ret = found > 0;
    return run_spend(r, n, n->args[0]->n);
}

/* The parts of a structured MIME field (RFC 5703, 4.2). */
static bool match_mime_value(struct sieve_run *r, const struct sieve_arg *what, struct sieve_matcher *m,
                             struct str value)
{
    struct header_param *params;
    struct str word, one, *names;
    size_t nparams, slash;

    header_params(&r->scratch, value, &word, &params, &nparams);
    slash = str_chr(word, '/');
    switch (what->tag->id) {
    case PART_TYPE:
        return matcher_value(m, str_sub(word, 0, slash));
    case PART_SUBTYPE:
        return matcher_value(m, slash == SIZE_MAX ? STR("") : str_from(word, slash + 1));
    case PART_CONTENT_TYPE:
        return matcher_value(m, word);
    default:
        break;
    }
    names = run_list(r, what->value);
    for (size_t i = 0; i < what->value->n; i++) {
        one = header_param(&r->scratch, params, nparams, names[i]);
        if (one.p != NULL && matcher_value(m, one))
            return true;
    }
    return false;
}

static bool test_header(struct sieve_run *r, const struct sieve_node *n, bool *ret)
{
    const struct sieve_arg *what = node_tag(n, SLOT_MIME_PART);
    struct str *names = run_list(r, n->args[0]);
    struct sieve_matcher m;
    bool done = false;

    matcher_begin(&m, r, n, n->args[1]);
    for (size_t i = 0; i < n->args[0]->n && !done; i++) {
        size_t nfields;
        struct sieve_field **fields = run_fields(r, n, names[i], &nfields);

        for (size_t k = 0; k < nfields && !done; k++) {
            if (what != NULL)
                done = match_mime_value(r, what, &m, fields[k]->value);
            else
                done = matcher_value(&m, view_field_text(&r->view, fields[k]));
        }
    }
    return matcher_end(&m, ret);
}

static bool check_header(struct sieve_compiler *c, struct sieve_node *n)
{
    const struct sieve_arg *child = node_tag(n, SLOT_ANYCHILD), *part = node_tag(n, SLOT_MIME_PART);
    const struct sieve_arg *tag = child != NULL ? child : part;

    if (tag != NULL && node_tag(n, SLOT_MIME) == NULL)
        return compile_error(c, tag->line, tag->column, "\":%.*s\" needs \":mime\"", STR_ARG(tag->name));
    return true;
}

static const struct sieve_tag size_tags[] = {
    { "over", SLOT_SIZE, EXT_NONE, SIZE_OVER, 'N' },
    { "under", SLOT_SIZE, EXT_NONE, SIZE_UNDER, 'N' },
    { 0 },
};

const struct sieve_tag sieve_mime_part_tags[] = {
    { "type", SLOT_MIME_PART, EXT_MIME, PART_TYPE, 0 },
    { "subtype", SLOT_MIME_PART, EXT_MIME, PART_SUBTYPE, 0 },
    { "contenttype", SLOT_MIME_PART, EXT_MIME, PART_CONTENT_TYPE, 0 },
    { "param", SLOT_MIME_PART, EXT_MIME, PART_PARAM, 'L' },
    { 0 },
};

const struct sieve_spec sieve_base_specs[] = {
    { .name = "require", .args = "C", .check = check_require, .command = run_require },
    { .name = "if", .flags = SPEC_TAKES_TEST | SPEC_TAKES_BLOCK, .args = "" },
    { .name = "elsif", .flags = SPEC_TAKES_TEST | SPEC_TAKES_BLOCK, .args = "" },
    { .name = "else", .flags = SPEC_TAKES_BLOCK, .args = "" },
    { .name = "stop", .args = "", .command = run_stop },
    { .name = "true", .flags = SPEC_TEST, .args = "", .test = test_true },
    { .name = "false", .flags = SPEC_TEST, .args = "", .test = test_false },
    { .name = "not", .flags = SPEC_TEST | SPEC_TAKES_TEST, .args = "", .test = test_not },
    { .name = "allof", .flags = SPEC_TEST | SPEC_TAKES_TESTS, .args = "", .test = test_allof },
    { .name = "anyof", .flags = SPEC_TEST | SPEC_TAKES_TESTS, .args = "", .test = test_anyof },
    { .name = "size", .flags = SPEC_TEST, .args = "", .tags = { size_tags }, .check = check_size, .test = test_size },
    { .name = "exists",
      .flags = SPEC_TEST,
      .args = "L",
      .tags = { sieve_mime_tags },
      .check = check_header,
      .test = test_exists },
    { .name = "header",
      .flags = SPEC_TEST | SPEC_MATCHES,
      .args = "LL",
      .tags = { sieve_index_tags, sieve_mime_tags, sieve_mime_part_tags },
      .check = check_header,
      .test = test_header },
    { 0 },
};
