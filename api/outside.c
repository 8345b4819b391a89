/* /healthz, /readyz, /metrics, /api/v1/openapi.yaml */
#include "api/events.h"
#include "api/handlers.h"
#include "api/metrics.h"
#include "api/problem.h"
#include "api/static.h"
#include "api/status.h"
#include "base/encode.h"
#include "store/durability.h"
#include "store/schema.h"

void openapi_get(struct request *r)
{
    struct str contract = static_contract();

    if (contract.p == NULL) {
        problem(r, PROBLEM_NOT_FOUND, NULL);
        return;
    }
    reply_text(r, 200, STR("application/yaml"), contract);
    r->answer.fixed = true;
}

void health_get(struct request *r)
{
    struct json_object *o = js_object();

    js_set(o, "status", js_str(STR("ok")));
    reply_json(r, 200, o);
}

/* Loopback and the socket are on this machine; others sign in.  False: answered. */
static bool knows_more(struct request *r, bool *ret_more)
{
    *ret_more = r->door.kind == DOOR_SOCKET || network_is_loopback((struct sockaddr *)&r->peer);
    if (*ret_more)
        return true;
    if (!caller_identify(r))
        return false;
    *ret_more = r->caller.via != VIA_NOBODY && caller_has(&r->caller, SCOPE_METRICS_READ);
    return true;
}

static struct json_object *check(const char *name, bool ok, const char *detail)
{
    struct json_object *o = js_object();

    js_set(o, "name", js_str(str_c(name)));
    js_set(o, "ok", js_bool(ok));
    if (detail != NULL)
        js_set(o, "detail", js_str(str_c(detail)));
    return o;
}

void ready_get(struct request *r)
{
    struct json_object *o, *checks;
    const char *unsafe = NULL, *old = NULL;
    bool more, up, ready;

    if (!knows_more(r, &more))
        return;
    up = durability_check(r->service->db, &unsafe) == RES_OK && schema_check(r->service->db, &old) == RES_OK;
    ready = up && unsafe == NULL && old == NULL;
    o = js_object();
    js_set(o, "status", js_str(ready ? STR("ready") : STR("not-ready")));
    if (more) {
        checks = js_array();
        js_push(checks, check("database", up, up ? NULL : "it does not answer"));
        if (up) {
            js_push(checks, check("schema", old == NULL, old));
            js_push(checks, check("durable", unsafe == NULL, unsafe));
        }
        js_set(o, "checks", checks);
    }
    if (!ready)
        reply_header(r, "Retry-After", STR("2"));
    reply_json(r, ready ? 200 : 503, o);
}

static void gauge(struct strbuf *b, const char *name, const char *help)
{
    strbuf_addf(b, "# HELP %s %s\n# TYPE %s gauge\n", name, help, name);
}

static void write_database(struct strbuf *b, const struct status *s)
{
    gauge(b, "correio_queue_messages", "Messages in the queue by state.");
    strbuf_addf(b, "correio_queue_messages{state=\"waiting\"} %lld\n", (long long)s->sums.waiting);
    strbuf_addf(b, "correio_queue_messages{state=\"held\"} %lld\n", (long long)s->sums.held);
    strbuf_addf(b, "correio_queue_messages{state=\"sending\"} %lld\n", (long long)s->sums.sending);
    gauge(b, "correio_queue_recipients", "Recipients in the queue.");
    strbuf_addf(b, "correio_queue_recipients %lld\n", (long long)s->sums.recipients);
    gauge(b, "correio_queue_oldest_seconds", "Age of the oldest message that waits.");
    strbuf_addf(b, "correio_queue_oldest_seconds %lld\n",
                (long long)(s->sums.oldest_accepted_at == DB_NO_TIME ? 0 : (s->measured_us - s->sums.oldest_accepted_at) / 1000000));
    gauge(b, "correio_domains", "Domains.");
    strbuf_addf(b, "correio_domains %lld\n", (long long)s->figures.domains);
    gauge(b, "correio_accounts", "Accounts.");
    strbuf_addf(b, "correio_accounts %lld\n", (long long)s->figures.accounts);
    gauge(b, "correio_storage_safe", "1 when accepted mail survives a crash of the database.");
    strbuf_addf(b, "correio_storage_safe %d\n", s->unsafe == NULL);
}

void metrics_get(struct request *r)
{
    CLEANUP(strbuf_release) struct strbuf b = { .max = 256 << 10 };
    const struct status *s;
    bool more;

    if (!knows_more(r, &more))
        return;
    if (!more) {
        problem(r, r->caller.via == VIA_NOBODY ? PROBLEM_UNAUTHENTICATED : PROBLEM_INSUFFICIENT_SCOPE, NULL);
        return;
    }
    s = status_now();
    gauge(&b, "correio_build_info", "The version.");
    strbuf_adds(&b, "correio_build_info{version=\"" CORREIO_VERSION "\"} 1\n");
    gauge(&b, "correio_db_up", "1 when the database answers.");
    strbuf_addf(&b, "correio_db_up %d\n", s->database_up);
    if (s->database_up)
        write_database(&b, s);
    if (s->certificate_until_us > 0) {
        gauge(&b, "correio_certificate_expiry_seconds", "Time until the certificate ends.");
        strbuf_addf(&b, "correio_certificate_expiry_seconds{name=\"default\"} %lld\n",
                    (long long)((s->certificate_until_us - s->measured_us) / 1000000));
    }
    gauge(&b, "correio_sse_clients", "Event streams that are open at this process.");
    strbuf_addf(&b, "correio_sse_clients %u\n", events_clients());
    metrics_write(&b);
    reply_text(r, 200, STR("text/plain; version=0.0.4; charset=utf-8"), arena_str(&r->arena, strbuf_str(&b)));
}
