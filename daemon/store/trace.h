/* store/trace.h - what happened to every message that is or was in the queue.
 *
 * The rows are written by the transactions that accept, finish or change a message (store/queue.h, queue_admin.h); here
 * they are read, and their partitions are kept.  Everything returned lives in the arena given; times are microseconds
 * since 1970.  All functions suspend.  RES_TEMPFAIL: database trouble, already logged. */
#pragma once
#include "store/trace_list.h"

/* Makes the partitions of the coming days, drops those older than the setting trace.keep, and forgets refusals older than
 * trace.keep_refused.  Call it at start and hourly. */
enum result trace_maintain(struct db *db) SUSPENDS NODISCARD;

struct trace_recipient {
    int n;
    struct str address;
    enum trace_outcome outcome;
};
enum trace_kind {
    EVENT_ACCEPTED, EVENT_ATTEMPT, EVENT_DELIVERED, EVENT_RELAYED, EVENT_DEFERRED, EVENT_BOUNCED, EVENT_EXPIRED,
    EVENT_REMOVED, EVENT_HELD, EVENT_RELEASED, EVENT_RETRIED, EVENT_DELAY_NOTICE,
    EVENT_DELETING = 20, EVENT_RETURNING, /* asked for by an administrator, done in a moment */ EVENT_UNDONE,
    EVENT_RESCHEDULED, EVENT_REROUTED, EVENT_CHANGED /* host: to what */
};
struct trace_event {
    int64_t at;
    enum trace_kind kind;
    int n;      /* recipient; -1: all of them */
    int number; /* of an attempt */
    int result; /* of an attempt: 0 relayed 1 delivered 2 deferred 3 bounced; -1: it is none */
    struct str reason; /* a word of route/reason.h; for what an administrator did, his words */
    struct str actor, host, address, session;
    int code;
    struct str reply;
    struct str mailbox, rule; /* of a delivery here; STR_NULL: not known, no rule */
    int64_t milliseconds; /* -1: unknown */
};
#define TRACE_MAX_EVENTS 1000
struct trace {
    struct trace_row row; /* .recipient is the first one */
    struct str listener, client, session, tls;
    bool in_queue;
    struct trace_recipient *recipients;
    size_t nrecipients;
    struct trace_event *events; /* in order of time, the first TRACE_MAX_EVENTS */
    size_t nevents;
};
/* RES_NOTFOUND: no such trace, or not to be seen. */
enum result trace_get(struct db *db, int64_t id, struct str_list domains, struct arena *a, struct trace **ret)
    SUSPENDS NODISCARD;
/* What became so far of each of these messages, an enum trace_outcome; -1: no such trace, or not to be seen. */
enum result trace_outcomes(struct db *db, const int64_t *ids, size_t n, struct str_list domains, int *ret) SUSPENDS NODISCARD;
/* As the account sees it: all of what it sent; of what it received its own recipients and their events alone, for others may
 * be blind copies.  RES_NOTFOUND: it was neither. */
enum result trace_get_mine(struct db *db, int64_t id, int64_t account_id, struct arena *a, struct trace **ret)
    SUSPENDS NODISCARD;
