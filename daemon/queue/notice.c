/* queue/notice.c - notifications. */
#include "queue/notice.h"

#include "base/encode.h"
#include "base/log.h"
#include "deliver/srs.h"
#include "config/settings.h"
#include "mail/address.h"
#include "mail/header.h"
#include "store/body.h"
#include "store/routing.h"

#include <assert.h>

#define MAX_FULL ((int64_t)1 << 20)         /* a larger message is not returned whole */
#define MAX_HEADER ((int64_t)64 * 1024)     /* nor more of a header */
#define MAX_FRAME ((size_t)256 * 1024)      /* room for what dsn_build puts around the original */

struct draft {
    struct db *db;
    const struct queue_envelope *message;
    struct arena *a;
    struct dsn dsn;
    struct queue_new_recipient to;
};

static bool any_failed(const struct notice_recipient *v, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (v[i].action == DSN_FAILED)
            return true;
    }
    return false;
}

/* Reads what goes back of the original. */
static enum result read_original(struct draft *d, bool full)
{
    const struct queue_envelope *m = d->message;
    struct body_source source = { .db = d->db, .id = m->id,
                                  .shape = { (uint64_t)m->size, (uint64_t)m->header_size, (unsigned)m->frames } };
    int64_t len = full ? m->size : MIN(m->header_size, MAX_HEADER);

    d->dsn.full = full;
    return body_read(&source, 0, (uint64_t)len, d->a, &d->dsn.original) == RES_OK ? RES_OK : RES_NOTFOUND;
}

static enum result find_language(struct draft *d)
{
    struct str language;
    enum result r = queue_language(d->db, d->message->account_id, d->message->reverse_path, d->a, &language);

    if (r != RES_OK)
        return r;
    if (language.len == 0)
        language = settings_get()->language;
    d->dsn.language = str_istarts(language, STR("pt")) ? DSN_PT_BR : DSN_EN;
    return RES_OK;
}

/* Where the notice goes. */
static enum result find_way(struct draft *d)
{
    struct str to = d->message->reverse_path, local, domain;
    struct route_facts facts;
    enum result r;

    if (address_parse_mailbox(to, true, d->a, &local, &domain) != RES_OK) {
        log_warn("queue-notice-address", F_QUEUE_ID("queue", d->message->id), F_STR("sender", to));
        return RES_INVALID;
    }
    r = routing_find(d->db, local, domain, d->a, &facts);
    /* A reverse-path that we rewrote ourselves: to whom it stands for. */
    if (r == RES_OK && facts.kind == FACT_UNKNOWN && srs_reverse(d->a, local, &to) == RES_OK &&
        address_parse_mailbox(to, true, d->a, &local, &domain) == RES_OK)
        r = routing_find(d->db, local, domain, d->a, &facts);
    if (r != RES_OK)
        return r;
    d->dsn.to = to;
    d->to = (struct queue_new_recipient){
        .recipient = to, .notify = QUEUE_NOTIFY_NEVER, .lane = QUEUE_NORMAL,
        .destination = facts.kind == FACT_REMOTE || facts.kind == FACT_RELAY ? domain : QUEUE_LOCAL,
        .account_id = facts.kind == FACT_ACCOUNT ? facts.account_id : 0,
    };
    return RES_OK;
}

static void fill_recipients(struct draft *d, const struct notice_recipient *v, size_t n)
{
    struct dsn_recipient *r = arena_array(d->a, struct dsn_recipient, n);

    for (size_t i = 0; i < n; i++) {
        const struct verdict *w = v[i].verdict;
        struct str words = w->code > 0 ? arena_printf(d->a, "%d %.*s%s%.*s", w->code, STR_ARG(w->enhanced),
                                                      w->enhanced.len > 0 ? " " : "", STR_ARG(w->text))
                                       : w->text;

        r[i] = (struct dsn_recipient){
            .action = v[i].action,
            .address = v[i].job->recipient,
            .orcpt = v[i].job->orcpt,
            .status = v[i].status.p != NULL ? v[i].status : w->enhanced,
            .remote_mta = w->remote ? v[i].remote_host : STR_NULL,
            .reply = words,
            .reason = w->reason,
            .last_attempt_us = d->dsn.now_us,
            .will_retry_until_us = v[i].action == DSN_DELAYED ? d->message->expires_at : 0,
        };
    }
    d->dsn.recipients = r;
    d->dsn.nrecipients = n;
}

struct queue_new *notice_queued(struct str text, struct str message_id, bool smtputf8, const struct queue_new_recipient *to,
                                struct arena *a)
{
    struct queue_new *q = arena_new(a, struct queue_new);
    struct header_field subject;
    struct str *frames;

    q->header_size = (int64_t)header_size(text);
    q->size = (int64_t)text.len;
    body_frames(a, text, (size_t)q->header_size, &frames, &q->nframes);
    q->frames = frames;
    q->reverse_path = STR("");
    q->expire_s = settings_get()->expire_s;
    q->body_flags = (str_is_ascii(text) ? 0 : QUEUE_8BITMIME) | (smtputf8 ? QUEUE_SMTPUTF8 : 0);
    if (header_find(header_block(text), STR("Subject"), &subject))
        q->subject = arena_str(a, header_decode(a, subject.value)); /* it may be a view of `text` */
    q->message_id = arena_printf(a, "<%.*s>", STR_ARG(message_id));
    q->direction = str_eq(to->destination, QUEUE_LOCAL) ? TRACE_LOCAL : TRACE_OUT;
    q->listener = STR("local");
    q->recipients = memcpy(arena_new(a, struct queue_new_recipient), to, sizeof(*to));
    q->nrecipients = 1;
    return q;
}

static enum result build(struct draft *d, struct queue_new **ret)
{
    CLEANUP(strbuf_release) struct strbuf out = { .max = d->dsn.original.len + MAX_FRAME };

    if (dsn_build(&d->dsn, &out) != RES_OK)
        return RES_INVALID;
    *ret = notice_queued(strbuf_str(&out), d->dsn.message_id, d->dsn.smtputf8, &d->to, d->a);
    return RES_OK;
}

enum result notice_make(struct db *db, const struct queue_envelope *message, const struct notice_recipient *v,
                        size_t n, int64_t now_us, bool with_original, struct arena *a,
                        struct queue_new **ret)
{
    struct draft d = { .db = db, .message = message, .a = a };
    struct str hostname = arena_str(a, settings_get()->hostname);
    struct queue_new *q;
    int64_t id;
    enum result r;

    assert(message->reverse_path.len > 0);
    d.dsn = (struct dsn){ .reporting_mta = hostname, .to = message->reverse_path, .boundary = random_id(a),
                          .message_id = arena_printf(a, "%.*s@%.*s", STR_ARG(random_id(a)), STR_ARG(hostname)),
                          .now_us = now_us, .arrival_us = message->received_at, .envid = message->envid, .deliver_by_us = message->by.at_us,
                          .smtputf8 = (message->body_flags & QUEUE_SMTPUTF8) != 0 };
    r = find_way(&d);
    if (r == RES_OK)
        r = find_language(&d);
    if (r == RES_OK && with_original)
        r = read_original(&d,
                          message->ret == 'F' && any_failed(v, n) && message->size <= MAX_FULL &&
                              (message->body_flags & QUEUE_BINARYMIME) == 0); /* a part of type text must be lines */
    if (r != RES_OK)
        return r;
    fill_recipients(&d, v, n);
    r = build(&d, &q);
    if (r == RES_OK)
        r = queue_ids(db, 1, &id);
    if (r != RES_OK)
        return r;
    q->id = id;
    *ret = q;
    return RES_OK;
}
