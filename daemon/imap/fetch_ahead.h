/* imap/fetch_ahead.h - frames of messages, read by a coroutine of its own while those before them are sent.
 * The reader gives its database connection back when the rows are here, however slow the client is. */
#pragma once
#include "store/message.h"

struct frames_ahead {
    struct db *db;
    struct principal who;
    struct message_frames *want;
    size_t n;
    struct arena arena; /* of the statement */
    struct db_rows rows;
    enum result result;
    bool done;
    struct coroutine *waiter;
};

/* Starts reading what db, who, want and n (0: nothing) say; `f` and `want` must stay where they are until
 * frames_ahead_wait.  It runs when the caller suspends: this yields once, so that the statement is under way. */
void frames_ahead_start(struct frames_ahead *f) SUSPENDS;
/* The rows are in f->rows; the caller frees them. */
enum result frames_ahead_wait(struct frames_ahead *f) SUSPENDS NODISCARD;
