#include "auth/service.h"
#include "base/counters.h"
#include "base/log.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>
#include <uv.h>

#define ACCEPTS_A_TURN 32
#define HANDSHAKE_MS 30000
#define PAUSE_MS 100

struct acceptor {
    uv_poll_t poll;
    uv_timer_t pause; /* out of descriptors: look again in a moment */
    struct service *service;
    int fd;
    enum listener listener;
    bool implicit_tls, open;
    service_session *session;
    struct acceptor *next;
};

struct connection {
    struct acceptor *acceptor;
    struct stream *stream;
    struct coroutine *co;
    struct connection *prev, *next;
};

static struct acceptor *acceptors;
static struct connection *connections;
static unsigned connection_count;

static void unlink_connection(struct connection *c)
{
    if (c->prev != NULL)
        c->prev->next = c->next;
    else
        connections = c->next;
    if (c->next != NULL)
        c->next->prev = c->prev;
    connection_count--;
    counters->open[c->acceptor->listener]--;
}

static enum result handshake(struct connection *c)
{
    struct tls_context *tls = c->acceptor->service->tls;
    enum result r;

    if (tls == NULL)
        return RES_TEMPFAIL;
    stream_set_timeout(c->stream, HANDSHAKE_MS);
    r = stream_tls_accept(c->stream, tls);
    if (r != RES_OK)
        log_info("tls-failed", F_C("listener", listener_name(c->acceptor->listener)),
                 F_STR("ip", stream_peer_ip(c->stream)), F_STR("error", stream_tls_error(c->stream)));
    return r;
}

static void connection_run(void *arg)
{
    struct connection *c = arg;
    struct acceptor *a = c->acceptor;

    if (!a->implicit_tls || handshake(c) == RES_OK)
        a->session(a->service, c->stream, a->listener);
    stream_free(c->stream);
    unlink_connection(c);
    free(c);
}

static void start_connection(struct acceptor *a, int fd)
{
    struct connection *c = calloc(1, sizeof(*c));

    if (c == NULL) {
        close(fd);
        return;
    }
    c->acceptor = a;
    c->stream = stream_new(fd);
    c->co = coroutine_spawn(listener_name(a->listener), connection_run, c);
    if (c->co == NULL) {
        stream_free(c->stream);
        free(c);
        return;
    }
    c->next = connections;
    if (connections != NULL)
        connections->prev = c;
    connections = c;
    connection_count++;
    counters->connections[a->listener]++;
    counters->open[a->listener]++;
}

static void on_acceptable(uv_poll_t *poll, int status, int events);

static void on_pause_over(uv_timer_t *timer)
{
    struct acceptor *a = CONTAINER_OF(timer, struct acceptor, pause);

    if (a->open)
        uv_poll_start(&a->poll, UV_READABLE, on_acceptable);
}

static void on_acceptable(uv_poll_t *poll, int status, int events)
{
    struct acceptor *a = CONTAINER_OF(poll, struct acceptor, poll);

    (void)status;
    (void)events;
    for (int i = 0; i < ACCEPTS_A_TURN; i++) {
        int fd = accept4(a->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

        if (fd >= 0) {
            start_connection(a, fd);
            continue;
        }
        if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
            log_warn("accept", F_C("listener", listener_name(a->listener)), F_C("error", strerror(errno)),
                     F_INT("connections", connection_count));
            uv_poll_stop(&a->poll);
            uv_timer_start(&a->pause, on_pause_over, PAUSE_MS, 0);
        }
        return;
    }
}

void service_listen(struct service *service, int fd, enum listener listener, bool implicit_tls, service_session *session)
{
    struct acceptor *a = calloc(1, sizeof(*a));

    if (a == NULL || uv_poll_init(loop_get(), &a->poll, fd) != 0)
        abort();
    uv_timer_init(loop_get(), &a->pause);
    a->service = service;
    a->fd = fd;
    a->listener = listener;
    a->implicit_tls = implicit_tls;
    a->session = session;
    a->open = true;
    a->next = acceptors;
    acceptors = a;
    uv_poll_start(&a->poll, UV_READABLE, on_acceptable);
}

unsigned service_sessions(void)
{
    return connection_count;
}

void service_drain(void)
{
    for (struct acceptor *a = acceptors; a != NULL; a = a->next) {
        if (!a->open)
            continue;
        a->open = false;
        uv_poll_stop(&a->poll);
        close(a->fd);
    }
    for (struct connection *c = connections; c != NULL; c = c->next)
        coroutine_cancel(c->co);
}
