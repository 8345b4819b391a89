/* io/stream.h - a buffered socket, plain or TLS, for one coroutine.
 *
 * Errors stick: after the first failure every later call returns it at once, so a dialogue may check where it reads.
 * Buffers exist only while they hold something: an idle connection owns none. */
#pragma once
#include "base/arena.h"
#include "base/result.h"
#include "base/str.h"
#include "io/coroutine.h"

#include <sys/socket.h>

struct stream;
struct tls_context;

/* Takes the connected or accepted socket fd over (made non-blocking, TCP_NODELAY). */
struct stream *stream_new(int fd);
/* Closes without waiting: what was not flushed is lost; a TLS close_notify is tried once.  NULL is fine. */
void stream_free(struct stream *s);
void stream_freep(struct stream **s);

/* Connects to a socket address, from `source` when not NULL.  RES_OK; RES_TIMEOUT; RES_CLOSED: refused or
 * unreachable (*ret_errno says why). */
enum result stream_connect(const struct sockaddr *address, socklen_t len, const struct sockaddr *source,
                           int64_t deadline, struct stream **ret_stream, int *ret_errno) SUSPENDS NODISCARD;

/* The time limit of each later wait (reads and writes), in ms from the start of that call.  Default 5 min. */
void stream_set_timeout(struct stream *s, int64_t ms);
/* Whether a shutdown (coroutine_cancel) may interrupt reads.  Default no; a session sets it while it waits for the
 * next command. */
void stream_set_interruptible(struct stream *s, bool on);

/* Reads up to CR LF, which is taken and not returned; only CR LF ends a line (RFC 5321, 2.3.8), so the line may hold
 * a bare CR or LF.  The view is valid until the next read.  RES_LIMIT: longer than max bytes; the rest of the line
 * has been discarded, the next read starts behind it. */
enum result stream_read_line(struct stream *s, size_t max, struct str *ret_line) SUSPENDS NODISCARD;

/* The next command line of a session: what was answered is sent first, unless more of a pipelined group is here already
 * (RFC 2920, 3.1), and a shutdown may interrupt the wait: RES_CANCELLED.  Else as stream_read_line. */
enum result stream_read_command(struct stream *s, size_t max, struct str *ret_line) SUSPENDS NODISCARD;

/* What is there, at least one byte: a view valid until the next read or skip.  stream_skip takes n of it. */
enum result stream_peek(struct stream *s, struct str *ret_view) SUSPENDS NODISCARD;
void stream_skip(struct stream *s, size_t n);
/* Reads n bytes and drops them. */
enum result stream_discard(struct stream *s, uint64_t n) SUSPENDS NODISCARD;
/* Exactly n bytes into buf. */
enum result stream_read_exact(struct stream *s, char *buf, size_t n) SUSPENDS NODISCARD;

/* Bytes that came and were not read yet: more commands of a pipelined group when > 0. */
size_t stream_buffered(const struct stream *s);

/* Waits until there is input (then RES_OK and stream_buffered() > 0 or the next read reports the end), or until
 * somebody called coroutine_wake on this coroutine (RES_OK with nothing buffered: look at your own conditions).
 * Flushes first. */
enum result stream_wait_input(struct stream *s, int64_t deadline) SUSPENDS NODISCARD;

/* Queues bytes; sends when 32 KiB are waiting (suspends then).  A failure shows at the next call. */
void stream_write(struct stream *s, struct str bytes) SUSPENDS;
void stream_printf(struct stream *s, const char *fmt, ...) SUSPENDS PRINTF_LIKE(2, 3);
#define stream_puts(s, literal) stream_write((s), STR(literal))
/* Sends everything that is queued. */
enum result stream_flush(struct stream *s) SUSPENDS;

/* The TLS handshake.  Server: RES_INVALID when the peer sent bytes behind its STARTTLS before the handshake (they
 * would be taken as protected): close.  Client: `host` is sent as SNI and, when verify is set, checked against the
 * certificate.  RES_DENIED: the handshake or the check failed (stream_tls_error tells). */
enum result stream_tls_accept(struct stream *s, struct tls_context *ctx) SUSPENDS NODISCARD;
enum result stream_tls_connect(struct stream *s, struct tls_context *ctx, const char *host, bool verify)
    SUSPENDS NODISCARD;
bool stream_is_tls(const struct stream *s);
/* "TLSv1.3", "TLS_AES_256_GCM_SHA384"; STR_NULL without TLS.  Valid as long as the stream. */
struct str stream_tls_version(const struct stream *s);
struct str stream_tls_cipher(const struct stream *s);
/* Client: whether the certificate is of the host that was asked for, by a root that the context knows, also when that was
 * not demanded. */
bool stream_tls_verified(const struct stream *s);
struct str stream_tls_error(const struct stream *s);

/* The peer's address as text ("192.0.2.1", "2001:db8::1", "local" for Unix sockets) and raw; our own port. */
struct str stream_peer_ip(const struct stream *s);
const struct sockaddr *stream_peer(const struct stream *s);
int stream_local_port(const struct stream *s);
int stream_fd(const struct stream *s);
