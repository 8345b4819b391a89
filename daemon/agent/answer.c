/* agent/answer.c - what the deliveries share. */
#include "agent/deliver.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

struct answer answer_later(struct arena *a, const char *status, const char *fmt, ...)
{
    char text[512];
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);
    return (struct answer){ .kind = ANSWER_LATER, .status = str_c(status), .text = arena_str(a, str_c(text)) };
}

struct answer answer_errno(struct arena *a, const char *what, struct str path)
{
    const char *why = strerror(errno);
    bool full = errno == ENOSPC || errno == EDQUOT || errno == EFBIG;

    return answer_later(a, full ? "4.2.2" : "4.3.0", "%s %.*s: %s", what, STR_ARG(path), why);
}

bool write_all(int fd, struct str bytes)
{
    while (bytes.len > 0) {
        ssize_t n = write(fd, bytes.p, bytes.len);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return false;
        bytes = str_from(bytes, (size_t)n);
    }
    return true;
}

bool sync_directory(const char *path)
{
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    bool ok = fd >= 0 && fsync(fd) == 0;
    int error = errno;

    if (fd >= 0)
        close(fd);
    errno = error;
    return ok;
}
