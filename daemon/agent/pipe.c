/* agent/pipe.c - a program takes the message. */
#include "agent/deliver.h"

#include "agent/become.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <unistd.h>

#define SAID_MAX 500
#define VARIABLES 10

struct variable {
    const char *name;
    struct str value;
};

static void variables_of(const struct delivering *d, struct variable v[VARIABLES])
{
    const struct request *r = d->request;
    const struct variable all[VARIABLES] = {
        { "SENDER", r->sender },       { "RECIPIENT", r->recipient }, { "ORIGINAL_RECIPIENT", r->original },
        { "EXTENSION", r->extension }, { "LOCAL", r->local },         { "DOMAIN", r->domain },
        { "USER", r->user },           { "LOGNAME", r->user },        { "HOME", str_c(d->home) },
        { "SHELL", str_c(d->shell) },
    };

    memcpy(v, all, sizeof(all));
}

static struct str substitute(const struct variable v[VARIABLES], struct str word)
{
    for (size_t i = 0; i < VARIABLES; i++) {
        if (word.len > 1 && word.p[0] == '$' && str_eq(str_from(word, 1), str_c(v[i].name)))
            return v[i].value;
    }
    return word;
}

static char **arguments(struct arena *a, const struct variable v[VARIABLES], const struct str *words, size_t n)
{
    char **argv = arena_array(a, char *, n + 1);

    for (size_t i = 0; i < n; i++)
        argv[i] = arena_cstr(a, substitute(v, words[i]));
    return argv;
}

static char **environment(struct arena *a, const struct variable v[VARIABLES])
{
    char **envp = arena_array(a, char *, VARIABLES + 3);
    size_t n = 0;

    for (size_t i = 0; i < VARIABLES; i++)
        envp[n++] = arena_cstr(a, arena_printf(a, "%s=%.*s", v[i].name, STR_ARG(v[i].value)));
    envp[n++] = arena_cstr(a, STR("PATH=/usr/local/bin:/usr/bin:/bin"));
    envp[n++] = arena_cstr(a, STR("LANG=C.UTF-8"));
    return envp;
}

/* What it writes goes to d->output, when it is wanted; what it says to `out`. */
static _Noreturn void run_program(const struct delivering *d, int out, char **argv, char **envp)
{
    char why[512];
    int n;

    if (dup2(d->message, 0) < 0 || dup2(out, 2) < 0 || dup2(d->output >= 0 ? d->output : out, 1) < 0 ||
        close_range(3, ~0U, 0) != 0 || !become_limited(d->request->output_max))
        _exit(EX_TEMPFAIL);
    signal(SIGPIPE, SIG_DFL);
    signal(SIGXFSZ, SIG_DFL);
    execve(argv[0], argv, envp);
    n = snprintf(why, sizeof(why), "could not run %s: %s\n", argv[0], strerror(errno));
    (void)!write(2, why, MIN((size_t)n, sizeof(why) - 1)); /* nothing is allocated any more: the limits are there */
    _exit(EX_TEMPFAIL);
}

/* What it says, of which the beginning is kept; until it has ended, and whoever it left behind has its output no more
 * than that. */
static void listen_to(int fd, pid_t pid, struct strbuf *said, int *ret_status)
{
    bool ended = false, open_end = true;

    while (!ended) {
        struct pollfd p = { .fd = open_end ? fd : -1, .events = POLLIN };
        char bytes[4096];
        ssize_t n = 0;

        if (poll(&p, 1, 100) > 0) {
            n = read(fd, bytes, sizeof(bytes));
            open_end = n > 0 || (n < 0 && errno == EINTR);
        }
        if (n > 0)
            (void)strbuf_add(said, str_of(bytes, MIN((size_t)n, said->max - said->len)));
        ended = n <= 0 && waitpid(pid, ret_status, open_end ? WNOHANG : 0) == pid;
    }
}

static struct str first_line(struct arena *a, struct str said)
{
    struct str line;

    while (str_split(&said, '\n', &line)) {
        line = str_trim(line);
        if (line.len > 0)
            return arena_str(a, line);
    }
    return STR_NULL;
}

struct answer pipe_judge(struct arena *a, int status, struct str program, struct str said)
{
    struct answer answer = { .kind = ANSWER_NEVER, .status = STR("5.3.0"), .text = said };
    int code;

    if (WIFSIGNALED(status))
        return answer_later(a, "4.3.0", "%.*s was ended by signal %d", STR_ARG(program), WTERMSIG(status));
    code = WEXITSTATUS(status);
    if (code == EX_OK)
        return (struct answer){ .kind = ANSWER_DONE };
    if (said.len == 0)
        answer.text = arena_printf(a, "%.*s ended with status %d", STR_ARG(program), code);
    switch (code) {
    case EX_TEMPFAIL:
        answer.kind = ANSWER_LATER;
        answer.status = STR("4.3.0");
        break;
    case EX_NOUSER:
        answer.status = STR("5.1.1");
        break;
    case EX_NOPERM:
        answer.status = STR("5.7.1");
        break;
    case EX_DATAERR:
        answer.status = STR("5.6.0");
        break;
    default:
        break;
    }
    return answer;
}

struct answer pipe_deliver(const struct delivering *d, const struct str *words, size_t n)
{
    CLEANUP(strbuf_release) struct strbuf said = { .max = SAID_MAX };
    struct variable variables[VARIABLES];
    char **argv, **envp;
    int out[2], status = 0;
    pid_t pid;

    variables_of(d, variables);
    argv = arguments(d->a, variables, words, n);
    envp = environment(d->a, variables);
    if (lseek(d->message, 0, SEEK_SET) != 0 || pipe2(out, O_CLOEXEC) != 0)
        return answer_errno(d->a, "could not prepare", words[0]);
    pid = fork();
    if (pid == 0)
        run_program(d, out[1], argv, envp);
    close(out[1]);
    if (pid > 0)
        listen_to(out[0], pid, &said, &status);
    close(out[0]);
    return pid > 0 ? pipe_judge(d->a, status, words[0], first_line(d->a, strbuf_str(&said)))
                   : answer_errno(d->a, "could not start", words[0]);
}
