/* sieve/compile.h - Sieve scripts (RFC 5228) from text to a checked tree.
 *
 * Pure: no I/O, no clock.  A compiled script is read-only afterwards: it may be kept (by hash of its text) and run by
 * any number of callers at once, as long as the arena that it was made in lives. */
#pragma once
#include "base/arena.h"
#include "base/macros.h"
#include "base/result.h"
#include "base/str.h"

struct sieve_script; /* opaque */

struct sieve_limits {
    size_t script_bytes;   /* of one script */
    unsigned nesting;      /* blocks, and tests, inside each other */
    unsigned actions;      /* of one run: what acts on the message, notifications included */
    unsigned redirects;    /* of one run */
    unsigned includes;     /* scripts inside each other by include, and 8 times as many in one run */
    unsigned variables;    /* distinct names of one script; as many global ones */
    size_t variable_bytes; /* of one value; a longer one is cut (RFC 5229, 6) */
    uint64_t steps;        /* of one run; one is about a byte looked at, a command or test is 100 */
    size_t text_bytes;     /* decoded text of one message, for body, extracttext and the like; the rest is not seen */
};

/* 1 MiB, 32, 32, 4, 10, 256, 4096, 100 million (at most about half a second), 4 MiB. */
extern const struct sieve_limits sieve_default_limits;

struct sieve_error {
    unsigned line, column; /* from 1; column counts bytes */
    struct str text;       /* one plain English sentence without full stop; in the arena given */
};

/* Compiles `text`, which is copied.  limits NULL: the default ones.
 * RES_INVALID: *ret_error (written only then) says where and what.  RES_LIMIT: the same, for a passed limit. */
enum result sieve_compile(struct str text, const struct sieve_limits *limits, struct arena *a,
                          struct sieve_script **ret, struct sieve_error *ret_error) NODISCARD;

/* What `require` accepts, one blank between: the SIEVE capability of ManageSieve (RFC 5804, 1.7). */
struct str sieve_extensions(struct arena *a);

/* A name that a script may have (RFC 5804, 1.6): 1 to 512 bytes of UTF-8 without controls. */
bool sieve_is_script_name(struct str name);
