#include "api/http.h"
#include "api/http_internal.h"
#include "api/arrival.h"
#include "api/dry_run.h"
#include "api/idempotency.h"
#include "api/metrics.h"
#include "api/problem.h"
#include "api/route.h"
#include "api/static.h"
#include "base/log.h"

#include <stdlib.h>
#include <sys/un.h>
#include <unistd.h>
#include <uv.h>

#define MAX_CONNECTIONS 1000
#define MEMORY_PER_CONNECTION (32 << 10) /* of libmicrohttpd, for header fields */
#define IDLE_S 60
#define TICK_MS 250
#define LARGE_BODIES 8                 /* above REQUEST_MAX_BODY, at once: who sends them is not known before their end */
#define DISCARD_MAX ((size_t)64 << 20) /* of a body that is too large: read away, so that the answer is seen */

/* A request's side of the connection. */
struct exchange {
    struct request *request;
    struct MHD_Connection *connection;
    enum { READS_HEADER, READS_BODY, RUNS, HAS_ANSWER } state;
    size_t discarded;
    bool late; /* the handler took too long: the request is no longer ours */
    int64_t deadline;
    struct exchange *prev, *next; /* of those that run */
};

/* A socket that was given to libmicrohttpd and has not been started by it. */
struct arrival {
    int fd;
    struct door door;
    struct arrival *next;
};

static struct {
    struct service *service;
    struct MHD_Daemon *daemon;
    uv_poll_t poll;
    uv_timer_t timer, tick;
    struct arrival *arrivals;
    struct exchange *running;
    unsigned active, large_bodies;
    bool draining;
    struct network_list proxies;
    struct arena arena;
} http;

/* ---- the loop ---- */

static void run_daemon(void);

static void on_timer(uv_timer_t *t)
{
    (void)t;
    run_daemon();
}

static void on_poll(uv_poll_t *p, int status, int events)
{
    (void)p;
    (void)status;
    (void)events;
    run_daemon();
}

void http_kick(void)
{
    uv_timer_start(&http.timer, on_timer, 0, 0);
}

static void run_daemon(void)
{
    MHD_UNSIGNED_LONG_LONG ms;

    MHD_run(http.daemon);
    if (MHD_get_timeout(http.daemon, &ms) == MHD_YES)
        uv_timer_start(&http.timer, on_timer, ms, 0);
    else
        uv_timer_stop(&http.timer);
}

/* ---- answers ---- */

static void add_header(struct MHD_Response *response, struct arena *a, const char *name, struct str value)
{
    (void)MHD_add_response_header(response, name, arena_cstr(a, value));
}

static void add_common_headers(struct MHD_Response *response, const struct request *r)
{
    static const char *const fixed[][2] = {
        { "X-Content-Type-Options", "nosniff" },
        { "Referrer-Policy", "no-referrer" },
        { "Cross-Origin-Opener-Policy", "same-origin" },
        { "Cross-Origin-Resource-Policy", "same-origin" },
    };

    for (size_t i = 0; i < ARRAY_LEN(fixed); i++)
        (void)MHD_add_response_header(response, fixed[i][0], fixed[i][1]);
    if (r->tls)
        (void)MHD_add_response_header(response, "Strict-Transport-Security", "max-age=31536000");
}

static struct MHD_Response *make_response(struct exchange *ex, struct answer *answer)
{
    if (answer->stream != NULL)
        return event_stream_response(answer->stream, ex->connection);
    if (answer->pieces != NULL)
        return body_stream_response(answer->pieces, ex->connection);
    return MHD_create_response_from_buffer(answer->body.len, (void *)(uintptr_t)answer->body.p,
                                           answer->fixed ? MHD_RESPMEM_PERSISTENT : MHD_RESPMEM_MUST_COPY);
}

static enum MHD_Result send_answer(struct exchange *ex)
{
    struct request *r = ex->request;
    struct arena a = { 0 };
    struct answer late = { .status = 503, .type = STR("application/problem+json") };
    struct answer *answer = &r->answer;
    struct MHD_Response *response;
    enum MHD_Result result;
    bool cached = false;

    if (ex->late) {
        late.body = problem_body(&a, PROBLEM_DATABASE_UNAVAILABLE, r->id);
        late.headers[late.n_headers++] = (struct header){ STR("Retry-After"), STR("2") };
        answer = &late;
    }
    response = make_response(ex, answer);
    if (response == NULL)
        abort();
    add_common_headers(response, r);
    add_header(response, &a, "Request-Id", r->id);
    if (answer->type.p != NULL)
        add_header(response, &a, "Content-Type", answer->type);
    for (size_t i = 0; i < answer->n_headers; i++) {
        add_header(response, &a, answer->headers[i].name.p, answer->headers[i].value);
        cached = cached || str_ieq(answer->headers[i].name, STR("Cache-Control"));
    }
    if (!cached)
        (void)MHD_add_response_header(response, "Cache-Control", "no-store");
    if (answer->close || http.draining)
        (void)MHD_add_response_header(response, "Connection", "close");
    metrics_count(r->route, answer->status);
    result = MHD_queue_response(ex->connection, (unsigned)answer->status, response);
    MHD_destroy_response(response);
    arena_reset(&a);
    return result;
}

/* ---- running a request ---- */

static void unlink_running(struct exchange *ex)
{
    if (ex->prev != NULL)
        ex->prev->next = ex->next;
    else
        http.running = ex->next;
    if (ex->next != NULL)
        ex->next->prev = ex->prev;
    ex->prev = ex->next = NULL;
}

static void go_on(struct exchange *ex)
{
    unlink_running(ex);
    ex->request->exchange = NULL;
    ex->state = HAS_ANSWER;
    MHD_resume_connection(ex->connection);
    http_kick();
}

static void on_tick(uv_timer_t *t)
{
    struct exchange *ex, *next;

    for (ex = http.running; ex != NULL; ex = next) {
        next = ex->next;
        if (loop_now() < ex->deadline)
            continue;
        log_warn("api-late", F_STR("request", ex->request->id), F_STR("path", ex->request->path));
        ex->late = true;
        go_on(ex);
    }
    if (http.running == NULL)
        uv_timer_stop(t);
}

static void request_run(void *arg)
{
    struct request *r = arg;

    if (caller_admit(r) && dry_run_begin(r) && (r->dry_run || idempotency_take(r)))
        r->route->run(r);
    if (r->answer.status == 0)
        problem(r, PROBLEM_INTERNAL, NULL);
    idempotency_give(r);
    dry_run_end(r);
    if (r->exchange != NULL)
        go_on(r->exchange);
    else if (r->answer.stream != NULL)
        event_stream_free(r->answer.stream);
    else if (r->answer.pieces != NULL)
        body_stream_free(r->answer.pieces);
    http.active--;
    request_unref(r);
}

/* Suspends the connection and lets the handler run. */
static void start_run(struct exchange *ex)
{
    if (coroutine_spawn("api", request_run, ex->request) == NULL) {
        problem(ex->request, PROBLEM_RATE_LIMITED, NULL);
        ex->state = HAS_ANSWER;
        return;
    }
    ex->request->refs++;
    ex->request->exchange = ex;
    http.active++;
    ex->state = RUNS;
    ex->deadline = deadline_in(HTTP_DEADLINE_MS);
    ex->next = http.running;
    if (http.running != NULL)
        http.running->prev = ex;
    http.running = ex;
    if (!uv_is_active((uv_handle_t *)&http.tick))
        uv_timer_start(&http.tick, on_tick, TICK_MS, TICK_MS);
    MHD_suspend_connection(ex->connection);
}

/* ---- what came ---- */

struct collect {
    struct request *r;
    size_t cap;
};

static enum MHD_Result take_header(void *arg, enum MHD_ValueKind kind, const char *name, size_t name_len,
                                   const char *value, size_t value_len)
{
    struct collect *c = arg;
    struct request *r = c->r;

    (void)kind;
    if (r->n_headers == c->cap)
        return MHD_NO;
    r->headers[r->n_headers++] = (struct header){ arena_str(&r->arena, str_of(name, name_len)),
                                                  arena_str(&r->arena, value != NULL ? str_of(value, value_len) : STR("")) };
    return MHD_YES;
}

static void take_headers(struct request *r, struct MHD_Connection *connection)
{
    int n = MHD_get_connection_values_n(connection, MHD_HEADER_KIND, NULL, NULL);
    struct collect c = { r, n > 0 ? (size_t)n : 0 };

    r->headers = arena_array(&r->arena, struct header, c.cap + 1);
    (void)MHD_get_connection_values_n(connection, MHD_HEADER_KIND, take_header, &c);
}

/* Below /api/, or one of the routes beside it. */
static bool is_api_path(struct str path)
{
    for (size_t i = 0; i < routes_count; i++) {
        if (str_eq(path, str_c(routes[i].path)))
            return true;
    }
    return str_starts(path, STR("/api/"));
}

/* The request is complete: an answer at once, or a coroutine. */
static void dispatch(struct exchange *ex)
{
    struct request *r = ex->request;
    struct str allowed;

    ex->state = HAS_ANSWER;
    if (!is_api_path(r->path)) {
        static_answer(r);
        return;
    }
    if (!r->secure && (str_starts(r->path, STR("/api/")) || str_eq(r->path, STR("/metrics")))) {
        problem(r, PROBLEM_TLS_REQUIRED, NULL);
        return;
    }
    if (r->body_too_large || !arrival_acceptable(r)) {
        problem(r, !r->body_too_large ? PROBLEM_NOT_ACCEPTABLE : r->body_must_wait ? PROBLEM_RATE_LIMITED : PROBLEM_TOO_LARGE, NULL);
        return;
    }
    if (str_eq(r->method, STR("HEAD")))
        r->method = STR("GET"); /* libmicrohttpd leaves the body out */
    r->route = route_find(r, &allowed);
    if (r->route != NULL) {
        start_run(ex);
        return;
    }
    problem(r, allowed.len > 0 ? PROBLEM_METHOD_NOT_ALLOWED : PROBLEM_NOT_FOUND, NULL);
    if (allowed.len > 0)
        reply_header(r, "Allow", allowed);
}

static enum MHD_Result on_header(struct exchange *ex, const char *method, const char *version)
{
    struct request *r = ex->request;

    r->method = arena_str(&r->arena, str_c(method));
    take_headers(r, ex->connection);
    arrival_take_peer(r, &http.proxies);
    ex->state = READS_BODY;
    if (!arrival_framing_ok(r, version)) {
        problem(r, PROBLEM_MALFORMED, "Host, Content-Length and Transfer-Encoding must say one thing, once.");
        r->answer.close = true;
    } else if (request_parse_target(r)) {
        return MHD_YES;
    }
    return send_answer(ex); /* before the body: the connection closes */
}

/* Whether the body may have these bytes, too. */
static bool body_fits(struct request *r, size_t more)
{
    if (r->body_is_large || r->body.len + more <= REQUEST_MAX_BODY)
        return true;
    if (route_body_max(r) <= REQUEST_MAX_BODY)
        return false;
    r->body_must_wait = http.large_bodies == LARGE_BODIES;
    if (r->body_must_wait)
        return false;
    http.large_bodies++;
    r->body_is_large = true;
    r->body.max = route_body_max(r);
    return true;
}

static void on_body(struct exchange *ex, struct str bytes)
{
    struct request *r = ex->request;

    if (!r->body_too_large && body_fits(r, bytes.len) && strbuf_add(&r->body, bytes) == RES_OK)
        return;
    r->body_too_large = true;
    strbuf_reset(&r->body);
    r->body.overflow = true;
    ex->discarded += bytes.len;
}

static enum MHD_Result on_request(void *cls, struct MHD_Connection *connection, const char *url, const char *method,
                                  const char *version, const char *upload, size_t *upload_size, void **con_cls)
{
    struct exchange *ex = *con_cls;

    (void)cls;
    (void)url;
    (void)connection;
    if (ex == NULL)
        return MHD_NO;
    switch (ex->state) {
    case READS_HEADER:
        return on_header(ex, method, version);
    case READS_BODY:
        if (*upload_size > 0) {
            on_body(ex, str_of(upload, *upload_size));
            *upload_size = 0;
            return ex->discarded > DISCARD_MAX ? MHD_NO : MHD_YES;
        }
        dispatch(ex);
        return ex->state == HAS_ANSWER ? send_answer(ex) : MHD_YES;
    case HAS_ANSWER:
        return send_answer(ex);
    case RUNS:
        break;
    }
    return MHD_YES;
}

/* ---- connections ---- */

/* The raw target: libmicrohttpd's own decoding is not used. */
static void *on_target(void *cls, const char *uri, struct MHD_Connection *connection)
{
    const union MHD_ConnectionInfo *info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
    struct exchange *ex = calloc(1, sizeof(*ex));

    (void)cls;
    if (ex == NULL || info == NULL || info->socket_context == NULL)
        abort();
    ex->connection = connection;
    ex->request = request_new(http.service, STR(""), str_c(uri));
    ex->request->door = *(struct door *)info->socket_context;
    return ex;
}

static void on_completed(void *cls, struct MHD_Connection *connection, void **con_cls, enum MHD_RequestTerminationCode toe)
{
    struct exchange *ex = *con_cls;

    (void)cls;
    (void)connection;
    (void)toe;
    if (ex == NULL)
        return;
    *con_cls = NULL;
    http.large_bodies -= ex->request->body_is_large;
    if (ex->state == RUNS) {
        unlink_running(ex);
        ex->request->exchange = NULL;
    }
    request_unref(ex->request);
    free(ex);
}

/* Finds the door of a connection that begins, by its descriptor. */
static void on_connection(void *cls, struct MHD_Connection *connection, void **socket_context,
                          enum MHD_ConnectionNotificationCode toe)
{
    const union MHD_ConnectionInfo *info;

    (void)cls;
    if (toe == MHD_CONNECTION_NOTIFY_CLOSED) {
        free(*socket_context);
        *socket_context = NULL;
        return;
    }
    info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
    for (struct arrival **p = &http.arrivals; *p != NULL; p = &(*p)->next) {
        struct arrival *found = *p;
        struct door *door;

        if (found->fd != info->connect_fd)
            continue;
        door = malloc(sizeof(*door));
        if (door == NULL)
            abort();
        *door = found->door;
        *socket_context = door;
        *p = found->next;
        free(found);
        return;
    }
}

void http_add(int fd, const struct door *door)
{
    struct arrival *arrival = calloc(1, sizeof(*arrival));
    struct sockaddr_un nobody = { .sun_family = AF_UNIX };
    struct sockaddr *peer = (struct sockaddr *)(uintptr_t)&door->peer;
    socklen_t len = sizeof(door->peer);

    if (arrival == NULL)
        abort();
    *arrival = (struct arrival){ .fd = fd, .door = *door, .next = http.arrivals };
    http.arrivals = arrival;
    if (door->kind != DOOR_PLAIN) { /* what libmicrohttpd has is a Unix socket; who is behind it says the door */
        peer = (struct sockaddr *)&nobody;
        len = sizeof(nobody);
    }
    if (MHD_add_connection(http.daemon, fd, peer, len) != MHD_YES) {
        for (struct arrival **p = &http.arrivals; *p != NULL; p = &(*p)->next) {
            if (*p == arrival) {
                *p = arrival->next;
                free(arrival);
                break;
            }
        }
        log_warn("api-connection-refused", F_INT("active", http_active()));
    }
    http_kick();
}

void http_drain(void)
{
    http.draining = true;
}

unsigned http_active(void)
{
    return http.active + streams_active();
}

/* libmicrohttpd's own complaints, mostly about clients.  That a Unix socket has no TCP options is none. */
static void on_log(void *cls, const char *fmt, va_list ap) PRINTF_LIKE(2, 0);
static void on_log(void *cls, const char *fmt, va_list ap)
{
    char line[300];

    (void)cls;
    (void)vsnprintf(line, sizeof(line), fmt, ap);
    if (strstr(line, "TCP_") == NULL && strstr(line, "push the data") == NULL)
        log_debug("microhttpd", F_STR("says", str_trim(str_c(line))));
}

void http_start(struct service *service)
{
    const union MHD_DaemonInfo *info;
    struct str bad;

    http.service = service;
    if (service->config->trusted_proxies.p != NULL &&
        network_list_parse(service->config->trusted_proxies, &http.arena, &http.proxies, &bad) != RES_OK)
        log_error("trusted-proxies", F_STR("bad", bad));
    http.daemon = MHD_start_daemon(
        MHD_USE_EPOLL | MHD_USE_NO_LISTEN_SOCKET | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_ERROR_LOG, 0, NULL, NULL, on_request,
        NULL, MHD_OPTION_EXTERNAL_LOGGER, on_log, NULL, MHD_OPTION_URI_LOG_CALLBACK, on_target, NULL,
        MHD_OPTION_NOTIFY_COMPLETED, on_completed, NULL, MHD_OPTION_NOTIFY_CONNECTION, on_connection, NULL,
        MHD_OPTION_CONNECTION_LIMIT, MAX_CONNECTIONS, MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)MEMORY_PER_CONNECTION,
        MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)IDLE_S, MHD_OPTION_END);
    if (http.daemon == NULL)
        abort();
    info = MHD_get_daemon_info(http.daemon, MHD_DAEMON_INFO_EPOLL_FD);
    if (info == NULL || uv_poll_init(loop_get(), &http.poll, info->epoll_fd) != 0)
        abort();
    uv_timer_init(loop_get(), &http.timer);
    uv_timer_init(loop_get(), &http.tick);
    uv_poll_start(&http.poll, UV_READABLE, on_poll);
    http_kick();
}
