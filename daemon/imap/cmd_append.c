/* APPEND (RFC 3501, 6.3.11; APPENDUID: RFC 4315, 3). */
#include "base/encode.h"
#include "imap/event.h"
#include "imap/session.h"
#include "io/coroutine.h"
#include "mail/digest.h"
#include "store/durability.h"
#include "store/message_write.h"

#define ON_LOOP_MAX ((size_t)1 << 20) /* a larger message is parsed on the thread pool */

struct digest_job {
    struct arena *a;
    struct str message;
    struct mail_digest digest;
};

static void digest_work(void *arg)
{
    struct digest_job *job = arg;

    mail_digest(job->a, job->message, &job->digest);
}

static enum next refused(struct imap_session *s, enum result r)
{
    if (r == RES_NOTFOUND)
        return imap_no(s, "[TRYCREATE] No such mailbox");
    if (r == RES_LIMIT)
        return imap_no(s, "[OVERQUOTA] The quota is used up");
    return imap_no_result(s, r);
}

/* Into the selected mailbox: its EXISTS comes before the tagged OK (RFC 3501, 6.3.11). */
static void put_into_view(struct imap_session *s, const struct message_append *m, const struct message_appended *at)
{
    int64_t *keywords = arena_array(&s->arena, int64_t, m->nkeywords);
    const struct message_state state = { .uid = (uint32_t)at->uid, .flags = m->flags, .modseq = at->modseq,
                                         .keywords = keywords, .nkeywords = m->nkeywords };

    if (s->view == NULL || s->view->mailbox_id != at->mailbox_id || !session_changed(s, at->modseq_before, at->modseq))
        return; /* when others changed something, too, all is read together */
    for (size_t i = 0; i < m->nkeywords; i++)
        keywords[i] = m->keywords[i];
    (void)view_put(s->view, &state, true);
    s->view->uidnext = at->uid + 1;
}

enum next cmd_append(struct imap_session *s, struct imap_command *cmd)
{
    struct digest_job job = { .a = &s->arena };
    struct message_append append = { .digest = &job.digest, .flags = cmd->append.flags.system };
    struct message_appended appended;
    int32_t *keywords = NULL;
    enum result r;

    if (spool_view(&s->body, &job.message) != RES_OK)
        return imap_no_result(s, RES_TEMPFAIL);
    append.message = job.message;
    if (job.message.len == 0)
        return imap_no(s, "[CANNOT] An empty message");
    if (memchr(job.message.p, '\0', job.message.len) != NULL)
        return imap_bad(s, "NUL in the message");
    if (durability_problem() != NULL)
        return imap_no(s, "[UNAVAILABLE] Storage is not safe at present, mail is not taken");
    if (mailbox_name_check(&s->arena, cmd->append.mailbox, &append.mailbox) != RES_OK)
        return refused(s, RES_NOTFOUND);
    r = session_keyword_ids(s, &cmd->append.flags, true, &keywords, &append.nkeywords);
    if (r != RES_OK)
        return imap_no_result(s, r);
    if (job.message.len > ON_LOOP_MAX)
        coroutine_work(digest_work, &job);
    else
        digest_work(&job);
    append.keywords = keywords;
    append.internaldate_us = cmd->append.has_date ? cmd->append.date_us : wall_us();
    r = message_append(s->db, &s->who, &append, &appended);
    if (r != RES_OK)
        return refused(s, r);
    put_into_view(s, &append, &appended);
    if (appended.uid == 0)
        return imap_ok(s, "APPEND completed");
    if (appended.scripted)
        event_added(s, EVENT_APPEND, appended.mailbox_id, append.mailbox, &appended.uid, 1);
    return imap_ok(s, "[APPENDUID %lld %lld] APPEND completed", (long long)appended.uidvalidity,
                   (long long)appended.uid);
}
