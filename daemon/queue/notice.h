/* queue/notice.h - delivery status notifications about queued mail, as new messages for the queue (RFC 3461, 6;
 * RFC 5321, 4.5.5). */
#pragma once
#include "db/db.h"
#include "mail/dsn.h"
#include "queue/verdict.h"
#include "store/queue.h"

/* A message of our own for the queue, still without an id: from the null reverse-path to one recipient.  text: all of it,
 * without Return-Path; message_id: without angle brackets.  It lives in a; text may go. */
struct queue_new *notice_queued(struct str text, struct str message_id, bool smtputf8, const struct queue_new_recipient *to,
                                struct arena *a);

struct notice_recipient {
    const struct queue_job *job;
    enum dsn_action action;
    const struct verdict *verdict;
    struct str status;      /* instead of the verdict's enhanced code; STR_NULL: that one */
    struct str remote_host; /* who answered; STR_NULL: nobody */
};

/* A notice to the sender of `message` about some of its recipients, in his language: with the whole message when he
 * asked for it (RET=FULL), something failed and it is not large, else with its header; without both when with_original
 * is false.  *ret lives in a; its one recipient goes to a mailbox here or to the sender's domain.  now_us: PostgreSQL's
 * time. RES_OK; RES_INVALID: the sender's address is none (logged); RES_TEMPFAIL: the database is away; RES_NOTFOUND: what goes
 * back of the original could not be read. */
enum result notice_make(struct db *db, const struct queue_envelope *message, const struct notice_recipient *v,
                        size_t n, int64_t now_us, bool with_original, struct arena *a,
                        struct queue_new **ret) SUSPENDS NODISCARD;
