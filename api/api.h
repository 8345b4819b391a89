/* api/api.h - the api process: REST, dashboard, metrics. */
#pragma once
#include "auth/service.h"

/* Starts to serve the admin socket (admin_fd, listening; -1: none).  Called once, in a coroutine, when settings and
 * certificate are loaded.  SUSPENDS. */
void api_start(struct service *service, int admin_fd);
/* Serves one more listening TCP socket; tls: it speaks TLS from the first byte. */
void api_listen(int fd, bool tls);
/* Closes the listening sockets and ends the event streams.  Requests under way go on, and the last minute's figures are written:
 * api_active tells how much of that is left. */
void api_drain(void);
unsigned api_active(void);
