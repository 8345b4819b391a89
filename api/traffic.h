/* api/traffic.h - once a minute, what all processes of this node have counted goes into the table of Overview's chart.
 *
 * What is written is what came since the last time; how far that was stands beside the counters themselves, so an api process that
 * ends, dies or starts again leaves no gap and counts nothing twice, but for the minute whose write was under way when it was
 * killed: that one may be lost; and it may stand twice when the connection to the database broke at its commit.  At a stop the
 * last minute is written, too; what other processes finish behind it, and what a whole server that is killed counted since its
 * last minute, is lost: at most a minute's.  While the database is away counts gather, and stand in the minute in which it is
 * back. */
#pragma once
#include "auth/service.h"

void traffic_start(struct service *service);
/* Writes what is there; traffic_active until it is. */
void traffic_drain(void);
bool traffic_active(void);
