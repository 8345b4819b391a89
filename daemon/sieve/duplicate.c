/* duplicate (RFC 7352). */
#include "sieve/runtime.h"

#define DEFAULT_SECONDS ((uint64_t)7 * 86400)
#define MAX_SECONDS     ((uint64_t)365 * 86400)

enum { UNIQUE_HEADER, UNIQUE_VALUE };

/* The unique ID; STR_NULL: the message has none. */
static struct str unique_id(struct sieve_run *r, const struct sieve_node *n)
{
    const struct sieve_arg *tag = node_tag(n, SLOT_UNIQUE);
    struct sieve_field *f;

    if (tag != NULL && tag->tag->id == UNIQUE_VALUE)
        return run_arg(r, tag->value);
    f = run_field(r, tag != NULL ? run_arg(r, tag->value) : STR("Message-ID"));
    return f != NULL ? view_field_text(&r->view, f) : STR_NULL;
}

/* Of two tests with the same ID the later one's time holds (RFC 7352, 3.3). */
static bool add_mark(struct sieve_run *r, const struct sieve_node *n, const struct sieve_mark *mark)
{
    if (r->marks == NULL)
        r->marks = arena_array(r->arena, struct sieve_mark, SIEVE_MAX_MARKS);
    for (size_t i = 0; i < r->state.nmarks; i++) {
        if (str_eq(r->marks[i].key, mark->key)) {
            r->marks[i] = *mark;
            return true;
        }
    }
    if (r->state.nmarks == SIEVE_MAX_MARKS)
        return run_error(r, n, "more than %d different \"duplicate\" tests", SIEVE_MAX_MARKS);
    r->marks[r->state.nmarks++] = *mark;
    return true;
}

/* Handle and ID, so that no two pairs give the same. */
static struct str mark_key(struct sieve_run *r, struct str handle, struct str id)
{
    CLEANUP(strbuf_release) struct strbuf key = { 0 };

    strbuf_addf(&key, "%zu:", handle.len);
    strbuf_add(&key, handle);
    strbuf_add(&key, id);
    return arena_str(r->arena, strbuf_str(&key));
}

static bool test_duplicate(struct sieve_run *r, const struct sieve_node *n, bool *ret)
{
    const struct sieve_arg *seconds = node_tag_value(n, SLOT_PERIOD);
    struct str id = unique_id(r, n), handle = run_arg(r, node_tag_value(n, SLOT_HANDLE));
    struct sieve_mark mark = { .seconds = seconds != NULL ? MIN(seconds->number, MAX_SECONDS) : DEFAULT_SECONDS,
                               .refresh = node_tag(n, SLOT_LAST) != NULL };
    enum result got = RES_OK;
    bool seen = false;

    if (r->env->imap)
        return run_error(r, n, "\"duplicate\" cannot be used for changes of a mailbox");
    *ret = false;
    if (id.p == NULL || mark.seconds == 0)
        return true;
    if (!run_question(r, n))
        return false;
    mark.key = mark_key(r, handle, id);
    if (r->env->ops != NULL && r->env->ops->seen != NULL)
        got = r->env->ops->seen(r->env->data, mark.key, &seen);
    if (!run_callback(r, got, RES_OK))
        return false;
    *ret = seen;
    return (seen && !mark.refresh) || add_mark(r, n, &mark);
}

static const struct sieve_tag tags[] = {
    { "handle", SLOT_HANDLE, EXT_NONE, 0, 'S' },
    { "header", SLOT_UNIQUE, EXT_NONE, UNIQUE_HEADER, 'S' },
    { "uniqueid", SLOT_UNIQUE, EXT_NONE, UNIQUE_VALUE, 'S' },
    { "seconds", SLOT_PERIOD, EXT_NONE, 0, 'N' },
    { "last", SLOT_LAST, EXT_NONE, 0, 0 },
    { 0 },
};

const struct sieve_spec sieve_duplicate_specs[] = {
    { .name = "duplicate",
      .ext = EXT_DUPLICATE,
      .flags = SPEC_TEST,
      .args = "",
      .tags = { tags },
      .test = test_duplicate },
    { 0 },
};
