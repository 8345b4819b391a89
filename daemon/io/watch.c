/* The poll handle stays armed between waits: disarming and arming again would be two system calls a command.  An event
 * that finds nobody waiting disarms it. */
#include "io/watch.h"

#include <stdlib.h>
#include <unistd.h>
#include <uv.h>

struct watch { /* lives until libuv has closed the handle */
    uv_poll_t poll;
    struct coroutine *waiter;
    int armed, fd;
    bool fired, close_fd;
};

_Static_assert((int)WATCH_READ == (int)UV_READABLE && (int)WATCH_WRITE == (int)UV_WRITABLE, "the same bits");

static void on_poll(uv_poll_t *h, int status, int events)
{
    struct watch *w = CONTAINER_OF(h, struct watch, poll);

    (void)status; /* an error shows at the read or write that follows */
    (void)events;
    if (w->waiter == NULL) {
        uv_poll_stop(&w->poll);
        w->armed = 0;
        return;
    }
    w->fired = true;
    coroutine_wake(w->waiter);
}

struct watch *watch_new(int fd)
{
    struct watch *w = calloc(1, sizeof(*w));

    if (w == NULL || uv_poll_init(loop_get(), &w->poll, fd) != 0)
        abort(); /* out of memory, or not a descriptor that can be polled: our mistake */
    w->fd = fd;
    return w;
}

static void on_closed(uv_handle_t *h)
{
    struct watch *w = CONTAINER_OF(h, struct watch, poll);

    if (w->close_fd)
        close(w->fd);
    free(w);
}

void watch_free(struct watch *w, bool close_fd)
{
    if (w == NULL)
        return;
    w->close_fd = close_fd;
    uv_close((uv_handle_t *)&w->poll, on_closed);
}

enum result watch_wait(struct watch *w, int events, int64_t deadline, bool cancellable, bool any_wake)
{
    enum result r;

    if (w->armed != events) {
        if (uv_poll_start(&w->poll, events, on_poll) != 0)
            return RES_CLOSED;
        w->armed = events;
    }
    w->waiter = coroutine_self();
    w->fired = false;
    do
        r = coroutine_wait(deadline, cancellable);
    while (r == RES_OK && !w->fired && !any_wake);
    w->waiter = NULL;
    return r;
}
