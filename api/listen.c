#include "api/listen.h"
#include "api/http.h"
#include "base/log.h"
#include "io/watch.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <pwd.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>
#include <uv.h>

#define ACCEPTS_A_TURN 32
#define PAUSE_MS 100
#define HANDSHAKE_MS 15000
#define MAX_TLS 500
#define CHUNK 8192

struct acceptor {
    uv_poll_t poll;
    uv_timer_t pause;
    struct service *service;
    int fd;
    enum listen_kind kind;
    bool open;
    struct acceptor *next;
};

static struct acceptor *acceptors;
static unsigned tls_connections;

/* ---- TLS: between the client's stream and a socketpair whose other end libmicrohttpd reads ---- */

struct pump {
    struct service *service;
    struct stream *stream;
    struct coroutine *main, *bell;
    struct watch *read, *write; /* our end of the pair, twice */
    int fd, fd2;
    bool readable, ended;
};

/* Wakes the pump when libmicrohttpd wrote something. */
static void bell_run(void *arg)
{
    struct pump *p = arg;

    while (!p->ended) {
        if (watch_wait(p->read, WATCH_READ, NO_DEADLINE, true, true) != RES_OK)
            break;
        if (p->ended)
            break;
        p->readable = true;
        coroutine_wake(p->main);
        while (p->readable && !p->ended) {
            if (coroutine_wait(NO_DEADLINE, true) != RES_OK)
                break;
        }
    }
    p->bell = NULL;
    coroutine_wake(p->main);
}

/* Client to libmicrohttpd: all that has come. */
static enum result pump_in(struct pump *p)
{
    while (stream_buffered(p->stream) > 0) {
        struct str view;
        enum result r = stream_peek(p->stream, &view);
        ssize_t n;

        if (r != RES_OK)
            return r;
        n = send(p->fd, view.p, view.len, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (n > 0)
            stream_skip(p->stream, (size_t)n);
        else if (n < 0 && errno == EAGAIN)
            r = watch_wait(p->write, WATCH_WRITE, deadline_in(60000), false, false);
        else if (n == 0 || errno != EINTR)
            return RES_CLOSED;
        if (r != RES_OK)
            return r;
    }
    return RES_OK;
}

/* libmicrohttpd to client. */
static enum result pump_out(struct pump *p)
{
    char buf[CHUNK];

    for (;;) {
        ssize_t n = recv(p->fd, buf, sizeof(buf), MSG_DONTWAIT);

        if (n == 0) { /* the last answer: what is queued still goes out */
            (void)stream_flush(p->stream);
            return RES_CLOSED;
        }
        if (n < 0)
            return errno == EAGAIN ? stream_flush(p->stream) : RES_CLOSED;
        stream_write(p->stream, str_of(buf, (size_t)n));
    }
}

static void pump_loop(struct pump *p)
{
    enum result r = RES_OK;

    while (r == RES_OK) {
        r = pump_in(p);
        if (r == RES_OK)
            r = pump_out(p);
        if (p->readable) {
            p->readable = false;
            if (p->bell != NULL)
                coroutine_wake(p->bell);
        }
        if (r == RES_OK)
            r = stream_wait_input(p->stream, NO_DEADLINE);
    }
}

static bool open_pair(struct pump *p, const struct door *door)
{
    int pair[2];

    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair) != 0)
        return false;
    p->fd = pair[0];
    p->fd2 = fcntl(pair[0], F_DUPFD_CLOEXEC, 0);
    if (p->fd2 < 0) {
        close(pair[0]);
        close(pair[1]);
        return false;
    }
    p->read = watch_new(p->fd);
    p->write = watch_new(p->fd2);
    http_add(pair[1], door);
    return true;
}

static void pump_run(void *arg)
{
    struct pump *p = arg;
    struct door door = { .kind = DOOR_TLS };
    const struct sockaddr *peer = stream_peer(p->stream);

    p->main = coroutine_self();
    memcpy(&door.peer, peer, peer->sa_family == AF_INET ? sizeof(struct sockaddr_in) : sizeof(struct sockaddr_in6));
    stream_set_timeout(p->stream, HANDSHAKE_MS);
    if (p->service->tls != NULL && stream_tls_accept(p->stream, p->service->tls) == RES_OK && open_pair(p, &door)) {
        stream_set_timeout(p->stream, 60000);
        p->bell = coroutine_spawn("api-tls-bell", bell_run, p);
        if (p->bell != NULL)
            pump_loop(p);
        p->ended = true;
        while (p->bell != NULL) {
            coroutine_wake(p->bell);
            coroutine_wait(deadline_in(100), false);
        }
        watch_free(p->read, true);
        watch_free(p->write, true);
    }
    stream_free(p->stream);
    free(p);
    tls_connections--;
}

static void start_pump(struct service *service, int fd)
{
    struct pump *p = tls_connections < MAX_TLS ? calloc(1, sizeof(*p)) : NULL;

    if (p == NULL) {
        close(fd);
        return;
    }
    p->service = service;
    p->stream = stream_new(fd);
    if (coroutine_spawn("api-tls", pump_run, p) == NULL) {
        stream_free(p->stream);
        free(p);
        return;
    }
    tls_connections++;
}

/* ---- the administrator's socket ---- */

bool listen_uid_allowed(uid_t uid)
{
    static const char *const services[] = { "correio-db", "correio-auth", "correio-smtp", "correio-access",
                                            "correio-relay", "correio-mda", "correio-api" };

    if (uid == 0)
        return true;
    for (size_t i = 0; i < ARRAY_LEN(services); i++) {
        const struct passwd *pw = getpwnam(services[i]);

        if (pw != NULL && pw->pw_uid == uid)
            return false;
    }
    return true;
}

static void start_admin(int fd)
{
    struct door door = { .kind = DOOR_SOCKET };
    struct ucred cred;
    socklen_t len = sizeof(cred);

    if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &cred, &len) != 0 || !listen_uid_allowed(cred.uid)) {
        log_warn("admin-socket-refused", F_INT("uid", cred.uid));
        close(fd);
        return;
    }
    door.peer.ss_family = AF_UNIX;
    door.uid = cred.uid;
    http_add(fd, &door);
}

static void start_plain(int fd, const struct sockaddr_storage *peer)
{
    struct door door = { .kind = DOOR_PLAIN, .peer = *peer };
    int on = 1;

    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    http_add(fd, &door);
}

/* ---- accepting ---- */

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
        struct sockaddr_storage peer = { 0 };
        socklen_t len = sizeof(peer);
        int fd = accept4(a->fd, (struct sockaddr *)&peer, &len, SOCK_CLOEXEC | SOCK_NONBLOCK);

        if (fd < 0) {
            if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
                log_warn("accept", F_C("error", strerror(errno)));
                uv_poll_stop(&a->poll);
                uv_timer_start(&a->pause, on_pause_over, PAUSE_MS, 0);
            }
            return;
        }
        if (a->kind == LISTEN_ADMIN)
            start_admin(fd);
        else if (a->kind == LISTEN_TLS)
            start_pump(a->service, fd);
        else
            start_plain(fd, &peer);
    }
}

void listen_on(struct service *service, int fd, enum listen_kind kind)
{
    struct acceptor *a = calloc(1, sizeof(*a));

    if (a == NULL || uv_poll_init(loop_get(), &a->poll, fd) != 0)
        abort();
    uv_timer_init(loop_get(), &a->pause);
    a->service = service;
    a->fd = fd;
    a->kind = kind;
    a->open = true;
    a->next = acceptors;
    acceptors = a;
    uv_poll_start(&a->poll, UV_READABLE, on_acceptable);
}

/* The port of the first listening socket of a kind; 0: there is none. */
static unsigned port_of(enum listen_kind kind)
{
    unsigned port = 0;

    for (struct acceptor *a = acceptors; a != NULL; a = a->next) {
        struct sockaddr_storage s = { 0 };
        socklen_t len = sizeof(s);

        if (a->kind != kind || getsockname(a->fd, (struct sockaddr *)&s, &len) != 0)
            continue;
        port = ntohs(s.ss_family == AF_INET6 ? ((struct sockaddr_in6 *)&s)->sin6_port : ((struct sockaddr_in *)&s)->sin_port);
    }
    return port;
}

unsigned listen_tls_port(void)
{
    return port_of(LISTEN_TLS);
}

struct str api_page_url(const struct service *service, struct arena *a)
{
    unsigned tls = port_of(LISTEN_TLS);
    struct str host = settings_get()->hostname;

    if (tls == 0)
        return arena_printf(a, "http://127.0.0.1:%u", port_of(LISTEN_PLAIN));
    if (host.len == 0)
        host = service->config->node;
    return tls == 443 ? arena_printf(a, "https://%.*s", STR_ARG(host)) : arena_printf(a, "https://%.*s:%u", STR_ARG(host), tls);
}

void listen_drain(void)
{
    for (struct acceptor *a = acceptors; a != NULL; a = a->next) {
        if (!a->open)
            continue;
        a->open = false;
        uv_poll_stop(&a->poll);
        uv_timer_stop(&a->pause);
        close(a->fd);
    }
}
