/* relay/dialogue.h - the record of what was said on a connection, for the administrator.
 *
 * Lines "MS C: text" and "MS S: text", each ended by LF; MS are milliseconds since the start.  Valid UTF-8.  Secrets are
 * masked by the caller.  At most DIALOGUE_MAX bytes; what is cut is told by a last line. */
#pragma once
#include "base/strbuf.h"

#define DIALOGUE_MAX ((size_t)16 * 1024)

struct dialogue {
    struct strbuf text;
    int64_t start_ms; /* monotonic */
    bool cut;
};

/* Forgets what there is and starts at now_ms. */
void dialogue_begin(struct dialogue *d, int64_t now_ms);
/* side: 'C' we said, 'S' they said. */
void dialogue_add(struct dialogue *d, char side, struct str text, int64_t now_ms);
void dialogue_release(struct dialogue *d);
