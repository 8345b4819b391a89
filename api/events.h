/* api/events.h - server-sent events: hints about the queue, traces and the log of writes, and the figures of the status. */
#pragma once
#include "auth/service.h"

void events_start(struct service *service);
/* Somebody's rights changed: looks at those of every stream now, not only once a minute. */
void events_recheck(void);
/* Ends every stream, and those that come on open connections as soon as they have begun: they try again later. */
void events_drain(void);
unsigned events_clients(void);
