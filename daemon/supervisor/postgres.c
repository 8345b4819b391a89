#include "supervisor/postgres.h"
#include "base/encode.h"
#include "supervisor/home.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/sysinfo.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#define LEAST_VERSION 15
#define POLL_US 10000
#define TELL_MS 10000
#define STOP_MS 30000 /* for what shuts down in order */
#define ORPHAN_MS 10000
#define HEAP_KEEP "4194304" /* what each backend keeps of its heap, and the largest piece of it: see worker.c */
#define HEAP_STEP "262144"

static const char *const kinds[] = { "auth", "smtp", "access", "relay", "mda", "api" };

/* The version that has made the cluster; 0: there is none yet. */
static uint64_t cluster_version(const struct config *config)
{
    FILE *f = fopen(home_path(config, "pg/PG_VERSION"), "re");
    char line[16] = "";
    uint64_t v = 0;

    if (f != NULL) {
        if (fgets(line, sizeof(line), f) == NULL || !str_u64(str_trim(str_c(line)), 1000, &v))
            v = 0;
        fclose(f);
    }
    return v;
}

/* Debian's server programs, e.g. /usr/lib/postgresql/15/bin: those of the cluster's version, for a new one the newest. */
static bool find_programs(const struct config *config, char *out, size_t cap)
{
    DIR *dir = opendir("/usr/lib/postgresql");
    const struct dirent *d;
    uint64_t wanted = cluster_version(config), best = 0, v;

    while (dir != NULL && (d = readdir(dir)) != NULL) {
        char server[64];

        if (!str_u64(str_c(d->d_name), 1000, &v) || v <= best || (wanted != 0 && v != wanted))
            continue;
        snprintf(server, sizeof(server), "/usr/lib/postgresql/%llu/bin/postgres", (unsigned long long)v);
        if (access(server, X_OK) == 0) /* a client's package has a directory there, too */
            best = v;
    }
    if (dir != NULL)
        closedir(dir);
    if (wanted != 0 && best == 0)
        fprintf(stderr, "correiod: PostgreSQL %llu, which has made the cluster, is not installed (package postgresql-%llu)\n",
                (unsigned long long)wanted, (unsigned long long)wanted);
    else if (best < LEAST_VERSION)
        fprintf(stderr, "correiod: PostgreSQL %d or later is not installed (package postgresql)\n", LEAST_VERSION);
    snprintf(out, cap, "/usr/lib/postgresql/%llu/bin", (unsigned long long)best);
    return best >= LEAST_VERSION;
}

static bool run_and_wait(const char *kind, char *const *argv)
{
    pid_t pid = fork();
    int status;

    if (pid == 0) {
        if (!home_become(kind) || chdir("/") != 0)
            _exit(127);
        execv(argv[0], argv);
        fprintf(stderr, "correiod: could not run %s: %s\n", argv[0], strerror(errno));
        _exit(127);
    }
    while (pid > 0 && waitpid(pid, &status, 0) < 0) {
        if (errno != EINTR)
            return false;
    }
    return pid > 0 && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

/* ---- configuration files: written at every start, so that they follow the machine ---- */

static void write_settings(FILE *f, const struct config *config)
{
    struct sysinfo memory;
    struct statvfs disk;
    unsigned long long buffers_mb = 256, wal_mb = 1024;

    if (sysinfo(&memory) == 0)
        buffers_mb = MAX((unsigned long long)memory.totalram * memory.mem_unit / 4 >> 20, 256ull);
    if (statvfs(home_path(config, "pg"), &disk) == 0)
        wal_mb = MIN((unsigned long long)disk.f_blocks * disk.f_frsize / 10 >> 20, 8192ull);
    if (config->postgres_memory.p != NULL) {
        uint64_t bytes;

        if (str_size(config->postgres_memory, &bytes))
            buffers_mb = MAX(bytes >> 20, (uint64_t)16);
        wal_mb = MIN(wal_mb, buffers_mb * 4);
    }
    fprintf(f,
            "# Written by correiod at every start.\n"
            "listen_addresses = ''\nunix_socket_directories = '%s'\nunix_socket_permissions = 0777\n"
            "max_connections = 100\nshared_buffers = %lluMB\nhuge_pages = try\nwal_compression = lz4\nwal_buffers = %lluMB\n"
            "max_wal_size = %lluMB\nmin_wal_size = 80MB\ncheckpoint_timeout = 5min\ncheckpoint_completion_target = 0.9\n"
            "commit_delay = 0\nfsync = on\nfull_page_writes = on\nsynchronous_commit = on\nwal_level = replica\n"
            "autovacuum_naptime = 5s\nautovacuum_vacuum_cost_delay = 1ms\ndefault_toast_compression = lz4\njit = off\n"
            "idle_in_transaction_session_timeout = 60s\nlog_timezone = UTC\ntimezone = UTC\nlog_destination = stderr\n"
            "logging_collector = off\nlog_line_prefix = 'postgres[%%p] '\nlog_checkpoints = off\n"
            "log_min_messages = warning\n",
            home_path(config, "run"), buffers_mb, MIN(buffers_mb / 4, 64ull), /* which its walwriter fills with zeros at each start */
            MAX(wal_mb, 64ull));
}

static void write_hba(FILE *f, const struct config *config)
{
    (void)config;
    fprintf(f, "# Written by correiod: the unix socket only, and only by who the caller is.\n"
               "local all,replication all peer map=correio\n");
}

/* Each process's user is its role; the owner's is for migrations, as root or as the cluster's user. */
static void write_ident(FILE *f, const struct config *config)
{
    const struct passwd *me = getpwuid(geteuid());

    (void)config;
    if (geteuid() == 0) {
        fprintf(f, "correio root correio_owner\ncorreio correio-db correio_owner\n");
        for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
            fprintf(f, "correio correio-%s correio_%s\n", kinds[i], kinds[i]);
        return;
    }
    fprintf(f, "correio %s correio_owner\n", me != NULL ? me->pw_name : "nobody");
    for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
        fprintf(f, "correio %s correio_%s\n", me != NULL ? me->pw_name : "nobody", kinds[i]);
}

static bool write_file(const struct config *config, const char *name, void (*write)(FILE *, const struct config *))
{
    const char *path = home_path(config, name);
    FILE *f = fopen(path, "we");
    uid_t uid;
    gid_t gid;
    bool ok;

    if (f == NULL) {
        fprintf(stderr, "correiod: could not write \"%s\": %s\n", path, strerror(errno));
        return false;
    }
    write(f, config);
    ok = fflush(f) == 0 && home_user("db", &uid, &gid) && (geteuid() != 0 || fchown(fileno(f), uid, gid) == 0);
    fclose(f);
    return ok;
}

static bool make_cluster(const struct config *config, const char *programs)
{
    char initdb[256];
    const char *data = home_path(config, "pg");
    char *const argv[] = { initdb, (char *)"-D", (char *)(uintptr_t)data, (char *)"--encoding=UTF8", (char *)"--locale=C",
                           (char *)"--data-checksums", (char *)"--auth=peer", (char *)"--username=correio_owner",
                           (char *)"--no-instructions", NULL };
    struct stat st;
    uid_t uid;
    gid_t gid;

    if (stat(home_path(config, "pg/PG_VERSION"), &st) == 0)
        return true;
    snprintf(initdb, sizeof(initdb), "%s/initdb", programs);
    if (mkdir(data, 0700) != 0 && errno != EEXIST)
        return false;
    if (!home_user("db", &uid, &gid) || (geteuid() == 0 && chown(data, uid, gid) != 0))
        return false;
    fprintf(stderr, "correiod: making the database cluster\n");
    return run_and_wait("db", argv);
}

/* ---- what an earlier one has left ---- */

/* The first line of postmaster.pid, 0: there is none; *ret_ready: its last word is "ready", connections are served. */
static pid_t postmaster(const struct config *config, bool *ret_ready)
{
    char buf[1024];
    FILE *f = fopen(home_path(config, "pg/postmaster.pid"), "re");
    size_t n;

    *ret_ready = false;
    if (f == NULL)
        return 0;
    n = fread(buf, 1, sizeof(buf) - 1, f);
    fclose(f);
    buf[n] = '\0';
    *ret_ready = str_ends(str_trim(str_c(buf)), STR("\nready"));
    return (pid_t)strtol(buf, NULL, 10);
}

/* The beginning of /proc/PID/NAME, as text. */
static struct str process_file(pid_t pid, const char *name, char *buf, size_t cap)
{
    char path[64];
    FILE *f;
    size_t n = 0;

    snprintf(path, sizeof(path), "/proc/%d/%s", (int)pid, name);
    f = fopen(path, "re");
    if (f != NULL) {
        n = fread(buf, 1, cap - 1, f);
        fclose(f);
    }
    buf[n] = '\0';
    return str_trim(str_c(buf));
}

/* Whether a process is one of this cluster: each of PostgreSQL's works in the data directory. */
static bool is_of_cluster(pid_t pid, const char *data)
{
    char path[64], cwd[PATH_MAX], comm[16];
    ssize_t n;

    snprintf(path, sizeof(path), "/proc/%d/cwd", (int)pid);
    n = readlink(path, cwd, sizeof(cwd));
    return n > 0 && (size_t)n < sizeof(cwd) && str_eq((struct str){ cwd, (size_t)n }, str_c(data)) &&
           str_eq(process_file(pid, "comm", comm, sizeof(comm)), STR("postgres"));
}

/* The processes of this cluster, one after the other; 0 at the end.  *dir: NULL at the beginning. */
static pid_t next_of_cluster(DIR **dir, const char *data)
{
    const struct dirent *d;

    if (*dir == NULL)
        *dir = opendir("/proc");
    while (*dir != NULL && (d = readdir(*dir)) != NULL) {
        pid_t pid = (pid_t)strtol(d->d_name, NULL, 10);

        if (pid > 1 && is_of_cluster(pid, data))
            return pid;
    }
    if (*dir != NULL)
        closedir(*dir);
    return 0;
}

/* Whether it has a startup process. */
static bool recovers(const struct config *config)
{
    char data[PATH_MAX], title[32];
    bool found = false;
    DIR *dir = NULL;
    pid_t pid;

    if (realpath(home_path(config, "pg"), data) == NULL)
        return false;
    while ((pid = next_of_cluster(&dir, data)) != 0)
        found = found || str_starts(process_file(pid, "cmdline", title, sizeof(title)), STR("postgres: startup"));
    return found;
}

/* Asks once, then makes it once. */
static void end_orphan(const struct config *config, pid_t pid)
{
    static struct {
        pid_t pid;
        int64_t until;
        bool hurried;
    } orphan;

    if (orphan.pid != pid) {
        fprintf(stderr, "correiod: ending the database of an earlier run (pid %d)\n", (int)pid);
        kill(pid, recovers(config) ? SIGQUIT : SIGINT);
        orphan.pid = pid;
        orphan.until = mono_ms() + ORPHAN_MS;
        orphan.hurried = false;
    } else if (!orphan.hurried && mono_ms() >= orphan.until) {
        kill(pid, SIGQUIT);
        orphan.hurried = true;
    }
}

bool postgres_is_gone(const struct config *config)
{
    char data[PATH_MAX];
    bool ready, gone = true;
    pid_t master = postmaster(config, &ready), pid;
    DIR *dir = NULL;

    if (realpath(home_path(config, "pg"), data) == NULL)
        return true;
    if (master > 1 && is_of_cluster(master, data)) {
        end_orphan(config, master); /* and it ends its own */
        return false;
    }
    while ((pid = next_of_cluster(&dir, data)) != 0) {
        kill(pid, SIGQUIT); /* as a postmaster does when one of them has crashed */
        gone = false;
    }
    return gone;
}

/* ---- start ---- */

pid_t postgres_launch(const struct config *config)
{
    char programs[128], postgres[256];
    pid_t pid;

    if (!find_programs(config, programs, sizeof(programs)) || !make_cluster(config, programs) ||
        !write_file(config, "pg/postgresql.conf", write_settings) || !write_file(config, "pg/pg_hba.conf", write_hba) ||
        !write_file(config, "pg/pg_ident.conf", write_ident))
        return 0;
    snprintf(postgres, sizeof(postgres), "%s/postgres", programs);
    pid = fork();
    if (pid == 0) {
        sigset_t none;

        sigemptyset(&none);
        sigprocmask(SIG_SETMASK, &none, NULL);
        setpgid(0, 0); /* a Ctrl-C of the terminal is for the supervisor, which stops things in order */
        if (!home_become("db") || chdir("/") != 0)
            _exit(127);
        prctl(PR_SET_PDEATHSIG, SIGINT);
        setenv("MALLOC_TRIM_THRESHOLD_", HEAP_KEEP, 0);
        setenv("MALLOC_MMAP_THRESHOLD_", HEAP_KEEP, 0);
        setenv("MALLOC_TOP_PAD_", HEAP_STEP, 0);
        execl(postgres, postgres, "-D", home_path(config, "pg"), (char *)NULL); /* it looks for its files beside argv[0] */
        _exit(127);
    }
    return MAX(pid, 0);
}

bool postgres_is_ready(const struct config *config, pid_t pid)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    bool ready;
    int fd;

    if (postmaster(config, &ready) != pid || !ready)
        return false;
    fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    snprintf(address.sun_path, sizeof(address.sun_path), "%s", home_path(config, "run/.s.PGSQL.5432"));
    ready = fd >= 0 && connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0;
    if (fd >= 0)
        close(fd);
    return ready;
}

/* False: we are asked to stop.  *tell_at: when to say what is waited for. */
static bool wait_a_moment(int64_t *tell_at, const char *what)
{
    sigset_t pending;

    usleep(POLL_US);
    if (mono_ms() >= *tell_at) {
        fprintf(stderr, "correiod: %s\n", what);
        *tell_at = mono_ms() + TELL_MS;
    }
    return sigpending(&pending) != 0 || (!sigismember(&pending, SIGINT) && !sigismember(&pending, SIGTERM));
}

bool postgres_start(const struct config *config, pid_t *ret_pid)
{
    int64_t tell_at = mono_ms() + TELL_MS;
    pid_t pid;

    while (!postgres_is_gone(config)) {
        if (!wait_a_moment(&tell_at, "the PostgreSQL of an earlier run is still ending"))
            return false;
    }
    pid = postgres_launch(config);
    if (pid == 0)
        return false;
    while (!postgres_is_ready(config, pid)) {
        if (waitpid(pid, NULL, WNOHANG) == pid) {
            fprintf(stderr, "correiod: PostgreSQL did not start\n");
            return false;
        }
        if (!wait_a_moment(&tell_at, "PostgreSQL is still recovering what a crash has left; nothing is lost, this may take minutes")) {
            postgres_stop(config, pid);
            return false;
        }
    }
    *ret_pid = pid;
    return true;
}

void postgres_stop(const struct config *config, pid_t pid)
{
    int64_t until = mono_ms() + STOP_MS;
    bool in_order = !recovers(config);

    kill(pid, in_order ? SIGINT : SIGQUIT);
    while (waitpid(pid, NULL, WNOHANG) == 0) {
        if (in_order && mono_ms() >= until) {
            fprintf(stderr, "correiod: PostgreSQL does not shut down; ending it\n");
            kill(pid, SIGQUIT);
            in_order = false;
        }
        usleep(POLL_US);
    }
}
