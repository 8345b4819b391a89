/* store/presence.h - who is signed in by a mail program: what the serving processes write, and what people see and end.
 *
 * A process writes its sessions in batches, so a short one leaves no row.  A session holds as long as its credential, its
 * account and nobody's word against it; the process asks that for each session that has begun, for those of an account that
 * NOTIFY "account" names, and for all once a minute.  SUSPENDS: all.  RES_TEMPFAIL: database trouble, already logged. */
#pragma once
#include "store/audit.h"

/* ---- the processes ---- */

struct presence_row {
    int64_t n; /* counted by the process */
    int64_t account_id, credential_id, began_us;
    struct str protocol, ip; /* ip: an address as text; empty: none */
};
/* Begins anew: the process has no sessions yet. */
enum result presence_register(struct db *db, struct str node, struct str process, int64_t *ret_id) SUSPENDS NODISCARD;
/* The process lives; these have begun, those with the numbers in `ended` have ended.  RES_NOTFOUND: it is not registered any
 * more. */
enum result presence_write(struct db *db, int64_t id, const struct presence_row *began, size_t n_began, const int64_t *ended,
                           size_t n_ended) SUSPENDS NODISCARD;

enum presence_verdict { PRESENCE_HOLDS, PRESENCE_FROZEN, PRESENCE_OVER };
/* A verdict for each of the rows, in their order. */
enum result presence_check(struct db *db, int64_t id, const struct presence_row *v, size_t n,
                           enum presence_verdict *ret_verdicts) SUSPENDS NODISCARD;

/* Something about the account (0: about any) has changed: its sessions look whether they still hold.  Behind the commit. */
enum result presence_tell(struct db *db, int64_t account_id) SUSPENDS NODISCARD;

/* ---- people ---- */

#define PRESENCE_LIST_MAX 200
struct presence_session {
    int64_t id, began_us;
    struct str protocol, ip; /* ip STR_NULL: none */
};
/* Newest first. */
enum result presence_list(struct db *db, int64_t account_id, struct arena *a, struct presence_session **ret_v, size_t *ret_n)
    SUSPENDS NODISCARD;
/* Ends one.  RES_NOTFOUND: the account has none with this id. */
enum result presence_end_one(struct db *db, int64_t account_id, int64_t id, const struct audit *audit) SUSPENDS NODISCARD;
/* Ends all, and the dashboard's but the one with the hash `keep` (STR_NULL: none). */
enum result presence_end_all(struct db *db, int64_t account_id, struct str keep, const struct audit *audit) SUSPENDS NODISCARD;
/* Removes processes that are gone, with their sessions. */
enum result presence_sweep(struct db *db) SUSPENDS NODISCARD;
