/* store/audit_read.h - looking through the log of writes, and proving that nobody changed it.  Everything returned lives in
 * the arena given.  SUSPENDS: all.  RES_TEMPFAIL: database trouble, already logged. */
#pragma once
#include "store/audit.h"

struct audit_filter { /* AND between members; STR_NULL, DB_NO_TIME: any */
    struct str actor;  /* the name in it */
    struct str action; /* "account.create", or with a dot last everything of a noun: "account." */
    struct str object;
    int64_t since, until; /* in [since, until) */
};
struct audit_row {
    int64_t id, at;
    struct str actor, action, result, request_id; /* actor: JSON */
    struct str *objects;
    size_t n_objects;
    struct str before, after; /* JSON; STR_NULL: none */
    struct str hash;
};
/* Newest first; `after`: the id of the last row of the page before, 0 for the first. */
enum result audit_list(struct db *db, const struct audit_filter *filter, int64_t after, size_t limit, struct arena *a,
                       struct audit_row **ret_rows, size_t *ret_n, bool *ret_more) SUSPENDS NODISCARD;

struct audit_news {
    int64_t id;
    struct str action;
};
/* What was added behind the row with the id `after`, oldest first, at most `limit`. */
enum result audit_news(struct db *db, int64_t after, size_t limit, struct arena *a, struct audit_news **ret_v, size_t *ret_n)
    SUSPENDS NODISCARD;
/* The id of the newest row; 0: there is none. */
enum result audit_newest(struct db *db, int64_t *ret) SUSPENDS NODISCARD;

struct audit_proof {
    int64_t rows;      /* that were looked at */
    int64_t last;      /* the id of the last of them; 0: there were none */
    struct str hash;   /* and its hash: noted down elsewhere it shows later that rows at the end were not cut off */
    int64_t wrong;     /* the id of the first row whose hash does not follow; 0: all do */
    bool more;         /* there are rows behind `last` */
};
/* Computes the hashes of the rows behind the one with the id `after` (0: from the beginning), at most `limit`. */
enum result audit_verify(struct db *db, int64_t after, int64_t limit, struct arena *a, struct audit_proof *ret) SUSPENDS NODISCARD;
