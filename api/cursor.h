/* api/cursor.h - cursors of lists: the place of the last row, sealed with an HMAC over it and what the list was asked.
 *
 * The key is this process's own: a cursor ends with it, and the client begins again. */
#pragma once
#include "base/arena.h"
#include "base/result.h"
#include "base/str.h"

void cursor_init(void);
struct str cursor_seal(struct arena *a, struct str binding, struct str place);
/* RES_INVALID: not sealed here, or for another list. */
enum result cursor_open(struct arena *a, struct str binding, struct str cursor, struct str *ret_place) NODISCARD;
