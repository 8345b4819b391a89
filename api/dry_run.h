/* api/dry_run.h - ?dry_run=true on a write: it is done, answered, and taken back. */
#pragma once
#include "api/request.h"

/* Takes the parameter; with it r->dry_run is set, and r->service->db is a rehearsal (db/db.h) from here on.  What is asked of
 * other processes is left out by whoever would ask.  False: it has been answered. */
bool dry_run_begin(struct request *r) SUSPENDS;
void dry_run_end(struct request *r) SUSPENDS;
