/* api/streams.h - answers that are not there at once: bodies that are fetched in pieces, and event streams. */
#pragma once
#include "api/request.h"

/* ---- bodies in pieces ---- */

/* The next piece of a body, valid until the next call; empty: there is none any more.  Anything but RES_OK ends the
 * connection, so that the client sees that bytes are missing. */
typedef enum result body_stream_next(void *arg, struct str *ret_piece) SUSPENDS;
/* Called once, when no piece is wanted any more. */
typedef void body_stream_done(void *arg);
struct body_stream;
/* A body of `size` bytes for r->answer.pieces: each piece is fetched when the client has taken the one before it.  arg may
 * live in the request's arena.  NULL: too many of these are under way. */
struct body_stream *body_stream_new(struct request *r, uint64_t size, body_stream_next *next, body_stream_done *done, void *arg);

/* ---- event streams ---- */

struct event_stream;
/* What is called when the client is gone or the stream was ended; the stream must not be used any more. */
typedef void event_stream_gone(void *arg);
struct event_stream *event_stream_new(event_stream_gone *gone, void *arg);
/* Sends bytes.  A client that takes too little (64 KiB behind) loses the stream. */
void event_stream_write(struct event_stream *s, struct str bytes);
/* Ends the answer; `gone` is called. */
void event_stream_end(struct event_stream *s);
/* Has the client closed its side?  libmicrohttpd does not look at a connection that waits; a write would find out. */
bool event_stream_abandoned(const struct event_stream *s);
