#include "imap/view.h"
#include "base/strbuf.h"

#include <assert.h>
#include <stdlib.h>

struct keyword_set {
    uint64_t hash;
    size_t n;
    int64_t ids[];
};

#define SETS_MAX (1u << 24) /* what view_entry.keywords can number */

static void *grow(void *p, size_t size)
{
    p = realloc(p, size);
    if (p == NULL)
        abort();
    return p;
}

struct view *view_new(void)
{
    struct view *view = calloc(1, sizeof(*view));

    if (view == NULL)
        abort();
    return view;
}

void view_free(struct view *view)
{
    if (view == NULL)
        return;
    for (uint32_t i = 1; i < view->nsets; i++)
        free(view->sets[i]);
    free(view->sets);
    free(view->buckets);
    free(view->name);
    free(view->v);
    free(view);
}

void view_set_name(struct view *view, struct str name)
{
    free(view->name);
    view->name = strndup(name.p, name.len);
    if (view->name == NULL)
        abort();
}

size_t view_lower_bound(const struct view *view, uint32_t uid)
{
    size_t lo = 0, hi = view->n;

    while (lo < hi) {
        size_t mid = lo + (hi - lo) / 2;

        if (view->v[mid].uid < uid)
            lo = mid + 1;
        else
            hi = mid;
    }
    return lo;
}

size_t view_find(const struct view *view, uint32_t uid)
{
    size_t i = view_lower_bound(view, uid);

    return i < view->n && view->v[i].uid == uid ? i : SIZE_MAX;
}

/* ---- sets of keywords: equal sets have one number ---- */

static void put_bucket(struct view *view, uint32_t set)
{
    uint32_t at = (uint32_t)view->sets[set]->hash & (view->nbuckets - 1);

    while (view->buckets[at] != 0)
        at = (at + 1) & (view->nbuckets - 1);
    view->buckets[at] = set;
}

static void grow_sets(struct view *view)
{
    view->nbuckets = MAX(view->nbuckets * 2, 16u);
    free(view->buckets);
    view->buckets = calloc(view->nbuckets, sizeof(*view->buckets));
    if (view->buckets == NULL)
        abort();
    view->sets = grow(view->sets, view->nbuckets / 2 * sizeof(struct keyword_set *));
    if (view->nsets == 0)
        view->sets[view->nsets++] = NULL;
    for (uint32_t i = 1; i < view->nsets; i++)
        put_bucket(view, i);
}

static uint32_t set_number(struct view *view, const int64_t *ids, size_t n)
{
    uint64_t hash = str_hash(str_of((const char *)ids, n * sizeof(*ids)));
    struct keyword_set *set;

    if (n == 0)
        return 0;
    if (view->nsets >= view->nbuckets / 2)
        grow_sets(view);
    for (uint32_t at = (uint32_t)hash & (view->nbuckets - 1); view->buckets[at] != 0;
         at = (at + 1) & (view->nbuckets - 1)) {
        set = view->sets[view->buckets[at]];
        if (set->hash == hash && set->n == n && memcmp(set->ids, ids, n * sizeof(*ids)) == 0)
            return view->buckets[at];
    }
    assert(view->nsets < SETS_MAX);
    set = grow(NULL, sizeof(*set) + n * sizeof(*ids));
    set->hash = hash;
    set->n = n;
    memcpy(set->ids, ids, n * sizeof(*ids));
    view->sets[view->nsets] = set;
    put_bucket(view, view->nsets);
    view->max_keyword = MAX(view->max_keyword, ids[n - 1]);
    return view->nsets++;
}

const int64_t *view_keywords(const struct view *view, const struct view_entry *e, size_t *ret_n)
{
    *ret_n = e->keywords == 0 ? 0 : view->sets[e->keywords]->n;
    return e->keywords == 0 ? NULL : view->sets[e->keywords]->ids;
}

/* ---- changes ---- */

enum result view_put(struct view *view, const struct message_state *m, bool tell)
{
    uint32_t keywords = set_number(view, m->keywords, m->nkeywords);
    struct view_entry *e;
    size_t i;

    if (view->n == 0 || view->v[view->n - 1].uid < m->uid) {
        if (view->n == view->cap) {
            view->cap = view->cap + view->cap / 4 + 32;
            view->v = grow(view->v, view->cap * sizeof(*view->v));
        }
        e = &view->v[view->n++];
        *e = (struct view_entry){ .uid = m->uid,
                                  .keywords = keywords & (SETS_MAX - 1),
                                  .flags = (uint32_t)m->flags & FLAGS_ALL,
                                  .recent = m->uid >= view->first_recent,
                                  .modseq = m->modseq };
        view->nrecent += e->recent;
        return RES_OK;
    }
    i = view_find(view, m->uid);
    if (i == SIZE_MAX)
        return RES_INVALID;
    e = &view->v[i];
    if (tell && !e->changed && (e->flags != ((uint32_t)m->flags & FLAGS_ALL) || e->keywords != keywords)) {
        e->changed = 1;
        view->nchanged++;
    }
    e->flags = (uint32_t)m->flags & FLAGS_ALL;
    e->keywords = keywords & (SETS_MAX - 1);
    e->modseq = m->modseq;
    return RES_OK;
}

void view_told_flags(struct view *view, size_t index)
{
    view->nchanged -= view->v[index].changed;
    view->v[index].changed = 0;
}

void view_mark_gone(struct view *view, uint32_t uid)
{
    size_t i = view_find(view, uid);

    if (i == SIZE_MAX || view->v[i].gone)
        return;
    view_told_flags(view, i);
    view->v[i].gone = 1;
    view->ngone++;
}

void view_drop_gone(struct view *view)
{
    size_t kept = 0, told = 0;

    for (size_t i = 0; i < view->n; i++) {
        if (view->v[i].gone) {
            view->nrecent -= view->v[i].recent;
            continue;
        }
        told += i < view->told;
        view->v[kept++] = view->v[i];
    }
    view->n = kept;
    view->told = told;
    view->ngone = 0;
}

void view_set_recent(struct view *view, int64_t first_recent)
{
    view->first_recent = first_recent;
    view->nrecent = 0;
    for (size_t i = 0; i < view->n; i++) {
        view->v[i].recent = view->v[i].uid >= first_recent;
        view->nrecent += view->v[i].recent;
    }
}

/* ---- sequence sets ---- */

static int by_first(const void *a, const void *b)
{
    const struct view_span *x = a, *y = b;

    return (x->first > y->first) - (x->first < y->first);
}

static void merge(struct view_spans *spans)
{
    size_t kept = 0;

    qsort(spans->v, spans->n, sizeof(*spans->v), by_first);
    for (size_t i = 0; i < spans->n; i++) {
        if (kept > 0 && spans->v[i].first <= spans->v[kept - 1].last + 1)
            spans->v[kept - 1].last = MAX(spans->v[kept - 1].last, spans->v[i].last);
        else
            spans->v[kept++] = spans->v[i];
    }
    spans->n = kept;
}

/* A range of sequence numbers; with "*" in it, it ends at the last message whatever the other number is. */
static enum result sequence_span(const struct view *view, const struct imap_range *r, struct view_span *ret)
{
    size_t lo = r->lo == 0 ? view->told : r->lo, hi = r->hi == 0 ? view->told : r->hi;

    if (r->lo == 0 || r->hi == 0) {
        lo = MIN(lo, view->told);
        hi = MIN(hi, view->told);
    }
    if (lo > hi) {
        size_t swap = lo;

        lo = hi;
        hi = swap;
    }
    if (view->told == 0 && lo == 0)
        return RES_NOTFOUND; /* "*" in an empty mailbox */
    if (lo == 0 || hi > view->told)
        return RES_INVALID;
    *ret = (struct view_span){ lo - 1, hi - 1 };
    return RES_OK;
}

/* "*" is the largest UID in use, so 9999:* always holds the last message (RFC 3501, 6.4.8). */
static enum result uid_span(const struct view *view, const struct imap_range *r, struct view_span *ret)
{
    uint32_t last = view->told > 0 ? view->v[view->told - 1].uid : 0;
    uint32_t lo = r->lo == 0 ? last : r->lo, hi = r->hi == 0 ? last : r->hi;
    size_t first, end;

    if (lo > hi) {
        uint32_t swap = lo;

        lo = hi;
        hi = swap;
    }
    first = view_lower_bound(view, lo);
    end = hi == UINT32_MAX ? view->n : view_lower_bound(view, hi + 1);
    end = MIN(end, view->told);
    if (first >= end)
        return RES_NOTFOUND;
    *ret = (struct view_span){ first, end - 1 };
    return RES_OK;
}

enum result view_resolve(const struct view *view, struct arena *a, const struct imap_set *set, bool uid,
                         struct view_spans *ret)
{
    struct view_spans spans = { .v = arena_array(a, struct view_span, set->n) };

    for (size_t i = 0; i < set->n; i++) {
        struct view_span *span = &spans.v[spans.n];
        enum result r = uid ? uid_span(view, &set->v[i], span) : sequence_span(view, &set->v[i], span);

        if (r == RES_INVALID)
            return r;
        spans.n += r == RES_OK;
    }
    merge(&spans);
    *ret = spans;
    return RES_OK;
}
