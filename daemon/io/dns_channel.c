#include "io/dns_channel.h"
#include "base/arena.h"
#include "base/macros.h"
#include "io/coroutine.h"

#include <arpa/nameser.h>
#include <stdlib.h>
#include <uv.h>

#define MAX_SERVERS 8
#define EDNS_SIZE 1232 /* passes every path without fragments */

struct socket_poll {
    uv_poll_t poll;
    struct dns_channel *channel;
    struct socket_poll *next;
    ares_socket_t fd;
};

struct dns_channel {
    uv_timer_t timer;
    ares_channel ares;
    struct socket_poll *polls;
};

static void schedule_timer(struct dns_channel *c);

static void on_timer(uv_timer_t *h)
{
    struct dns_channel *c = CONTAINER_OF(h, struct dns_channel, timer);

    ares_process_fd(c->ares, ARES_SOCKET_BAD, ARES_SOCKET_BAD);
    schedule_timer(c);
}

static void schedule_timer(struct dns_channel *c)
{
    struct timeval tv;

    if (ares_timeout(c->ares, NULL, &tv) == NULL)
        uv_timer_stop(&c->timer);
    else
        uv_timer_start(&c->timer, on_timer, (uint64_t)(tv.tv_sec * 1000 + tv.tv_usec / 1000 + 1), 0);
}

static void on_socket(uv_poll_t *h, int status, int events)
{
    struct socket_poll *p = CONTAINER_OF(h, struct socket_poll, poll);
    struct dns_channel *c = p->channel;
    ares_socket_t fd = p->fd; /* p may be closed by what follows */
    bool in = status < 0 || (events & UV_READABLE) != 0, out = status < 0 || (events & UV_WRITABLE) != 0;

    ares_process_fd(c->ares, in ? fd : ARES_SOCKET_BAD, out ? fd : ARES_SOCKET_BAD);
    schedule_timer(c);
}

static void on_poll_closed(uv_handle_t *h)
{
    free(CONTAINER_OF((uv_poll_t *)h, struct socket_poll, poll));
}

/* c-ares says what it wants of a socket; nothing: it is about to close it. */
static void on_socket_state(void *arg, ares_socket_t fd, int readable, int writable)
{
    struct dns_channel *c = arg;
    struct socket_poll **at = &c->polls, *p;
    int events = (readable ? UV_READABLE : 0) | (writable ? UV_WRITABLE : 0);

    while (*at != NULL && (*at)->fd != fd)
        at = &(*at)->next;
    p = *at;
    if (p == NULL && events != 0) {
        p = calloc(1, sizeof(*p));
        if (p == NULL || uv_poll_init(loop_get(), &p->poll, fd) != 0)
            abort(); /* out of memory */
        p->channel = c;
        p->fd = fd;
        *at = p;
    }
    if (events != 0) {
        uv_poll_start(&p->poll, events, on_socket);
    } else if (p != NULL) {
        *at = p->next;
        uv_poll_stop(&p->poll);
        uv_close((uv_handle_t *)&p->poll, on_poll_closed);
    }
}

static bool set_servers(struct dns_channel *c, struct str servers)
{
    CLEANUP(arena_releasep) struct arena a = { 0 };
    struct str rest = servers, piece;
    size_t n = 0;

    while (str_split(&rest, ',', &piece))
        n++;
    return n > 0 && n <= MAX_SERVERS && str_chr(servers, '\0') == SIZE_MAX &&
           ares_set_servers_ports_csv(c->ares, arena_cstr(&a, servers)) == ARES_SUCCESS;
}

enum result dns_channel_new(const struct dns_channel_options *o, struct dns_channel **ret)
{
    struct dns_channel *c = calloc(1, sizeof(*c));
    struct ares_options options = { .flags = ARES_FLAG_EDNS | (o->recursive ? 0 : ARES_FLAG_NORECURSE),
                                    .timeout = o->timeout_ms, .tries = o->tries, .ednspsz = EDNS_SIZE,
                                    .sock_state_cb = on_socket_state, .sock_state_cb_data = c };
    int mask = ARES_OPT_FLAGS | ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES | ARES_OPT_EDNSPSZ | ARES_OPT_SOCK_STATE_CB;

    if (c == NULL)
        abort();
    if (ares_init_options(&c->ares, &options, mask) != ARES_SUCCESS) {
        free(c);
        return RES_INVALID;
    }
    if (o->servers.p != NULL && !set_servers(c, o->servers)) {
        ares_destroy(c->ares);
        free(c);
        return RES_INVALID;
    }
    uv_timer_init(loop_get(), &c->timer);
    *ret = c;
    return RES_OK;
}

static void on_closed(uv_handle_t *h)
{
    free(CONTAINER_OF((uv_timer_t *)h, struct dns_channel, timer));
}

void dns_channel_free(struct dns_channel *c)
{
    ares_destroy(c->ares);
    uv_close((uv_handle_t *)&c->timer, on_closed);
}

void dns_channel_query(struct dns_channel *c, const char *name, unsigned type, ares_callback callback, void *arg)
{
    ares_query(c->ares, name, ns_c_in, (int)type, callback, arg);
    schedule_timer(c);
}
