/* Which header fields a test looks at (RFC 5228, 2.4.2.2; RFC 5260, 6; RFC 5703, 4). */
#include "sieve/runtime.h"

struct found {
    struct sieve_field **list;
    size_t n, cap;
};

static void add_named(struct sieve_run *r, struct sieve_fields *fields, struct str name, struct found *found)
{
    if (!budget_take(&r->budget, fields->n + 1))
        return; /* the test's next step says so */
    for (size_t i = 0; i < fields->n; i++) {
        struct sieve_field *f = &fields->list[i];

        if (f->name.len != name.len || name.len == 0 || !str_ieq(f->name, name))
            continue;
        if (found->n == found->cap) {
            struct sieve_field **more = arena_array(&r->scratch, struct sieve_field *, MAX(found->cap * 2, (size_t)4));

            if (found->n > 0)
                memcpy(more, found->list, found->n * sizeof(struct sieve_field *));
            found->list = more;
            found->cap = MAX(found->cap * 2, (size_t)4);
        }
        found->list[found->n++] = f;
    }
}

/* The part that :mime means: the one that foreverypart is at, outside of it the message (RFC 5703, 4.1); with
 * :anychild also all in it. */
static void add_mime(struct sieve_run *r, const struct sieve_node *n, struct str name, struct found *found)
{
    const struct mail_part *part = r->view.loop != NULL ? r->view.loop->part : view_root(&r->view), *end, *p;

    if (part == view_root(&r->view))
        add_named(r, &r->state.header, name, found);
    else
        add_named(r, view_part_fields(&r->view, part), name, found);
    if (node_tag(n, SLOT_ANYCHILD) == NULL || part->children == NULL)
        return;
    for (end = part; end != NULL && end->next == NULL;)
        end = end->parent;
    end = end != NULL ? end->next : NULL;
    for (p = part->children; p != end && run_spend(r, n, SIEVE_STEP_COST); p = mail_part_next(p))
        add_named(r, view_part_fields(&r->view, p), name, found);
}

struct sieve_field **run_fields(struct sieve_run *r, const struct sieve_node *n, struct str name, size_t *ret_n)
{
    const struct sieve_arg *index = node_tag_value(n, SLOT_INDEX);
    struct found found = { 0 };

    if (node_tag(n, SLOT_MIME) != NULL)
        add_mime(r, n, name, &found);
    else
        add_named(r, &r->state.header, name, &found);
    *ret_n = found.n;
    if (index == NULL)
        return found.list;
    *ret_n = index->number <= found.n;
    if (*ret_n == 0)
        return NULL;
    return node_tag(n, SLOT_LAST) != NULL ? found.list + (found.n - index->number) : found.list + (index->number - 1);
}

struct sieve_field *run_field(struct sieve_run *r, struct str name)
{
    for (size_t i = 0; i < r->state.header.n; i++) {
        if (str_ieq(r->state.header.list[i].name, name))
            return &r->state.header.list[i];
    }
    return NULL;
}
