#include "imap/stored.h"

size_t spans_uids(const struct view *view, struct arena *a, const struct view_spans *spans, int64_t **ret_uids)
{
    size_t n = 0;

    for (size_t i = 0; i < spans->n; i++)
        n += spans->v[i].last - spans->v[i].first + 1;
    *ret_uids = arena_array(a, int64_t, n);
    n = 0;
    for (size_t i = 0; i < spans->n; i++) {
        for (size_t k = spans->v[i].first; k <= spans->v[i].last; k++) {
            if (!view->v[k].gone)
                (*ret_uids)[n++] = view->v[k].uid;
        }
    }
    return n;
}

static bool in_list(const int32_t *ids, size_t n, int64_t id)
{
    for (size_t i = 0; i < n; i++) {
        if (ids[i] == id)
            return true;
    }
    return false;
}

/* Of the keywords that the change leaves alone, are those before and after the same? */
static bool other_keywords_same(const struct view *view, size_t index, const struct message_state *after,
                                const struct message_change *change)
{
    size_t n, i = 0, k = 0;
    const int64_t *before = view_keywords(view, &view->v[index], &n);

    for (;;) {
        while (i < n && (in_list(change->keywords_add, change->nadd, before[i]) ||
                         in_list(change->keywords_remove, change->nremove, before[i])))
            i++;
        while (k < after->nkeywords && (in_list(change->keywords_add, change->nadd, after->keywords[k]) ||
                                        in_list(change->keywords_remove, change->nremove, after->keywords[k])))
            k++;
        if (i == n || k == after->nkeywords)
            return i == n && k == after->nkeywords;
        if (before[i++] != after->keywords[k++])
            return false;
    }
}

bool stored_surprises(const struct view *view, size_t index, const struct message_stored *m,
                      const struct message_change *change)
{
    int before = (int)view->v[index].flags;

    if (m->failed)
        return before != m->state.flags || view->v[index].modseq != m->state.modseq;
    if (((before & ~change->clear) | change->set) != m->state.flags)
        return true;
    return !change->keywords_replace && !other_keywords_same(view, index, &m->state, change);
}

enum result stored_know_keywords(struct imap_session *s, const struct message_stored_list *list)
{
    for (size_t i = 0; i < list->n; i++) {
        const struct message_state *m = &list->v[i].state;

        if (m->nkeywords > 0)
            s->view->max_keyword = MAX(s->view->max_keyword, m->keywords[m->nkeywords - 1]);
    }
    return session_know_keywords(s);
}

/* ---- expunge ---- */

static bool in_spans(const struct view_spans *spans, size_t index)
{
    size_t lo = 0, hi = spans->n;

    while (lo < hi) {
        size_t mid = lo + (hi - lo) / 2;

        if (spans->v[mid].last < index)
            lo = mid + 1;
        else
            hi = mid;
    }
    return lo < spans->n && spans->v[lo].first <= index;
}

static enum result expunge_chunk(struct imap_session *s, const int64_t *uids, size_t n, bool *current)
{
    CLEANUP(arena_releasep) struct arena a = { 0 };
    struct message_removed gone = { 0 };
    enum result r = message_expunge(s->db, &s->who, s->view->mailbox_id, uids, n, &a, &gone);

    if (r != RES_OK)
        return r;
    for (size_t i = 0; i < gone.n; i++)
        view_mark_gone(s->view, (uint32_t)gone.uids[i]);
    *current = gone.n > 0 && session_changed(s, gone.modseq_before, gone.modseq) && *current;
    return RES_OK;
}

enum result expunge_deleted(struct imap_session *s, const struct view_spans *only, bool *ret_current)
{
    struct view *view = s->view;
    int64_t *uids = arena_array(&s->arena, int64_t, view->n);
    bool current;
    size_t n = 0;
    enum result r = RES_OK;

    for (size_t i = 0; i < view->n; i++) {
        if ((view->v[i].flags & FLAG_DELETED) && !view->v[i].gone && (only == NULL || in_spans(only, i)))
            uids[n++] = view->v[i].uid;
    }
    current = n > 0;
    for (size_t at = 0; r == RES_OK && at < n; at += STORE_MAX)
        r = expunge_chunk(s, uids + at, MIN(n - at, (size_t)STORE_MAX), &current);
    if (r == RES_OK)
        *ret_current = current;
    return r;
}
