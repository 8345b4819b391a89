/* News of the selected mailbox: from the database into the view, and from the view to the client.
 *
 * The view's modseq says what it has.  Our own changes move it on only when nobody else wrote in between; otherwise the
 * next look reads our own changes once more, which changes nothing. */
#include "base/log.h"
#include "imap/seen.h"

#include <assert.h>
#include <stdlib.h>

struct news {
    struct view *view;
    size_t before;        /* messages known before */
    unsigned char *named; /* of those: one byte each, were they named */
};

static void on_changed(void *arg, const struct message_state *m)
{
    struct news *news = arg;
    size_t i = view_find(news->view, m->uid);

    if (i < news->before)
        news->named[i] = 1;
    (void)view_put(news->view, m, true); /* what is neither new nor known came and went while nobody looked */
}

static void on_gone(void *arg, uint32_t uid)
{
    struct news *news = arg;

    view_mark_gone(news->view, uid);
}

static enum result read_news(struct imap_session *s)
{
    struct view *view = s->view;
    CLEANUP(arena_releasep) struct arena a = { 0 };
    struct news news = { .view = view, .before = view->n, .named = calloc(view->n + 1, 1) };
    struct mailbox box = { 0 };
    bool all = false;
    enum result r;

    if (news.named == NULL)
        abort();
    r = message_changes(s->db, &s->who, view->mailbox_id, view->modseq, &a, &box, on_changed, on_gone, &news, &all);
    if (r == RES_OK) {
        for (size_t i = 0; all && i < news.before; i++) {
            if (!news.named[i])
                view_mark_gone(view, view->v[i].uid);
        }
        view->modseq = box.highestmodseq;
        view->uidnext = box.uidnext;
    }
    free(news.named);
    return r;
}

/* EXPUNGE must not come while a command uses sequence numbers (RFC 3501, 7.4.1). */
static bool may_renumber(const struct imap_session *s)
{
    enum imap_verb verb = s->cmd->verb;

    return s->cmd->uid || (verb != IMAP_FETCH && verb != IMAP_STORE && verb != IMAP_SEARCH);
}

static void tell_client(struct imap_session *s)
{
    struct view *view = s->view;
    struct strbuf b = { 0 };

    if (view->ngone > 0 && may_renumber(s)) {
        size_t number = 1;

        for (size_t i = 0; i < view->told; i++) {
            if (view->v[i].gone)
                stream_printf(s->stream, "* %zu EXPUNGE\r\n", number);
            else
                number++;
        }
        view_drop_gone(view);
    }
    if (view->n > view->told || view->nrecent != view->recent_told) {
        if (view->n > view->told)
            stream_printf(s->stream, "* %zu EXISTS\r\n", view->n);
        stream_printf(s->stream, "* %zu RECENT\r\n", view->nrecent);
        view->told = view->n;
        view->recent_told = view->nrecent;
    }
    for (size_t i = 0; i < view->n && view->nchanged > 0; i++) {
        if (view->v[i].changed)
            write_flags_fetch(s, &b, i, true, s->cmd->uid);
    }
    strbuf_release(&b);
}

bool session_has_news(const struct imap_session *s)
{
    return s->view != NULL && (s->watch.dirty || s->watch.news > s->view->modseq);
}

bool session_changed(struct imap_session *s, int64_t before, int64_t modseq)
{
    if (modseq == 0)
        return true;
    if (before != s->view->modseq)
        return false;
    s->view->modseq = modseq;
    return true;
}

enum result session_sync(struct imap_session *s, bool if_told)
{
    CLEANUP(arena_releasep) struct arena a = { 0 };
    struct mailbox box = { 0 };
    enum result r = RES_OK;

    if (session_has_news(s)) {
        seen_write(s); /* or the news would take it back */
        s->watch.dirty = false;
        s->watch.news = 0;
        r = read_news(s);
    } else if (!if_told) {
        r = mailbox_get(s->db, &s->who, s->view->mailbox_id, &a, &box);
        if (r == RES_OK && box.highestmodseq != s->view->modseq)
            r = read_news(s);
    }
    if (r == RES_NOTFOUND)
        return r;
    if (r != RES_OK)
        s->watch.dirty = true;
    else
        r = session_know_keywords(s);
    tell_client(s);
    return r;
}

/* ---- keywords ---- */

static enum result load_keywords(struct imap_session *s)
{
    struct arena a = { 0 };
    struct keyword *list = NULL;
    size_t n = 0;
    enum result r = keyword_list(s->db, &s->who, &a, &list, &n);

    if (r != RES_OK) {
        arena_reset(&a);
        return r;
    }
    arena_reset(&s->keyword_mem);
    s->keyword_mem = a;
    s->keywords = list;
    s->nkeywords = n;
    return RES_OK;
}

enum result session_know_keywords(struct imap_session *s)
{
    int64_t known = s->nkeywords > 0 ? s->keywords[s->nkeywords - 1].id : 0;
    enum result r;

    if (s->view->max_keyword <= known)
        return RES_OK;
    r = load_keywords(s);
    if (r == RES_OK)
        write_flag_list(s);
    return r;
}

static int32_t keyword_id(const struct imap_session *s, struct str name)
{
    for (size_t i = 0; i < s->nkeywords; i++) {
        if (str_ieq(s->keywords[i].name, name))
            return s->keywords[i].id;
    }
    return 0;
}

/* Those of the names that the session does not know. */
static size_t unknown_names(const struct imap_session *s, const struct imap_flags *flags, struct str *ret)
{
    size_t n = 0;

    for (size_t i = 0; i < flags->n; i++) {
        if (keyword_id(s, flags->keywords[i]) == 0)
            ret[n++] = flags->keywords[i];
    }
    return n;
}

static int by_id(const void *a, const void *b)
{
    int32_t x = *(const int32_t *)a, y = *(const int32_t *)b;

    return (x > y) - (x < y);
}

enum result session_keyword_ids(struct imap_session *s, const struct imap_flags *flags, bool make, int32_t **ret_ids,
                                size_t *ret_n)
{
    struct str *unknown = arena_array(&s->arena, struct str, flags->n);
    int32_t *ids = arena_array(&s->arena, int32_t, flags->n);
    size_t nunknown = unknown_names(s, flags, unknown), n = 0, kept = 0;
    enum result r = RES_OK;

    for (size_t i = 0; i < nunknown && make; i++) {
        if (unknown[i].len > KEYWORD_NAME_MAX)
            return RES_LIMIT;
    }
    if (nunknown > 0) {
        r = make ? keyword_add(s->db, &s->who, &s->arena, unknown, nunknown) : RES_OK;
        if (r == RES_OK)
            r = load_keywords(s);
        if (r == RES_OK && make && s->view != NULL)
            write_flag_list(s);
    }
    if (r != RES_OK)
        return r;
    for (size_t i = 0; i < flags->n; i++) {
        int32_t id = keyword_id(s, flags->keywords[i]);

        if (id != 0)
            ids[n++] = id;
    }
    qsort(ids, n, sizeof(*ids), by_id);
    for (size_t i = 0; i < n; i++) { /* the same name twice is one keyword */
        if (kept == 0 || ids[kept - 1] != ids[i])
            ids[kept++] = ids[i];
    }
    *ret_ids = ids;
    *ret_n = kept;
    return RES_OK;
}

/* ---- selected or not ---- */

void session_unselect(struct imap_session *s)
{
    struct view *view = s->view;
    int64_t first;

    if (view == NULL)
        return;
    seen_write(s);
    notify_remove(&s->watch);
    s->view = NULL;
    s->state = ST_AUTHENTICATED;
    if (!view->read_only && view->n > 0 && view->v[view->n - 1].recent &&
        mailbox_claim_recent(s->db, &s->who, view->mailbox_id, (int64_t)view->v[view->n - 1].uid + 1, &first) != RES_OK)
        log_debug("imap-recent-kept", F_STR("session", s->id)); /* the next session sees them as \Recent again */
    view_free(view);
}

void session_enable_condstore(struct imap_session *s)
{
    if (s->condstore)
        return;
    seen_write(s);
    s->condstore = true;
    if (s->view != NULL)
        stream_printf(s->stream, "* OK [HIGHESTMODSEQ %lld] Mailbox state\r\n", (long long)s->view->modseq);
}
