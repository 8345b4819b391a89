/* api/queue_groups.h - the whole queue by destination, sender and reason: computed once for all who look. */
#pragma once
#include "api/request.h"
#include "store/queue_admin.h"

struct queue_groups_seen {
    const struct queue_group *v;
    size_t n; /* at most LIST_MAX_LIMIT */
    int64_t measured_us;
};
/* Begins to look at the queue once in five minutes, so that who comes first to a large one need not wait. */
void queue_groups_start(struct service *service);
/* As old as 2 s, or as its computing takes: then the last one is given, and another is begun.  What is quick to compute is
 * computed for each who asks.  Who comes after a long time without anybody gets one that is up to five minutes old, once.
 * RES_OK: valid until the caller suspends.  RES_TEMPFAIL: the database does not answer. */
enum result queue_groups_whole(enum queue_group_by by, struct queue_groups_seen *ret) SUSPENDS NODISCARD;
