/* api/status.h - the state of the server: computed at most once in two seconds, for all who ask. */
#pragma once
#include "api/request.h"
#include "store/figures.h"
#include "store/queue_admin.h"

#define STATUS_MAX_DESTINATIONS 10

struct status {
    int64_t measured_us;
    bool database_up;           /* false: the other figures are of before, or none */
    const char *unsafe;         /* why new mail is refused; NULL: storage is safe */
    struct queue_sums sums;
    struct queue_group *destinations;
    size_t n_destinations;
    struct figures figures;
    struct figures_hour hour;
    int64_t certificate_until_us; /* 0: no certificate */
    bool self_signed;
    int64_t disk_used, disk_total; /* 0: the database is not on this machine */
    unsigned problems;
};

void status_start(struct service *service);
/* The present state, taken anew when it is older than 2 s.  Valid until the caller suspends. */
const struct status *status_now(void) SUSPENDS;
/* The last one that was taken; never suspends. */
const struct status *status_last(void);
