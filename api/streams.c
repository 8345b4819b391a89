#include "api/streams.h"
#include "api/http_internal.h"

#include <stdlib.h>
#include <sys/socket.h>

#define BUFFER_MAX ((size_t)64 << 10) /* of an event stream */
#define BODIES_AT_ONCE 16
#define BLOCK 16384 /* that libmicrohttpd asks for */

struct event_stream {
    struct strbuf out;
    struct MHD_Connection *connection; /* NULL: not sent yet, or gone */
    bool suspended, ended;
    event_stream_gone *gone;
    void *arg;
};

struct body_stream {
    struct request *request;
    struct MHD_Connection *connection; /* NULL: not sent yet, or gone */
    uint64_t size;
    body_stream_next *next;
    body_stream_done *done;
    void *arg;
    struct str piece; /* what the client has not taken yet */
    bool fetching, gone, broken;
};

static struct {
    unsigned active, bodies;
} self;

unsigned streams_active(void)
{
    return self.active;
}

/* ---- event streams ---- */

struct event_stream *event_stream_new(event_stream_gone *gone, void *arg)
{
    struct event_stream *s = calloc(1, sizeof(*s));

    if (s == NULL)
        abort();
    s->out.max = BUFFER_MAX;
    s->gone = gone;
    s->arg = arg;
    self.active++;
    return s;
}

static void wake_stream(struct event_stream *s)
{
    if (!s->suspended)
        return;
    s->suspended = false;
    MHD_resume_connection(s->connection);
    http_kick();
}

/* Tells the owner, once. */
static void leave_stream(struct event_stream *s)
{
    event_stream_gone *gone = s->gone;

    s->gone = NULL;
    if (gone != NULL)
        gone(s->arg);
}

void event_stream_write(struct event_stream *s, struct str bytes)
{
    if (s->ended)
        return;
    if (strbuf_add(&s->out, bytes) != RES_OK) {
        strbuf_reset(&s->out);
        event_stream_end(s);
        return;
    }
    wake_stream(s);
}

void event_stream_end(struct event_stream *s)
{
    s->ended = true;
    wake_stream(s);
    leave_stream(s);
}

bool event_stream_abandoned(const struct event_stream *s)
{
    const union MHD_ConnectionInfo *info;
    char byte;

    if (s->connection == NULL)
        return false;
    info = MHD_get_connection_info(s->connection, MHD_CONNECTION_INFO_CONNECTION_FD);
    return info != NULL && recv(info->connect_fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) == 0;
}

static ssize_t read_stream(void *arg, uint64_t at, char *buf, size_t max)
{
    struct event_stream *s = arg;
    size_t n = MIN(max, s->out.len);

    (void)at;
    if (n > 0) {
        memcpy(buf, s->out.p, n);
        memmove(s->out.p, s->out.p + n, s->out.len - n);
        s->out.len -= n;
        if (s->out.len == 0)
            strbuf_release(&s->out);
        return (ssize_t)n;
    }
    if (s->ended)
        return MHD_CONTENT_READER_END_OF_STREAM;
    s->suspended = true;
    MHD_suspend_connection(s->connection);
    return 0;
}

void event_stream_free(void *arg)
{
    struct event_stream *s = arg;

    s->ended = true;
    s->suspended = false;
    leave_stream(s);
    strbuf_release(&s->out);
    free(s);
    self.active--;
}

struct MHD_Response *event_stream_response(struct event_stream *s, struct MHD_Connection *connection)
{
    s->connection = connection;
    return MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, BLOCK, read_stream, s, event_stream_free);
}

/* ---- bodies in pieces ---- */

struct body_stream *body_stream_new(struct request *r, uint64_t size, body_stream_next *next, body_stream_done *done, void *arg)
{
    struct body_stream *s;

    if (self.bodies == BODIES_AT_ONCE)
        return NULL;
    s = calloc(1, sizeof(*s));
    if (s == NULL)
        abort();
    *s = (struct body_stream){ .request = r, .size = size, .next = next, .done = done, .arg = arg };
    r->refs++;
    self.bodies++;
    self.active++;
    return s;
}

static void release_body(struct body_stream *s)
{
    s->done(s->arg);
    request_unref(s->request);
    free(s);
    self.bodies--;
    self.active--;
}

static void fetch_piece(void *arg)
{
    struct body_stream *s = arg;
    enum result result = s->next(s->arg, &s->piece);

    s->fetching = false;
    s->broken = result != RES_OK || s->piece.len == 0; /* fewer bytes than were announced */
    if (s->gone) {
        release_body(s);
        return;
    }
    MHD_resume_connection(s->connection);
    http_kick();
}

static ssize_t read_body(void *arg, uint64_t at, char *buf, size_t max)
{
    struct body_stream *s = arg;
    size_t n = MIN(max, s->piece.len);

    (void)at;
    if (n > 0) {
        memcpy(buf, s->piece.p, n);
        s->piece = str_from(s->piece, n);
        return (ssize_t)n;
    }
    s->fetching = !s->broken && coroutine_spawn("api-body", fetch_piece, s) != NULL;
    if (!s->fetching)
        return MHD_CONTENT_READER_END_WITH_ERROR;
    MHD_suspend_connection(s->connection);
    return 0;
}

void body_stream_free(void *arg)
{
    struct body_stream *s = arg;

    s->gone = true;
    if (!s->fetching)
        release_body(s);
}

struct MHD_Response *body_stream_response(struct body_stream *s, struct MHD_Connection *connection)
{
    s->connection = connection;
    return MHD_create_response_from_callback(s->size, BLOCK, read_body, s, body_stream_free);
}
