#include "imap/event.h"
#include "base/log.h"
#include "deliver/compose.h"
#include "store/annotation.h"

#include <stdlib.h>

/* So many flags, and bytes of their names, surely fit into a script's variable; what did not fit is not taken for removed. */
#define FLAGS_MAX 64
#define FLAGS_BYTES ((size_t)2048)

/* The script of a mailbox, and what is the same for all messages of one command. */
struct job {
    struct imap_session *s;
    struct arena arena;
    struct script_ref script;
    struct keyword *keywords; /* of the account */
    size_t nkeywords;
    int64_t mailbox_id;
    struct str mailbox, cause;
};

/* A message, and what becomes of it. */
struct run {
    struct job *job;
    struct arena arena;
    struct spool spool;
    struct message_state state;
    struct filter_message m;
    struct filter_outcome outcome;
    bool all_flags; /* the script saw all of its flags */
};

/* ---- names of flags ---- */

static struct str keyword_name(const struct job *job, int64_t id)
{
    for (size_t i = 0; i < job->nkeywords; i++) {
        if (job->keywords[i].id == id)
            return job->keywords[i].name;
    }
    return STR_NULL;
}

static size_t flag_names(const struct job *job, int flags, const int64_t *keywords, size_t n, struct arena *a, struct str **ret)
{
    struct str *names = arena_array(a, struct str, (size_t)FLAG_NAMES + n);
    size_t count = 0;

    for (size_t i = 0; i < (size_t)FLAG_NAMES; i++) {
        if (flags & message_flags[i].bit)
            names[count++] = message_flags[i].name;
    }
    for (size_t i = 0; i < n; i++) {
        struct str name = keyword_name(job, keywords[i]);

        if (name.p != NULL)
            names[count++] = name;
    }
    *ret = names;
    return count;
}

static bool holds(const int64_t *v, size_t n, int64_t id)
{
    for (size_t i = 0; i < n; i++) {
        if (v[i] == id)
            return true;
    }
    return false;
}

/* Those of `from` that are not in `v`. */
static size_t missing(const int64_t *from, size_t nfrom, const int64_t *v, size_t n, int64_t *ret)
{
    size_t count = 0;

    for (size_t i = 0; i < nfrom; i++) {
        if (!holds(v, n, from[i]))
            ret[count++] = from[i];
    }
    return count;
}

/* imap.changedflags: the names of what is other than before (RFC 6785, 4.5). */
static struct str changed_flags(const struct job *job, const struct message_stored *m, struct arena *a)
{
    CLEANUP(strbuf_release) struct strbuf b = { 0 };
    const struct message_state *now = &m->state;
    int64_t *ids = arena_array(a, int64_t, now->nkeywords + m->nkeywords_before);
    struct str *names;
    size_t n = missing(now->keywords, now->nkeywords, m->keywords_before, m->nkeywords_before, ids);

    n += missing(m->keywords_before, m->nkeywords_before, now->keywords, now->nkeywords, ids + n);
    n = flag_names(job, now->flags ^ m->flags_before, ids, n, a, &names);
    for (size_t i = 0; i < n; i++)
        (void)strbuf_addf(&b, "%s%.*s", i > 0 ? " " : "", STR_ARG(names[i]));
    return b.len > 0 ? arena_str(a, strbuf_str(&b)) : STR("");
}

/* ---- what the script wants ---- */

/* The flags of the message from now on: only what the script changed is changed, others may do so at the same time. */
static enum result set_flags(struct run *run, const struct message_change *change)
{
    struct imap_session *s = run->job->s;
    const int64_t uid = run->state.uid;
    struct message_stored_list list = { 0 };

    if (change->set == 0 && change->clear == 0 && change->nadd + change->nremove == 0)
        return RES_OK;
    return message_store(s->db, &s->who, run->job->mailbox_id, &uid, 1, change, &run->arena, &list);
}

static enum result new_flags(struct run *run, const struct filter_copy *flags)
{
    const struct message_state *old = &run->state;
    int32_t *add = arena_array(&run->arena, int32_t, flags->n_keywords);
    int32_t *remove = arena_array(&run->arena, int32_t, old->nkeywords);
    struct message_change change = { .set = flags->flags & ~old->flags, .clear = old->flags & ~flags->flags,
                                     .keywords_add = add, .keywords_remove = remove, .unchanged_since = -1 };

    for (size_t i = 0; i < flags->n_keywords; i++) {
        if (!holds(old->keywords, old->nkeywords, flags->keywords[i]))
            add[change.nadd++] = flags->keywords[i];
    }
    for (size_t i = 0; i < old->nkeywords && run->all_flags; i++) {
        bool stays = false;

        for (size_t k = 0; k < flags->n_keywords; k++)
            stays = stays || flags->keywords[k] == old->keywords[i];
        if (!stays)
            remove[change.nremove++] = (int32_t)old->keywords[i];
    }
    change.keywords = change.nadd + change.nremove > 0;
    return set_flags(run, &change);
}

/* Does it send to somebody?  A word to the owner, into the INBOX, is not sending. */
static bool sends(const struct filter_outcome *o)
{
    for (size_t i = 0; i < o->n_sent; i++) {
        if (o->sent[i].folder.p == NULL)
            return true;
    }
    return false;
}

/* Copies and what is sent, in one transaction.  RES_OK: all of it is done.  RES_DENIED: the account may send nothing. */
static enum result carry_out(struct run *run)
{
    struct imap_session *s = run->job->s;
    struct deliver *deliver = s->service->deliver;
    const struct queue_new envelope = { .account_id = s->who.account_id, .reverse_path = s->address, .direction = TRACE_OUT,
                                        .listener = STR("filter"), .session = s->id, .expire_s = settings_get()->expire_s };
    struct compose plan = { .m = &run->m, .envelope = &envelope, .lane = QUEUE_NORMAL };
    struct compose_recipient to = { .address = s->address, .account_id = s->who.account_id, .inbox_id = run->job->mailbox_id };
    enum result r;

    if (run->outcome.n_copies + run->outcome.n_sent == 0)
        return RES_OK;
    if (s->presence.frozen && sends(&run->outcome))
        return RES_DENIED;
    r = deliver_id(deliver, &plan.id);
    if (r == RES_OK)
        r = compose_event(deliver, &plan, &to, &run->outcome);
    if (r == RES_OK && plan.anything)
        r = deliver_submit(deliver, &plan.message);
    for (struct accept_message *m = &plan.message; m != NULL && r == RES_OK; m = m->also) {
        for (size_t i = 0; i < m->n_targets && r == RES_OK; i++)
            r = m->targets[i].result;
    }
    compose_release(&plan);
    return r;
}

static enum result apply(struct run *run)
{
    static const struct message_change deleted = { .set = FLAG_DELETED, .unchanged_since = -1 };
    enum result r = carry_out(run);

    if (r != RES_OK)
        return r; /* the message stays as it is */
    if (!run->outcome.kept)
        return (run->state.flags & FLAG_DELETED) != 0 ? RES_OK : set_flags(run, &deleted);
    return run->outcome.flags != NULL ? new_flags(run, run->outcome.flags) : RES_OK;
}

/* ---- one message ---- */

static enum result load(struct run *run, const struct body_source *source)
{
    CLEANUP(body_cursor_release) struct body_cursor cursor = { .source = *source, .end = source->shape.size };
    struct str piece;
    enum result r;

    spool_init(&run->spool, source->shape.size);
    while ((r = body_next(&cursor, &piece)) == RES_OK && piece.len > 0) {
        r = spool_add(&run->spool, piece);
        if (r != RES_OK)
            return r;
    }
    return r == RES_OK ? spool_view(&run->spool, &run->m.message) : r;
}

static bool fit(const struct str *flags, size_t n)
{
    size_t bytes = 0;

    for (size_t i = 0; i < n; i++)
        bytes += flags[i].len + 1;
    return n <= FLAGS_MAX && bytes <= FLAGS_BYTES;
}

static enum result run_script(struct run *run, int64_t uid, struct str changed)
{
    struct job *job = run->job;
    struct imap_session *s = job->s;
    const struct filter_recipient to = { .account_id = s->who.account_id, .inbox_id = job->mailbox_id, .address = s->address };
    struct filter_event event = { .script = &job->script, .cause = job->cause, .user = s->address, .mailbox = job->mailbox,
                                  .changed = changed };
    struct body_source source;
    struct str *flags;
    enum result r = message_look(s->db, &s->who, job->mailbox_id, uid, &run->arena, &run->state, &source);

    if (r == RES_NOTFOUND)
        return RES_OK; /* somebody took it away meanwhile */
    if (r == RES_OK)
        r = load(run, &source);
    if (r != RES_OK)
        return r;
    event.n_flags = flag_names(job, run->state.flags, run->state.keywords, run->state.nkeywords, &run->arena, &flags);
    event.flags = flags;
    run->all_flags = fit(flags, event.n_flags);
    run->m.reverse_path = s->address;
    r = filter_run_event(s->db, &run->m, &to, &event, &run->arena, &run->outcome);
    return r == RES_OK ? apply(run) : r;
}

static void run_one(struct job *job, int64_t uid, struct str changed)
{
    struct run run = { .job = job, .spool = { .fd = -1 } };
    enum result r = run_script(&run, uid, changed);

    if (r != RES_OK)
        log_warn("imapsieve-undone", F_STR("session", job->s->id), F_STR("mailbox", job->mailbox), F_INT("uid", uid),
                 F_C("result", result_name(r)));
    spool_release(&run.spool);
    arena_reset(&run.arena);
}

/* ---- the script ---- */

/* The mailbox's annotation counts, else the server's; an empty one is none (RFC 6785, 2.3.1). */
static enum result find_script(struct job *job)
{
    struct imap_session *s = job->s;
    struct str name;
    enum result r = filter_annotation(s->db, s->who.account_id, job->mailbox_id, STR(ANNOTATION_SCRIPT), &job->arena, &name);

    if (r == RES_NOTFOUND)
        r = filter_annotation(s->db, s->who.account_id, ANNOTATION_SERVER, STR(ANNOTATION_SCRIPT), &job->arena, &name);
    if (r == RES_OK && (name.len == 0 || !str_is_utf8(name) || memchr(name.p, '\0', name.len) != NULL))
        r = RES_NOTFOUND;
    return r == RES_OK ? script_find_imap(s->db, s->who.account_id, name, &job->arena, &job->script) : r;
}

/* RES_NOTFOUND: there is nothing to run. */
static enum result begin(struct job *job)
{
    struct imap_session *s = job->s;
    enum result r = find_script(job);

    if (r == RES_OK)
        r = keyword_list(s->db, &s->who, &job->arena, &job->keywords, &job->nkeywords);
    if (r != RES_OK && r != RES_NOTFOUND)
        log_warn("imapsieve-undone", F_STR("session", s->id), F_STR("mailbox", job->mailbox), F_C("result", result_name(r)));
    return r;
}

static void end(struct job *job)
{
    job->s->watch.dirty = true; /* what scripts did is told with the command's end */
    arena_reset(&job->arena);
}

void event_added(struct imap_session *s, enum event_cause cause, int64_t mailbox_id, struct str mailbox, const int64_t *uids,
                 size_t n)
{
    struct job job = { .s = s, .mailbox_id = mailbox_id, .mailbox = mailbox,
                       .cause = cause == EVENT_APPEND ? STR("APPEND") : STR("COPY") };

    if (begin(&job) == RES_OK) {
        for (size_t i = 0; i < n; i++)
            run_one(&job, uids[i], STR(""));
    }
    end(&job);
}

void event_flags(struct imap_session *s, const struct message_stored_list *list)
{
    struct job job = { .s = s, .mailbox_id = s->view->mailbox_id, .cause = STR("FLAG") };

    job.mailbox = arena_str(&job.arena, str_c(s->view->name));
    if (begin(&job) == RES_OK) {
        for (size_t i = 0; i < list->n; i++) {
            CLEANUP(arena_releasep) struct arena a = { 0 };

            if (list->v[i].changed)
                run_one(&job, list->v[i].state.uid, changed_flags(&job, &list->v[i], &a));
        }
    }
    end(&job);
}
