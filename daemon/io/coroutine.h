/* io/coroutine.h - one coroutine a connection, over one libuv loop a process.
 *
 * A coroutine runs until it waits; everything between two waits is atomic.  It ends only by returning: a timeout,
 * a lost peer and a shutdown are results of the call that waits, so clean-up always runs.
 *
 * Stacks are 256 KiB of address space (four times as much under ASan) with a guard page; the untouched part of a
 * coroutine that has been waiting for a while is given back to the system.  So: no big arrays, no alloca, bounded
 * recursion; what may block goes to coroutine_work. */
#pragma once
#include "base/macros.h"
#include "base/result.h"

#include <stdbool.h>
#include <stdint.h>

struct coroutine;
typedef struct uv_loop_s uv_loop_t;
typedef void coroutine_fn(void *arg);

#define NO_DEADLINE INT64_MAX

/* The process's only loop; made at the first call. */
uv_loop_t *loop_get(void);
/* Runs until loop_stop or until nothing is left to wait for.  Closes nothing. */
void loop_run(void);
void loop_stop(void);

/* Milliseconds of the loop's monotonic clock, and the deadline that is ms from now. */
int64_t loop_now(void);
int64_t deadline_in(int64_t ms);

/* Starts fn(arg) at the next turn of the loop.  `name` lives as long as the program.  NULL when the process holds
 * as many stacks as the system's mapping limit allows: refuse the connection. */
struct coroutine *coroutine_spawn(const char *name, coroutine_fn *fn, void *arg);

struct coroutine *coroutine_self(void); /* NULL outside a coroutine */
unsigned coroutine_count(void);

/* Suspends the caller until coroutine_wake, the deadline, or (when `cancellable`) coroutine_cancel.  A wake says only
 * that something may have happened: wait in a loop around the condition.
 * RES_OK, RES_TIMEOUT, RES_CANCELLED (at once when it was cancelled before). */
enum result coroutine_wait(int64_t deadline, bool cancellable) SUSPENDS;

/* Makes co run again if it waits; otherwise nothing.  From the loop or from another coroutine. */
void coroutine_wake(struct coroutine *co);

/* From now on every cancellable wait of co gives RES_CANCELLED.  Waits that protect data are not cancellable. */
void coroutine_cancel(struct coroutine *co);
bool coroutine_cancelled(void); /* of the caller */

/* RES_OK after ms milliseconds, or RES_CANCELLED. */
enum result coroutine_sleep(int64_t ms) SUSPENDS;
/* Lets those run that are ready, and what came in be looked at.  (To wait until now, or to sleep for 0 ms, does not.) */
void coroutine_yield(void) SUSPENDS;

/* Runs fn(arg) on libuv's thread pool and waits for its end, however long it takes. */
void coroutine_work(void (*fn)(void *arg), void *arg) SUSPENDS;

/* A queue of waiting coroutines: wait joins its end; wake takes from the front.  All zero is empty. */
struct waitlist {
    struct waitlist_entry *first, **last;
};
enum result waitlist_wait(struct waitlist *w, int64_t deadline, bool cancellable) SUSPENDS NODISCARD;
void waitlist_wake_one(struct waitlist *w);
void waitlist_wake_all(struct waitlist *w);
