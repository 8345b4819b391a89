#include "api/api.h"
#include "api/cursor.h"
#include "api/events.h"
#include "api/http.h"
#include "api/import_work.h"
#include "api/listen.h"
#include "api/operations.h"
#include "api/queue_groups.h"
#include "api/static.h"
#include "api/status.h"
#include "api/traffic.h"
#include "base/log.h"
#include "store/hold_rule.h"
#include "store/idempotency.h"
#include "store/operation.h"
#include "store/queue_admin.h"
#include "store/presence.h"
#include "store/session.h"
#include "store/traffic.h"

#define SWEEP_MS (15 * 60 * 1000)

static struct service *service;

/* What is over leaves its table. */
static void sweep_run(void *arg)
{
    (void)arg;
    do {
        (void)!session_sweep(service->db);
        (void)!idempotency_sweep(service->db);
        (void)!queue_undo_sweep(service->db);
        (void)!hold_rule_sweep(service->db);
        (void)!operation_sweep(service->db);
        (void)!presence_sweep(service->db);
        (void)!traffic_sweep(service->db);
    } while (coroutine_sleep(SWEEP_MS) == RES_OK);
}

void api_start(struct service *s, int admin_fd)
{
    service = s;
    cursor_init();
    static_load(s->config->web);
    status_start(s);
    http_start(s);
    events_start(s);
    operations_start(s);
    queue_groups_start(s);
    imports_start(s);
    traffic_start(s);
    if (admin_fd >= 0)
        listen_on(s, admin_fd, LISTEN_ADMIN);
    if (coroutine_spawn("api-sweep", sweep_run, NULL) == NULL)
        log_error("api-sweep", F_C("error", "no coroutine"));
}

void api_listen(int fd, bool tls)
{
    listen_on(service, fd, tls ? LISTEN_TLS : LISTEN_PLAIN);
}

void api_drain(void)
{
    listen_drain();
    http_drain();
    events_drain();
    operations_drain();
    imports_drain();
    traffic_drain();
}

unsigned api_active(void)
{
    return http_active() + traffic_active();
}
