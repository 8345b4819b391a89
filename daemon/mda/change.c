/* mda/change.c - vnd.correio.filter: what a program makes of a message goes to the mailbox, in place of it. */
#include "base/fault.h"
#include "base/log.h"
#include "config/settings.h"
#include "io/spool.h"
#include "mail/address.h"
#include "mail/header.h"
#include "mda/mda_internal.h"
#include "store/delivery.h"
#include "store/routing.h"

#include <errno.h>
#include <unistd.h>

#define PIECE ((size_t)64 * 1024)

/* A message from a program: lines end as they like, here in CR LF. */
static enum result take_output(int fd, struct arena *a, struct spool *spool)
{
    char *bytes = arena_alloc(a, PIECE), last = '\0';
    off_t at = 0;
    enum result r = RES_OK;

    while (r == RES_OK) {
        ssize_t n = pread(fd, bytes, PIECE, at);
        struct str rest = str_of(bytes, n > 0 ? (size_t)n : 0);

        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return n == 0 ? RES_OK : RES_TEMPFAIL;
        at += n;
        while (rest.len > 0 && r == RES_OK) {
            size_t end = str_chr(rest, '\n');
            struct str line = str_sub(rest, 0, MIN(end, rest.len));

            if (line.len > 0)
                last = line.p[line.len - 1];
            r = spool_add(spool, line);
            if (end != SIZE_MAX && r == RES_OK)
                r = spool_add(spool, last == '\r' ? STR("\n") : STR("\r\n"));
            if (end != SIZE_MAX)
                last = '\n';
            rest = str_from(rest, end == SIZE_MAX ? rest.len : end + 1);
        }
    }
    return r;
}

static bool is_message(struct str text)
{
    struct header_field field;

    return header_next(&text, &field) && field.name.len > 0;
}

/* Where the mailbox is: here or the mda's.  An address that has none any more is the relay's to refuse. */
static enum result find_destination(struct mda_worker *w, const struct queue_job *job, struct queue_new_recipient *ret)
{
    struct arena *a = &w->crew.batch_arena;
    struct str local, domain;
    struct route_facts facts = { .kind = FACT_UNKNOWN };
    enum result r = RES_OK;

    if (address_parse_mailbox(job->recipient, true, a, &local, &domain) == RES_OK)
        r = routing_find(w->crew.crew->db, local, domain, a, &facts);
    *ret = (struct queue_new_recipient){ .recipient = job->recipient, .orcpt = job->orcpt, .notify = job->notify,
                                         .lane = QUEUE_NORMAL, .account_id = facts.account_id, .folder = job->folder,
                                         .flags = job->flags, .outcome = TRACE_WAITING,
                                         .destination = facts.elsewhere ? QUEUE_MDA : QUEUE_LOCAL };
    return r;
}

/* RES_INVALID: the output is no message, or too large. */
static enum result take_message(struct mda_worker *w, const struct queue_job *job, int output,
                                struct queue_new_recipient *to, struct queue_new **ret)
{
    struct spool spool;
    struct str text;
    enum result r;

    spool_init(&spool, (size_t)settings_get()->max_message_size);
    r = take_output(output, &w->crew.batch_arena, &spool);
    if (r == RES_OK)
        r = spool_view(&spool, &text);
    if (r == RES_OK && !is_message(text))
        r = RES_INVALID;
    if (r == RES_OK) {
        *ret = requeue_begin(w, job, job->message->reverse_path, to, 1);
        if (!str_is_ascii(text))
            (*ret)->body_flags |= QUEUE_8BITMIME;
        r = requeue_content(w, &spool, *ret);
    }
    spool_release(&spool);
    return r == RES_LIMIT ? RES_INVALID : r;
}

void change_keep(struct mda_worker *w, const struct queue_job *job, struct str why)
{
    struct queue_new_recipient to;
    enum result r = find_destination(w, job, &to);

    log_warn("mda-unchanged", F_QUEUE_ID("queue", job->message->id), F_STR("recipient", job->recipient),
             F_STR("program", job->program), F_STR("why", why));
    if (r == RES_OK)
        r = queue_move(w->crew.crew->db, job, w->crew.batch.lease, to.destination);
    if (r != RES_OK)
        log_warn("mda-move", F_QUEUE_ID("queue", job->message->id)); /* again when the lease ends */
}

void change_deliver(struct mda_worker *w, const struct queue_job *job, const struct answer *answer, int output,
                    const struct settle_attempt *attempt)
{
    struct queue_new_recipient *to = arena_new(&w->crew.batch_arena, struct queue_new_recipient);
    struct queue_new *changed = NULL;
    enum result r;

    if (answer->kind != ANSWER_DONE) {
        change_keep(w, job, answer->text);
        return;
    }
    r = find_destination(w, job, to);
    if (r == RES_OK)
        r = take_message(w, job, output, to, &changed);
    if (r == RES_INVALID) {
        change_keep(w, job, STR("what it gave is no message, or too large"));
        return;
    }
    if (r != RES_OK || changed == NULL)
        return; /* the database or the disk, logged: again when the lease ends */
    fault_point("mda-changed");
    settle_forwarded(&w->crew, job, changed, attempt);
}
