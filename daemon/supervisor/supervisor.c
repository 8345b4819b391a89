/* The supervisor: PostgreSQL (when embedded) and the workers, in order; what dies is started again with a back-off.
 *
 *   start: lock - directories - PostgreSQL - migrate - first administrator - sockets - auth - the others - endpoints
 *   stop:  SIGTERM to all but auth, at most 32 s - auth - PostgreSQL (fast) - endpoints removed */
#include "supervisor/supervisor.h"
#include "base/counters.h"
#include "base/encode.h"
#include "base/log.h"
#include "supervisor/home.h"
#include "supervisor/listeners.h"
#include "supervisor/postgres.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define MAX_WORKERS 128
#define BACKOFF_FIRST_MS 100
#define BACKOFF_LAST_MS 5000
#define POSTGRES_POLL_MS 20
#define STEADY_MS 10000 /* lived so long: its next death is a first one again */
#define DRAIN_MS 32000
#define RELOAD_OTHERS_MS 300 /* auth reads the new certificate before the others ask for it */

struct worker {
    const char *kind;
    unsigned number;
    pid_t pid;          /* 0: not running */
    int ready_fd;       /* -1: it has said so, or is gone */
    bool ready;
    int counters;       /* of this kind and number, over its processes' lives; -1: none */
    int64_t started, start_at, backoff_ms;
};

static struct {
    const struct config *config;
    struct listeners listeners;
    struct worker workers[MAX_WORKERS];
    size_t n;
    pid_t postgres;
    int64_t postgres_at; /* the next step of its start is due then; 0: it runs, or is not ours */
    int64_t postgres_backoff_ms;
    int control[2];      /* to auth: certificate and key, opened by us */
    int signals;
    int64_t reload_others_at;
    bool stopping, told;
} sup;

/* ---- files for people and programs ---- */

static void write_endpoints(void)
{
    const char *path = home_path(sup.config, "run/endpoints"), *tmp = home_path(sup.config, "run/endpoints.new");
    static const struct { const char *name; enum listener l; } ports[] = {
        { "SMTP_PORT", LISTEN_SMTP }, { "SUBMISSION_PORT", LISTEN_SUBMISSION }, { "SMTPS_PORT", LISTEN_SMTPS },
        { "LMTP_PORT", LISTEN_LMTP }, { "POP3_PORT", LISTEN_POP3 },            { "POP3S_PORT", LISTEN_POP3S },
        { "IMAP_PORT", LISTEN_IMAP }, { "IMAPS_PORT", LISTEN_IMAPS },          { "SIEVE_PORT", LISTEN_SIEVE },
        { "HTTPS_PORT", LISTEN_HTTPS },
    };
    int http = listeners_port(&sup.listeners, LISTEN_HTTP), https = listeners_port(&sup.listeners, LISTEN_HTTPS);
    const char *lmtp = listeners_path(&sup.listeners, LISTEN_LMTP), *local = listeners_path(&sup.listeners, LISTEN_LOCAL);
    const char *sep = "";
    FILE *f = fopen(tmp, "we");

    if (f == NULL) {
        log_error("endpoints", F_C("file", tmp), F_C("error", strerror(errno)));
        return;
    }
    for (size_t i = 0; i < ARRAY_LEN(ports); i++) {
        int port = listeners_port(&sup.listeners, ports[i].l);

        if (port != 0)
            fprintf(f, "%s=%d\n", ports[i].name, port);
    }
    if (lmtp != NULL)
        fprintf(f, "LMTP_SOCKET=%s\n", lmtp);
    if (local != NULL)
        fprintf(f, "LOCAL_SOCKET=%s\n", local);
    if (http != 0 || https != 0)
        fprintf(f, "HTTP_URL=%s://127.0.0.1:%d\n", http != 0 ? "http" : "https", http != 0 ? http : https);
    fprintf(f, "API_SOCKET=%s\nPIDS=%d", home_admin_socket(sup.config), (int)getpid());
    for (size_t i = 0; i < sup.n; i++) {
        if (sup.workers[i].pid != 0)
            fprintf(f, ",%d", (int)sup.workers[i].pid);
    }
    fprintf(f, "\n");
    for (size_t i = 0; i < sup.n; i++) {
        if (i == 0 || strcmp(sup.workers[i].kind, sup.workers[i - 1].kind) != 0) {
            fprintf(f, "%sPIDS_", i > 0 ? "\n" : "");
            for (const char *c = sup.workers[i].kind; *c != '\0'; c++)
                fputc(ascii_upper(*c), f);
            fputc('=', f);
            sep = "";
        }
        fprintf(f, "%s%d", sep, (int)sup.workers[i].pid);
        sep = ",";
    }
    fprintf(f, "\n");
    if (sup.postgres != 0)
        fprintf(f, "POSTGRES_PIDS=%d\n", (int)sup.postgres);
    if (sup.config->certificate.p != NULL)
        fprintf(f, "CERTIFICATE=%.*s\n", STR_ARG(sup.config->certificate));
    else
        fprintf(f, "CERTIFICATE=%s\n", home_path(sup.config, "tls/certificate.pem"));
    if (fclose(f) != 0 || rename(tmp, path) != 0)
        log_error("endpoints", F_C("file", path), F_C("error", strerror(errno)));
}

/* Only one supervisor a home. */
static bool take_lock(const struct config *config, bool say)
{
    int fd = open(home_path(config, "lock"), O_RDWR | O_CREAT | O_CLOEXEC, 0600);

    if (fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) == 0)
        return true; /* held until the process ends */
    if (say)
        fprintf(stderr, "correiod: another server runs in %.*s\n", STR_ARG(config->home));
    if (fd >= 0)
        close(fd);
    return false;
}

/* ---- certificates that only root may read ---- */

static void send_certificate(void)
{
    union {
        struct cmsghdr align;
        char bytes[CMSG_SPACE(2 * sizeof(int))];
    } control = { 0 };
    char byte = 'c', path[4096];
    struct iovec iov = { &byte, 1 };
    struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof(control) };
    struct cmsghdr *c = CMSG_FIRSTHDR(&msg);
    int fds[2];

    if (sup.config->certificate.p == NULL || sup.config->key.p == NULL)
        return;
    snprintf(path, sizeof(path), "%.*s", STR_ARG(sup.config->certificate));
    fds[0] = open(path, O_RDONLY | O_CLOEXEC);
    snprintf(path, sizeof(path), "%.*s", STR_ARG(sup.config->key));
    fds[1] = open(path, O_RDONLY | O_CLOEXEC);
    if (fds[0] < 0 || fds[1] < 0) {
        log_error("certificate", F_C("file", path), F_C("error", strerror(errno)));
    } else {
        c->cmsg_level = SOL_SOCKET;
        c->cmsg_type = SCM_RIGHTS;
        c->cmsg_len = CMSG_LEN(sizeof(fds));
        memcpy(CMSG_DATA(c), fds, sizeof(fds));
        if (sendmsg(sup.control[0], &msg, MSG_NOSIGNAL | MSG_DONTWAIT) < 0)
            log_error("certificate", F_C("error", strerror(errno)));
    }
    if (fds[0] >= 0)
        close(fds[0]);
    if (fds[1] >= 0)
        close(fds[1]);
}

/* ---- workers ---- */

static void set_env_fd(const char *name, int fd)
{
    char value[16];

    snprintf(value, sizeof(value), "%d", fd);
    setenv(name, value, 1);
    (void)fcntl(fd, F_SETFD, 0);
}

/* api reads the counters of all, "7,8,9", its own among them. */
static void set_env_counters(void)
{
    char list[MAX_WORKERS * 12] = "";
    size_t at = 0;

    for (size_t i = 0; i < sup.n; i++) {
        if (sup.workers[i].counters < 0)
            continue;
        (void)fcntl(sup.workers[i].counters, F_SETFD, 0);
        at += (size_t)snprintf(list + at, sizeof(list) - at, "%s%d", at > 0 ? "," : "", sup.workers[i].counters);
    }
    setenv("CORREIO_FD_ALL_COUNTERS", list, 1);
}

static _Noreturn void become_worker(const struct worker *w, int ready)
{
    char sockets[1024], number[16], program[4096];
    sigset_t none;

    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    setpgid(0, 0); /* a Ctrl-C of the terminal is for the supervisor, which stops things in order */
    listeners_for_child(&sup.listeners, w->kind, sockets, sizeof(sockets));
    setenv("CORREIO_FD_LISTEN", sockets, 1);
    set_env_fd("CORREIO_FD_READY", ready);
    if (w->counters >= 0)
        set_env_fd("CORREIO_FD_COUNTERS", w->counters);
    if (strcmp(w->kind, "auth") == 0) {
        set_env_fd("CORREIO_FD_AUTH", sup.listeners.auth_fd);
        if (sup.config->certificate.p != NULL)
            set_env_fd("CORREIO_FD_CONTROL", sup.control[1]);
    }
    if (strcmp(w->kind, "api") == 0) {
        set_env_fd("CORREIO_FD_ADMIN", sup.listeners.admin_fd);
        listeners_ports(&sup.listeners, sockets, sizeof(sockets));
        setenv("CORREIO_PORTS", sockets, 1);
        set_env_counters();
    }
    snprintf(program, sizeof(program), "%.*s/correio-worker", STR_ARG(sup.config->libexec));
    snprintf(number, sizeof(number), "%u", w->number);
    if (!home_become(w->kind) || chdir("/") != 0)
        _exit(126);
    prctl(PR_SET_PDEATHSIG, SIGTERM); /* a supervisor that was killed takes its workers along */
    execl(program, program, w->kind, number, (char *)NULL);
    fprintf(stderr, "correiod: could not run %s: %s\n", program, strerror(errno));
    _exit(126);
}

static void start_worker(struct worker *w)
{
    int ready[2];
    pid_t pid;

    if (pipe2(ready, O_CLOEXEC) != 0)
        return;
    pid = fork();
    if (pid == 0)
        become_worker(w, ready[1]);
    close(ready[1]);
    if (pid < 0) {
        close(ready[0]);
        w->start_at = mono_ms() + BACKOFF_LAST_MS;
        return;
    }
    w->pid = pid;
    w->ready_fd = ready[0];
    w->ready = false;
    w->started = mono_ms();
    w->start_at = 0;
    if (strcmp(w->kind, "auth") == 0)
        send_certificate();
}

/* Sealed: a worker cannot make it too short for who reads it. */
static int make_counters(const char *kind)
{
    int fd = memfd_create(kind, MFD_CLOEXEC | MFD_ALLOW_SEALING);

    if (fd >= 0 && ftruncate(fd, sizeof(struct counters)) == 0 &&
        fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) == 0)
        return fd;
    log_warn("counters", F_C("kind", kind), F_C("error", strerror(errno)));
    if (fd >= 0)
        close(fd);
    return -1;
}

static void add_workers(const char *kind, unsigned n)
{
    for (unsigned i = 1; i <= n && sup.n < MAX_WORKERS; i++)
        sup.workers[sup.n++] = (struct worker){ .kind = kind, .number = i, .ready_fd = -1, .counters = make_counters(kind) };
}

static void worker_ended(struct worker *w, int status)
{
    if (w->ready_fd >= 0)
        close(w->ready_fd);
    w->ready_fd = -1;
    w->pid = 0;
    if (sup.stopping)
        return;
    w->backoff_ms = mono_ms() - w->started > STEADY_MS || w->backoff_ms == 0 ? BACKOFF_FIRST_MS
                                                                           : MIN(w->backoff_ms * 2, BACKOFF_LAST_MS);
    w->start_at = mono_ms() + w->backoff_ms;
    log_error("worker-died", F_C("kind", w->kind), F_INT("number", w->number),
              F_INT("status", WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status)),
              F_INT("restart_ms", w->backoff_ms));
}

static void reap(void)
{
    int status;
    pid_t pid;

    while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
        if (pid == sup.postgres) {
            sup.postgres = 0;
            if (!sup.stopping) {
                sup.postgres_backoff_ms = sup.postgres_backoff_ms == 0 ? BACKOFF_FIRST_MS : MIN(sup.postgres_backoff_ms * 2, BACKOFF_LAST_MS);
                sup.postgres_at = mono_ms() + sup.postgres_backoff_ms;
                log_error("postgres-died", F_INT("status", WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status)));
            }
        }
        for (size_t i = 0; i < sup.n; i++) {
            if (sup.workers[i].pid == pid)
                worker_ended(&sup.workers[i], status);
        }
    }
}

static void signal_workers(int signal, bool auth, bool others)
{
    for (size_t i = 0; i < sup.n; i++) {
        bool is_auth = strcmp(sup.workers[i].kind, "auth") == 0;

        if (sup.workers[i].pid != 0 && (is_auth ? auth : others))
            kill(sup.workers[i].pid, signal);
    }
}

/* ---- the loop ---- */

/* One step of PostgreSQL's start, without waiting; whether there is a new process. */
static bool start_postgres(void)
{
    bool started = false;

    sup.postgres_at = mono_ms() + POSTGRES_POLL_MS;
    if (sup.postgres == 0) {
        if (!postgres_is_gone(sup.config))
            return false;
        sup.postgres = postgres_launch(sup.config);
        started = sup.postgres != 0;
        if (!started)
            sup.postgres_at = mono_ms() + BACKOFF_LAST_MS;
    } else if (postgres_is_ready(sup.config, sup.postgres)) {
        sup.postgres_at = sup.postgres_backoff_ms = 0;
        log_info("postgres-started", F_INT("pid", sup.postgres));
    }
    return started;
}

/* Starts what is due; the time until the next thing is due, at most 1 s. */
static int start_due(void)
{
    int64_t now = mono_ms(), next = now + 1000;
    bool changed = sup.postgres_at != 0 && now >= sup.postgres_at && start_postgres();

    if (sup.reload_others_at != 0 && now >= sup.reload_others_at) {
        sup.reload_others_at = 0;
        signal_workers(SIGHUP, false, true);
    }
    for (size_t i = 0; i < sup.n; i++) {
        struct worker *w = &sup.workers[i];

        if (w->pid == 0 && w->start_at <= now) {
            start_worker(w);
            changed = true;
        }
        if (w->pid == 0)
            next = MIN(next, w->start_at);
    }
    if (sup.reload_others_at != 0)
        next = MIN(next, sup.reload_others_at);
    if (sup.postgres_at != 0)
        next = MIN(next, sup.postgres_at);
    if (changed && sup.told)
        write_endpoints();
    return (int)MAX(next - mono_ms(), (int64_t)0);
}

static void read_ready(struct worker *w)
{
    char byte;

    w->ready = read(w->ready_fd, &byte, 1) == 1;
    close(w->ready_fd);
    w->ready_fd = -1;
}

static bool all_ready(void)
{
    for (size_t i = 0; i < sup.n; i++) {
        if (!sup.workers[i].ready || sup.workers[i].pid == 0)
            return false;
    }
    return true;
}

/* The signal that came, 0: none. */
static int take_signal(void)
{
    struct signalfd_siginfo info;

    return read(sup.signals, &info, sizeof(info)) == sizeof(info) ? (int)info.ssi_signo : 0;
}

static void wait_for_something(int timeout_ms)
{
    struct pollfd fds[1 + MAX_WORKERS] = { { .fd = sup.signals, .events = POLLIN } };
    struct worker *of[1 + MAX_WORKERS] = { 0 };
    nfds_t n = 1;

    for (size_t i = 0; i < sup.n; i++) {
        if (sup.workers[i].ready_fd >= 0) {
            of[n] = &sup.workers[i];
            fds[n++] = (struct pollfd){ .fd = sup.workers[i].ready_fd, .events = POLLIN };
        }
    }
    if (poll(fds, n, timeout_ms) <= 0)
        return;
    for (nfds_t i = 1; i < n; i++) {
        if (fds[i].revents != 0)
            read_ready(of[i]);
    }
}

static void serve(void)
{
    for (;;) {
        int signal;

        wait_for_something(start_due());
        while ((signal = take_signal()) != 0) {
            if (signal == SIGTERM || signal == SIGINT) {
                log_info("stopping", F_INT("signal", signal));
                return;
            }
            if (signal == SIGHUP) {
                log_info("reload", F_C("process", "correiod"));
                send_certificate();
                signal_workers(SIGHUP, true, false);
                sup.reload_others_at = mono_ms() + RELOAD_OTHERS_MS;
            }
        }
        reap();
        if (!sup.told && all_ready()) {
            sup.told = true;
            write_endpoints();
            log_info("ready", F_INT("pid", getpid()));
        }
    }
}

/* Waits until no worker (but auth, unless it counts) is left; what does not end in time is killed. */
static void wait_for_workers(bool auth)
{
    int64_t until = mono_ms() + DRAIN_MS;

    for (;;) {
        bool any = false;
        int signal;

        reap();
        for (size_t i = 0; i < sup.n; i++)
            any = any || (sup.workers[i].pid != 0 && (auth || strcmp(sup.workers[i].kind, "auth") != 0));
        if (!any)
            return;
        if (mono_ms() > until)
            signal_workers(SIGKILL, auth, true);
        wait_for_something(100);
        while ((signal = take_signal()) != 0) {
            if (signal == SIGTERM || signal == SIGINT)
                until = 0; /* asked twice: do not wait */
        }
    }
}

static void stop_postgres(void)
{
    if (sup.postgres != 0)
        postgres_stop(sup.config, sup.postgres);
    sup.postgres = 0;
}

static void stop(void)
{
    sup.stopping = true;
    (void)unlink(home_path(sup.config, "run/endpoints"));
    listeners_unlink(&sup.listeners);
    signal_workers(SIGTERM, false, true);
    wait_for_workers(false);
    signal_workers(SIGTERM, true, true);
    wait_for_workers(true);
    stop_postgres();
}

static bool take_signals(void)
{
    sigset_t set;

    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGHUP);
    sigaddset(&set, SIGCHLD);
    signal(SIGPIPE, SIG_IGN);
    sup.signals = sigprocmask(SIG_BLOCK, &set, NULL) == 0 ? signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK) : -1;
    return sup.signals >= 0;
}

static void raise_limits(void)
{
    struct rlimit files;

    if (getrlimit(RLIMIT_NOFILE, &files) != 0)
        return;
    files.rlim_cur = files.rlim_max;
    (void)setrlimit(RLIMIT_NOFILE, &files);
    if (files.rlim_max < 65536) { /* more by CAP_SYS_RESOURCE alone */
        files.rlim_cur = files.rlim_max = 65536;
        (void)setrlimit(RLIMIT_NOFILE, &files);
    }
}

/* Runs `correio-worker word...` as the caller and waits; its exit status. */
static int run_worker_word(const struct config *config, char *const *argv)
{
    char program[4096];
    int status;
    pid_t pid;

    snprintf(program, sizeof(program), "%.*s/correio-worker", STR_ARG(config->libexec));
    pid = fork();
    if (pid == 0) {
        sigset_t none;

        sigemptyset(&none);
        sigprocmask(SIG_SETMASK, &none, NULL);
        execv(program, argv);
        fprintf(stderr, "correiod: could not run %s: %s\n", program, strerror(errno));
        _exit(126);
    }
    while (pid > 0 && waitpid(pid, &status, 0) < 0) {
        if (errno != EINTR)
            return 1;
    }
    return pid > 0 && WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}

static bool start_database(const struct config *config)
{
    char *const migrate[] = { (char *)"correio-worker", (char *)"migrate", NULL };
    char *const first_admin[] = { (char *)"correio-worker", (char *)"first-admin", NULL };

    if (config->database_url.p == NULL && !postgres_start(config, &sup.postgres))
        return false;
    return run_worker_word(config, migrate) == 0 &&
           ((config->admin_address.p == NULL && !str_eq(config->admin_link, STR("log"))) || run_worker_word(config, first_admin) == 0);
}

int supervise(const struct config *config)
{
    sup.config = config;
    raise_limits();
    if (!home_prepare(config) || !take_lock(config, true) || !take_signals())
        return 1;
    if (!start_database(config) || !listeners_open(config, &sup.listeners) ||
        socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0, sup.control) != 0) {
        stop_postgres();
        return 1;
    }
    add_workers("auth", 1);
    add_workers("smtp", config->smtp_processes);
    add_workers("access", config->access_processes);
    add_workers("relay", config->relay_processes);
    add_workers("mda", config->mda_processes);
    add_workers("api", 1);
    serve();
    stop();
    return 0;
}

int run_word(const struct config *config, char *const *argv)
{
    bool own = config->database_url.p == NULL && take_lock(config, false);
    int status;

    sup.config = config;
    if (own && (!home_prepare(config) || !postgres_start(config, &sup.postgres)))
        return 1;
    status = run_worker_word(config, argv);
    stop_postgres();
    return status;
}
