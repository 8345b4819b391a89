/* supervisor/postgres.h - the embedded PostgreSQL cluster: home/pg, unix socket only. */
#pragma once
#include "config/config.h"

#include <sys/types.h>

/* Makes the cluster when there is none, and starts it; waits until it answers.  *ret_pid is our child.  False: what is
 * wrong is on standard error. */
bool postgres_start(const struct config *config, pid_t *ret_pid);
/* A cluster of a supervisor that was killed is still there: ends it, since it is nobody's child now. */
void postgres_end_orphan(const struct config *config);
/* Whether a postmaster answers in home/run. */
bool postgres_is_up(const struct config *config);
