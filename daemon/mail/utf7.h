/* mail/utf7.h - modified UTF-7, how mailbox names travel (RFC 3501, 5.1.3).  In the store they are UTF-8. */
#pragma once
#include "base/arena.h"
#include "base/result.h"
#include "base/str.h"

/* RES_INVALID: not modified UTF-7, or not its only right form. */
enum result utf7_decode(struct arena *a, struct str wire, struct str *ret_utf8) NODISCARD;
/* The input must be UTF-8 (what is not becomes nothing). */
struct str utf7_encode(struct arena *a, struct str utf8);
