/* store/quota.h - how much an account may hold: the conditions inside the statements that add mail, recounts, the sums
 * of domains, and who has to be warned.
 *
 * With the setting quota.apart an account's Junk and Trash have a use of their own: what goes there is measured against
 * what is there, what goes elsewhere against the rest, both against the same quota.  account_state counts all of it.
 * SUSPENDS: all.  RES_TEMPFAIL: database trouble, already logged. */
#pragma once
#include "base/arena.h"
#include "base/result.h"
#include "base/str.h"
#include "db/db.h"

/* ---- recount ---- */

struct quota_drift { /* a counter that is wrong */
    struct str mailbox, counter; /* mailbox STR_NULL: the account's own */
    int64_t was, counted;
};
/* Counts the account's mail under its lock; with `repair` the counters are put right.  *ret_v: those that were wrong. */
enum result quota_recount(struct db *db, int64_t account_id, bool repair, struct arena *a, struct quota_drift **ret_v,
                          size_t *ret_n) SUSPENDS NODISCARD;

/* ---- one account, as IMAP shows it ---- */

struct quota_use {
    int64_t bytes, messages;             /* used */
    int64_t limit_bytes, limit_messages; /* -1: none */
};
/* *ret_apart: Junk and Trash; without quota.apart *ret_main is all of it.  RES_NOTFOUND: no such account. */
enum result quota_of(struct db *db, struct str token, int64_t account_id, struct quota_use *ret_main,
                     struct quota_use *ret_apart) SUSPENDS NODISCARD;

/* ---- domains ---- */

struct quota_domain {
    int64_t id, limit, used; /* bytes; used: of all its accounts */
};
/* The domains that have a limit, by id. */
enum result quota_domains(struct db *db, struct arena *a, struct quota_domain **ret_v, size_t *ret_n) SUSPENDS NODISCARD;

/* ---- warnings ---- */

struct quota_due {
    int64_t account_id, inbox_id; /* 0: there is no INBOX */
    int level, warned;            /* 0, 80, 95: what is, and what the user was told */
    struct str address, language; /* language: the account's, else its domain's; STR_NULL: neither has one */
    struct quota_use use;
};
/* Accounts whose level changed, by id, those above `after`, at most `most`. */
enum result quota_due_list(struct db *db, int64_t after, int most, struct arena *a, struct quota_due **ret_v, size_t *ret_n)
    SUSPENDS NODISCARD;
/* Takes back what was told of a level that is over, and the account off the list unless it has to be warned. */
enum result quota_due_settle(struct db *db, int64_t account_id) SUSPENDS NODISCARD;

/* ---- for the statements of store/: $1 is the account, c its account_state ---- */

/* Is the mailbox one of those that are counted apart?  3 \Junk, 5 \Trash. */
#define QUOTA_CLASS(box) "(SELECT special_use IN (3, 5) FROM mailbox WHERE account_id = $1 AND id = " box ")"
#define QUOTA_ROOM_WITH(used_bytes, used_messages, bytes, n, grace)                                                \
    "((c.quota_bytes IS NULL OR " used_bytes " + greatest(" bytes " - " grace ", 1) <= c.quota_bytes)"             \
    " AND (c.quota_messages IS NULL OR " used_messages " + " n " <= c.quota_messages))"
#define QUOTA_USED_APART(column, box)                                                                              \
    "(SELECT coalesce(sum(" column "), 0)::bigint FROM mailbox WHERE account_id = $1"                              \
    " AND (special_use IN (3, 5)) = " QUOTA_CLASS(box) ")"
/* Room in the mailbox for n messages of so many bytes, the last of which may go over by `grace`; and the same with
 * quota.apart.  Two, as what a plan holds costs also where it is not run. */
#define QUOTA_ROOM(bytes, n, grace) QUOTA_ROOM_WITH("c.used_bytes", "c.used_messages", bytes, n, grace)
#define QUOTA_ROOM_APART(bytes, n, grace, box)                                                                     \
    QUOTA_ROOM_WITH(QUOTA_USED_APART("bytes", box), QUOTA_USED_APART("messages", box), bytes, n, grace)
/* Whether relay has to look: a is the UPDATE of c that returns QUOTA_LEVELS. */
#define QUOTA_LEVELS                                                                                               \
    "c.warned, greatest(quota_level(c.used_bytes, c.quota_bytes), quota_level(c.used_messages, c.quota_messages)) AS level"
#define QUOTA_NOTE "INSERT INTO quota_due SELECT $1 FROM a WHERE a.level <> a.warned ON CONFLICT DO NOTHING"
