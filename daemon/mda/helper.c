/* mda/helper.c - correio-deliver as a child process. */
#include "base/log.h"
#include "io/watch.h"
#include "mda/mda_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>
#include <uv.h>

#define GRACE_MS (90 * 1000) /* it keeps its own time; this is for when it cannot */

struct helper {
    uv_process_t process;
    struct coroutine *waiter; /* NULL: nobody waits any more */
    bool ended;
};

static void on_closed(uv_handle_t *h)
{
    free(CONTAINER_OF((uv_process_t *)h, struct helper, process));
}

static void on_end(uv_process_t *process, int64_t status, int signal)
{
    struct helper *helper = CONTAINER_OF(process, struct helper, process);

    if (status != 0 || signal != 0)
        log_error("mda-helper-ended", F_INT("status", status), F_INT("signal", signal));
    helper->ended = true;
    if (helper->waiter != NULL)
        coroutine_wake(helper->waiter);
    else
        uv_close((uv_handle_t *)process, on_closed);
}

static int request_fd(const struct request *request)
{
    CLEANUP(strbuf_release) struct strbuf text = { .max = REQUEST_MAX };
    int fd = memfd_create("request", MFD_CLOEXEC);

    request_write(request, &text);
    if (fd >= 0 && !text.overflow && write(fd, text.p, text.len) == (ssize_t)text.len && lseek(fd, 0, SEEK_SET) == 0)
        return fd;
    if (fd >= 0)
        close(fd);
    return -1;
}

/* Its environment is empty, but for what sanitizers and fault points read: ours may hold a password. */
static char **environment(struct arena *a)
{
    static const char *const names[] = { "ASAN_OPTIONS", "UBSAN_OPTIONS", "CORREIO_FAULT" };
    char **envp = arena_array(a, char *, ARRAY_LEN(names) + 1);
    size_t n = 0;

    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        if (getenv(names[i]) != NULL)
            envp[n++] = arena_cstr(a, arena_printf(a, "%s=%s", names[i], getenv(names[i])));
    }
    return envp;
}

static struct helper *start(struct mda_worker *w, int message, int answer, int request, int output)
{
    struct arena *a = &w->crew.batch_arena;
    struct helper *helper = calloc(1, sizeof(*helper));
    uv_stdio_container_t stdio[] = { { .flags = UV_INHERIT_FD, .data.fd = message },
                                     { .flags = UV_INHERIT_FD, .data.fd = answer },
                                     { .flags = UV_INHERIT_FD, .data.fd = 2 },
                                     { .flags = UV_INHERIT_FD, .data.fd = request },
                                     { .flags = UV_INHERIT_FD, .data.fd = output } };
    char name[] = "correio-deliver", *args[] = { name, NULL };
    const uv_process_options_t options = {
        .exit_cb = on_end, .args = args, .env = environment(a), .stdio = stdio, .stdio_count = ARRAY_LEN(stdio) - (output < 0 ? 1 : 0),
        .file = arena_printf(a, "%.*s/correio-deliver", STR_ARG(mda_service(w)->config->libexec)).p,
    };
    int error;

    if (helper == NULL)
        abort();
    helper->waiter = coroutine_self();
    error = uv_spawn(loop_get(), &helper->process, &options);
    if (error == 0)
        return helper;
    log_error("mda-helper", F_C("program", options.file), F_C("error", uv_strerror(error)));
    uv_close((uv_handle_t *)&helper->process, on_closed);
    return NULL;
}

static enum result read_answer(int fd, int64_t deadline, struct strbuf *text)
{
    struct watch *watch = watch_new(fd);
    enum result r = RES_OK;
    ssize_t n = 1;

    while (r == RES_OK && n != 0) {
        char *room = strbuf_room(text, 4096);

        if (room == NULL) {
            r = RES_LIMIT;
            break;
        }
        n = read(fd, room, 4096);
        if (n > 0)
            text->len += (size_t)n;
        else if (n < 0 && errno == EAGAIN)
            r = watch_wait(watch, WATCH_READ, deadline, true, false);
        else if (n < 0 && errno != EINTR)
            r = RES_CLOSED;
    }
    watch_free(watch, true); /* an unread answer tells it to end */
    return r;
}

enum result helper_run(struct mda_worker *w, const struct request *request, int message, int output, struct answer *ret)
{
    CLEANUP(strbuf_release) struct strbuf text = { .max = ANSWER_MAX + 4096 };
    int64_t deadline = deadline_in((int64_t)request->time_ms + GRACE_MS);
    int fds[2], in = request_fd(request);
    struct helper *helper = NULL;
    enum result r = RES_TEMPFAIL;

    if (in < 0 || pipe2(fds, O_CLOEXEC) != 0) {
        log_error("mda-helper", F_C("error", strerror(errno)));
        if (in >= 0)
            close(in);
        return RES_TEMPFAIL;
    }
    if (fcntl(fds[0], F_SETFL, O_NONBLOCK) == 0)
        helper = start(w, message, fds[1], in, output);
    close(in);
    close(fds[1]);
    if (helper == NULL) {
        close(fds[0]);
        return RES_TEMPFAIL;
    }
    r = read_answer(fds[0], deadline, &text);
    if (r != RES_OK && r != RES_CANCELLED)
        (void)uv_process_kill(&helper->process, SIGKILL);
    while (r != RES_CANCELLED && !helper->ended)
        coroutine_wait(NO_DEADLINE, false);
    helper->waiter = NULL;
    if (helper->ended)
        uv_close((uv_handle_t *)&helper->process, on_closed);
    if (r == RES_CANCELLED)
        return r;
    if (r == RES_OK &&
        answer_read(arena_str(&w->crew.batch_arena, strbuf_str(&text)), &w->crew.batch_arena, ret) == RES_OK)
        return RES_OK;
    log_error("mda-helper-answer", F_C("why", result_name(r)), F_STR("user", request->user));
    return RES_TEMPFAIL;
}
