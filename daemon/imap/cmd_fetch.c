/* FETCH (RFC 3501, 6.4.5).  Messages go in groups: one statement, then the answers are sent; no database connection is
 * held while the client is slow.  What the view knows needs no statement. */
#include "base/encode.h"
#include "imap/fetch.h"
#include "imap/read_ahead.h"
#include "imap/seen.h"
#include "imap/stored.h"
#include "mail/date.h"

#define GROUP_FIRST 100 /* and at most as many with bodies, each of up to 16 KiB */
#define GROUP_MAX   400
#define GROUP_BYTES ((size_t)256 << 10) /* rows of a group, about */

void fetch_flush(struct fetch_job *job, size_t above)
{
    if (job->out.len <= above)
        return;
    stream_write(job->s->stream, strbuf_str(&job->out));
    strbuf_reset(&job->out);
}

static void item(struct strbuf *b, bool *first, struct str name)
{
    if (!*first)
        (void)strbuf_addc(b, ' ');
    *first = false;
    (void)strbuf_add(b, name);
}

static void add_date(struct strbuf *b, int64_t us)
{
    CLEANUP(arena_releasep) struct arena a = { 0 };

    (void)strbuf_addc(b, '"');
    (void)strbuf_add(b, date_print_imap_time(&a, us, 0));
    (void)strbuf_addc(b, '"');
}

static void add_id(struct strbuf *b, char kind, int64_t id)
{
    char text[ID_TEXT_MAX];

    (void)strbuf_addc(b, '(');
    (void)strbuf_add(b, id_text(text, kind, id));
    (void)strbuf_addc(b, ')');
}

void fetch_begin(struct fetch_job *job, const struct fetch_message *m, bool *ret_first)
{
    struct imap_session *s = job->s;
    const struct view_entry *e = &s->view->v[m->index];
    unsigned items = job->what->items;
    struct strbuf *b = &job->out;
    bool first = true;

    (void)strbuf_adds(b, "* ");
    add_number(b, m->index + 1);
    (void)strbuf_adds(b, " FETCH (");
    if (items & FETCH_UID) {
        item(b, &first, STR("UID "));
        add_number(b, e->uid);
    }
    if ((items & FETCH_FLAGS) || m->seen_now) {
        item(b, &first, STR("FLAGS "));
        add_flags(s, b, e);
        view_told_flags(s->view, m->index);
    }
    if ((items & FETCH_MODSEQ) || (s->condstore && m->seen_now)) {
        item(b, &first, STR("MODSEQ ("));
        add_number(b, (uint64_t)e->modseq);
        (void)strbuf_addc(b, ')');
    }
    if (items & FETCH_INTERNALDATE) {
        item(b, &first, STR("INTERNALDATE "));
        add_date(b, m->row.internaldate_us);
    }
    if (items & FETCH_SIZE) {
        item(b, &first, STR("RFC822.SIZE "));
        add_number(b, m->row.shape.size);
    }
    if (items & FETCH_ENVELOPE) {
        item(b, &first, STR("ENVELOPE "));
        (void)strbuf_add(b, m->row.envelope);
    }
    if (items & FETCH_BODYSTRUCTURE) {
        item(b, &first, STR("BODYSTRUCTURE "));
        (void)strbuf_add(b, m->row.bodystructure);
    }
    if (items & FETCH_BODY) {
        item(b, &first, STR("BODY "));
        if (imap_body_from_structure(m->row.bodystructure, b) != RES_OK)
            job->damaged = true;
    }
    if (items & FETCH_EMAILID) { /* RFC 8474, 5 */
        item(b, &first, STR("EMAILID "));
        add_id(b, 'e', m->row.email_id);
    }
    if (items & FETCH_THREADID) {
        item(b, &first, STR("THREADID "));
        add_id(b, 't', m->row.thread_id);
    }
    *ret_first = first;
}

/* Sets \Seen on those of the group that are not: later, all together, unless the answer has to tell the new MODSEQ.  A
 * failure does not keep anybody from reading. */
static void mark_seen(struct fetch_job *job, struct arena *a, struct fetch_message *m, size_t n)
{
    static const struct message_change change = { .set = FLAG_SEEN, .unchanged_since = -1 };
    struct imap_session *s = job->s;
    struct message_stored_list list = { 0 };
    int64_t *uids = arena_array(a, int64_t, n);
    size_t nuids = 0;

    for (size_t i = 0; i < n; i++) {
        if ((s->view->v[m[i].index].flags & FLAG_SEEN) != 0)
            continue;
        if (s->condstore) {
            uids[nuids++] = s->view->v[m[i].index].uid;
        } else {
            seen_add(s, m[i].index);
            m[i].seen_now = true;
        }
    }
    if (nuids == 0 || message_store(s->db, &s->who, s->view->mailbox_id, uids, nuids, &change, a, &list) != RES_OK ||
        stored_know_keywords(s, &list) != RES_OK)
        return;
    (void)session_changed(s, list.modseq_before, list.modseq);
    for (size_t i = 0, k = 0; i < n && k < list.n; i++) {
        if (s->view->v[m[i].index].uid != list.v[k].state.uid)
            continue;
        (void)view_put(s->view, &list.v[k++].state, false);
        m[i].seen_now = true;
    }
}

/* Messages whose rows are read with one statement: those of the next group while this one is answered. */
struct group {
    struct fetch_job *job;
    struct fetch_message *m;
    size_t n;
    struct arena arena;
    struct db_rows rows;
    struct read_ahead ahead;
};

static enum result read_rows(void *arg)
{
    struct group *g = arg;
    const struct fetch_job *job = g->job;
    const struct view_entry *v = job->s->view->v;
    size_t first = g->m[0].index, last = g->m[g->n - 1].index;
    bool range = last - first == g->n - 1;
    int64_t *uids = arena_array(&g->arena, int64_t, MAX(g->n, (size_t)2));

    for (size_t i = 0; i < g->n; i++)
        uids[i] = v[g->m[i].index].uid;
    if (range)
        uids[1] = v[last].uid;
    return message_fetch(job->s->db, &job->s->who, job->s->view->mailbox_id, &job->want, &g->arena, uids, g->n, range,
                         &g->rows);
}

/* Messages without a row are expunged: the group becomes smaller.  Sets how many the next one has. */
static void take_rows(struct fetch_job *job, struct group *g)
{
    const struct view_entry *v = job->s->view->v;
    size_t kept = 0, row = 0, bytes = 0;

    for (size_t i = 0; i < g->n; i++) {
        struct fetch_message found = g->m[i];

        while (row < db_count(&g->rows) && (uint32_t)db_get_int(&g->rows, row, 0) < v[found.index].uid)
            row++;
        if (row == db_count(&g->rows))
            break;
        message_row_get(&g->rows, row, &job->want, &found.row);
        if (found.row.uid != v[found.index].uid)
            continue;
        bytes += 100 + found.row.envelope.len + found.row.bodystructure.len + found.row.parts.len + found.row.blob.len;
        g->m[kept++] = found;
    }
    job->missing = job->missing || kept < g->n;
    job->group = MIN(MAX(GROUP_BYTES * g->n / MAX(bytes, (size_t)1), (size_t)1), (size_t)(job->want.blob ? GROUP_FIRST : GROUP_MAX));
    g->n = kept;
}

static enum result answer(struct fetch_job *job, struct group *g)
{
    if (g->n == 0)
        return RES_OK;
    if (loop_now() >= seen_deadline(job->s)) /* a large answer, or a slow client */
        seen_write(job->s);
    if (job->set_seen)
        mark_seen(job, &g->arena, g->m, g->n);
    if (job->what->n > 0)
        return fetch_bodies(job, &g->arena, g->m, g->n);
    for (size_t i = 0; i < g->n; i++) {
        bool first;

        fetch_begin(job, &g->m[i], &first);
        (void)strbuf_adds(&job->out, ")\r\n");
        fetch_flush(job, FETCH_FLUSH_AT);
    }
    return RES_OK;
}

/* The next messages of the spans, at most a group; they are passed. */
static void next_messages(struct fetch_job *job, struct view_spans *spans, struct group *g)
{
    const struct imap_fetch *what = job->what;

    g->n = 0;
    if (spans->n == 0)
        return;
    g->m = arena_array(&g->arena, struct fetch_message, job->group);
    for (; spans->n > 0; spans->v++, spans->n--) {
        for (; spans->v->first <= spans->v->last; spans->v->first++) {
            const struct view_entry *e = &job->s->view->v[spans->v->first];

            if (g->n == job->group)
                return;
            if (what->changed_since_given && e->modseq <= what->changed_since)
                continue;
            job->missing = job->missing || e->gone;
            if (!e->gone)
                g->m[g->n++] = (struct fetch_message){ .index = spans->v->first };
        }
    }
}

static void start(struct view_spans *spans, struct group *g, bool needs_rows)
{
    next_messages(g->job, spans, g);
    g->ahead = (struct read_ahead){ .read = read_rows, .arg = g, .done = g->n == 0 || !needs_rows };
    if (!g->ahead.done)
        read_ahead_start(&g->ahead);
}

static void release(struct group *g)
{
    db_rows_free(&g->rows);
    arena_reset(&g->arena);
}

/* Cuts the spans into groups.  Most often there is one: it is read at once. */
static enum result fetch_spans(struct fetch_job *job, struct view_spans *spans)
{
    const unsigned known = FETCH_UID | FETCH_FLAGS | FETCH_MODSEQ;
    bool needs_rows = (job->what->items & ~known) != 0 || job->what->n > 0;
    struct group groups[2] = { { .job = job, .ahead = { .done = true } }, { .job = job } };
    struct group *g = &groups[0], *next = &groups[1], *answered;
    enum result r = RES_OK;

    next_messages(job, spans, g);
    if (g->n > 0 && needs_rows)
        r = read_rows(g);
    while (g->n > 0 && r == RES_OK) {
        r = read_ahead_wait(&g->ahead);
        if (r != RES_OK)
            break;
        if (needs_rows)
            take_rows(job, g);
        start(spans, next, needs_rows);
        r = answer(job, g);
        release(g);
        answered = g;
        g = next;
        next = answered;
    }
    if (r != RES_OK)
        (void)!read_ahead_wait(&g->ahead); /* the reader still writes into it */
    release(g);
    return r;
}

static void plan(struct fetch_job *job)
{
    const struct imap_fetch *what = job->what;

    job->want.envelope = (what->items & FETCH_ENVELOPE) != 0;
    job->want.bodystructure = (what->items & (FETCH_BODYSTRUCTURE | FETCH_BODY)) != 0;
    job->want.email = what->n > 0 || (what->items & (FETCH_EMAILID | FETCH_THREADID)) != 0;
    job->want.blob = what->n > 0;
    for (size_t i = 0; i < what->n; i++) {
        if (what->sections[i].part.len > 0)
            job->want.parts = true;
    }
}

enum next cmd_fetch(struct imap_session *s, struct imap_command *cmd)
{
    struct fetch_job job = { .s = s, .what = &cmd->fetch.what, .group = GROUP_FIRST };
    struct view_spans spans;
    enum result r;

    if (cmd->fetch.what.items & FETCH_MODSEQ)
        session_enable_condstore(s);
    r = session_sync(s, true); /* what we were told of: FLAGS and CHANGEDSINCE answer from the view */
    if (r == RES_NOTFOUND) {
        s->watch.dirty = true;
        return imap_no_result(s, r);
    }
    if (view_resolve(s->view, &s->arena, &cmd->fetch.set, cmd->uid, &spans) != RES_OK)
        return imap_bad(s, "No message has such a number");
    plan(&job);
    job.set_seen = cmd->fetch.what.sets_seen && !s->view->read_only;
    r = fetch_spans(&job, &spans);
    fetch_flush(&job, 0);
    strbuf_release(&job.out);
    if (r == RES_CLOSED)
        return NEXT_CLOSE;
    if (r != RES_OK)
        return imap_no_result(s, r);
    if (job.damaged)
        return imap_no(s, "[SERVERBUG] Some message data could not be read");
    if (job.missing && !cmd->uid) {
        s->watch.dirty = true;
        return imap_no(s, "[EXPUNGEISSUED] Some messages are no longer there");
    }
    if (job.missing)
        s->watch.dirty = true;
    return imap_ok(s, "FETCH completed");
}
