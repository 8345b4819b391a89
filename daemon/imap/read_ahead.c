#include "imap/read_ahead.h"

#include <assert.h>

static void run(void *arg)
{
    struct read_ahead *ra = arg;

    ra->result = ra->read(ra->arg);
    ra->done = true;
    if (ra->waiter != NULL)
        coroutine_wake(ra->waiter);
}

void read_ahead_start(struct read_ahead *ra)
{
    if (coroutine_spawn("imap-read", run, ra) != NULL)
        coroutine_yield();
    else
        run(ra); /* no stack to spare: read now */
}

enum result read_ahead_wait(struct read_ahead *ra)
{
    ra->waiter = coroutine_self();
    while (!ra->done) {
        enum result r = coroutine_wait(NO_DEADLINE, false);

        assert(r == RES_OK);
    }
    ra->waiter = NULL;
    return ra->result;
}
