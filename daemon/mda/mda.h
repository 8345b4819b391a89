/* mda/mda.h - the mda process: delivers what lives outside PostgreSQL (docs/delivery.md).
 *
 * A crew (queue/crew.h) for the destination QUEUE_MDA.  Maildir, mbox and programs: correio-deliver, one process a
 * delivery (agent.c).  LMTP: here.  At least once: only a crash between a delivery and its commit repeats it. */
#pragma once
#include "auth/service.h"

/* Starts its coroutines and returns.  Needs service->db, config and settings.  Call it once. */
void mda_run(struct service *service);
/* Begins the drain, as relay_stop. */
void mda_stop(void);
/* Workers that still hold jobs; 0 after the drain, when the process may end. */
unsigned mda_workers(void);
