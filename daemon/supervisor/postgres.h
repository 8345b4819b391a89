/* supervisor/postgres.h - the embedded PostgreSQL cluster: home/pg, unix socket only. */
#pragma once
#include "config/config.h"

#include <sys/types.h>

/* Whether no process of an earlier PostgreSQL of this home is left.  Asks what is there to end, and does not wait: a
 * postmaster whose supervisor was killed shuts down; processes whose postmaster was killed are ended at once, since the
 * cluster cannot be opened while one holds its shared memory. */
bool postgres_is_gone(const struct config *config);
/* Makes the cluster when there is none, and starts PostgreSQL, once postgres_is_gone.  Our child, which has to be waited
 * for; 0: what is wrong is on standard error. */
pid_t postgres_launch(const struct config *config);
/* Whether this child serves connections, which after a crash may take minutes. */
bool postgres_is_ready(const struct config *config, pid_t pid);
/* All of this; waits as long as it takes, but ends when a blocked SIGINT or SIGTERM has come.  False: there is none; what
 * is wrong is on standard error. */
bool postgres_start(const struct config *config, pid_t *ret_pid);
/* Ends our child and waits for it: in order, for at most half a minute, or at once when it recovers.  Nothing is lost
 * either way, but after the latter the next start has to recover.  PostgreSQL 15 never ends in order when it is asked to
 * while it recovers from the death of a child. */
void postgres_stop(const struct config *config, pid_t pid);
