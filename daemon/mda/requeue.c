/* mda/requeue.c - a job's message goes on as a new one. */
#include "io/spool.h"
#include "mail/header.h"
#include "mda/mda_internal.h"
#include "store/body.h"

struct queue_new *requeue_begin(struct mda_worker *w, const struct queue_job *job, struct str reverse_path,
                                struct queue_new_recipient *recipients, size_t n)
{
    const struct queue_envelope *m = job->message;
    struct queue_new *q = arena_new(&w->crew.batch_arena, struct queue_new);

    *q = (struct queue_new){ .account_id = m->account_id,
                             .reverse_path = reverse_path,
                             .ret = m->ret,
                             .envid = m->envid,
                             .by = m->by,
                             .expire_s = MAX((m->expires_at - crew_now(&w->crew)) / 1000000, 60),
                             .body_flags = m->body_flags,
                             .message_id = m->message_id,
                             .direction = TRACE_LOCAL,
                             .listener = STR("local"),
                             .recipients = recipients,
                             .nrecipients = n };
    return q;
}

enum result requeue_content(struct mda_worker *w, struct spool *spool, struct queue_new *q)
{
    struct str text, *frames;
    enum result r = spool_view(spool, &text);

    if (r != RES_OK)
        return r;
    q->size = (int64_t)text.len;
    q->header_size = (int64_t)header_size(text);
    body_frames(&w->crew.batch_arena, text, (size_t)q->header_size, &frames, &q->nframes);
    q->frames = frames;
    return queue_ids(w->crew.crew->db, 1, &q->id);
}
