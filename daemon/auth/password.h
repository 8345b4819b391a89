/* auth/password.h - verifying and making password hashes, in auth only.
 *
 * yescrypt by libxcrypt, cost 7 (about 50 ms and 32 MiB): one hash a core at a time on libuv's pool, a bounded waiting
 * line, a short memory of successes (keyed by a secret of this process, the hash included, so a changed password misses). */
#pragma once
#include "base/arena.h"
#include "base/result.h"
#include "base/str.h"
#include "io/coroutine.h"

void password_init(void);

/* RES_OK: it matches.  RES_DENIED: it does not.  RES_LIMIT: too many are waiting. */
enum result password_verify(struct str password, struct str verifier, struct arena *a) SUSPENDS NODISCARD;
/* Takes as long as a real one: for users that do not exist. */
void password_verify_dummy(struct str password, struct arena *a) SUSPENDS;
/* Whether the form is older than what password_hash makes. */
bool password_is_outdated(struct str verifier);
enum result password_hash(struct str password, struct arena *a, struct str *ret_verifier) SUSPENDS NODISCARD;
