/* STORE (RFC 3501, 6.4.6; conditional: RFC 7162, 3.1.3). */
#include "imap/event.h"
#include "imap/session.h"
#include "imap/stored.h"

struct store_job {
    struct imap_session *s;
    const struct imap_command *cmd;
    struct message_change change;
    struct strbuf line;
    int64_t *modified; /* failed UNCHANGEDSINCE: UIDs or sequence numbers */
    size_t nmodified;
    bool missing; /* some are expunged */
};

static void make_change(struct store_job *job, const int32_t *ids, size_t n)
{
    const struct imap_command *cmd = job->cmd;
    struct message_change *change = &job->change;

    *change = (struct message_change){
        .unchanged_since = cmd->store.unchanged_since_given ? cmd->store.unchanged_since : -1,
        .keywords = cmd->store.how == STORE_REPLACE || n > 0,
    };
    switch (cmd->store.how) {
    case STORE_REPLACE:
        change->clear = FLAGS_ALL;
        change->set = cmd->store.flags.system;
        change->keywords_replace = true;
        change->keywords_add = ids;
        change->nadd = n;
        break;
    case STORE_ADD:
        change->set = cmd->store.flags.system;
        change->keywords_add = ids;
        change->nadd = n;
        break;
    case STORE_REMOVE:
        change->clear = cmd->store.flags.system;
        change->keywords_remove = ids;
        change->nremove = n;
        break;
    }
}

/* One message's answer.  With .SILENT only what the client cannot know: MODSEQ, and what others changed. */
static void answer(struct store_job *job, const struct message_stored *m)
{
    struct imap_session *s = job->s;
    size_t index = view_find(s->view, m->state.uid);
    bool surprise = stored_surprises(s->view, index, m, &job->change);

    (void)view_put(s->view, &m->state, false);
    if (m->failed) {
        job->modified[job->nmodified++] = job->cmd->uid ? (int64_t)m->state.uid : (int64_t)index + 1;
        if (surprise)
            write_flags_fetch(s, &job->line, index, true, job->cmd->uid);
    } else if (!job->cmd->store.silent || surprise) {
        write_flags_fetch(s, &job->line, index, true, job->cmd->uid);
    } else if (s->condstore && (m->changed || job->cmd->store.unchanged_since_given)) {
        write_flags_fetch(s, &job->line, index, false, job->cmd->uid);
    }
}

/* At most STORE_MAX messages, one transaction. */
static enum result store_chunk(struct store_job *job, const int64_t *uids, size_t n)
{
    CLEANUP(arena_releasep) struct arena a = { 0 };
    struct imap_session *s = job->s;
    struct message_stored_list list = { 0 };
    enum result r = message_store(s->db, &s->who, s->view->mailbox_id, uids, n, &job->change, &a, &list);

    if (r == RES_OK)
        r = stored_know_keywords(s, &list);
    if (r != RES_OK)
        return r;
    job->missing = job->missing || list.n < n;
    for (size_t i = 0; i < list.n; i++)
        answer(job, &list.v[i]);
    (void)session_changed(s, list.modseq_before, list.modseq);
    if (list.scripted)
        event_flags(s, &list);
    return RES_OK;
}

static enum next finish(struct store_job *job, enum result r)
{
    struct imap_session *s = job->s;

    strbuf_release(&job->line);
    if (r != RES_OK)
        return imap_no_result(s, r);
    if (job->nmodified > 0)
        return imap_ok(s, "[MODIFIED %.*s] Some messages had changed",
                       STR_ARG(number_set(&s->arena, job->modified, job->nmodified)));
    if (job->missing) {
        s->watch.dirty = true;
        return imap_no(s, "[EXPUNGEISSUED] Some messages are no longer there");
    }
    return imap_ok(s, "STORE completed");
}

enum next cmd_store(struct imap_session *s, struct imap_command *cmd)
{
    struct store_job job = { .s = s, .cmd = cmd };
    struct view_spans spans;
    int32_t *ids = NULL;
    int64_t *uids;
    size_t nids = 0, n;
    enum result r;

    if (s->view->read_only)
        return imap_no(s, "[CANNOT] The mailbox was opened read-only");
    if (view_resolve(s->view, &s->arena, &cmd->store.set, cmd->uid, &spans) != RES_OK)
        return imap_bad(s, "No message has such a number");
    if (cmd->store.unchanged_since_given)
        session_enable_condstore(s);
    r = session_keyword_ids(s, &cmd->store.flags, cmd->store.how != STORE_REMOVE, &ids, &nids);
    if (r != RES_OK)
        return imap_no_result(s, r);
    n = spans_uids(s->view, &s->arena, &spans, &uids);
    make_change(&job, ids, nids);
    job.modified = arena_array(&s->arena, int64_t, n);
    for (size_t at = 0; r == RES_OK && at < n; at += STORE_MAX)
        r = store_chunk(&job, uids + at, MIN(n - at, (size_t)STORE_MAX));
    return finish(&job, r);
}
