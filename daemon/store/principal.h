/* store/principal.h - on whose behalf a call touches an account's mail.
 *
 * Every call of store/ for mail takes one; the pool binds its token in the same pipeline, so that row-level security
 * can be switched on in the database without changing a signature (storage.md, 6). */
#pragma once
#include "base/str.h"

#include <stdint.h>

struct principal {
    int64_t account_id; /* whose mail; 0 never is one */
    struct str token;   /* what auth signed at sign-in; STR_NULL for processes that only add mail */
};
