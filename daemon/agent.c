/* correio-deliver: one delivery outside PostgreSQL.  The mda starts it with the message on descriptor 0, the request on
 * 3 (agent/request.h) and takes its answer from 1.
 *
 * Two processes: this one keeps the mda's privileges and does nothing but wait, so that no user's process can stop or
 * kill it; its child becomes the user and delivers.  When the time is over, or nobody reads the answer any more, it
 * ends the child's process group. */
#include "agent/become.h"
#include "agent/deliver.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static struct arena arena;

static void say(int fd, const struct answer *answer)
{
    CLEANUP(strbuf_release) struct strbuf out = { .max = ANSWER_MAX };

    answer_write(answer, &out);
    (void)!write_all(fd, strbuf_str(&out)); /* nobody there: nobody believes in this delivery */
}

static bool read_request(struct request *ret)
{
    char *text = arena_alloc(&arena, REQUEST_MAX);
    size_t len = 0;
    ssize_t n;

    while ((n = read(3, text + len, REQUEST_MAX - len)) > 0)
        len += (size_t)n;
    close(3);
    return n == 0 && request_read(str_of(text, len), &arena, ret) == RES_OK;
}

static _Noreturn void run_delivery(const struct request *request, const struct user *user, int out)
{
    struct delivering d = { .request = request, .a = &arena, .message = 0, .output = request->output_max > 0 ? 4 : -1,
                            .home = user->home, .shell = user->shell };
    struct answer answer;
    int null = open("/dev/null", O_RDWR | O_CLOEXEC);

    setpgid(0, 0);
    signal(SIGPIPE, SIG_IGN);
    signal(SIGXFSZ, SIG_IGN);
    if (null < 0 || dup2(null, 1) < 0 || dup2(null, 2) < 0 || !become(user))
        answer = answer_errno(&arena, "could not become", request->user);
    else
        answer = deliver(&d);
    say(out, &answer);
    _exit(0);
}

static int64_t now_ms(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* The child's answer.  false: its time is over, or the mda has gone. */
static bool hear(int in, uint64_t time_ms, struct strbuf *answer)
{
    int64_t until = now_ms() + (int64_t)time_ms;

    for (;;) {
        struct pollfd p[] = { { .fd = in, .events = POLLIN }, { .fd = 1, .events = 0 } };
        int64_t left = until - now_ms();
        char bytes[4096];
        ssize_t n;

        if (left <= 0 || (poll(p, ARRAY_LEN(p), (int)left) < 0 && errno != EINTR) || (p[1].revents & POLLERR) != 0)
            return false;
        if (p[0].revents == 0)
            continue;
        n = read(in, bytes, sizeof(bytes));
        if (n == 0)
            return true;
        if (n > 0)
            (void)strbuf_add(answer, str_of(bytes, (size_t)n));
    }
}

static int supervise(const struct request *request, const struct user *user)
{
    CLEANUP(strbuf_release) struct strbuf text = { .max = ANSWER_MAX };
    struct answer answer;
    int fds[2];
    pid_t pid;
    bool in_time;

    if (pipe2(fds, O_CLOEXEC) != 0 || (pid = fork()) < 0) {
        answer = answer_errno(&arena, "could not start a delivery as", request->user);
        say(1, &answer);
        return 0;
    }
    if (pid == 0)
        run_delivery(request, user, fds[1]);
    (void)setpgid(pid, pid); /* whoever of the two is first */
    close(fds[1]);
    in_time = hear(fds[0], request->time_ms, &text);
    if (become_to_kill(user)) /* what a program left behind ends with it */
        (void)kill(-pid, SIGKILL);
    while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
        ;
    if (in_time && answer_read(strbuf_str(&text), &arena, &answer) == RES_OK) {
        (void)!write_all(1, strbuf_str(&text));
        return 0;
    }
    answer = in_time ? answer_later(&arena, "4.3.0", "the delivery was ended by a signal")
                     : answer_later(&arena, "4.3.0", "the delivery did not end in %llu s",
                                    (unsigned long long)request->time_ms / 1000);
    say(1, &answer);
    return 0;
}

int main(void)
{
    struct request request;
    struct answer answer;
    struct user user;
    const char *why;

    signal(SIGPIPE, SIG_IGN);
    if (!read_request(&request)) {
        fprintf(stderr, "correio-deliver is started by the mda of correiod\n");
        return 2;
    }
    (void)close_range(request.output_max > 0 ? 5 : 3, ~0U, 0);
    alarm((unsigned)(request.time_ms / 1000) + 60); /* whatever a directory of users makes us wait for */
    if (become_find(request.user, &arena, &user, &why))
        return supervise(&request, &user);
    answer = answer_later(&arena, "4.3.5", "nothing is delivered as \"%.*s\": %s", STR_ARG(request.user), why);
    say(1, &answer);
    return 0;
}
