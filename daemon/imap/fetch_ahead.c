#include "imap/fetch_ahead.h"
#include "io/coroutine.h"

#include <assert.h>

static void read_frames(void *arg)
{
    struct frames_ahead *f = arg;

    f->result = message_frames(f->db, &f->who, &f->arena, f->want, f->n, &f->rows);
    arena_reset(&f->arena);
    f->done = true;
    if (f->waiter != NULL)
        coroutine_wake(f->waiter);
}

void frames_ahead_start(struct frames_ahead *f)
{
    if (f->n == 0) {
        f->result = RES_OK;
        f->done = true;
    } else if (coroutine_spawn("imap-fetch", read_frames, f) != NULL) {
        (void)coroutine_sleep(0);
    } else {
        read_frames(f); /* no stack to spare: read now */
    }
}

enum result frames_ahead_wait(struct frames_ahead *f)
{
    f->waiter = coroutine_self();
    while (!f->done) {
        enum result r = coroutine_wait(NO_DEADLINE, false);

        assert(r == RES_OK);
    }
    f->waiter = NULL;
    return f->result;
}
