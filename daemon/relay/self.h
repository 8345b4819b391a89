/* relay/self.h - is that host ourselves? */
#pragma once
#include "config/config.h"

#include <stdbool.h>
#include <sys/socket.h>

/* Our own host name (server.hostname), case ignored. */
bool self_is_name(struct str name);
/* An address of this machine, with a port where our SMTP listens on it. */
bool self_is_listener(const struct config *config, const struct sockaddr_storage *address);
/* The pure part: does a listener of `list` ("127.0.0.1:2525,[::]:2525", "off") take connections to an address of this
 * machine? */
bool self_listens(struct str list, const struct sockaddr_storage *address);
