/* mda/letter.c - the message as a file. */
#include "base/encode.h"
#include "base/log.h"
#include "mail/received.h"
#include "mda/mda_internal.h"
#include "store/body.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define MAX_HEAD 4096
#define MAX_HEADER ((uint64_t)256 * 1024) /* in which Delivered-To is looked for */

struct letter {
    int fd;
    uint64_t size;
    bool cr; /* the last byte was a CR, not yet written */
};

static struct body_source source_of(const struct mda_worker *w, const struct queue_envelope *m)
{
    return (struct body_source){ .db = w->crew.crew->db, .id = m->id,
                                 .shape = { (uint64_t)m->size, (uint64_t)m->header_size, (unsigned)m->frames } };
}

/* A hex digit of xtext (RFC 3461, 4), which is upper case; -1: none. */
static int xdigit(char c)
{
    return ascii_digit(c) ? c - '0' : c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

struct str letter_original(const struct queue_job *job, struct arena *a)
{
    CLEANUP(strbuf_release) struct strbuf out = { .max = 1024 };
    struct str text = job->orcpt;

    if (!str_istarts(text, STR("rfc822;")))
        return STR_NULL;
    text = str_from(text, 7);
    for (size_t i = 0; i < text.len; i++) {
        char c = text.p[i];

        if (c == '+' && i + 2 < text.len && xdigit(text.p[i + 1]) >= 0 && xdigit(text.p[i + 2]) >= 0) {
            c = (char)(xdigit(text.p[i + 1]) * 16 + xdigit(text.p[i + 2]));
            i += 2;
        }
        if ((unsigned char)c < ' ' || c == 127)
            return STR_NULL;
        (void)strbuf_addc(&out, c);
    }
    if (out.overflow || !str_is_utf8(strbuf_str(&out)) || str_ieq(strbuf_str(&out), job->recipient))
        return STR_NULL;
    return arena_str(a, strbuf_str(&out));
}

static bool put(struct letter *l, struct str bytes)
{
    l->size += bytes.len;
    while (bytes.len > 0) {
        ssize_t n = write(l->fd, bytes.p, bytes.len);

        if (n < 0 && errno != EINTR)
            return false;
        bytes = str_from(bytes, (size_t)MAX(n, (ssize_t)0));
    }
    return true;
}

/* CR LF becomes LF; a CR alone, which only a binary message holds, stays. */
static bool put_lines(struct letter *l, struct str bytes)
{
    bool ok = true;

    while (ok && bytes.len > 0) {
        size_t n = str_chr(bytes, '\r');

        if (l->cr && bytes.p[0] != '\n')
            ok = put(l, STR("\r"));
        l->cr = n != SIZE_MAX;
        ok = ok && put(l, str_sub(bytes, 0, n));
        bytes = str_from(bytes, n == SIZE_MAX ? bytes.len : n + 1);
    }
    return ok;
}

static bool put_head(struct letter *l, const struct queue_job *job, struct arena *a)
{
    CLEANUP(strbuf_release) struct strbuf head = { .max = MAX_HEAD };
    struct str original = letter_original(job, a);

    (void)!return_path_write(job->message->reverse_path, &head);
    if (original.p != NULL)
        (void)strbuf_addf(&head, "X-Original-To: %.*s\r\n", STR_ARG(original));
    (void)strbuf_addf(&head, "Delivered-To: %.*s\r\n", STR_ARG(job->recipient));
    return put_lines(l, strbuf_str(&head));
}

static enum result fill(struct letter *l, struct mda_worker *w, const struct queue_job *job, bool bare)
{
    CLEANUP(body_cursor_release) struct body_cursor cursor = { .source = source_of(w, job->message),
                                                               .end = (uint64_t)job->message->size };
    bool ok = bare || put_head(l, job, &w->crew.batch_arena);

    while (ok) {
        struct str piece;
        enum result r = body_next(&cursor, &piece);

        if (r != RES_OK)
            return r;
        if (piece.len == 0)
            break;
        ok = put_lines(l, piece);
    }
    if (ok && l->cr)
        ok = put(l, STR("\r"));
    if (!ok)
        log_error("mda-letter", F_QUEUE_ID("queue", job->message->id), F_C("error", strerror(errno)));
    return ok ? RES_OK : RES_TEMPFAIL;
}

/* The same file for reading only: whoever delivers it cannot change it. */
static int reopen(int fd)
{
    char path[64];

    snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
    return open(path, O_RDONLY | O_CLOEXEC);
}

int letter_file(struct mda_worker *w)
{
    char *name = arena_cstr(&w->crew.batch_arena, arena_printf(&w->crew.batch_arena, "%.*s/tmp/mda-XXXXXX",
                                                               STR_ARG(mda_service(w)->config->home)));
    int fd = mkostemp(name, O_CLOEXEC);

    if (fd >= 0)
        (void)unlink(name);
    else
        log_error("mda-letter", F_C("file", name), F_C("error", strerror(errno)));
    return fd;
}

enum result letter_make(struct mda_worker *w, const struct queue_job *job, bool bare, int *ret_fd, uint64_t *ret_size)
{
    struct letter l = { .fd = letter_file(w) };
    enum result r;
    int fd = -1;

    if (l.fd < 0)
        return RES_TEMPFAIL;
    r = fill(&l, w, job, bare);
    if (r == RES_OK && (fd = reopen(l.fd)) < 0) {
        log_error("mda-letter", F_C("error", strerror(errno)));
        r = RES_TEMPFAIL;
    }
    close(l.fd);
    *ret_fd = fd;
    *ret_size = l.size;
    return r;
}

enum result letter_has_been_to(struct mda_worker *w, const struct queue_job *job, bool *ret)
{
    const struct body_source source = source_of(w, job->message);
    struct str header;
    enum result r =
        body_read(&source, 0, MIN((uint64_t)job->message->header_size, MAX_HEADER), &w->crew.batch_arena, &header);

    *ret = r == RES_OK && delivered_to_before(header, job->recipient);
    return r;
}
