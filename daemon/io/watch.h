/* io/watch.h - waiting for a file descriptor; what `stream`, `db` and `dns` stand on. */
#pragma once
#include "io/coroutine.h"

enum { WATCH_READ = 1, WATCH_WRITE = 2 }; /* libuv's UV_READABLE, UV_WRITABLE */

struct watch;

/* The descriptor must be non-blocking and stay open until watch_free. */
struct watch *watch_new(int fd);
/* Stops at once; with close_fd the descriptor is closed, too.  NULL is fine. */
void watch_free(struct watch *w, bool close_fd);

/* Waits until fd has one of `events`, or an error to be found by the next read or write.  One waiter at a time.
 * With any_wake a coroutine_wake by somebody else also ends it (RES_OK).  RES_TIMEOUT, RES_CANCELLED. */
enum result watch_wait(struct watch *w, int events, int64_t deadline, bool cancellable, bool any_wake) SUSPENDS NODISCARD;
