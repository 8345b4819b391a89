/* store/import.h - imports of accounts: the lines that wait, who does them, and what became of each.
 *
 * An import is an operation (store/operation.h) whose pieces are the lines of a file.  One process at a time does it, under a
 * lease; when that ends, another goes on behind the last line that is done.  What a line does to an account's row, and that it
 * did so, is one transaction (import_mark), so that nothing is made twice.  Everything returned lives in the arena given.
 * All functions suspend.  RES_TEMPFAIL: database trouble, already logged. */
#pragma once
#include "store/audit.h"
#include "store/operation.h"

#define IMPORTS_AT_ONCE 20
#define IMPORTS_OF_ONE 2 /* of the same actor */

enum import_outcome { IMPORT_CREATED, IMPORT_UPDATED, IMPORT_UNCHANGED, IMPORT_FAILED, IMPORT_OUTCOMES };

struct import_line {
    unsigned line;
    struct str address;
    struct str body;             /* JSON, without the password; of one that waits */
    bool with_password;
    enum import_outcome outcome; /* of one that waits: IMPORT_OUTCOMES, or what was already done to the account's row */
    bool invited;                /* created without a password */
    struct str code, detail;     /* why it failed, or what is missing; else empty */
};

struct import_work {
    int64_t id;
    struct str caller; /* as it was given */
    bool updates;
};

/* Writes the lines down; `worker` (who will do them) has the lease.  RES_LIMIT: there are IMPORTS_AT_ONCE, or
 * IMPORTS_OF_ONE. */
enum result import_begin(struct db *db, struct str actor, struct str caller, bool updates, struct str worker,
                         const struct import_line *v, size_t n, const struct audit *audit, int64_t *ret_id) SUSPENDS NODISCARD;
/* Takes the lease of an import that this worker has or nobody has: the one whose turn is longest ago.  RES_NOTFOUND: there is
 * none. */
enum result import_take(struct db *db, struct str worker, struct arena *a, struct import_work *ret) SUSPENDS NODISCARD;
/* The first line that is not done, and a longer lease of all imports that this worker has.  RES_NOTFOUND: there is none, it
 * was cancelled, or is another's now. */
enum result import_next(struct db *db, int64_t id, struct str worker, struct arena *a, struct import_line *ret) SUSPENDS NODISCARD;
/* In the transaction that makes or changes the line's account.  RES_CONFLICT: it has been marked: roll back. */
enum result import_mark(struct tx *tx, int64_t id, unsigned line, enum import_outcome outcome) SUSPENDS NODISCARD;
/* The line is done (line, outcome, invited, code and detail of v count); with the last one so is the import. */
enum result import_done(struct db *db, int64_t id, const struct import_line *v) SUSPENDS NODISCARD;

struct import_filter {
    unsigned outcomes; /* bits 1 << enum import_outcome; 0: all */
    bool invited;      /* those only */
    bool noted;        /* those only of which something is said (code) */
    struct str actor;  /* whose import it must be; STR_NULL: anybody's */
};
/* Lines that are done behind the line `after`, at most `limit`.  RES_NOTFOUND: there is no such import. */
enum result import_lines(struct db *db, int64_t id, const struct import_filter *f, unsigned after, size_t limit, struct arena *a,
                         struct import_line **ret_v, size_t *ret_n, bool *ret_more) SUSPENDS NODISCARD;
