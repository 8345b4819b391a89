/* store/operation.h - actions on more messages than one transaction should hold: found at once, done in pieces.
 *
 * The pieces are rows; each goes in the transaction that does its messages.  So nothing is done twice, any process of any
 * node may go on, and what is left can be cancelled.  Times are microseconds since 1970, DB_NO_TIME where there is none.
 * Everything returned lives in the arena given.  All functions suspend.  RES_TEMPFAIL: database trouble, already logged. */
#pragma once
#include "store/queue_admin.h"

/* In the column action: an import of accounts (store/import.h). */
#define OPERATION_IMPORT 100

struct operation {
    int64_t id, total, done, changed, skipped; /* messages; skipped: being sent when it was their turn */
    enum operation_state { OPERATION_RUNNING, OPERATION_DONE, OPERATION_CANCELLED } state;
    enum queue_action action;
    bool is_import; /* action has no meaning; total, done and changed are lines */
    struct import_counts {
        int64_t created, updated, unchanged, failed;
    } import;
    struct str actor;
    int64_t undo_id, undo_until; /* 0: nothing was changed yet */
    int64_t created_at, finished_at;
};
/* Begins one over `ids` (found by queue_find); the request's filter is not looked at again. */
enum result operation_begin(struct db *db, const struct queue_request *request, const int64_t *ids, size_t n,
                            const struct audit *audit, int64_t *ret_id) SUSPENDS NODISCARD;
/* actor: only one of his; STR_NULL: anybody's.  RES_NOTFOUND. */
enum result operation_get(struct db *db, int64_t id, struct str actor, struct arena *a, struct operation *ret) SUSPENDS NODISCARD;
/* What is left is not done.  RES_NOTFOUND; RES_OK also when it is over. */
enum result operation_cancel(struct db *db, int64_t id, struct str actor, const struct audit *audit) SUSPENDS NODISCARD;
/* Does one piece of any operation.  RES_NOTFOUND: there is none that nobody else does now. */
enum result operation_work(struct db *db) SUSPENDS NODISCARD;
/* Forgets those that ended a day ago; now and then. */
enum result operation_sweep(struct db *db) SUSPENDS NODISCARD;
