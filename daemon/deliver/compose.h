/* deliver/compose.h - from the recipients of a message to what the accepting transaction does.
 *
 * Runs the filters of local recipients, and turns what they decided, forwards and refusals into messages of one
 * transaction: the message itself with its mailboxes and queue rows, copies with another content, what is sent on or
 * answered.  smtp (before its reply) and relay (for mail that waited) do it by the same call. */
#pragma once
#include "deliver/deliver.h"
#include "filter/filter.h"

struct compose_recipient {
    struct str address, orcpt;
    unsigned notify;
    int64_t account_id, inbox_id; /* a mailbox here; account_id 0: not here */
    bool elsewhere;               /* a mailbox of the mda's: filters run, what is stored goes to the queue */
    bool filtered;                /* there are filters, as route_facts tell */
    bool waits;                   /* a mailbox here, but by the queue: its filters run then */
    bool quiet;                   /* a mailbox here that a stranger reached through an alias: does it have to wait for room,
                                   * nobody is told when there never is any; such a notice would be backscatter */
    struct str folder;            /* filters have run: into this mailbox (inbox_id), with these flags; STR_NULL: no */
    int flags;
    struct str domain;            /* not here: its destination */
    struct str via;               /* not here: our address that forwards to it; STR_NULL: straight */
    struct str program;           /* a program of mda.programs; STR_NULL: none */
    /* out: */
    enum { COMPOSE_TAKEN, COMPOSE_REFUSED } result; /* refused: this recipient is to be told so with `reason` in the reply */
    struct str reason;                              /* ASCII; lines end in LF */
    struct accept_target *target; /* the mailbox entry whose result counts; NULL: none */
};

struct compose {
    /* in: */
    const struct filter_message *m;
    size_t return_path_len;
    int64_t id;                       /* of "queued as" */
    const struct queue_new *envelope; /* sender, trace and body of the message, without recipients */
    bool may_wait;                    /* what a mailbox cannot take waits in the queue; LMTP: it does not */
    enum queue_lane lane;
    bool each_answered;               /* LMTP and relay: each recipient has an answer of its own */
    bool ends_job;                    /* relay: it is either refused or stored; who wants both has the sender told by a notice */
    /* out, for deliver_submit: */
    struct accept_message message;
    bool all_refused; /* every recipient refuses: the reply says so; what filters want to be stored is in `message` all the same */
    bool anything;    /* there is something to submit */
    /* its own */
    struct arena arena;
    struct compose_spool *spools;
    size_t extra, max_extra; /* bytes of further messages */
    struct accept_message **last;
};

/* RES_OK: c->message and the recipients' results are set, both until compose_release.  RES_CONFLICT: the message came
 * here by our own forward: a loop (RFC 9228, 4).  RES_LIMIT: it would become more than smtp.max_transaction_size.
 * RES_TEMPFAIL: nothing is decided. */
enum result compose(struct deliver *d, struct db *db, struct compose *c, struct compose_recipient *v, size_t n)
    SUSPENDS NODISCARD;
/* What the script of an event of IMAP wants to be stored and sent (filter_run_event), as one transaction; `to` is the
 * account, to->target the first copy's.  RES_OK: c->message is set when c->anything.  RES_LIMIT, RES_TEMPFAIL as above. */
enum result compose_event(struct deliver *d, struct compose *c, struct compose_recipient *to, const struct filter_outcome *o)
    SUSPENDS NODISCARD;
void compose_release(struct compose *c);
