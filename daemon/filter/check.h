/* filter/check.h - whether a script may be stored: it compiles as delivery will compile it. */
#pragma once
#include "base/macros.h"
#include "sieve/compile.h"

/* RES_INVALID, RES_LIMIT: *ret_error (written only then, its text in the arena) says where and what.  SUSPENDS: a long
 * script is compiled outside the loop. */
enum result filter_check(struct str text, struct arena *a, struct sieve_error *ret_error) SUSPENDS NODISCARD;
