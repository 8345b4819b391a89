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
