/* api/queue_groups.h - the whole queue by destination, sender and reason: computed once for all who look. */
#pragma once
#include "api/request.h"
#include "store/queue_admin.h"

struct queue_groups_seen {
    const struct queue_group *v;
    size_t n; /* at most LIST_MAX_LIMIT */
    int64_t measured_us;
};
/* As old as 2 s, or as its computing takes: then the last one is given, and another is begun.  What is quick to compute is
 * computed for each who asks.  RES_OK: valid until the caller suspends.  RES_TEMPFAIL: the database does not answer. */
enum result queue_groups_whole(struct service *service, enum queue_group_by by, struct queue_groups_seen *ret) SUSPENDS NODISCARD;
