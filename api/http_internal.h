/* api/http_internal.h - what http.c and streams.c have of each other. */
#pragma once
#include "api/streams.h"

#include <microhttpd.h>

/* Lets libmicrohttpd work at the next turn of the loop. */
void http_kick(void);

/* Bodies and event streams under way. */
unsigned streams_active(void);
/* The answer on this connection; NULL: no memory.  libmicrohttpd frees the stream with it. */
struct MHD_Response *event_stream_response(struct event_stream *s, struct MHD_Connection *connection);
struct MHD_Response *body_stream_response(struct body_stream *s, struct MHD_Connection *connection);
/* Of one that was never sent, or whose client has it all or has left. */
void event_stream_free(void *stream);
void body_stream_free(void *stream);
