/* A buffered socket for one coroutine (io/stream.h).  Reads and writes are tried first and wait only on EAGAIN. */
#include "io/stream.h"
#include "base/strbuf.h"
#include "io/tls.h"
#include "io/watch.h"

#include <arpa/inet.h>
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define READ_CHUNK ((size_t)4096)
#define READ_CHUNK_MAX ((size_t)64 << 10)
#define FLUSH_AT ((size_t)32 << 10)
#define DEFAULT_TIMEOUT_MS (5 * 60 * 1000)

struct stream {
    struct watch *watch;
    int fd;
    int64_t timeout_ms;
    bool interruptible;
    enum result error; /* sticks */
    char *in;          /* in[in_at .. in_at + in_len) was received and not taken */
    size_t in_at, in_len, in_cap, chunk;
    struct strbuf out;
    SSL *ssl;
    struct tls_context *tls;
    char tls_error[160];
    struct sockaddr_storage peer;
    char peer_ip[INET6_ADDRSTRLEN + IF_NAMESIZE + 1];
};

static enum result fail(struct stream *s, enum result r)
{
    if (s->error == RES_OK && r != RES_OK && r != RES_CANCELLED)
        s->error = r;
    return r;
}

/* ---- life ---- */

static void remember_peer(struct stream *s)
{
    socklen_t len = sizeof(s->peer);
    const void *address = NULL;

    if (getpeername(s->fd, (struct sockaddr *)&s->peer, &len) != 0)
        s->peer.ss_family = AF_UNSPEC;
    if (s->peer.ss_family == AF_INET6) {
        struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)&s->peer;

        if (IN6_IS_ADDR_V4MAPPED(&in6->sin6_addr)) { /* one form for one address */
            struct sockaddr_in in = { .sin_family = AF_INET, .sin_port = in6->sin6_port };

            memcpy(&in.sin_addr, in6->sin6_addr.s6_addr + 12, 4);
            memcpy(&s->peer, &in, sizeof(in));
        }
    }
    if (s->peer.ss_family == AF_INET)
        address = &((struct sockaddr_in *)&s->peer)->sin_addr;
    else if (s->peer.ss_family == AF_INET6)
        address = &((struct sockaddr_in6 *)&s->peer)->sin6_addr;
    if (address == NULL || inet_ntop(s->peer.ss_family, address, s->peer_ip, sizeof(s->peer_ip)) == NULL)
        snprintf(s->peer_ip, sizeof(s->peer_ip), "local");
}

struct stream *stream_new(int fd)
{
    struct stream *s = calloc(1, sizeof(*s));
    int on = 1;

    if (s == NULL)
        abort();
    s->fd = fd;
    s->timeout_ms = DEFAULT_TIMEOUT_MS;
    s->chunk = READ_CHUNK;
    fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
    fcntl(fd, F_SETFD, FD_CLOEXEC);
    s->watch = watch_new(fd);
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on)); /* fails on Unix sockets, as it may */
    remember_peer(s);
    return s;
}

void stream_free(struct stream *s)
{
    if (s == NULL)
        return;
    if (s->ssl != NULL) {
        if (s->error == RES_OK && SSL_is_init_finished(s->ssl)) {
            ERR_clear_error();
            (void)SSL_shutdown(s->ssl);
        }
        SSL_free(s->ssl);
        ERR_clear_error();
    }
    tls_unref(s->tls);
    watch_free(s->watch, true);
    free(s->in);
    strbuf_release(&s->out);
    free(s);
}

void stream_freep(struct stream **s)
{
    stream_free(*s);
    *s = NULL;
}

enum result stream_connect(const struct sockaddr *address, socklen_t len, const struct sockaddr *source,
                           int64_t deadline, struct stream **ret_stream, int *ret_errno)
{
    CLEANUP(stream_freep) struct stream *s = NULL;
    socklen_t source_len = address->sa_family == AF_INET6 ? sizeof(struct sockaddr_in6) : sizeof(struct sockaddr_in);
    socklen_t error_len = sizeof(int);
    enum result r;
    int fd, error = 0;

    fd = socket(address->sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0) {
        *ret_errno = errno;
        return RES_CLOSED;
    }
    s = stream_new(fd);
    if (source != NULL && bind(fd, source, source_len) != 0) {
        *ret_errno = errno;
        return RES_CLOSED;
    }
    if (connect(fd, address, len) != 0) {
        if (errno != EINPROGRESS && errno != EAGAIN) {
            *ret_errno = errno;
            return RES_CLOSED;
        }
        r = watch_wait(s->watch, WATCH_WRITE, deadline, false, false);
        if (r != RES_OK) {
            *ret_errno = ETIMEDOUT;
            return r;
        }
        if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &error_len) != 0 || error != 0) {
            *ret_errno = error;
            return RES_CLOSED;
        }
    }
    remember_peer(s);
    *ret_stream = s;
    s = NULL;
    return RES_OK;
}

void stream_set_timeout(struct stream *s, int64_t ms)
{
    s->timeout_ms = ms;
}

void stream_set_interruptible(struct stream *s, bool on)
{
    s->interruptible = on;
}

/* ---- reading ---- */

/* RES_OK: *ret_n > 0.  RES_TEMPFAIL: nothing now; *ret_events says what to wait for. */
static enum result read_some(struct stream *s, char *buf, size_t cap, size_t *ret_n, int *ret_events)
{
    ssize_t n;

    *ret_events = WATCH_READ;
    if (s->ssl != NULL) {
        int got;

        ERR_clear_error();
        got = SSL_read(s->ssl, buf, (int)MIN(cap, (size_t)INT32_MAX));
        if (got > 0) {
            *ret_n = (size_t)got;
            return RES_OK;
        }
        switch (SSL_get_error(s->ssl, got)) {
        case SSL_ERROR_WANT_READ:
            return RES_TEMPFAIL;
        case SSL_ERROR_WANT_WRITE:
            *ret_events = WATCH_WRITE;
            return RES_TEMPFAIL;
        default:
            ERR_clear_error();
            return RES_CLOSED;
        }
    }
    do
        n = read(s->fd, buf, cap);
    while (n < 0 && errno == EINTR);
    if (n > 0) {
        *ret_n = (size_t)n;
        return RES_OK;
    }
    return n < 0 && errno == EAGAIN ? RES_TEMPFAIL : RES_CLOSED;
}

static void drop_input_buffer(struct stream *s)
{
    free(s->in);
    s->in = NULL;
    s->in_at = s->in_len = s->in_cap = 0;
    s->chunk = READ_CHUNK;
}

/* Room for at least `want` bytes behind what is buffered. */
static void make_room(struct stream *s, size_t want)
{
    if (s->in_len == 0)
        s->in_at = 0;
    if (s->in_cap - s->in_at - s->in_len >= want)
        return;
    if (s->in_at > 0) {
        memmove(s->in, s->in + s->in_at, s->in_len);
        s->in_at = 0;
    }
    if (s->in_cap - s->in_len >= want)
        return;
    s->in_cap = s->in_len + want;
    s->in = realloc(s->in, s->in_cap);
    if (s->in == NULL)
        abort();
}

/* Receives at least one more byte into the buffer. */
static enum result fill(struct stream *s)
{
    int64_t deadline = 0;

    if (s->error != RES_OK)
        return s->error;
    for (;;) {
        enum result r;
        size_t n = 0;
        int events;

        make_room(s, s->chunk);
        r = read_some(s, s->in + s->in_at + s->in_len, s->in_cap - s->in_at - s->in_len, &n, &events);
        if (r == RES_OK) {
            if (n >= s->chunk && s->chunk < READ_CHUNK_MAX)
                s->chunk *= 4;
            s->in_len += n;
            return RES_OK;
        }
        if (r != RES_TEMPFAIL)
            return fail(s, r);
        if (s->in_len == 0)
            drop_input_buffer(s);
        if (deadline == 0)
            deadline = deadline_in(s->timeout_ms);
        r = watch_wait(s->watch, events, deadline, s->interruptible, false);
        if (r != RES_OK)
            return r == RES_CANCELLED ? r : fail(s, r);
    }
}

enum result stream_read_line(struct stream *s, size_t max, struct str *ret_line)
{
    size_t looked = 0;
    bool too_long = false;

    if (s->error != RES_OK)
        return s->error;
    for (;;) {
        char *from = s->in + s->in_at;
        char *lf;
        enum result r;

        while (s->in_len > looked && (lf = memchr(from + looked, '\n', s->in_len - looked)) != NULL) {
            size_t n = (size_t)(lf - from);

            looked = n + 1;
            if (n == 0 || lf[-1] != '\r')
                continue; /* a bare LF ends nothing */
            stream_skip(s, n + 1);
            if (too_long || n - 1 > max)
                return RES_LIMIT;
            *ret_line = str_of(from, n - 1);
            return RES_OK;
        }
        looked = s->in_len;
        if (looked > max + 1) { /* forget it, but for a CR that may be followed by LF */
            too_long = true;
            stream_skip(s, s->in_len - 1);
            looked = 1;
        }
        r = fill(s);
        if (r != RES_OK)
            return r;
    }
}

enum result stream_read_command(struct stream *s, size_t max, struct str *ret_line)
{
    enum result r = stream_buffered(s) == 0 ? stream_flush(s) : RES_OK;

    if (r != RES_OK)
        return r;
    s->interruptible = true;
    r = stream_read_line(s, max, ret_line);
    s->interruptible = false;
    return r;
}

enum result stream_peek(struct stream *s, struct str *ret_view)
{
    if (s->in_len == 0 || s->error != RES_OK) {
        enum result r = fill(s);

        if (r != RES_OK)
            return r;
    }
    *ret_view = str_of(s->in + s->in_at, s->in_len);
    return RES_OK;
}

void stream_skip(struct stream *s, size_t n)
{
    assert(n <= s->in_len);
    s->in_at += n;
    s->in_len -= n;
}

enum result stream_discard(struct stream *s, uint64_t n)
{
    while (n > 0) {
        struct str view;
        enum result r = stream_peek(s, &view);
        size_t take;

        if (r != RES_OK)
            return r;
        take = MIN(view.len, n);
        stream_skip(s, take);
        n -= take;
    }
    return RES_OK;
}

enum result stream_read_exact(struct stream *s, char *buf, size_t n)
{
    while (n > 0) {
        struct str view;
        enum result r = stream_peek(s, &view);
        size_t take;

        if (r != RES_OK)
            return r;
        take = MIN(view.len, n);
        memcpy(buf, view.p, take);
        stream_skip(s, take);
        buf += take;
        n -= take;
    }
    return RES_OK;
}

size_t stream_buffered(const struct stream *s)
{
    return s->in_len + (s->ssl != NULL ? (size_t)SSL_pending(s->ssl) : 0);
}

enum result stream_wait_input(struct stream *s, int64_t deadline)
{
    enum result r = stream_flush(s);
    size_t n = 0;
    int events;

    if (r != RES_OK || stream_buffered(s) > 0)
        return r;
    drop_input_buffer(s);
    r = watch_wait(s->watch, WATCH_READ, deadline, s->interruptible, true);
    if (r != RES_OK)
        return r;
    make_room(s, s->chunk); /* what woke us may be input, somebody else, or only a TLS record without data */
    r = read_some(s, s->in, s->in_cap, &n, &events);
    if (r == RES_OK) {
        s->in_len = n;
        return RES_OK;
    }
    drop_input_buffer(s);
    return r == RES_TEMPFAIL ? RES_OK : fail(s, r);
}

/* ---- writing ---- */

/* Sends all of `bytes`. */
static enum result send_all(struct stream *s, struct str bytes)
{
    int64_t deadline = 0;

    while (bytes.len > 0) {
        int events = WATCH_WRITE;
        enum result r;
        ssize_t n;

        if (s->ssl != NULL) {
            ERR_clear_error();
            n = SSL_write(s->ssl, bytes.p, (int)MIN(bytes.len, (size_t)INT32_MAX));
            if (n <= 0) {
                int e = SSL_get_error(s->ssl, (int)n);

                ERR_clear_error();
                if (e != SSL_ERROR_WANT_READ && e != SSL_ERROR_WANT_WRITE)
                    return fail(s, RES_CLOSED);
                if (e == SSL_ERROR_WANT_READ)
                    events = WATCH_READ;
            }
        } else {
            n = send(s->fd, bytes.p, bytes.len, MSG_NOSIGNAL);
            if (n < 0 && errno == EINTR)
                continue;
            if (n < 0 && errno != EAGAIN)
                return fail(s, RES_CLOSED);
        }
        if (n > 0) {
            bytes = str_from(bytes, (size_t)n);
            continue;
        }
        if (deadline == 0)
            deadline = deadline_in(s->timeout_ms);
        r = watch_wait(s->watch, events, deadline, false, false);
        if (r != RES_OK)
            return fail(s, r);
    }
    return RES_OK;
}

enum result stream_flush(struct stream *s)
{
    enum result r;

    if (s->error != RES_OK)
        return s->error;
    if (s->out.len == 0)
        return RES_OK;
    r = send_all(s, strbuf_str(&s->out));
    strbuf_release(&s->out);
    return r;
}

void stream_write(struct stream *s, struct str bytes)
{
    if (s->error != RES_OK)
        return;
    if (s->out.len + bytes.len > FLUSH_AT) {
        if (stream_flush(s) != RES_OK)
            return;
        if (bytes.len > FLUSH_AT) {
            (void)send_all(s, bytes); /* the error sticks */
            return;
        }
    }
    strbuf_add(&s->out, bytes);
}

void stream_printf(struct stream *s, const char *fmt, ...)
{
    va_list ap;

    if (s->error != RES_OK)
        return;
    va_start(ap, fmt);
    strbuf_vaddf(&s->out, fmt, ap);
    va_end(ap);
    if (s->out.len > FLUSH_AT)
        (void)stream_flush(s);
}

/* ---- TLS ---- */

static void note_tls_error(struct stream *s)
{
    unsigned long e = ERR_peek_last_error();
    long verify = s->ssl != NULL ? SSL_get_verify_result(s->ssl) : X509_V_OK;

    if (verify != X509_V_OK)
        snprintf(s->tls_error, sizeof(s->tls_error), "certificate: %s", X509_verify_cert_error_string(verify));
    else if (e != 0)
        ERR_error_string_n(e, s->tls_error, sizeof(s->tls_error));
    else
        snprintf(s->tls_error, sizeof(s->tls_error), "connection closed in the handshake");
    ERR_clear_error();
}

static enum result handshake(struct stream *s, bool server)
{
    int64_t deadline = deadline_in(s->timeout_ms);

    for (;;) {
        int n, e;
        enum result r;

        ERR_clear_error();
        n = server ? SSL_accept(s->ssl) : SSL_connect(s->ssl);
        if (n == 1)
            return RES_OK;
        e = SSL_get_error(s->ssl, n);
        if (e != SSL_ERROR_WANT_READ && e != SSL_ERROR_WANT_WRITE) {
            note_tls_error(s);
            return fail(s, RES_DENIED);
        }
        r = watch_wait(s->watch, e == SSL_ERROR_WANT_WRITE ? WATCH_WRITE : WATCH_READ, deadline, false, false);
        if (r != RES_OK)
            return fail(s, r);
    }
}

static enum result begin_tls(struct stream *s, struct tls_context *ctx)
{
    enum result r = stream_flush(s);

    if (r != RES_OK)
        return r;
    assert(s->ssl == NULL);
    if (s->in_len > 0)
        return fail(s, RES_INVALID);
    drop_input_buffer(s);
    s->tls = tls_ref(ctx);
    s->ssl = tls_session_new(ctx);
    if (s->ssl == NULL || SSL_set_fd(s->ssl, s->fd) != 1) {
        note_tls_error(s);
        return fail(s, RES_TEMPFAIL);
    }
    return RES_OK;
}

enum result stream_tls_accept(struct stream *s, struct tls_context *ctx)
{
    enum result r = begin_tls(s, ctx);

    return r == RES_OK ? handshake(s, true) : r;
}

enum result stream_tls_connect(struct stream *s, struct tls_context *ctx, const char *host, bool verify)
{
    enum result r = begin_tls(s, ctx);

    if (r != RES_OK)
        return r;
    if (host != NULL) {
        SSL_set_tlsext_host_name(s->ssl, host);
        SSL_set1_host(s->ssl, host); /* looked at in any case: stream_tls_verified */
    }
    SSL_set_verify(s->ssl, verify ? SSL_VERIFY_PEER : SSL_VERIFY_NONE, NULL);
    r = handshake(s, false);
    return r;
}

bool stream_is_tls(const struct stream *s)
{
    return s->ssl != NULL;
}

struct str stream_tls_version(const struct stream *s)
{
    return s->ssl != NULL ? str_c(SSL_get_version(s->ssl)) : STR_NULL;
}

struct str stream_tls_cipher(const struct stream *s)
{
    return s->ssl != NULL ? str_c(SSL_get_cipher_name(s->ssl)) : STR_NULL;
}

bool stream_tls_verified(const struct stream *s)
{
    return s->ssl != NULL && SSL_get0_peer_certificate(s->ssl) != NULL && SSL_get_verify_result(s->ssl) == X509_V_OK;
}

struct str stream_tls_error(const struct stream *s)
{
    return str_c(s->tls_error);
}

/* ---- who ---- */

struct str stream_peer_ip(const struct stream *s)
{
    return str_c(s->peer_ip);
}

const struct sockaddr *stream_peer(const struct stream *s)
{
    return (const struct sockaddr *)&s->peer;
}

int stream_local_port(const struct stream *s)
{
    struct sockaddr_storage own;
    socklen_t len = sizeof(own);

    if (getsockname(s->fd, (struct sockaddr *)&own, &len) != 0)
        return 0;
    if (own.ss_family == AF_INET)
        return ntohs(((struct sockaddr_in *)&own)->sin_port);
    if (own.ss_family == AF_INET6)
        return ntohs(((struct sockaddr_in6 *)&own)->sin6_port);
    return 0;
}

int stream_fd(const struct stream *s)
{
    return s->fd;
}
