/* route/quota.h - is there room for one more message?  Pure: what RCPT and APPEND ask before they take it; the statement that
 * stores it asks again (store/quota.h). */
#pragma once
#include <stdbool.h>
#include <stdint.h>

struct quota_figures {
    int64_t limit, used;                  /* bytes; a limit of -1: none */
    int64_t message_limit, used_messages;
};

/* Room for a message of `size` bytes (0: not known yet), which as the last one may go over by `grace`. */
static inline bool quota_has_room(const struct quota_figures *q, uint64_t size, int64_t grace)
{
    int64_t counts = size > (uint64_t)INT64_MAX ? INT64_MAX : (int64_t)size;

    counts = counts - grace > 1 ? counts - grace : 1;
    if (q->limit >= 0 && (q->used >= q->limit || counts > q->limit - q->used))
        return false;
    return q->message_limit < 0 || q->used_messages < q->message_limit;
}
