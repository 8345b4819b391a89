/* relay/relay.h - the relay process: empties the queue.
 *
 * A dispatcher claims the destination that has waited longest and starts a worker for it; the worker sends what is due
 * there over one connection, message after message, and gives the destination back.  Many workers run at a time, several
 * of them for one destination.  What became of the jobs is committed by the finisher, many at a time. */
#pragma once
#include "auth/service.h"

/* Starts its coroutines and returns.  Needs service->db, config, deliver, settings and dns_init.  Call it once. */
void relay_run(struct service *service);
/* Begins the drain: nothing new is claimed, messages under way are finished, after CREW_GRACE_MS the waits for peers are
 * cut, and leases are given back.  All coroutines have ended soon after. */
void relay_stop(void);
/* Workers that still hold jobs; 0 after the drain, when the process may end. */
unsigned relay_workers(void);
