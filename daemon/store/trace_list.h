/* store/trace_list.h - the search of the trace: newest first, a bounded amount of work for each answer (docs/adr/0027).
 *
 * Everything returned lives in the arena given; times are microseconds since 1970. */
#pragma once
#include "store/queue_admin.h"

enum trace_direction { TRACE_IN, TRACE_OUT, TRACE_LOCAL };
#define TRACE_DIRECTIONS 3

struct trace_filter { /* as struct queue_filter: AND between members, OR inside one, empty is any */
    struct str_list senders, recipients, accounts;
    struct str subject;      /* part of it, without case */
    struct str message_id;   /* with or without angle brackets */
    struct str_list ips;     /* of clients */
    unsigned directions, outcomes; /* bits 1 << enum; TRACE_BOUNCED does not stand for TRACE_EXPIRED */
    int64_t since, until;    /* accepted in [since, until); DB_NO_TIME: open */
    struct str text;         /* an address or a part of one, part of the subject, or the exact Message-ID */
    int64_t text_id;         /* `text` decoded as an id; 0: it is none */
    struct str_list domains; /* what the caller may see */
};
struct trace_row {
    int64_t id, accepted_at, size;
    enum trace_direction direction;
    enum trace_outcome outcome; /* the worst recipient's: waiting, bounced, expired, removed, relayed, delivered */
    struct str sender, subject, message_id, account;
    struct str recipient; /* the first that matches */
    int64_t recipients;
};
struct trace_place { /* in the list, which is in order of (at_us, id) */
    int64_t at_us, id;
};
#define TRACE_END ((struct trace_place){ .at_us = DB_NO_TIME })
static inline bool trace_is_end(struct trace_place p)
{
    return p.at_us == DB_NO_TIME;
}

/* The newest that match, behind `after` (TRACE_END: from the newest on), at most `limit`.  *ret_next is where to go on, TRACE_END when
 * there is nothing more: a page may hold fewer than `limit`, even none, because the time for one answer was over.
 * Suspends.  RES_TEMPFAIL: database trouble, already logged. */
enum result trace_list(struct db *db, const struct trace_filter *filter, struct trace_place after, size_t limit, struct arena *a,
                       struct trace_row **ret_rows, size_t *ret_n, struct trace_place *ret_next) SUSPENDS NODISCARD;
