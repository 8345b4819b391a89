/* filter/cache.h - compiled scripts, kept by the SHA-256 of their text.
 *
 * A script is immutable: another text is another hash, so nothing ever has to be dropped for being old.  What was not
 * used for longest goes first when the cache is full; what somebody holds stays until it is given back. */
#pragma once
#include "db/db.h"
#include "sieve/compile.h"
#include "store/script.h"

struct filter_script {
    const struct sieve_script *script; /* NULL: it does not compile */
    struct sieve_error error;          /* why not */
    struct filter_entry *entry;        /* the cache's own */
};

/* The compiled script.  Give it back with filter_release.  RES_NOTFOUND: it is gone.  RES_TEMPFAIL. */
enum result filter_acquire(struct db *db, const struct script_ref *ref, struct filter_script *ret) SUSPENDS NODISCARD;
/* All zero is fine. */
void filter_release(struct filter_script *s);
