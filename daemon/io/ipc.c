#include "io/ipc.h"
#include "base/log.h"
#include "base/strbuf.h"
#include "io/stream.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>
#include <uv.h>

#define HEADER 10u /* u32 length, u32 id, u16 type */
#define RECONNECT_MS 100
#define MAX_IN_FLIGHT 512 /* requests of one connection that a server works on */

struct header {
    uint32_t len, id;
    uint16_t type;
};

/* Reads one frame; the payload is malloc'ed. */
static enum result read_frame(struct stream *s, struct header *ret, char **ret_payload)
{
    char h[HEADER];
    enum result r = stream_read_exact(s, h, HEADER);
    char *payload;

    if (r != RES_OK)
        return r;
    memcpy(&ret->len, h, 4);
    memcpy(&ret->id, h + 4, 4);
    memcpy(&ret->type, h + 8, 2);
    if (ret->len > IPC_MAX_PAYLOAD)
        return RES_INVALID;
    payload = malloc(ret->len + 1u);
    if (payload == NULL)
        abort();
    r = stream_read_exact(s, payload, ret->len);
    if (r != RES_OK) {
        free(payload);
        return r;
    }
    *ret_payload = payload;
    return RES_OK;
}

/* ---- writing from many coroutines: frames gather in one buffer, one coroutine sends ---- */

struct link {
    struct stream *stream;
    struct strbuf out;
    struct coroutine *writer; /* waits for work */
    unsigned users;           /* coroutines that hold the link; the last frees it */
    bool broken;
};

static void link_unref(struct link *l)
{
    if (--l->users > 0)
        return;
    stream_free(l->stream);
    strbuf_release(&l->out);
    free(l);
}

static void link_break(struct link *l)
{
    l->broken = true;
    (void)shutdown(stream_fd(l->stream), SHUT_RDWR); /* wakes the reader */
    if (l->writer != NULL)
        coroutine_wake(l->writer);
}

static void link_send(struct link *l, uint32_t id, unsigned type, struct str payload)
{
    uint32_t len = (uint32_t)payload.len;
    uint16_t t = (uint16_t)type;

    strbuf_add(&l->out, str_of((const char *)&len, 4));
    strbuf_add(&l->out, str_of((const char *)&id, 4));
    strbuf_add(&l->out, str_of((const char *)&t, 2));
    strbuf_add(&l->out, payload);
    if (l->writer != NULL)
        coroutine_wake(l->writer);
}

static void link_writer(void *arg)
{
    struct link *l = arg;

    l->writer = coroutine_self();
    while (!l->broken) {
        struct strbuf batch = l->out;

        if (batch.len == 0) {
            (void)coroutine_wait(NO_DEADLINE, false);
            continue;
        }
        l->out = (struct strbuf){ 0 };
        stream_write(l->stream, strbuf_str(&batch));
        if (stream_flush(l->stream) != RES_OK)
            l->broken = true;
        strbuf_release(&batch);
    }
    l->writer = NULL;
    link_unref(l);
}

static struct link *link_new(int fd)
{
    struct link *l = calloc(1, sizeof(*l));

    if (l == NULL)
        abort();
    l->stream = stream_new(fd);
    stream_set_timeout(l->stream, NO_DEADLINE / 4); /* idle is normal here */
    l->users = 2;
    if (coroutine_spawn("ipc-writer", link_writer, l) == NULL) {
        l->users = 1;
        link_unref(l);
        return NULL;
    }
    return l;
}

/* ---- client ---- */

struct pending {
    uint32_t id;
    struct coroutine *waiter;
    struct arena *a;
    struct str reply;
    enum result result;
    bool done;
    struct pending *next;
};

struct ipc {
    char path[108];
    struct link *link; /* NULL: not connected */
    struct pending *pending;
    uint32_t last_id;
};

struct ipc *ipc_client_new(const char *path)
{
    struct ipc *ipc = calloc(1, sizeof(*ipc));

    if (ipc == NULL)
        abort();
    assert(strlen(path) < sizeof(ipc->path));
    strcpy(ipc->path, path);
    return ipc;
}

static void finish(struct ipc *ipc, struct pending *p, enum result r)
{
    struct pending **at = &ipc->pending;

    while (*at != NULL && *at != p)
        at = &(*at)->next;
    if (*at != NULL)
        *at = p->next;
    p->result = r;
    p->done = true;
    coroutine_wake(p->waiter);
}

struct reader {
    struct ipc *ipc;
    struct link *link;
};

static void client_reader(void *arg)
{
    struct reader *rd = arg;
    struct ipc *ipc = rd->ipc;
    struct link *l = rd->link;
    struct header h;
    char *payload;

    free(rd);
    while (read_frame(l->stream, &h, &payload) == RES_OK) {
        struct pending *p = ipc->pending;

        while (p != NULL && p->id != h.id)
            p = p->next;
        if (p != NULL) {
            p->reply = arena_str(p->a, str_of(payload, h.len));
            finish(ipc, p, h.type <= RES_CANCELLED ? (enum result)h.type : RES_TEMPFAIL);
        }
        free(payload);
    }
    if (ipc->link == l) {
        ipc->link = NULL;
        while (ipc->pending != NULL)
            finish(ipc, ipc->pending, RES_TEMPFAIL);
    }
    link_break(l);
    link_unref(l);
}

static enum result ensure_link(struct ipc *ipc)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    struct reader *rd;
    int fd;

    if (ipc->link != NULL)
        return RES_OK;
    strcpy(address.sun_path, ipc->path);
    fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return RES_TEMPFAIL;
    /* The supervisor holds the listening socket: this does not wait unless its backlog is full. */
    if (connect(fd, (struct sockaddr *)&address, sizeof(address)) != 0) {
        close(fd);
        return RES_TEMPFAIL;
    }
    ipc->link = link_new(fd);
    rd = calloc(1, sizeof(*rd));
    if (ipc->link == NULL || rd == NULL)
        abort();
    *rd = (struct reader){ .ipc = ipc, .link = ipc->link };
    if (coroutine_spawn("ipc-reader", client_reader, rd) == NULL)
        abort();
    return RES_OK;
}

enum result ipc_call(struct ipc *ipc, unsigned type, struct str payload, int64_t deadline, struct arena *a,
                     struct str *ret_payload)
{
    struct pending p = { .waiter = coroutine_self(), .a = a };
    enum result r = RES_OK;

    assert(payload.len <= IPC_MAX_PAYLOAD);
    if (ensure_link(ipc) != RES_OK) {
        log_warn("ipc-unreachable", F_C("path", ipc->path), F_C("error", strerror(errno)));
        (void)coroutine_sleep(RECONNECT_MS);
        if (ensure_link(ipc) != RES_OK)
            return RES_TEMPFAIL;
    }
    p.id = ++ipc->last_id;
    p.next = ipc->pending;
    ipc->pending = &p;
    link_send(ipc->link, p.id, type, payload);
    while (!p.done && r == RES_OK)
        r = coroutine_wait(deadline, false);
    if (!p.done) {
        finish(ipc, &p, RES_TEMPFAIL);
        log_warn("ipc-timeout", F_C("path", ipc->path), F_INT("type", type));
        return RES_TEMPFAIL;
    }
    if (ret_payload != NULL)
        *ret_payload = p.reply;
    return p.result;
}

/* ---- server ---- */

struct server {
    uv_poll_t poll;
    int fd;
    ipc_handler *handler;
    void *arg;
};

struct served {
    struct server *server;
    struct link *link;
    uid_t peer;
    unsigned in_flight;
    struct coroutine *reader;
};

struct request {
    struct served *conn;
    struct header h;
    char *payload;
};

static void served_unref(struct served *c)
{
    if (--c->in_flight > 0)
        return;
    link_unref(c->link);
    free(c);
}

static void serve_request(void *arg)
{
    struct request *rq = arg;
    CLEANUP(arena_releasep) struct arena a = { 0 };
    struct str reply = STR("");
    enum result r = rq->conn->server->handler(rq->conn->server->arg, rq->conn->peer, rq->h.type,
                                              str_of(rq->payload, rq->h.len), &a, &reply);

    assert(reply.len <= IPC_MAX_PAYLOAD);
    if (!rq->conn->link->broken)
        link_send(rq->conn->link, rq->h.id, (unsigned)r, reply);
    if (rq->conn->reader != NULL)
        coroutine_wake(rq->conn->reader);
    served_unref(rq->conn);
    explicit_bzero(rq->payload, rq->h.len); /* may be a password */
    free(rq->payload);
    free(rq);
}

static void serve_connection(void *arg)
{
    struct served *c = arg;
    struct header h;
    char *payload;

    c->reader = coroutine_self();
    while (read_frame(c->link->stream, &h, &payload) == RES_OK) {
        struct request *rq = calloc(1, sizeof(*rq));

        if (rq == NULL)
            abort();
        *rq = (struct request){ .conn = c, .h = h, .payload = payload };
        c->in_flight++;
        if (coroutine_spawn("ipc-request", serve_request, rq) == NULL) {
            c->in_flight--;
            free(payload);
            free(rq);
            break;
        }
        while (c->in_flight > MAX_IN_FLIGHT)
            (void)coroutine_wait(NO_DEADLINE, false);
    }
    c->reader = NULL;
    link_break(c->link);
    served_unref(c);
}

static void on_connection(uv_poll_t *poll, int status, int events)
{
    struct server *srv = CONTAINER_OF(poll, struct server, poll);
    struct served *c;
    struct ucred cred;
    socklen_t len = sizeof(cred);
    int fd;

    (void)status;
    (void)events;
    fd = accept4(srv->fd, NULL, NULL, SOCK_CLOEXEC);
    if (fd < 0)
        return;
    c = calloc(1, sizeof(*c));
    if (c == NULL)
        abort();
    if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &cred, &len) != 0 || (c->link = link_new(fd)) == NULL) {
        close(fd);
        free(c);
        return;
    }
    c->server = srv;
    c->peer = cred.uid;
    c->in_flight = 1;
    if (coroutine_spawn("ipc-connection", serve_connection, c) == NULL) {
        link_break(c->link);
        served_unref(c);
    }
}

void ipc_serve(int listen_fd, ipc_handler *handler, void *arg)
{
    struct server *srv = calloc(1, sizeof(*srv));

    if (srv == NULL || uv_poll_init(loop_get(), &srv->poll, listen_fd) != 0)
        abort();
    fcntl(listen_fd, F_SETFL, fcntl(listen_fd, F_GETFL) | O_NONBLOCK);
    srv->fd = listen_fd;
    srv->handler = handler;
    srv->arg = arg;
    uv_poll_start(&srv->poll, UV_READABLE, on_connection);
}

/* ---- payloads ---- */

void ipc_put(struct strbuf *b, struct str field)
{
    uint32_t len = (uint32_t)field.len;

    strbuf_add(b, str_of((const char *)&len, 4));
    strbuf_add(b, field);
}

void ipc_put_int(struct strbuf *b, int64_t value)
{
    ipc_put(b, str_of((const char *)&value, sizeof(value)));
}

bool ipc_get(struct str *rest, struct str *ret_field)
{
    uint32_t len;

    if (rest->len < 4)
        return false;
    memcpy(&len, rest->p, 4);
    if (rest->len - 4 < len)
        return false;
    *ret_field = str_of(rest->p + 4, len);
    *rest = str_from(*rest, (size_t)4 + len);
    return true;
}

bool ipc_get_int(struct str *rest, int64_t *ret_value)
{
    struct str field;

    if (!ipc_get(rest, &field) || field.len != sizeof(*ret_value))
        return false;
    memcpy(ret_value, field.p, sizeof(*ret_value));
    return true;
}
