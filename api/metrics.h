/* api/metrics.h - /metrics: what this process counts by itself, and the counters of all (base/counters.h). */
#pragma once
#include "api/route.h"
#include "base/counters.h"
#include "base/strbuf.h"

/* Another process's counters, read from now on; they live as long as the process. */
void metrics_source(const struct counters *source);
/* The sums over all processes of what became of mail. */
void metrics_mail(uint64_t ret[COUNTERS_MAIL]);
/* One more answer.  route NULL: none of the table (a file, an unknown path). */
void metrics_count(const struct route *route, int status);
void metrics_write(struct strbuf *out);
