/* mda/lmtp.c - another store takes the message (RFC 2033). */
#include "base/encode.h"
#include "base/log.h"
#include "config/settings.h"
#include "mda/mda_internal.h"
#include "relay/client.h"
#include "relay/content.h"

#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <sys/un.h>

#define CONNECT_MS (30 * 1000)
#define MAX_ADDRESSES 8

struct address {
    struct sockaddr_storage address;
    socklen_t len;
};

struct look_up {
    const char *host;
    char port[8];
    struct address v[MAX_ADDRESSES];
    size_t n;
    int error;
};

static void look_up(void *arg)
{
    struct look_up *job = arg;
    const struct addrinfo hints = { .ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICSERV };
    struct addrinfo *list = NULL;

    job->error = getaddrinfo(job->host, job->port, &hints, &list);
    for (struct addrinfo *i = list; job->error == 0 && i != NULL && job->n < MAX_ADDRESSES; i = i->ai_next) {
        if (i->ai_addrlen > sizeof(job->v[0].address))
            continue;
        memcpy(&job->v[job->n].address, i->ai_addr, i->ai_addrlen);
        job->v[job->n++].len = i->ai_addrlen;
    }
    if (list != NULL)
        freeaddrinfo(list);
}

static enum result unreachable(struct verdict *why, struct str reason, struct str text)
{
    *why = (struct verdict){ .kind = VERDICT_LATER, .phase = PHASE_CONNECT, .reason = reason, .text = text };
    return RES_CLOSED;
}

static enum result connect_one(const struct address *to, struct arena *a, struct stream **ret, struct verdict *why)
{
    int error = 0;
    enum result r =
        stream_connect((const struct sockaddr *)&to->address, to->len, NULL, deadline_in(CONNECT_MS), ret, &error);

    if (r == RES_OK)
        return RES_OK;
    return r == RES_TIMEOUT ? unreachable(why, REASON_TIMEOUT, STR("the server did not accept the connection in time"))
                            : unreachable(why, error == ECONNREFUSED ? REASON_REFUSED : REASON_NO_ROUTE,
                                          arena_printf(a, "could not connect: %s", strerror(error)));
}

static enum result connect_socket(struct str path, struct arena *a, struct stream **ret, struct verdict *why)
{
    struct address to = { .len = sizeof(struct sockaddr_un) };
    struct sockaddr_un *un = (struct sockaddr_un *)(void *)&to.address;

    un->sun_family = AF_UNIX;
    memcpy(un->sun_path, path.p, MIN(path.len, sizeof(un->sun_path) - 1));
    return connect_one(&to, a, ret, why);
}

static enum result connect_host(const struct delivery_target *target, struct arena *a, struct stream **ret,
                                struct verdict *why)
{
    struct look_up *job = arena_new(a, struct look_up);
    enum result r = RES_CLOSED;

    job->host = arena_cstr(a, target->host);
    snprintf(job->port, sizeof(job->port), "%u", target->port);
    coroutine_work(look_up, job);
    if (job->n == 0)
        return unreachable(why, REASON_DNS_FAILED,
                           arena_printf(a, "%s has no address: %s", job->host, gai_strerror(job->error)));
    for (size_t i = 0; i < job->n && r != RES_OK && !coroutine_cancelled(); i++)
        r = connect_one(&job->v[i], a, ret, why);
    return r;
}

static enum result next_piece(void *arg, struct str *ret_piece)
{
    return body_next(arg, ret_piece);
}

static void transact(struct mda_worker *w, struct client *c, const struct queue_job *jobs, size_t n,
                     struct verdict *verdicts)
{
    const struct queue_envelope *m = jobs[0].message;
    struct arena *a = &w->crew.batch_arena;
    struct client_recipient *r = arena_array(a, struct client_recipient, n);
    struct body_cursor cursor = {
        .source = { .db = w->crew.crew->db, .id = m->id,
                    .shape = { (uint64_t)m->size, (uint64_t)m->header_size, (unsigned)m->frames } },
        .end = (uint64_t)m->size };
    struct client_message message = {
        .reverse_path = m->reverse_path, .size = m->size, .next = next_piece, .arg = &cursor
    };

    content_needs(&cursor.source, m, jobs, n, &c->ehlo, &message);
    for (size_t i = 0; i < n; i++)
        r[i] = (struct client_recipient){ .address = jobs[i].recipient };
    client_send(c, &message, r, n, a);
    body_cursor_release(&cursor);
    for (size_t i = 0; i < n; i++) {
        verdicts[i] = r[i].verdict;
        if (verdicts[i].kind == VERDICT_SENT)
            verdicts[i].kind = VERDICT_DELIVERED;
    }
}

void lmtp_deliver(struct mda_worker *w, const struct delivery_target *target, const struct queue_job *jobs, size_t n,
                  struct verdict *verdicts, struct settle_attempt *t)
{
    struct arena *a = &w->crew.batch_arena;
    struct stream *stream = NULL;
    struct client client;
    struct verdict why;
    enum result r;

    t->host = target->path.len > 0 ? target->path : target->host;
    t->session = random_id(a);
    dialogue_add(&w->dialogue, 'C', arena_printf(a, "(connecting to %.*s, LMTP)", STR_ARG(t->host)), mono_ms());
    r = target->path.len > 0 ? connect_socket(target->path, a, &stream, &why) : connect_host(target, a, &stream, &why);
    if (r == RES_OK) {
        if (target->path.len == 0)
            t->address = arena_str(a, stream_peer_ip(stream));
        client_init(&client, stream, arena_str(a, settings_get()->hostname), &w->dialogue);
        client.lmtp = true;
        r = client_greet(&client, a, &why);
        if (r == RES_OK) {
            transact(w, &client, jobs, n, verdicts);
            client_quit(&client);
        }
        client_release(&client);
    }
    for (size_t i = 0; i < n && r != RES_OK; i++)
        verdicts[i] = why;
}
