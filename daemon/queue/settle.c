/* queue/settle.c - from verdicts to outcomes. */
#include "queue/settle.h"

#include "base/counters.h"
#include "base/encode.h"
#include "base/log.h"
#include "config/settings.h"
#include "queue/notice.h"
#include "queue/schedule.h"

#define NOTICE_TRIES 10
#define NOTICE_PAUSE_MS 500

static struct schedule_job schedule_job_of(const struct queue_job *job, bool told_by)
{
    const struct queue_envelope *m = job->message;
    bool notify_late = m->by.at_us != 0 && !m->by.give_back;

    return (struct schedule_job){
        .received_at = m->received_at / 1000000,
        .expires_at = m->expires_at / 1000000,
        .attempts = job->attempts,
        .delay_told = job->delay_told,
        .null_sender = m->reverse_path.len == 0,
        .bounce = m->bounce,
        .give_back = m->by.give_back,
        .late_at = notify_late && m->by.at_us > m->received_at ? m->by.at_us / 1000000 : 0, /* else a server before us told */
        .tell_relayed = m->by.trace || (notify_late && !told_by),
        .notify = job->notify,
        .seed = (uint64_t)m->id * 1000003u + (uint64_t)job->n,
    };
}

static struct schedule_actions ask_schedule(const struct crew_worker *w, const struct queue_job *job,
                                            enum schedule_event event, bool told_by)
{
    const struct settings *s = settings_get();
    const struct schedule_policy policy = { s->retry_s, s->retries, s->delay_notice_s };
    const struct schedule_job state = schedule_job_of(job, told_by);

    return schedule(&policy, &state, event, crew_now(w) / 1000000);
}

static enum schedule_event event_of(const struct verdict *verdict, const struct settle_attempt *attempt)
{
    if (!attempt->made)
        return JOB_CLAIMED;
    switch (verdict->kind) {
    case VERDICT_SENT:
        return attempt->told_dsn ? JOB_RELAYED : JOB_RELAYED_BLIND;
    case VERDICT_DELIVERED:
        return JOB_DELIVERED;
    case VERDICT_LATER:
        return JOB_DEFERRED;
    case VERDICT_NEVER:
        break;
    }
    return JOB_FAILED;
}

static enum queue_fate fate_of(const struct schedule_actions *actions, enum verdict_kind kind)
{
    switch (actions->next) {
    case SCHEDULE_TRY:
    case SCHEDULE_DONE:
        return kind == VERDICT_DELIVERED ? QUEUE_DELIVERED : QUEUE_RELAYED;
    case SCHEDULE_AGAIN:
        return QUEUE_AGAIN;
    case SCHEDULE_EXPIRE:
        return QUEUE_EXPIRED;
    case SCHEDULE_FAIL:
        break;
    }
    return QUEUE_BOUNCED;
}

static struct str reply_line(struct arena *a, const struct verdict *v)
{
    if (v->code == 0)
        return v->text;
    return arena_printf(a, "%d %.*s%s%.*s", v->code, STR_ARG(v->enhanced), v->enhanced.len > 0 ? " " : "",
                        STR_ARG(v->text));
}

static struct queue_outcome outcome_of(struct crew_worker *w, const struct queue_job *job, const struct verdict *v,
                                       const struct schedule_actions *actions, const struct settle_attempt *t)
{
    struct arena *a = &w->batch_arena; /* the connection may be gone before this is written */
    struct queue_outcome o = { .job = job, .lease = w->batch.lease, .fate = fate_of(actions, v->kind),
                               .attempted = t->made, .retry_s = actions->retry_s };

    o.log = (struct queue_attempt_log){
        .host = arena_str(a, t->host), .address = arena_str(a, t->address), .tls = arena_str(a, t->tls),
        .session = arena_str(a, t->session), .phase = attempt_phase_name(v->phase),
        .reason = o.fate == QUEUE_EXPIRED ? REASON_EXPIRED : v->reason, .code = v->code, .enhanced = v->enhanced,
        .reply = reply_line(a, v), .milliseconds = t->milliseconds,
    };
    if (v->phase == PHASE_DNS || !t->made)
        o.log.host = o.log.address = o.log.tls = o.log.session = STR_NULL;
    return o;
}

static enum dsn_action action_of(const struct schedule_actions *actions)
{
    switch (actions->notice) {
    case NOTICE_DELAYED:
        return DSN_DELAYED;
    case NOTICE_DELIVERED:
        return DSN_DELIVERED;
    case NOTICE_RELAYED:
        return DSN_RELAYED;
    case NOTICE_NONE:
    case NOTICE_FAILED:
        break;
    }
    return DSN_FAILED;
}

/* Makes the notice, and does not give up while the database is only away: a notice that was promised must come.
 * RES_OK: *ret is NULL when there can be none.  RES_TEMPFAIL: the process stops. */
static enum result make_notice(struct crew_worker *w, const struct queue_envelope *m, const struct notice_recipient *v,
                               size_t n, struct queue_new **ret)
{
    enum result r = RES_TEMPFAIL;
    int unread = 0;

    for (int tries = 0; r == RES_TEMPFAIL && !(w->crew->stopping && tries >= NOTICE_TRIES); tries++) {
        if (tries > 0)
            coroutine_wait(deadline_in(NOTICE_PAUSE_MS), false);
        r = notice_make(w->crew->db, m, v, n, crew_now(w), unread < NOTICE_TRIES, &w->batch_arena, ret);
        if (r == RES_NOTFOUND) { /* damaged, or the database went away just then */
            unread++;
            r = RES_TEMPFAIL;
        }
    }
    if (r != RES_OK)
        log_error("queue-no-notice", F_QUEUE_ID("queue", m->id), F_C("why", result_name(r)));
    if (r == RES_TEMPFAIL)
        return r;
    if (r != RES_OK)
        *ret = NULL;
    return RES_OK;
}

struct queue_new *settle_delivered_notice(struct crew_worker *w, const struct queue_job *job)
{
    static const struct verdict delivered = { .kind = VERDICT_SENT, .code = 250, .enhanced = STR("2.1.5"),
                                              .text = STR("delivered") };
    const struct schedule_actions actions = ask_schedule(w, job, JOB_DELIVERED, false);
    const struct notice_recipient r = { .job = job, .action = DSN_DELIVERED, .verdict = &delivered };

    struct queue_new *notice = NULL;

    if (actions.notice == NOTICE_NONE || make_notice(w, job->message, &r, 1, &notice) != RES_OK)
        return NULL;
    return notice;
}

static void log_outcome(const struct crew_worker *w, const struct queue_outcome *o)
{
    static const char *const fates[] = { [QUEUE_RELAYED] = "relayed",
                                         [QUEUE_DELIVERED] = "delivered",
                                         [QUEUE_AGAIN] = "deferred",
                                         [QUEUE_BOUNCED] = "bounced",
                                         [QUEUE_EXPIRED] = "expired" };

    counters->attempts[o->fate]++;
    if (o->fate == QUEUE_AGAIN)
        counters->mail[COUNTERS_DEFERRED]++;
    if (o->fate == QUEUE_RELAYED || o->fate == QUEUE_DELIVERED)
        counters->mail[COUNTERS_DELIVERED]++;
    log_info("queue-attempt", F_QUEUE_ID("queue", o->job->message->id),
             F_STR("recipient", o->job->recipient), F_STR("destination", w->destination), F_C("result", fates[o->fate]),
             F_STR("host", o->log.host), F_STR("reason", o->log.reason), F_STR("reply", str_sub(o->log.reply, 0, 200)),
             F_STR("session", o->log.session));
}

/* Without the notice a job must not end, unless its mail is gone already; the others are given back. */
static size_t keep_sent(struct queue_outcome *v, size_t n)
{
    size_t kept = 0;

    for (size_t i = 0; i < n; i++) {
        if (v[i].fate == QUEUE_RELAYED || v[i].fate == QUEUE_DELIVERED)
            v[kept++] = v[i];
    }
    return kept;
}

void settle_jobs(struct crew_worker *w, const struct queue_job *jobs, const struct verdict *verdicts, size_t n,
                 const struct settle_attempt *attempt)
{
    struct arena *a = &w->batch_arena;
    struct queue_outcome *outcomes = arena_array(a, struct queue_outcome, n);
    struct notice_recipient *told = arena_array(a, struct notice_recipient, n);
    size_t *told_at = arena_array(a, size_t, n), n_told = 0;

    for (size_t i = 0; i < n; i++) {
        const struct schedule_actions actions = ask_schedule(w, &jobs[i], event_of(&verdicts[i], attempt), attempt->told_by);

        outcomes[i] = outcome_of(w, &jobs[i], &verdicts[i], &actions, attempt);
        if (actions.notice == NOTICE_NONE)
            continue;
        outcomes[i].delay_told = actions.notice == NOTICE_DELAYED;
        told[n_told] = (struct notice_recipient){ .job = &jobs[i], .action = action_of(&actions),
                                                  .verdict = &verdicts[i], .remote_host = outcomes[i].log.host };
        if (outcomes[i].fate == QUEUE_EXPIRED)
            told[n_told].status = jobs[i].message->by.give_back ? STR("5.4.7") : STR("4.4.7"); /* delivery time expired */
        told_at[n_told++] = i;
    }
    if (attempt->made && attempt->dialogue.len > 0)
        outcomes[0].log.dialogue = arena_str(a, attempt->dialogue);
    if (n_told > 0) {
        struct queue_new *notice = NULL;
        bool made = make_notice(w, jobs[0].message, told, n_told, &notice) == RES_OK;

        for (size_t i = 0; i < n_told; i++)
            outcomes[told_at[i]].notice = notice;
        if (!made)
            n = keep_sent(outcomes, n);
    }
    for (size_t i = 0; i < n; i++)
        log_outcome(w, &outcomes[i]);
    if (n > 0)
        crew_finish(w, outcomes, n);
}

bool settle_untried(struct crew_worker *w, const struct queue_job *jobs, size_t n)
{
    static const struct verdict bounced = { .kind = VERDICT_NEVER,
                                            .phase = PHASE_DNS,
                                            .reason = REASON_BOUNCED,
                                            .code = 550,
                                            .enhanced = STR("5.0.0"),
                                            .text = STR("returned by an administrator of this server") };
    static const struct verdict late = { .kind = VERDICT_NEVER,
                                         .phase = PHASE_DNS,
                                         .reason = REASON_EXPIRED,
                                         .code = 554,
                                         .enhanced = STR("5.4.7"),
                                         .text = STR("the time until which it was to be delivered is over") };
    struct verdict *verdicts = arena_array(&w->batch_arena, struct verdict, n);

    if (ask_schedule(w, &jobs[0], JOB_CLAIMED, false).next == SCHEDULE_TRY) /* which is the same for all of a message */
        return false;
    for (size_t i = 0; i < n; i++)
        verdicts[i] = jobs[0].message->bounce ? bounced : late;
    settle_jobs(w, jobs, verdicts, n, &(struct settle_attempt){ .made = false });
    return true;
}

void settle_forwarded(struct crew_worker *w, const struct queue_job *job, const struct queue_new *forwarded,
                      const struct settle_attempt *attempt)
{
    static const struct verdict sent = { .kind = VERDICT_DELIVERED, .phase = PHASE_BODY, .code = 250,
                                         .enhanced = STR("2.1.5"), .text = STR("forwarded") };
    const struct schedule_actions actions = { .next = SCHEDULE_DONE };
    struct queue_outcome *o = arena_new(&w->batch_arena, struct queue_outcome);

    *o = outcome_of(w, job, &sent, &actions, attempt);
    o->notice = forwarded;
    log_outcome(w, o);
    crew_finish(w, o, 1);
}
