/* api/http.h - libmicrohttpd inside the process's loop: connections in, requests to their handlers, answers out.
 *
 * A request whose last byte has come suspends its connection and runs as a coroutine; the connection goes on with the
 * answer.  A handler that takes longer than HTTP_DEADLINE_MS is answered for (503) and goes on alone. */
#pragma once
#include "api/request.h"

#define HTTP_DEADLINE_MS 10000

void http_start(struct service *service);
/* Takes over a connected socket. */
void http_add(int fd, const struct door *door);
/* From now on every answer is the last one of its connection. */
void http_drain(void);
/* Requests and event streams under way. */
unsigned http_active(void);

/* ---- answers without an end ---- */

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
