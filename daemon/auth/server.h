/* auth/server.h - the auth process: answers the requests of auth/protocol.h. */
#pragma once
#include "config/config.h"
#include "db/db.h"

/* Loads the keys and serves listen_fd for the life of the process.  control_fd (-1: none) is the supervisor's socket,
 * over which the descriptors of a configured certificate and key come. */
void auth_serve(const struct config *config, struct db *db, int listen_fd, int control_fd);
/* Reads our own certificate files again (SIGHUP). */
void auth_reload(void);
