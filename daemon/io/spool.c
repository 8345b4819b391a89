#include "io/spool.h"
#include "base/log.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#define FILE_PIECE ((size_t)256 << 10) /* gathered before each write to the file */

static const char *directory = "/tmp";

void spool_set_directory(const char *dir)
{
    directory = dir;
}

void spool_init(struct spool *s, size_t max)
{
    *s = (struct spool){ .fd = -1, .max = max };
}

static void unmap(struct spool *s)
{
    if (s->map != NULL)
        munmap(s->map, s->in_file);
    s->map = NULL;
}

void spool_release(struct spool *s)
{
    unmap(s);
    if (s->fd >= 0)
        close(s->fd);
    strbuf_release(&s->memory);
    *s = (struct spool){ .fd = -1, .max = s->max };
}

size_t spool_size(const struct spool *s)
{
    return s->in_file + s->memory.len;
}

static enum result fail(struct spool *s, enum result r)
{
    if (r == RES_TEMPFAIL)
        log_error("spool", F_C("directory", directory), F_C("error", strerror(errno)));
    spool_release(s);
    s->error = r;
    return r;
}

static enum result write_out(struct spool *s)
{
    struct str left = strbuf_str(&s->memory);

    if (s->fd < 0)
        s->fd = open(directory, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    if (s->fd < 0)
        return fail(s, RES_TEMPFAIL);
    while (left.len > 0) {
        ssize_t n = write(s->fd, left.p, left.len);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return fail(s, RES_TEMPFAIL);
        left = str_from(left, (size_t)n);
        s->in_file += (size_t)n;
    }
    strbuf_reset(&s->memory);
    return RES_OK;
}

enum result spool_add(struct spool *s, struct str bytes)
{
    if (s->error != RES_OK)
        return s->error;
    unmap(s);
    if (bytes.len > s->max - spool_size(s))
        return fail(s, RES_LIMIT);
    strbuf_add(&s->memory, bytes);
    if (spool_size(s) > SPOOL_MEMORY && s->memory.len >= FILE_PIECE)
        return write_out(s);
    return RES_OK;
}

enum result spool_view(struct spool *s, struct str *ret_bytes)
{
    if (s->error != RES_OK)
        return s->error;
    if (s->fd < 0) {
        *ret_bytes = strbuf_str(&s->memory);
        return RES_OK;
    }
    if (s->memory.len > 0 && write_out(s) != RES_OK)
        return s->error;
    if (s->map == NULL) {
        s->map = mmap(NULL, s->in_file, PROT_READ, MAP_PRIVATE, s->fd, 0);
        if (s->map == MAP_FAILED) {
            s->map = NULL;
            return fail(s, RES_TEMPFAIL);
        }
    }
    *ret_bytes = str_of(s->map, s->in_file);
    return RES_OK;
}

enum result spool_insert(struct spool *s, size_t at, struct str bytes)
{
    struct spool fresh;
    struct str old;
    enum result r = spool_view(s, &old);

    if (r != RES_OK)
        return r;
    spool_init(&fresh, s->max + bytes.len); /* what we add ourselves does not count against the client's limit */
    r = spool_add(&fresh, str_sub(old, 0, at));
    if (r == RES_OK)
        r = spool_add(&fresh, bytes);
    if (r == RES_OK)
        r = spool_add(&fresh, str_from(old, at));
    spool_release(s);
    *s = fresh;
    return r;
}
