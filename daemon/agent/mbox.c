/* agent/mbox.c - mboxrd.
 *
 * Locks in Debian's order: fcntl, then the dotlock.  Where the directory does not let the user make a dotlock
 * (/var/mail, which belongs to the group mail), the fcntl lock alone must do. */
#include "agent/deliver.h"

#include "base/fault.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define LOCK_WAIT_S 30
#define LOCK_STALE_S 300 /* nobody holds a dotlock for so long */
#define PIECE_BYTES 65536

void mbox_quote(struct str text, struct strbuf *out)
{
    while (text.len > 0) {
        size_t end = str_chr(text, '\n');
        struct str line = end == SIZE_MAX ? text : str_sub(text, 0, end + 1), rest = line;

        while (rest.len > 0 && rest.p[0] == '>')
            rest = str_from(rest, 1);
        if (str_starts(rest, STR("From ")))
            (void)strbuf_addc(out, '>');
        (void)strbuf_add(out, line);
        text = str_from(text, line.len);
    }
}

struct str mbox_from_line(struct arena *a, struct str sender, int64_t now_s)
{
    CLEANUP(strbuf_release) struct strbuf word = { .max = 1024 };
    time_t at = (time_t)now_s;
    struct tm tm;
    char date[64];

    for (size_t i = 0; i < sender.len; i++)
        (void)strbuf_addc(&word, (unsigned char)sender.p[i] <= ' ' || sender.p[i] == 127 ? '_' : sender.p[i]);
    gmtime_r(&at, &tm);
    strftime(date, sizeof(date), "%a %b %e %H:%M:%S %Y", &tm); /* the C locale's names: nobody calls setlocale */
    return arena_printf(a, "From %.*s %s\n", STR_ARG(word.len > 0 ? strbuf_str(&word) : STR("MAILER-DAEMON")), date);
}

/* ---- locks ---- */

static bool lock_file(int fd, time_t until)
{
    struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET };

    while (fcntl(fd, F_SETLK, &lock) != 0) {
        if ((errno != EAGAIN && errno != EACCES) || time(NULL) >= until)
            return false;
        usleep(200 * 1000);
    }
    return true;
}

/* Its holder has died, or it is old. */
static bool is_stale(const char *path)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    char text[32] = "";
    struct stat st;
    ssize_t n;
    long pid;
    bool stale;

    if (fd < 0)
        return false;
    n = read(fd, text, sizeof(text) - 1);
    text[MAX(n, 0)] = '\0';
    pid = strtol(text, NULL, 10);
    stale = fstat(fd, &st) == 0 && (st.st_mtime + LOCK_STALE_S < time(NULL) ||
                                    (pid > 1 && kill((pid_t)pid, 0) != 0 && errno == ESRCH));
    close(fd);
    return stale;
}

/* *ret_made: ours to remove.  false: errno tells. */
static bool make_dotlock(const char *path, time_t until, bool *ret_made)
{
    char pid[32];
    int fd;

    *ret_made = false;
    while ((fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0444)) < 0) {
        if (errno == EACCES || errno == EPERM || errno == EROFS)
            return true;
        if (errno != EEXIST || time(NULL) >= until)
            return false;
        if (is_stale(path))
            (void)unlink(path);
        else
            usleep(200 * 1000);
    }
    snprintf(pid, sizeof(pid), "%ld", (long)getpid());
    *ret_made = write_all(fd, str_c(pid));
    close(fd);
    if (!*ret_made)
        (void)unlink(path);
    return *ret_made;
}

/* ---- writing ---- */

static bool flush(int fd, struct strbuf *out)
{
    bool ok = write_all(fd, strbuf_str(out));

    strbuf_reset(out);
    return ok;
}

static bool append_message(const struct delivering *d, int fd, struct str separator)
{
    CLEANUP(strbuf_release) struct strbuf out = { 0 };
    char *line = NULL;
    size_t cap = 0;
    int copy = dup(d->message);
    FILE *in = lseek(d->message, 0, SEEK_SET) == 0 ? fdopen(copy, "r") : NULL;
    bool ok = in != NULL, ended = true;
    ssize_t n;

    (void)strbuf_add(&out, separator);
    (void)strbuf_add(&out, mbox_from_line(d->a, d->request->sender, time(NULL)));
    while (ok && (n = getline(&line, &cap, in)) > 0) {
        mbox_quote(str_of(line, (size_t)n), &out);
        ended = line[n - 1] == '\n';
        if (out.len >= PIECE_BYTES)
            ok = flush(fd, &out);
    }
    ok = ok && ferror(in) == 0;
    fault_point("agent-mbox-half");
    (void)strbuf_add(&out, ended ? STR("\n") : STR("\n\n"));
    ok = ok && flush(fd, &out) && fsync(fd) == 0;
    free(line);
    if (in != NULL)
        fclose(in);
    else
        close(copy);
    return ok;
}

/* What makes the end of a file an empty line, since somebody may have died while writing.  STR_NULL: not readable. */
static struct str separator_behind(int fd, off_t size)
{
    char end[] = { '\n', '\n' };
    off_t n = MIN(size, (off_t)2);

    if (pread(fd, end + 2 - n, (size_t)n, size - n) != n)
        return STR_NULL;
    if (end[1] != '\n')
        return STR("\n\n");
    return end[0] != '\n' ? STR("\n") : STR("");
}

static struct answer append_locked(const struct delivering *d, int fd, struct str path)
{
    struct stat st;
    struct answer answer;
    struct str separator;

    if (fstat(fd, &st) != 0 || (separator = separator_behind(fd, st.st_size)).p == NULL)
        return answer_errno(d->a, "could not read", path);
    if (append_message(d, fd, separator))
        return (struct answer){ .kind = ANSWER_DONE };
    answer = answer_errno(d->a, "could not write to", path);
    if (ftruncate(fd, st.st_size) != 0 || fsync(fd) != 0)
        return answer_errno(d->a, "could not cut back", path);
    return answer;
}

/* A mail program may have put another file in its place while we waited. */
static bool is_still(int fd, const char *path)
{
    struct stat open_one, named;

    return fstat(fd, &open_one) == 0 && lstat(path, &named) == 0 && open_one.st_ino == named.st_ino &&
           open_one.st_dev == named.st_dev;
}

static struct answer deliver_open(const struct delivering *d, int fd, struct str path)
{
    struct str dotlock = arena_printf(d->a, "%.*s.lock", STR_ARG(path));
    time_t until = time(NULL) + LOCK_WAIT_S;
    struct answer answer;
    struct stat st;
    bool made;

    if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode) || st.st_uid != geteuid() || st.st_nlink != 1)
        return answer_later(d->a, "4.2.0", "%.*s is not a file of this user with one name", STR_ARG(path));
    if (!lock_file(fd, until) || !make_dotlock(dotlock.p, until, &made))
        return errno == EAGAIN || errno == EACCES || errno == EEXIST
                   ? answer_later(d->a, "4.2.0", "%.*s is locked by another program", STR_ARG(path))
                   : answer_errno(d->a, "could not lock", path);
    if (is_still(fd, path.p))
        answer = append_locked(d, fd, path);
    else
        answer = answer_later(d->a, "4.2.0", "%.*s was replaced while it was locked", STR_ARG(path));
    if (made)
        (void)unlink(dotlock.p);
    return answer;
}

struct answer mbox_deliver(const struct delivering *d, struct str path)
{
    struct str name = arena_str(d->a, path);
    bool is_new = access(name.p, F_OK) != 0;
    int fd = open(name.p, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0600);
    struct answer answer;

    if (fd < 0)
        return answer_errno(d->a, "could not open", name);
    answer = deliver_open(d, fd, name);
    if (is_new && answer.kind == ANSWER_DONE &&
        !sync_directory(arena_str(d->a, str_sub(name, 0, MAX(str_rchr(name, '/'), (size_t)1))).p))
        answer = answer_errno(d->a, "could not make durable", name);
    close(fd); /* which ends the lock */
    return answer;
}
