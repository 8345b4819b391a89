/* store/trace_mine.h - a person's own mail in the trace: what the account submitted, and what came for it. */
#pragma once
#include "store/trace.h"

enum mine_way { MINE_RECEIVED, MINE_SENT };
struct mine_row {
    int64_t id, at_us, size; /* size -1: refused before it came */
    enum mine_way way;       /* of what one sent oneself: MINE_SENT */
    enum trace_outcome outcome; /* sent: the worst recipient's; received: this account's */
    struct str sender, subject, message_id;
    struct str recipient; /* sent: the first; received: the address that led here.  Other recipients are not told */
    int64_t recipients;   /* received: 1 */
    struct str mailbox, rule, reply; /* of the last delivery to the recipient; STR_NULL: none */
};
struct mine_filter {
    unsigned ways;     /* bits 1 << enum mine_way; 0: any */
    unsigned outcomes; /* bits 1 << enum trace_outcome; 0: any */
    struct str text;   /* part of sender, recipient or subject, without case; STR_NULL: any */
};
/* Newest first, behind `after` (TRACE_END: from the newest on); *ret_next is where to go on, TRACE_END when there are no more.  Rows
 * live in `a`.  Suspends.  RES_TEMPFAIL: database trouble, already logged. */
enum result trace_mine(struct db *db, int64_t account_id, const struct mine_filter *filter, struct trace_place after, size_t limit,
                       struct arena *a, struct mine_row **ret_rows, size_t *ret_n, struct trace_place *ret_next) SUSPENDS NODISCARD;
