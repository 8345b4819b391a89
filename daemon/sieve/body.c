/* body (RFC 5173). */
#include "sieve/compiler.h"
#include "sieve/runtime.h"

enum { BODY_RAW, BODY_CONTENT, BODY_TEXT };

/* Is the part of one of the types: "" is all, "text" a type, "text/html" one subtype (RFC 5173, 5.2)? */
static bool has_type(const struct mail_part *part, const struct str *types, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        size_t slash = str_chr(types[i], '/');

        if (types[i].len == 0)
            return true;
        if (str_ieq(str_sub(types[i], 0, slash), part->type) &&
            (slash == SIZE_MAX || str_ieq(str_from(types[i], slash + 1), part->subtype)))
            return true;
    }
    return false;
}

static struct str slice(const struct sieve_run *r, size_t from, size_t to)
{
    return str_sub(r->env->message, from, to > from ? to - from : 0);
}

/* What stands before the first part of a multipart and behind the last one, without the delimiters. */
static bool match_multipart(struct sieve_run *r, const struct mail_part *part, struct sieve_matcher *m)
{
    struct str before = slice(r, part->body_at, part->children->header_at);
    struct str after = slice(r, part->last_child->end, part->end);
    size_t line = str_find(after, STR("--"));

    while (before.len > 0 && before.p[before.len - 1] == '\n')
        before.len--;
    before = str_sub(before, 0, str_rchr(before, '\n') == SIZE_MAX ? 0 : str_rchr(before, '\n') + 1);
    after = line == SIZE_MAX ? STR("") : str_from(after, line);
    line = str_chr(after, '\n');
    after = line == SIZE_MAX ? STR("") : str_from(after, line + 1);
    return matcher_value(m, before) || matcher_value(m, after);
}

static bool match_content(struct sieve_run *r, const struct sieve_node *n, const struct sieve_arg *arg,
                          struct sieve_matcher *m)
{
    const struct str *types = run_list(r, arg);

    for (const struct mail_part *p = view_root(&r->view); p != NULL; p = mail_part_next(p)) {
        bool done;

        if (!run_spend(r, n, arg->n) || !has_type(p, types, arg->n))
            continue;
        if (p->kind == MAIL_MULTIPART)
            done = match_multipart(r, p, m);
        else if (p->kind == MAIL_MESSAGE)
            done = matcher_value(m, slice(r, p->children->header_at, p->children->body_at));
        else
            done = matcher_value(m, view_part_text(&r->view, p));
        if (done)
            return true;
    }
    return false;
}

/* A body test sets no match variables (RFC 5173, 6). */
static bool test_body(struct sieve_run *r, const struct sieve_node *n, bool *ret)
{
    const struct sieve_arg *tag = node_tag(n, SLOT_BODY);
    const struct str *texts;
    struct sieve_matcher m;
    size_t ntexts;

    matcher_begin(&m, r, n, n->args[0]);
    m.no_variables = true;
    switch (tag != NULL ? tag->tag->id : BODY_TEXT) {
    case BODY_RAW:
        matcher_value(&m, str_from(r->env->message, r->view.body_at));
        break;
    case BODY_CONTENT:
        match_content(r, n, tag->value, &m);
        break;
    default:
        texts = view_texts(&r->view, &ntexts);
        for (size_t i = 0; i < ntexts && !matcher_value(&m, texts[i]); i++)
            ;
        break;
    }
    return matcher_end(&m, ret);
}

static const struct sieve_tag tags[] = {
    { "raw", SLOT_BODY, EXT_NONE, BODY_RAW, 0 },
    { "content", SLOT_BODY, EXT_NONE, BODY_CONTENT, 'L' },
    { "text", SLOT_BODY, EXT_NONE, BODY_TEXT, 0 },
    { 0 },
};

const struct sieve_spec sieve_body_specs[] = {
    { .name = "body",
      .ext = EXT_BODY,
      .flags = SPEC_TEST | SPEC_MATCHES,
      .args = "L",
      .tags = { tags },
      .test = test_body },
    { 0 },
};
