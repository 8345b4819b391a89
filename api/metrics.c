#include "api/metrics.h"

#define STATUSES 600
#define MAX_ROUTES 64

/* By route (the last one: none) and class of status; a status has few values, its class five. */
static uint64_t counts[MAX_ROUTES + 1][6];

void metrics_count(const struct route *route, int status)
{
    size_t at = route != NULL ? (size_t)(route - routes) : MAX_ROUTES;

    if (status >= 0 && status < STATUSES && at <= MAX_ROUTES)
        counts[at][status / 100]++;
}

void metrics_write(struct strbuf *out)
{
    strbuf_adds(out, "# HELP correio_http_requests_total Answers of this process by route and class of status.\n"
                     "# TYPE correio_http_requests_total counter\n");
    for (size_t i = 0; i <= MAX_ROUTES; i++) {
        for (unsigned c = 1; c < 6; c++) {
            if (counts[i][c] > 0)
                strbuf_addf(out, "correio_http_requests_total{route=\"%s\",method=\"%s\",status=\"%uxx\"} %llu\n",
                            i < MAX_ROUTES ? routes[i].path : "other", i < MAX_ROUTES ? routes[i].method : "any", c,
                            (unsigned long long)counts[i][c]);
        }
    }
}
