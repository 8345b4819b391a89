/* imap/read_ahead.h - a statement that a coroutine of its own runs, while what was read before is worked on or sent.
 * The reader gives its database connection back when the rows are here, however slow the client is. */
#pragma once
#include "base/result.h"
#include "io/coroutine.h"

struct read_ahead {
    enum result (*read)(void *arg); /* the statement; suspends */
    void *arg;
    enum result result;
    bool done;
    struct coroutine *waiter;
};

/* Starts it; `ra` and what `arg` points to must stay where they are until read_ahead_wait, which has to be called.  It
 * runs when the caller suspends: this yields once, so that the statement is under way. */
void read_ahead_start(struct read_ahead *ra) SUSPENDS;
/* What `read` returned. */
enum result read_ahead_wait(struct read_ahead *ra) SUSPENDS NODISCARD;
