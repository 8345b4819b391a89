/* mda/worker.c - the jobs of one message: each to its place. */
#include "base/encode.h"
#include "base/fault.h"
#include "base/log.h"
#include "config/settings.h"
#include "mda/mda_internal.h"
#include "relay/reply.h"
#include "store/delivery.h"
#include "store/message.h"

#include <unistd.h>

#define MAX_WORKERS 20
#define MAX_OF_USER 15   /* workers that deliver as one user: his slow programs leave some to the others */
#define JOBS_OF_CLAIM 4 /* a slow program makes few others wait */
#define MAX_BATCHES 25

static struct verdict temporary(struct str text)
{
    return (struct verdict){ .kind = VERDICT_LATER, .phase = PHASE_BODY, .reason = STR("temporary"), .code = 451,
                             .enhanced = STR("4.3.0"), .text = text };
}

/* What a delivery said, which may be a program's words. */
static struct verdict verdict_of(const struct answer *answer, struct arena *a)
{
    CLEANUP(strbuf_release) struct strbuf text = { .max = 2000 };
    struct verdict v = { .kind = VERDICT_DELIVERED, .phase = PHASE_BODY, .code = 250, .enhanced = STR("2.1.5"),
                         .text = STR("delivered") };

    if (answer->kind == ANSWER_DONE)
        return v;
    reply_clean(&text, answer->text);
    v.kind = answer->kind == ANSWER_LATER ? VERDICT_LATER : VERDICT_NEVER;
    v.code = answer->kind == ANSWER_LATER ? 451 : 550;
    v.enhanced = answer->status;
    v.text = arena_str(a, strbuf_str(&text));
    v.reason = advice_of_reply(PHASE_BODY, v.code, v.enhanced, v.text);
    return v;
}

/* Letters of a Maildir's info, in ASCII order. */
static struct str info_flags(int flags, struct arena *a)
{
    return arena_printf(a, "%s%s%s%s%s", (flags & FLAG_DRAFT) != 0 ? "D" : "", (flags & FLAG_FLAGGED) != 0 ? "F" : "",
                        (flags & FLAG_ANSWERED) != 0 ? "R" : "", (flags & FLAG_SEEN) != 0 ? "S" : "",
                        (flags & FLAG_DELETED) != 0 ? "T" : "");
}

static enum result make_request(struct mda_worker *w, const struct queue_job *job, const struct place *p,
                                struct request *ret)
{
    struct arena *a = &w->crew.batch_arena;
    struct request r = {
        .kind = p->target.kind, .path = p->target.path, .folder = p->folder, .flags = info_flags(job->flags, a),
        .user = p->user, .sender = job->message->reverse_path, .recipient = job->recipient,
        .original = letter_original(job, a), .local = p->local, .domain = p->domain, .extension = p->extension,
        .host = arena_str(a, settings_get()->hostname), .time_ms = (uint64_t)settings_get()->mda_time_s * 1000,
        .forward = settings_get()->forward_files && !p->is_program,
        .output_max = p->changes ? (uint64_t)settings_get()->max_message_size : 0,
    };
    struct str *words;
    bool been_there = false;

    if (r.original.p == NULL)
        r.original = job->recipient;
    if (p->target.kind == DELIVERY_PIPE) {
        if (command_words(p->target.command, a, &words, &r.n_words) != RES_OK)
            return RES_INVALID;
        memcpy(r.words, words, r.n_words * sizeof(*words));
    }
    if (r.forward && letter_has_been_to(w, job, &been_there) != RES_OK)
        return RES_TEMPFAIL;
    if (been_there) /* it has come back: it stays */
        r.forward = false;
    *ret = r;
    return RES_OK;
}

static unsigned deliveries_as(const struct crew *crew, struct str user)
{
    unsigned n = 0;

    for (const struct crew_worker *w = crew->workers; w != NULL; w = w->next)
        n += str_eq(((const struct mda_worker *)w)->running_as, user);
    return n;
}

/* RES_OK: *ret.  RES_CANCELLED: it was not tried to the end. */
static enum result try_helper(struct mda_worker *w, const struct queue_job *job, const struct place *p, int output,
                              struct answer *ret)
{
    struct request request;
    int message;
    enum result r = make_request(w, job, p, &request);

    if (r != RES_OK)
        return r;
    r = letter_make(w, job, p->changes, &message, &request.size);
    if (r != RES_OK)
        return r;
    fault_point("mda-before-delivery");
    w->running_as = p->user;
    r = helper_run(w, &request, message, output, ret);
    w->running_as = STR_NULL;
    fault_point("mda-delivered");
    close(message);
    return r;
}

/* What became of a delivery into a mailbox, or of a program that takes the message. */
static void settle(struct mda_worker *w, const struct queue_job *job, const struct answer *answer,
                   const struct settle_attempt *attempt)
{
    struct arena *a = &w->crew.batch_arena;
    struct verdict verdict = verdict_of(answer, a);
    struct queue_new *forwarded = NULL;

    if (answer->kind == ANSWER_DONE && answer->n_addresses > 0 &&
        redirect_make(w, job, answer->addresses, answer->n_addresses, &forwarded) != RES_OK)
        verdict = temporary(STR("the message could not be sent on"));
    if (forwarded != NULL)
        settle_forwarded(&w->crew, job, forwarded, attempt);
    else
        settle_jobs(&w->crew, job, &verdict, 1, attempt);
}

static void deliver_by_helper(struct mda_worker *w, const struct queue_job *job, const struct place *p)
{
    struct arena *a = &w->crew.batch_arena;
    struct settle_attempt attempt = { .made = true };
    struct answer answer = { .kind = ANSWER_LATER };
    int64_t start = loop_now();
    struct verdict verdict;
    bool busy = deliveries_as(w->crew.crew, p->user) >= MAX_OF_USER;
    int output = p->changes ? letter_file(w) : -1;
    enum result r = busy                        ? RES_LIMIT
                    : p->changes && output < 0 ? RES_TEMPFAIL
                                               : try_helper(w, job, p, output, &answer);

    dialogue_add(&w->dialogue, 'C',
                 arena_printf(a, "(%s of the user %.*s)",
                              p->target.kind == DELIVERY_PIPE   ? "a program"
                              : p->target.kind == DELIVERY_MBOX ? "an mbox file"
                                                                : "a Maildir",
                              STR_ARG(p->user)),
                 mono_ms());
    attempt.dialogue = strbuf_str(&w->dialogue.text);
    attempt.milliseconds = (int)(loop_now() - start);
    if (r == RES_OK && p->changes) {
        change_deliver(w, job, &answer, output, &attempt);
    } else if (r == RES_OK) {
        settle(w, job, &answer, &attempt);
    } else if (r != RES_CANCELLED) { /* else the crew gives it back */
        verdict = temporary(busy ? STR("many deliveries to this user are under way") : STR("the delivery could not be tried"));
        settle_jobs(&w->crew, job, &verdict, 1, &attempt);
    }
    if (output >= 0)
        close(output);
}

static bool same_server(const struct delivery_target *a, const struct delivery_target *b)
{
    return a->kind == DELIVERY_LMTP && b->kind == DELIVERY_LMTP && str_eq(a->path, b->path) &&
           str_eq(a->host, b->host) && a->port == b->port;
}

static void deliver_by_lmtp(struct mda_worker *w, const struct delivery_target *target, const struct queue_job *jobs,
                            size_t n)
{
    struct verdict *verdicts = arena_array(&w->crew.batch_arena, struct verdict, n);
    struct settle_attempt attempt = { .made = true };
    int64_t start = loop_now();

    lmtp_deliver(w, target, jobs, n, verdicts, &attempt);
    if (coroutine_cancelled() && verdicts[0].kind == VERDICT_LATER && !verdicts[0].remote)
        return;
    attempt.dialogue = strbuf_str(&w->dialogue.text);
    attempt.milliseconds = (int)(loop_now() - start);
    settle_jobs(&w->crew, jobs, verdicts, n, &attempt);
}

/* A job whose mailbox is in PostgreSQL by now is the relay's. */
static void move(struct mda_worker *w, const struct queue_job *job)
{
    if (queue_move(w->crew.crew->db, job, w->crew.batch.lease, QUEUE_LOCAL) != RES_OK)
        log_warn("mda-move", F_QUEUE_ID("queue", job->message->id)); /* again when the lease ends */
}

static void run(struct crew_worker *crew, struct queue_job *jobs, size_t n)
{
    struct mda_worker *w = (struct mda_worker *)crew;
    struct place *places = arena_array(&crew->batch_arena, struct place, n);
    struct queue_job *group = arena_array(&crew->batch_arena, struct queue_job, n);
    bool *done = arena_array(&crew->batch_arena, bool, n);

    for (size_t i = 0; i < n; i++) {
        struct verdict why;
        enum result r = place_find(w, &jobs[i], &places[i], &why);

        done[i] = r != RES_OK;
        if (r == RES_NOTFOUND)
            move(w, &jobs[i]);
        else if (r != RES_OK && jobs[i].program.p != NULL && jobs[i].folder.p != NULL)
            change_keep(w, &jobs[i], why.text);
        else if (r != RES_OK)
            settle_jobs(crew, &jobs[i], &why, 1, &(struct settle_attempt){ .made = true });
    }
    for (size_t i = 0; i < n && !crew->crew->stopping; i++) {
        size_t n_group = 0;

        if (done[i])
            continue;
        dialogue_begin(&w->dialogue, mono_ms());
        if (places[i].target.kind != DELIVERY_LMTP) {
            deliver_by_helper(w, &jobs[i], &places[i]);
            continue;
        }
        for (size_t k = i; k < n; k++) {
            if (done[k] || !same_server(&places[i].target, &places[k].target))
                continue;
            group[n_group++] = jobs[k];
            done[k] = true;
        }
        deliver_by_lmtp(w, &places[i].target, group, n_group);
        group += n_group;
    }
}

static void end(struct crew_worker *crew)
{
    dialogue_release(&((struct mda_worker *)crew)->dialogue);
}

const struct crew_kind mda_crew = { .name = "mda",
                                    .claim = queue_claim_mda,
                                    .limit = JOBS_OF_CLAIM,
                                    .max_batches = MAX_BATCHES,
                                    .max_workers = MAX_WORKERS,
                                    .worker_size = sizeof(struct mda_worker),
                                    .run = run,
                                    .end = end };
