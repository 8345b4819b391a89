/* api/ctl/sse.h - reads server-sent events (WHATWG HTML, 9.2.6) from bytes as they come.  Pure. */
#pragma once
#include "base/str.h"
#include "base/strbuf.h"

#define SSE_MAX ((size_t)64 << 10) /* of a line, and of the data of an event */

struct sse_event {
    struct str type, data; /* type: "message" when the server names none.  Valid during the call */
};
/* False: enough. */
typedef bool sse_handler(const struct sse_event *e, void *arg);

struct sse { /* zeroed at first */
    struct strbuf line, type, data;
    bool after_cr, has_data, over;
};
/* Calls the handler for each event that is complete.  False: no more is wanted, or something was longer than SSE_MAX; also
 * for what comes then. */
bool sse_feed(struct sse *s, struct str bytes, sse_handler *handler, void *arg);
void sse_release(struct sse *s);
