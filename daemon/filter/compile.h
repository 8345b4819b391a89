/* filter/compile.h - compiles a script without holding the loop up. */
#pragma once
#include "base/macros.h"
#include "sieve/compile.h"

/* As sieve_compile with the limits of delivery.  SUSPENDS: a long script is compiled on the thread pool; the arena must
 * be nobody else's meanwhile. */
enum result filter_compile(struct str text, struct arena *a, struct sieve_script **ret, struct sieve_error *ret_error)
    SUSPENDS NODISCARD;
