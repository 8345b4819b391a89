/* Coroutines: ucontext to start one, setjmp/longjmp to switch (a switch is no system call).
 *
 * Only the loop's own context resumes a coroutine, from the ready queue, and a coroutine switches only back to it:
 * loop -> coroutine -> loop.  So a wake never nests and may come from anywhere in the process's one thread.
 *
 * This file alone is compiled without _FORTIFY_SOURCE: its longjmp check aborts on a jump to another stack. */
#include "io/coroutine.h"
#include "base/log.h"

#include <assert.h>
#include <setjmp.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <ucontext.h>
#include <unistd.h>
#include <uv.h>

#if defined(__SANITIZE_ADDRESS__)
#define WITH_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define WITH_ASAN 1
#endif
#endif
#ifdef WITH_ASAN
#include <sanitizer/common_interface_defs.h>
#include <sanitizer/lsan_interface.h>
#define STACK_SIZE ((size_t)1 << 20)
#else
#define STACK_SIZE ((size_t)256 << 10)
#endif

#define SLAB_STACKS 32
#define MAX_STACKS 30000 /* two mappings a stack; vm.max_map_count is 65,530 by default */
#define SPARE_STACKS 64  /* ended ones that keep their memory for the next */
#define TRIM_MS 4000

enum state { READY, RUNNING, WAITING, ENDED };

struct waitlist_entry { /* a coroutine waits in one line at most */
    struct coroutine *co;
    struct waitlist_entry *next;
    bool woken;
};

struct coroutine {
    jmp_buf env;
    enum state state;
    bool cancellable, cancelled, trimmed;
    enum result wait_result;
    const char *name;
    coroutine_fn *fn;
    void *arg;
    char *stack;        /* lowest usable byte; the guard page is below */
    char *sp;           /* about where the suspended stack ends */
    int64_t waiting_since;
    uv_timer_t timer;   /* the deadline of the wait */
    bool timer_open;
    struct waitlist_entry in_line;
    struct coroutine *next_ready;
    struct coroutine *prev, *next; /* all that live; or the free list by `next` */
#ifdef WITH_ASAN
    void *fake_stack;
#endif
};

static struct {
    uv_loop_t *loop;
    uv_prepare_t prepare;
    uv_idle_t idle;
    uv_timer_t trimmer;
    jmp_buf env;
    struct coroutine *current, *ready_first, **ready_last;
    struct coroutine *all, *spare;
    unsigned live, stacks, spares;
    ucontext_t starter;
#ifdef WITH_ASAN
    const void *stack_bottom;
    size_t stack_size;
    void *fake_stack;
#endif
} sched;

static void run_ready(void);

static void on_prepare(uv_prepare_t *h)
{
    (void)h;
    run_ready();
}

static void on_idle(uv_idle_t *h)
{
    (void)h; /* its being active keeps the loop from sleeping while somebody is ready */
}

/* Gives the stacks of those that wait for long back to the system. */
static void on_trim(uv_timer_t *h)
{
    static size_t page;
    int64_t now = loop_now();

    (void)h;
    if (page == 0)
        page = (size_t)sysconf(_SC_PAGESIZE);
    for (struct coroutine *c = sched.all; c != NULL; c = c->next) {
        uintptr_t end;

        if (c->state != WAITING || c->trimmed || now - c->waiting_since < TRIM_MS)
            continue;
        end = ((uintptr_t)c->sp - 1024) & ~(page - 1);
        if (end > (uintptr_t)c->stack)
            (void)madvise(c->stack, end - (uintptr_t)c->stack, MADV_DONTNEED);
        c->trimmed = true;
    }
}

uv_loop_t *loop_get(void)
{
    if (sched.loop == NULL) {
        signal(SIGPIPE, SIG_IGN); /* a lost peer is a result of the write */
        sched.loop = uv_default_loop();
        sched.ready_last = &sched.ready_first;
        uv_prepare_init(sched.loop, &sched.prepare);
        uv_prepare_start(&sched.prepare, on_prepare);
        uv_unref((uv_handle_t *)&sched.prepare);
        uv_idle_init(sched.loop, &sched.idle);
        uv_timer_init(sched.loop, &sched.trimmer);
        uv_timer_start(&sched.trimmer, on_trim, TRIM_MS, TRIM_MS);
        uv_unref((uv_handle_t *)&sched.trimmer);
    }
    return sched.loop;
}

void loop_run(void)
{
    uv_run(loop_get(), UV_RUN_DEFAULT);
}

void loop_stop(void)
{
    uv_stop(loop_get());
}

int64_t loop_now(void)
{
    return (int64_t)uv_now(loop_get());
}

int64_t deadline_in(int64_t ms)
{
    return loop_now() + ms;
}

struct coroutine *coroutine_self(void)
{
    return sched.current;
}

unsigned coroutine_count(void)
{
    return sched.live;
}

static void make_ready(struct coroutine *c)
{
    c->state = READY;
    c->next_ready = NULL;
    *sched.ready_last = c;
    sched.ready_last = &c->next_ready;
    uv_idle_start(&sched.idle, on_idle);
}

/* ---- switching ---- */

static void leave_to_loop(struct coroutine *c, bool for_good)
{
    (void)c;
    (void)for_good;
#ifdef WITH_ASAN
    __sanitizer_start_switch_fiber(for_good ? NULL : &c->fake_stack, sched.stack_bottom, sched.stack_size);
#endif
    _longjmp(sched.env, 1);
}

static __attribute__((noinline)) void suspend(struct coroutine *c)
{
    char here;

    c->sp = &here;
    if (_setjmp(c->env) == 0)
        leave_to_loop(c, false);
#ifdef WITH_ASAN
    __sanitizer_finish_switch_fiber(c->fake_stack, &sched.stack_bottom, &sched.stack_size);
#endif
}

/* The first frame of every stack.  A coroutine that ended leaves its stack to the next one, which starts here again. */
static void first_frame(void)
{
    struct coroutine *c = sched.current;

#ifdef WITH_ASAN
    __sanitizer_finish_switch_fiber(NULL, &sched.stack_bottom, &sched.stack_size);
#endif
    c->fn(c->arg);
    c->state = ENDED;
    leave_to_loop(c, true);
}

static void start(struct coroutine *c)
{
    getcontext(&sched.starter);
    sched.starter.uc_stack.ss_sp = c->stack;
    sched.starter.uc_stack.ss_size = STACK_SIZE;
    sched.starter.uc_link = NULL;
    makecontext(&sched.starter, first_frame, 0);
    setcontext(&sched.starter);
}

static void retire(struct coroutine *c)
{
    if (c->prev != NULL)
        c->prev->next = c->next;
    else
        sched.all = c->next;
    if (c->next != NULL)
        c->next->prev = c->prev;
    sched.live--;
    if (sched.spares >= SPARE_STACKS)
        (void)madvise(c->stack, STACK_SIZE, MADV_DONTNEED);
    c->next = sched.spare;
    sched.spare = c;
    sched.spares++;
}

static void resume(struct coroutine *c)
{
    bool fresh = c->fn != NULL && c->sp == NULL;

    sched.current = c;
    c->state = RUNNING;
    c->trimmed = false;
#ifdef WITH_ASAN
    __sanitizer_start_switch_fiber(&sched.fake_stack, c->stack, STACK_SIZE);
#endif
    if (_setjmp(sched.env) == 0) {
        if (fresh) {
            c->sp = c->stack + STACK_SIZE;
            start(c);
        }
        _longjmp(c->env, 1);
    }
#ifdef WITH_ASAN
    __sanitizer_finish_switch_fiber(sched.fake_stack, NULL, NULL);
#endif
    c = sched.current;
    sched.current = NULL;
    if (c->state == ENDED)
        retire(c);
}

static void run_ready(void)
{
    /* Those that become ready meanwhile run in the next turn, so that I/O is looked at in between. */
    struct coroutine *c = sched.ready_first;

    sched.ready_first = NULL;
    sched.ready_last = &sched.ready_first;
    while (c != NULL) {
        struct coroutine *next = c->next_ready;

        resume(c);
        c = next;
    }
    if (sched.ready_first == NULL)
        uv_idle_stop(&sched.idle);
}

/* ---- making one ---- */

static bool add_slab(void)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE), each = page + STACK_SIZE;
    char *slab = mmap(NULL, each * SLAB_STACKS, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

    if (slab == MAP_FAILED)
        return false;
    for (size_t i = 0; i < SLAB_STACKS; i++) {
        struct coroutine *c = calloc(1, sizeof(*c));

        if (c == NULL || mprotect(slab + i * each, page, PROT_NONE) != 0) {
            free(c);
            return i > 0;
        }
        c->stack = slab + i * each + page;
        c->next = sched.spare;
        sched.spare = c;
        sched.stacks++;
        sched.spares++;
#ifdef WITH_ASAN
        __lsan_register_root_region(c->stack, STACK_SIZE);
#endif
    }
    return true;
}

struct coroutine *coroutine_spawn(const char *name, coroutine_fn *fn, void *arg)
{
    struct coroutine *c;

    loop_get();
    if (sched.spare == NULL && (sched.stacks + SLAB_STACKS > MAX_STACKS || !add_slab())) {
        log_warn("coroutine-limit", F_INT("stacks", sched.stacks));
        return NULL;
    }
    c = sched.spare;
    sched.spare = c->next;
    sched.spares--;
    sched.live++;
    c->name = name;
    c->fn = fn;
    c->arg = arg;
    c->sp = NULL;
    c->cancelled = false;
    c->prev = NULL;
    c->next = sched.all;
    if (sched.all != NULL)
        sched.all->prev = c;
    sched.all = c;
    if (!c->timer_open) {
        uv_timer_init(sched.loop, &c->timer);
        c->timer_open = true;
    }
    make_ready(c);
    return c;
}

/* ---- waiting ---- */

static void wake_with(struct coroutine *c, enum result r)
{
    if (c->state != WAITING)
        return;
    c->wait_result = r;
    make_ready(c);
}

static void on_deadline(uv_timer_t *t)
{
    wake_with(CONTAINER_OF(t, struct coroutine, timer), RES_TIMEOUT);
}

enum result coroutine_wait(int64_t deadline, bool cancellable)
{
    struct coroutine *c = sched.current;

    assert(c != NULL);
    if (cancellable && c->cancelled)
        return RES_CANCELLED;
    if (deadline != NO_DEADLINE) {
        int64_t left = deadline - loop_now();

        if (left <= 0) {
            uv_update_time(sched.loop);
            left = deadline - loop_now();
            if (left <= 0)
                return RES_TIMEOUT;
        }
        uv_timer_start(&c->timer, on_deadline, (uint64_t)left, 0);
    }
    c->cancellable = cancellable;
    c->waiting_since = loop_now();
    c->state = WAITING;
    suspend(c);
    if (deadline != NO_DEADLINE)
        uv_timer_stop(&c->timer);
    return c->wait_result;
}

void coroutine_wake(struct coroutine *co)
{
    wake_with(co, RES_OK);
}

void coroutine_cancel(struct coroutine *co)
{
    co->cancelled = true;
    if (co->state == WAITING && co->cancellable)
        wake_with(co, RES_CANCELLED);
}

bool coroutine_cancelled(void)
{
    return sched.current != NULL && sched.current->cancelled;
}

enum result coroutine_sleep(int64_t ms)
{
    int64_t deadline = deadline_in(ms);
    enum result r;

    do
        r = coroutine_wait(deadline, true);
    while (r == RES_OK);
    return r == RES_TIMEOUT ? RES_OK : r;
}

void coroutine_yield(void)
{
    struct coroutine *c = sched.current;

    assert(c != NULL);
    make_ready(c);
    suspend(c);
}

/* ---- blocking work ---- */

struct work {
    uv_work_t req;
    void (*fn)(void *);
    void *arg;
    struct coroutine *waiter;
    bool done;
};

static void work_run(uv_work_t *req)
{
    struct work *w = CONTAINER_OF(req, struct work, req);

    w->fn(w->arg);
}

static void work_done(uv_work_t *req, int status)
{
    struct work *w = CONTAINER_OF(req, struct work, req);

    (void)status;
    w->done = true;
    coroutine_wake(w->waiter);
}

void coroutine_work(void (*fn)(void *arg), void *arg)
{
    struct work w = { .fn = fn, .arg = arg, .waiter = sched.current };

    if (uv_queue_work(loop_get(), &w.req, work_run, work_done) != 0) {
        fn(arg);
        return;
    }
    while (!w.done)
        (void)coroutine_wait(NO_DEADLINE, false);
}

/* ---- wait lists ---- */

static void waitlist_remove(struct waitlist *w, struct waitlist_entry *e)
{
    struct waitlist_entry **at = &w->first;

    while (*at != NULL && *at != e)
        at = &(*at)->next;
    if (*at == NULL)
        return;
    *at = e->next;
    if (e->next == NULL)
        w->last = at;
}

enum result waitlist_wait(struct waitlist *w, int64_t deadline, bool cancellable)
{
    struct waitlist_entry *e = &sched.current->in_line;
    enum result r = RES_OK;

    *e = (struct waitlist_entry){ .co = sched.current };
    if (w->first == NULL)
        w->last = &w->first;
    *w->last = e;
    w->last = &e->next;
    while (!e->woken && r == RES_OK)
        r = coroutine_wait(deadline, cancellable);
    if (e->woken)
        return RES_OK; /* the wake was meant for us: it must not get lost in a timeout of the same turn */
    waitlist_remove(w, e);
    return r;
}

void waitlist_wake_one(struct waitlist *w)
{
    struct waitlist_entry *e = w->first;

    if (e == NULL)
        return;
    w->first = e->next;
    if (w->first == NULL)
        w->last = &w->first;
    e->woken = true;
    coroutine_wake(e->co);
}

void waitlist_wake_all(struct waitlist *w)
{
    while (w->first != NULL)
        waitlist_wake_one(w);
}
