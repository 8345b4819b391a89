/* SEARCH (RFC 3501, 6.4.4; MODSEQ: RFC 7162, 3.1.5). */
#include "imap/search_job.h"

/* The messages whose answer is not decided yet. */
static size_t still_open(const struct search_job *job, size_t *open)
{
    const struct view *view = job->s->view;
    size_t n = 0;

    for (size_t i = 0; i < view->told; i++) {
        if (!view->v[i].gone && search_truth(job, job->root, i) == TRUTH_OPEN)
            open[n++] = i;
    }
    return n;
}

static enum result decide(struct search_job *job)
{
    size_t *open = arena_array(&job->s->arena, size_t, job->s->view->told);

    for (int step = 0; step < SEARCH_STEPS; step++) {
        size_t n = job->has_step[step] ? still_open(job, open) : 0;
        enum result r = n > 0 ? search_run_step(job, (enum search_step)step, open, n) : RES_OK;

        if (r != RES_OK)
            return r;
    }
    return RES_OK;
}

static void write_hits(struct search_job *job, bool uid, bool modseq)
{
    struct imap_session *s = job->s;
    const struct view *view = s->view;
    struct strbuf b = { 0 };
    int64_t highest = 0;

    (void)strbuf_adds(&b, "* SEARCH");
    for (size_t i = 0; i < view->told; i++) {
        if (view->v[i].gone || search_truth(job, job->root, i) != TRUTH_YES)
            continue;
        (void)strbuf_addc(&b, ' ');
        add_number(&b, uid ? view->v[i].uid : i + 1);
        highest = MAX(highest, view->v[i].modseq);
        if (b.len > (16 << 10)) {
            stream_write(s->stream, strbuf_str(&b));
            strbuf_reset(&b);
        }
    }
    if (modseq && highest > 0)
        (void)strbuf_addf(&b, " (MODSEQ %lld)", (long long)highest);
    (void)strbuf_adds(&b, "\r\n");
    stream_write(s->stream, strbuf_str(&b));
    strbuf_release(&b);
}

enum next cmd_search(struct imap_session *s, struct imap_command *cmd)
{
    struct search_job job = { .s = s };
    enum result r;

    if (cmd->search.bad_charset)
        return imap_no(s, "[BADCHARSET (UTF-8 US-ASCII ISO-8859-1 ISO-8859-15 WINDOWS-1252)] Charset not supported");
    if (cmd->search.modseq)
        session_enable_condstore(s);
    r = session_sync(s, true);
    if (r == RES_NOTFOUND)
        s->watch.dirty = true;
    if (r == RES_NOTFOUND)
        return imap_no_result(s, r);
    r = search_prepare_keys(&job, cmd->search.root, cmd->search.ncostly);
    if (r == RES_INVALID)
        return imap_bad(s, "No message has such a number");
    if (r == RES_LIMIT)
        return imap_no(s, "[LIMIT] Too many search keys");
    if (r == RES_OK)
        r = decide(&job);
    if (r != RES_OK)
        return imap_no_result(s, r);
    write_hits(&job, cmd->uid, cmd->search.modseq);
    return imap_ok(s, "SEARCH completed");
}
