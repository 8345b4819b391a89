/* store/filter.h - what filters ask the database, and remember in it.
 *
 * SUSPENDS: all.  RES_TEMPFAIL: database trouble, already logged. */
#pragma once
#include "base/arena.h"
#include "base/result.h"
#include "base/str.h"
#include "db/db.h"

enum sieve_mark_kind {
    MARK_VACATION,  /* this sender was answered (RFC 5230, 4.2) */
    MARK_DUPLICATE, /* this message was seen (RFC 7352) */
    MARK_ERROR,     /* the owner was told of this script's error */
};

struct sieve_mark_row {
    int64_t account_id;
    enum sieve_mark_kind kind;
    struct str key; /* any bytes; stored as its SHA-256 */
    int64_t seconds;
    bool refresh; /* also when it is there already */
};

/* Is the mark in force? */
enum result mark_seen(struct db *db, int64_t account_id, enum sieve_mark_kind kind, struct str key, bool *ret)
    SUSPENDS NODISCARD;
/* Sets marks, in an order of their own, so that transactions which set several never wait for each other in a ring. */
enum result mark_set(struct tx *tx, const struct sieve_mark_row *v, size_t n) SUSPENDS NODISCARD;
/* The SQL of taking one as part of a larger statement: a row, named `taken`, when it could be.  Parameters: account,
 * kind, key (bytea, NULL: nothing to take), seconds. */
#define MARK_TAKE(account, kind, key, seconds)                                                                     \
    "taken AS (INSERT INTO sieve_mark AS k (account_id, kind, hash, until)"                                        \
    "  SELECT " account ", " kind ", sha256(" key "), now() + make_interval(secs => " seconds ") WHERE " key " IS NOT NULL" \
    "  ON CONFLICT (account_id, kind, hash) DO UPDATE SET until = excluded.until WHERE k.until < now() RETURNING 1)"
/* Removes marks whose time is over, at most `most`. */
enum result mark_sweep(struct db *db, int most) SUSPENDS NODISCARD;

/* An annotation's value (RFC 5464); mailbox_id 0: of the server.  RES_NOTFOUND: it has none. */
enum result filter_annotation(struct db *db, int64_t account_id, int64_t mailbox_id, struct str name, struct arena *a,
                              struct str *ret) SUSPENDS NODISCARD;

struct filter_account {
    struct str *addresses; /* that lead straight to it */
    size_t n_addresses;
    struct str address;    /* the one that it signs in with */
    struct str separator;  /* of sub-addresses; empty: none */
    bool frozen;           /* it may not send: nor do its filters */
    struct str language;   /* the account's, else its domain's; empty: neither has one */
};

/* RES_NOTFOUND: no such account. */
enum result filter_account(struct db *db, int64_t account_id, struct arena *a, struct filter_account *ret)
    SUSPENDS NODISCARD;

/* The members of an alias in the account's tenant: an external list (RFC 6134).  RES_NOTFOUND: no such alias. */
enum result filter_list(struct db *db, int64_t account_id, struct str alias, struct arena *a, struct str **ret_v,
                        size_t *ret_n) SUSPENDS NODISCARD;
