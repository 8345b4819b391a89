/* agent/maildir.c - Maildir and Maildir++. */
#include "agent/deliver.h"

#include "base/fault.h"
#include "mail/utf7.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <unistd.h>

#define COPY_BYTES 65536

struct str maildir_folder(struct arena *a, struct str folder)
{
    CLEANUP(strbuf_release) struct strbuf out = { .max = 200 };
    struct str level;

    if (folder.len == 0 || str_ieq(folder, STR("INBOX")) || !str_is_utf8(folder))
        return STR_NULL;
    if (str_istarts(folder, STR("INBOX/")))
        folder = str_from(folder, 6);
    while (str_split(&folder, '/', &level)) {
        if (level.len == 0)
            return STR_NULL;
        (void)strbuf_addc(&out, '.');
        for (size_t i = 0; i < level.len; i++) {
            if ((unsigned char)level.p[i] < ' ' || level.p[i] == 127)
                return STR_NULL;
            (void)strbuf_addc(&out, level.p[i] == '.' ? '_' : level.p[i]);
        }
    }
    return out.overflow || out.len == 0 ? STR_NULL : utf7_encode(a, strbuf_str(&out));
}

/* Makes a directory with its three; the ones above must be there. */
static bool make_maildir(struct arena *a, struct str path)
{
    static const char *const parts[] = { "", "/tmp", "/new", "/cur" };

    for (size_t i = 0; i < ARRAY_LEN(parts); i++) {
        if (mkdir(arena_printf(a, "%.*s%s", STR_ARG(path), parts[i]).p, 0700) != 0 && errno != EEXIST)
            return false;
    }
    return true;
}

/* A folder says by an empty file that it is one (Maildir++). */
static bool make_folder(struct arena *a, struct str path)
{
    int fd;

    if (!make_maildir(a, path))
        return false;
    fd =
        open(arena_printf(a, "%.*s/maildirfolder", STR_ARG(path)).p, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0)
        return false;
    close(fd);
    return true;
}

static bool copy(int from, int to)
{
    static char bytes[COPY_BYTES];
    ssize_t n;

    if (lseek(from, 0, SEEK_SET) != 0)
        return false;
    while ((n = read(from, bytes, sizeof(bytes))) != 0) {
        if (n < 0 && errno != EINTR)
            return false;
        if (n > 0 && !write_all(to, str_of(bytes, (size_t)n)))
            return false;
    }
    return fsync(to) == 0;
}

/* time.MusecPpid.host,S=size: nobody else on this host has it, and quota needs not stat (Maildir++). */
static struct str unique_name(const struct delivering *d)
{
    CLEANUP(strbuf_release) struct strbuf host = { .max = 256 };
    struct timeval now;

    gettimeofday(&now, NULL);
    for (size_t i = 0; i < d->request->host.len; i++) { /* "/" and ":" have a meaning in such names */
        char c = d->request->host.p[i];

        (void)strbuf_add(&host, c == '/' ? STR("\\057") : c == ':' ? STR("\\072") : str_of(&c, 1));
    }
    return arena_printf(d->a, "%lld.M%06ldP%ld.%.*s,S=%llu", (long long)now.tv_sec, (long)now.tv_usec, (long)getpid(),
                        STR_ARG(strbuf_str(&host)), (unsigned long long)d->request->size);
}

/* From tmp to its place, which nobody may have taken; where there are no hard links by a rename. */
static bool move(const char *tmp, const char *final)
{
    if (link(tmp, final) == 0)
        return unlink(tmp) == 0 || errno == ENOENT;
    if (errno != EPERM && errno != EOPNOTSUPP && errno != EXDEV)
        return false;
    return access(final, F_OK) != 0 && rename(tmp, final) == 0;
}

static struct answer deliver_into(const struct delivering *d, struct str path)
{
    struct str name = unique_name(d), tmp = arena_printf(d->a, "%.*s/tmp/%.*s", STR_ARG(path), STR_ARG(name));
    bool seen = d->request->flags.len > 0;
    struct str directory = arena_printf(d->a, "%.*s/%s", STR_ARG(path), seen ? "cur" : "new");
    struct str final = arena_printf(d->a, seen ? "%.*s/%.*s:2,%.*s" : "%.*s/%.*s%.*s", STR_ARG(directory),
                                    STR_ARG(name), STR_ARG(d->request->flags));
    int fd = open(tmp.p, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
    struct answer answer;
    bool ok;

    if (fd < 0)
        return answer_errno(d->a, "could not make", tmp);
    ok = copy(d->message, fd);
    if (close(fd) != 0)
        ok = false;
    fault_point("agent-before-link");
    if (ok && move(tmp.p, final.p) && sync_directory(directory.p))
        return (struct answer){ .kind = ANSWER_DONE };
    answer = answer_errno(d->a, "could not write", ok ? final : tmp);
    (void)unlink(tmp.p); /* what is in new already stays: rather twice than never */
    return answer;
}

struct answer maildir_deliver(const struct delivering *d, struct str path)
{
    struct str folder = maildir_folder(d->a, d->request->folder);

    while (path.len > 1 && path.p[path.len - 1] == '/')
        path.len--;
    path = arena_str(d->a, path);
    if (!make_maildir(d->a, path))
        return answer_errno(d->a, "could not make the Maildir", path);
    if (folder.p == NULL)
        return deliver_into(d, path);
    path = arena_printf(d->a, "%.*s/%.*s", STR_ARG(path), STR_ARG(folder));
    if (!make_folder(d->a, path))
        return answer_errno(d->a, "could not make the folder", path);
    return deliver_into(d, path);
}
