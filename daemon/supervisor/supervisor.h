/* supervisor/supervisor.h - starts the processes, hands them their sockets, restarts what dies; never reads a byte that
 * came from the network, and links neither libpq nor OpenSSL nor json-c. */
#pragma once
#include "config/config.h"

/* Runs the server until SIGTERM or SIGINT; the exit status. */
int supervise(const struct config *config);

/* Runs `correio-worker word ...` for a moment, with the embedded database up: with the one of a running server, or with
 * one that is started for this alone.  The exit status. */
int run_word(const struct config *config, char *const *argv);
