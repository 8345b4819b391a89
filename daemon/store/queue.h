/* store/queue.h - the queue for those who fill it (smtp, relay's notifications) and for the relay that empties it.
 *
 * A row of queue_recipient is a job.  A relay claims jobs of one destination under a lease; what it then says of them
 * counts only while the lease is still its own, so a relay that overslept changes nothing and nothing is done twice.
 * Order of locks: accounts (deliver), queue_message by id, queue_recipient, queue_destination by name.
 *
 * Times are microseconds since 1970 by PostgreSQL's clock.  What is returned lives in the arena given.  All functions
 * suspend.  RES_TEMPFAIL: database trouble, already logged. */
#pragma once
#include "base/arena.h"
#include "base/result.h"
#include "base/str.h"
#include "db/db.h"
#include "mail/deliver_by.h"
#include "store/filter.h"
#include "store/trace.h"

enum queue_body { QUEUE_8BITMIME = 1, QUEUE_SMTPUTF8 = 2, QUEUE_REQUIRETLS = 4, QUEUE_BINARYMIME = 8 };
/* RFC 3461, 4.1; 0: the parameter was not given. */
enum queue_notify { QUEUE_NOTIFY_NEVER = 1, QUEUE_NOTIFY_SUCCESS = 2, QUEUE_NOTIFY_FAILURE = 4, QUEUE_NOTIFY_DELAY = 8 };
enum queue_lane { QUEUE_INTERACTIVE, QUEUE_NORMAL, QUEUE_BULK };

/* The destination of mail that waits for a mailbox here. */
#define QUEUE_LOCAL STR(".local")
/* The destination of what the mda delivers: mailboxes outside PostgreSQL, and programs. */
#define QUEUE_MDA STR(".mda")
/* The destination of what an administrator returns to its sender: no attempt is made. */
#define QUEUE_RETURN STR(".return")

/* ---- filling ---- */

/* n new ids (n <= 64): of the queue, of the trace, and of "queued as". */
enum result queue_ids(struct db *db, size_t n, int64_t *ret_ids) SUSPENDS NODISCARD;

struct queue_new_recipient {
    struct str recipient;   /* a Mailbox */
    struct str orcpt;       /* "rfc822;xtext" as given; STR_NULL: none */
    unsigned notify;        /* enum queue_notify */
    struct str destination; /* its domain in lower case, or QUEUE_LOCAL */
    enum queue_lane lane;
    enum trace_outcome outcome; /* TRACE_WAITING: a job is made; else (delivered already) only its trace */
    int64_t account_id;     /* whose mailbox; 0: not here */
    struct str program; /* QUEUE_MDA: a name of mda.programs; STR_NULL: none */
    struct str folder;  /* filters have run: the mailbox it goes to (QUEUE_LOCAL), a folder (QUEUE_MDA); STR_NULL: they have not */
    int flags;          /* with `folder`: bits of message.flags */
};
struct queue_new {
    int64_t id, account_id;  /* account_id: who submitted; 0: it came from outside */
    struct str reverse_path; /* empty: the null reverse-path */
    char ret;                /* 'F', 'H', 0: not given (RFC 3461, 4.3) */
    struct str envid;        /* xtext as given; STR_NULL: none */
    struct deliver_by by;    /* what is to be returned then expires then, too */
    int64_t expire_s;        /* from now */
    int64_t size, header_size;
    const struct str *frames; /* zstd frames (store/body.h); NULL: the caller puts them into queue_blob */
    size_t nframes;
    unsigned body_flags;      /* enum queue_body */
    struct str subject, message_id; /* UTF-8; STR_NULL: none */
    enum trace_direction direction;
    struct str client, session, listener, tls; /* for the trace; STR_NULL: none */
    const struct queue_new_recipient *recipients;
    size_t nrecipients;
    struct sieve_mark_row mark; /* it is added only if this mark can be taken; key STR_NULL: always */
};
/* Adds messages with recipients, body and trace; what a rule of store/hold_rule.h is about is held.  Messages without a TRACE_WAITING recipient get a trace only.  Locks
 * queue_destination, so let it be the last of the transaction; commit with tx_commit_notify("queue", ids). */
enum result queue_insert(struct tx *tx, const struct queue_new *v, size_t n) SUSPENDS NODISCARD;

/* ---- the relay ---- */

struct queue_envelope { /* a message; shared by its jobs of one batch */
    int64_t id, account_id, size, header_size;
    int64_t received_at, expires_at;
    int frames;
    unsigned body_flags;
    struct str reverse_path, envid, message_id;
    struct deliver_by by;
    char ret;
    bool bounce; /* the jobs of this batch are QUEUE_RETURN's: they fail now */
};
struct queue_job {
    const struct queue_envelope *message;
    int n, attempts; /* attempts: the one that begins now included */
    unsigned notify;
    bool delay_told;
    struct str recipient, orcpt, last_reply;
    struct str program, folder; /* as in struct queue_new_recipient */
    int flags;
};
struct queue_batch {
    struct str destination, lease; /* lease: unique for this claim */
    int64_t now;                   /* at the claim */
    struct queue_job *jobs;        /* jobs of one message stand together */
    size_t n;
    bool more; /* there may be further due jobs of this destination */
};

#define QUEUE_LEASE_S 60
#define QUEUE_MAX_BATCH 20

/* The body of a message is read by store/body.h, with account_id 0 and the envelope's id and shape. */

/* Takes a slot of the destination that was served least recently, and up to `limit` of its due jobs, the interactive
 * ones first.  RES_NOTFOUND: nothing to do.  With RES_OK ret->n may be 0; queue_release gives the slot back. */
enum result queue_claim(struct db *db, struct str lease, int limit, struct arena *a, struct queue_batch *ret)
    SUSPENDS NODISCARD;
/* The same of QUEUE_MDA alone, which queue_claim leaves out. */
enum result queue_claim_mda(struct db *db, struct str lease, int limit, struct arena *a, struct queue_batch *ret)
    SUSPENDS NODISCARD;
/* More jobs of a destination of which the caller has a slot.  RES_NOTFOUND: none are due. */
enum result queue_claim_more(struct db *db, struct str destination, struct str lease, int limit, struct arena *a,
                             struct queue_batch *ret) SUSPENDS NODISCARD;
/* Gives the slot back; the destination falls due with its next job. */
enum result queue_release(struct db *db, struct str destination) SUSPENDS NODISCARD;

/* Prolongs these leases by QUEUE_LEASE_S from now. */
enum result queue_renew(struct db *db, const struct str *leases, size_t n) SUSPENDS NODISCARD;
/* Gives jobs back that were not tried: due at once, the attempt not counted. */
enum result queue_give_back(struct db *db, struct str lease) SUSPENDS NODISCARD;
/* At start: frees the jobs whose lease begins with `prefix` ("node/relay-1/"), left by our own dead predecessor. */
enum result queue_free_predecessor(struct db *db, struct str prefix, int64_t *ret_freed) SUSPENDS NODISCARD;
/* Each minute: corrects in_flight and due_at of destinations, makes missing ones, removes empty ones. */
enum result queue_heal(struct db *db) SUSPENDS NODISCARD;
/* Deletes what was to be deleted and sends back what was to be returned, whose time to take that back is over: at most
 * 1,000 messages in one transaction.  *ret_more: call it again at once. */
enum result queue_purge(struct db *db, bool *ret_more) SUSPENDS NODISCARD;
/* Removes messages without jobs, which only an interrupted administrator's action could leave; hourly. */
enum result queue_sweep(struct db *db) SUSPENDS NODISCARD;

/* What an attempt was like; written as the job's trace event. */
struct queue_attempt_log {
    struct str host, address, tls, phase, session; /* STR_NULL: none */
    struct str reason;
    int code; /* 0: no reply */
    struct str enhanced, reply;
    int milliseconds;
    struct str dialogue; /* STR_NULL: none, or it stands at another job of the session */
};
enum queue_fate {
    QUEUE_RELAYED,   /* gone to another server */
    QUEUE_DELIVERED, /* into a mailbox here */
    QUEUE_AGAIN,     /* later */
    QUEUE_BOUNCED,   /* failed for good */
    QUEUE_EXPIRED,   /* failed, its time is over */
};
struct queue_outcome {
    const struct queue_job *job;
    struct str lease;
    enum queue_fate fate;
    bool attempted;       /* false: no attempt was made, so no trace event of one */
    int64_t retry_s;      /* QUEUE_AGAIN: from now */
    bool delay_told;      /* QUEUE_AGAIN: a delay notice is in `notices` */
    struct queue_attempt_log log;
    const struct queue_new *notice; /* a DSN about this job, in the queue when the outcome is; NULL: none.  Jobs of one
                                       message may share it: it is sent when at least one of their leases held. */
};
/* Writes the outcomes in one transaction: done jobs go, with the message and its body when none is left; the others
 * wait; trace, events and notices are added.  Outcomes whose lease is no longer ours change nothing.  Doing it again
 * after RES_TEMPFAIL or a commit in doubt (settled inside) is harmless.  *ret_lost: how many leases had been lost. */
enum result queue_finish(struct db *db, const struct queue_outcome *v, size_t n, size_t *ret_lost) SUSPENDS NODISCARD;

/* The same inside the caller's transaction, for a delivery into a mailbox: deletes the job, or says RES_CONFLICT when
 * the lease is lost: roll back then. */
enum result queue_finish_local(struct tx *tx, const struct queue_outcome *outcome) SUSPENDS NODISCARD;

/* ---- routing ---- */

struct queue_domain {
    enum { QUEUE_DOMAIN_REMOTE, QUEUE_DOMAIN_LOCAL, QUEUE_DOMAIN_RELAY } kind;
    struct str route; /* relay domains; STR_NULL: by MX */
};
/* What the control plane says of a domain (lower case); RES_OK with QUEUE_DOMAIN_REMOTE when nothing. */
enum result queue_domain(struct db *db, struct str name, struct arena *a, struct queue_domain *ret) SUSPENDS NODISCARD;
/* The language of notices for a sender: the account's, else its domain's; STR_NULL: neither has one. */
enum result queue_language(struct db *db, int64_t account_id, struct str address, struct arena *a, struct str *ret)
    SUSPENDS NODISCARD;
