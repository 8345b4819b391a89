/* store/queue_admin.h - the queue as the administrator sees it: lists, one message, groups, sums, and actions.
 *
 * Everything returned lives in the arena given.  Times are microseconds since 1970, DB_NO_TIME where there is none.
 * Reading changes nothing.  All functions suspend.  RES_TEMPFAIL: database trouble, already logged. */
#pragma once
#include "base/arena.h"
#include "base/result.h"
#include "base/str.h"
#include "db/db.h"
#include "store/audit.h"
#include "store/body.h"

#define QUEUE_MAX_PAGE 1000

/* Of a recipient; a message has its most urgent recipient's, in this order. */
enum queue_state {
    QUEUE_SENDING,   /* a relay holds it now */
    QUEUE_DEFERRED,  /* tried, waits for the next attempt */
    QUEUE_SCHEDULED, /* not tried yet */
    QUEUE_HELD,      /* by an administrator */
    QUEUE_REMOVING,  /* deleted or returned in a moment, unless that is taken back */
    QUEUE_STATES
};
/* What became of it: trace.outcome. */
enum trace_outcome {
    TRACE_WAITING, TRACE_DELIVERED, TRACE_RELAYED, TRACE_BOUNCED, TRACE_EXPIRED, TRACE_REMOVED, TRACE_REFUSED
};
#define TRACE_OUTCOMES 7

struct str_list {
    const struct str *v;
    size_t n;
};

/* Members are joined by AND, the values of one by OR; a list with n 0, a 0 and a STR_NULL mean "any".  Addresses and
 * domains are compared without ASCII case.  A message matches when at least one recipient that is still in the queue
 * matches states, recipients, destinations and reasons together. */
struct queue_filter {
    const int64_t *ids; /* queue ids, decoded */
    size_t nids;
    unsigned states; /* bits 1 << enum queue_state */
    struct str_list senders; /* as recipients: whole addresses, "joe@", "@example.net"; an empty one is the null reverse-path */
    struct str_list sender_domains;
    struct str_list accounts; /* addresses of the accounts that submitted */
    struct str_list recipients;
    struct str_list destinations;
    struct str_list reasons; /* words of route/reason.h; also "held", "sending", "not-tried", "bounced-by-admin" and
                                "removed-by-admin" by the state */
    int64_t age_min_s;       /* accepted at least so long ago */
    struct str text;         /* part of sender, recipient or subject without case, or the exact Message-ID */
    int64_t text_id;         /* `text` decoded as a queue id, which matches too; 0: it is none */
    struct str_list domains; /* what the caller may see: the sender's or a recipient's domain is one of these */
};

struct queue_row {
    int64_t id, size, accepted_at, expires_at, version;
    struct str subject, message_id; /* STR_NULL: none */
    struct str sender;              /* empty: the null reverse-path */
    struct str account;             /* its address; STR_NULL: it came from outside */
    enum queue_state state;
    struct str recipient, destination; /* the first that matches the filter */
    int64_t recipients, destinations;  /* how many are still in the queue */
    int64_t attempts;                  /* the most of any recipient */
    int64_t next_attempt_at;           /* the nearest; DB_NO_TIME while held, sending or removing */
    struct str reason, reply;          /* of the recipient that gives the state; reply "" -> STR_NULL */
};

/* A page in the order of the ids, which is that of acceptance.  `after` is the id of the last row of the page before,
 * 0 for the first.  *ret_more: there is at least one row behind these.  limit: 1 to QUEUE_MAX_PAGE. */
enum result queue_list(struct db *db, const struct queue_filter *filter, bool descending, int64_t after, size_t limit,
                       struct arena *a, struct queue_row **ret_rows, size_t *ret_n, bool *ret_more) SUSPENDS NODISCARD;
/* How many messages match, counted up to `at_most`. */
enum result queue_count(struct db *db, const struct queue_filter *filter, int64_t at_most, int64_t *ret_n)
    SUSPENDS NODISCARD;

enum queue_group_by { QUEUE_BY_DESTINATION, QUEUE_BY_SENDER, QUEUE_BY_REASON };
struct queue_group {
    struct str key;
    int64_t messages, recipients, waiting, held, sending; /* waiting, held, sending: messages */
    int64_t oldest_accepted_at, next_attempt_at;
    struct str reason; /* what most of them have */
    struct str reply;  /* the last one of some of them; STR_NULL: none */
};
/* Most recipients first, at most `limit`. */
enum result queue_groups(struct db *db, const struct queue_filter *filter, enum queue_group_by by, size_t limit,
                         struct arena *a, struct queue_group **ret_groups, size_t *ret_n) SUSPENDS NODISCARD;

struct queue_sums {
    int64_t messages, waiting, held, sending; /* messages, each counted once, in its most urgent recipient's state */
    int64_t recipients;
    int64_t oldest_accepted_at; /* of those that wait */
};
/* Over the whole queue: ask once for all viewers, not once a request. */
enum result queue_sum(struct db *db, struct queue_sums *ret) SUSPENDS NODISCARD;

struct queue_item { /* a recipient of a message, also one that is done */
    int n;
    struct str address, destination; /* destination: STR_NULL when done */
    bool done;
    enum queue_state state;     /* when not done */
    enum trace_outcome outcome; /* when done */
    int64_t attempts, next_attempt_at; /* attempts: 0 when done, see queue_attempts */
    struct str reason, reply;   /* of its last attempt */
    unsigned notify;            /* enum queue_notify bits of store/queue.h; 0 when done or not given */
    struct str orcpt;           /* xtext as given; STR_NULL: none */
    bool rerouted;              /* destination is a route, not its own */
};
struct queue_message {
    int64_t id, size, accepted_at, expires_at, version, account_id;
    struct str message_id, subject, sender, account, envid;
    enum queue_state state;
    struct str listener, client, session, tls; /* where it came from; STR_NULL: unknown */
    int priority;     /* 1 interactive, 0 normal, -1 bulk: the first recipient's in the queue */
    int64_t next_attempt_at; /* the nearest; DB_NO_TIME: none waits */
    bool held;
    int64_t held_at;
    struct str held_by, held_reason;
    struct queue_item *recipients; /* in the order of their n */
    size_t nrecipients;
};
/* RES_NOTFOUND: not in the queue, or (with `domains` of the caller, n 0: all) not to be seen. */
enum result queue_get(struct db *db, int64_t id, struct str_list domains, struct arena *a, struct queue_message **ret)
    SUSPENDS NODISCARD;

/* Where the bytes of a message of the queue are (store/body.h).  RES_NOTFOUND: as queue_get. */
enum result queue_source(struct db *db, int64_t id, struct str_list domains, struct body_source *ret) SUSPENDS NODISCARD;

struct queue_attempt {
    int n, number; /* recipient; counted for the recipient from 1 */
    int64_t at;    /* when it ended */
    int64_t milliseconds; /* how long it took; -1: unknown */
    struct str host, address, tls, phase, session; /* STR_NULL: none; tls: "TLSv1.3 TLS_AES_256_GCM_SHA384 ca":
                             version, cipher, how the certificate was verified (none, ca) */
    int result;    /* 0 relayed 1 delivered 2 deferred 3 bounced */
    struct str reason;
    int code;      /* 0: no reply */
    struct str enhanced, reply;
    struct str dialogue; /* lines "MS C: text\n" and "MS S: text\n", MS since the attempt's start; STR_NULL: none here */
};
struct queue_attempt_key { /* of the last row of the page before; at 0: the first page */
    int64_t at;
    int n;
};
/* Newest first; n < 0: of all recipients.  Also of messages that have left the queue, as long as there is a trace. */
enum result queue_attempts(struct db *db, int64_t id, int n, struct queue_attempt_key after, size_t limit,
                           struct arena *a, struct queue_attempt **ret_rows, size_t *ret_n, bool *ret_more)
    SUSPENDS NODISCARD;

enum queue_action {
    QUEUE_RETRY,      /* every waiting recipient falls due now */
    QUEUE_HOLD,       /* no attempt until QUEUE_RELEASE */
    QUEUE_RELEASE,
    QUEUE_BOUNCE,     /* its recipients fail after QUEUE_UNDO_S, and the sender gets a DSN */
    QUEUE_DELETE,     /* it goes after QUEUE_UNDO_S, nobody is told */
    QUEUE_RESCHEDULE, /* the waiting recipients' next attempt is at `at` */
    QUEUE_REROUTE,    /* those that go to other servers go by `route`, and fall due now */
    QUEUE_ACTIONS
};
/* So long an action can be taken back. */
#define QUEUE_UNDO_S 60
struct queue_request {
    enum queue_action action;
    const struct queue_filter *filter; /* all zero: every message */
    int64_t max;       /* when more messages match, nothing is done; 0: no such limit */
    int64_t version;   /* only with one id: nothing is done when the message's version is another; 0: any */
    struct str actor;  /* who asked, for the trace: an address, "token:ID", "local" */
    struct str reason; /* STR_NULL: none */
    int64_t at;        /* QUEUE_RESCHEDULE */
    struct str route;  /* QUEUE_REROUTE: as relay_route_destination; STR_NULL: back to their own destinations */
};
#define QUEUE_MAX_SKIPPED 100
struct queue_answer {
    int64_t matched, changed;
    int64_t skipped; /* messages that are being sent at this moment, all of them; */
    int64_t busy[QUEUE_MAX_SKIPPED]; /* ... the first ones */
    size_t nbusy;
    int64_t missing; /* of filter->ids: not in the queue or not to be seen, all of them; */
    int64_t gone[QUEUE_MAX_SKIPPED]; /* ... the first ones */
    size_t ngone;
    int64_t undo_id, undo_until; /* for queue_undo; 0: nothing was changed */
};
#define QUEUE_ACT_MAX 1000 /* messages of one transaction; more are an operation (store/operation.h) */
/* The messages that match, in order, and in ret the number and what is missing.  RES_LIMIT: as queue_act. */
enum result queue_find(struct db *db, const struct queue_request *request, struct arena *a, int64_t **ret_ids, size_t *ret_n,
                       struct queue_answer *ret) SUSPENDS NODISCARD;
/* Acts on those (of queue_find, at most QUEUE_ACT_MAX), in one transaction with their trace events, and wakes the relays.
 * What it was before is kept for queue_undo; of several actions on a recipient only the last one can be taken back.  `audit`
 * may be NULL. */
enum result queue_act_on(struct db *db, const struct queue_request *request, const int64_t *ids, size_t n,
                         const struct audit *audit, struct queue_answer *answer) SUSPENDS NODISCARD;
/* Both, in as many transactions as it needs.
 * RES_LIMIT: more than `max` matched, nothing was done and ret->matched tells how many (counted up to a million).
 * RES_CONFLICT: another version.  RES_TEMPFAIL: what was done before the failure stays done; doing it again is harmless. */
enum result queue_act(struct db *db, const struct queue_request *request, struct arena *a, struct queue_answer *ret)
    SUSPENDS NODISCARD;

struct queue_change { /* what shall be otherwise */
    bool next, expires, priority, route;
    int64_t next_attempt_at, expires_at;
    int new_priority;
    struct str new_route; /* as relay_route_destination; STR_NULL: back to their own destinations */
};
/* Changes one message.  version: nothing is done when the message's is another; 0: any.  RES_NOTFOUND: as queue_get.
 * RES_CONFLICT: another version.  RES_DENIED: it is being sent. */
enum result queue_change(struct db *db, int64_t id, int64_t version, struct str_list domains, const struct queue_change *change,
                         struct str actor, const struct audit *audit) SUSPENDS NODISCARD;

struct queue_undo {
    int64_t id, at, until;
    struct str action, actor;
    int64_t changed; /* messages */
};
/* The actions that can be taken back now, the latest first.  actor: only those of this one; STR_NULL: everybody's. */
enum result queue_undo_list(struct db *db, struct str actor, struct arena *a, struct queue_undo **ret_v, size_t *ret_n)
    SUSPENDS NODISCARD;
/* Takes an action back: what it changed is as it was, unless it has left the queue, was tried or was changed again
 * meanwhile.  who: for the trace.  *ret_restored: messages; *ret_changed: those that the action had changed.
 * RES_NOTFOUND: no such action (of `actor`), its time is over, or it was taken back.  RES_TEMPFAIL: what was done before
 * the failure stays done; doing it again is harmless. */
enum result queue_undo(struct db *db, int64_t id, struct str actor, struct str who, int64_t *ret_restored,
                       int64_t *ret_changed) SUSPENDS NODISCARD;
/* Forgets actions whose time is long over; now and then. */
enum result queue_undo_sweep(struct db *db) SUSPENDS NODISCARD;
