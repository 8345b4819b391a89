/* store/queue_internal.h - what the writers of the queue share. */
#pragma once
#include "store/queue.h"

/* A chunk of an administrator's work, or of the crew's for him: so many messages in one transaction. */
#define QUEUE_CHUNK QUEUE_ACT_MAX
/* queue_act_on in the caller's transaction, which is not committed.  *answer is added to; its undo_id is that of the chunks
 * before, 0 for none.  *ret_changed: the messages that were changed, for queue_changed. */
enum result queue_act_chunk(struct tx *tx, const struct queue_request *request, const int64_t *ids, size_t n, struct arena *a,
                            struct queue_answer *answer, int64_t **ret_changed, size_t *ret_n) SUSPENDS NODISCARD;

/* The payload of "queue_changed": the ids for those who watch, decimal and comma-separated; empty: too many to tell. */
struct str queue_changed(struct arena *a, const int64_t *ids, size_t n);
/* The first column of all rows. */
void queue_read_ids(const struct db_rows *rows, struct arena *a, int64_t **ret_ids, size_t *ret_n);
/* $1: messages.  What is active of them makes its destinations due now. */
extern const struct db_stmt queue_wake_stmt;
/* $1: messages. */
extern const struct db_stmt queue_version_stmt;

/* A recipient gets a route, or its own destination back (NULL); only those that go to other servers have one. */
#define QUEUE_REROUTE_SET(route)                                                                                       \
    "destination = coalesce(" route "::text, home, destination),"                                                      \
    " home = CASE WHEN " route "::text IS NOT NULL THEN coalesce(home, destination) END,"                              \
    " due_at = CASE state WHEN 0 THEN least(due_at, now()) ELSE due_at END"
#define QUEUE_REROUTE_WHERE(route)                                                                                     \
    "destination NOT LIKE '.%' AND destination <> coalesce(" route "::text, home, destination)"
/* A time as events tell it. */
#define QUEUE_TIME_SQL(at) "to_char(" at "::timestamptz AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.MS\"Z\"')"
