/* api/metrics.h - what this process counts by itself. */
#pragma once
#include "api/route.h"
#include "base/strbuf.h"

/* One more answer.  route NULL: none of the table (a file, an unknown path). */
void metrics_count(const struct route *route, int status);
void metrics_write(struct strbuf *out);
