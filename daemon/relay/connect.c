/* relay/connect.c - finding a host that listens. */
#include "relay/connect.h"

#include "base/encode.h"
#include "base/log.h"
#include "route/network.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <unistd.h>

#define CONNECT_MS (30 * 1000)
#define MAX_TRIES 10 /* addresses in all, for one attempt */
#define MAX_PASSWORD 1024

struct attempt {
    struct connection *c;
    const struct target *target;
    struct tls_context *tls;
    struct dialogue *dialogue;
    struct arena *a;
    struct verdict *why;
};

static enum result failed(struct attempt *t, enum attempt_phase phase, struct str reason, struct str text)
{
    *t->why = (struct verdict){ .kind = VERDICT_LATER, .phase = phase, .reason = reason, .text = text };
    return RES_CLOSED;
}

static struct str address_text(struct arena *a, const struct sockaddr_storage *s)
{
    char text[INET6_ADDRSTRLEN] = "";

    if (s->ss_family == AF_INET)
        (void)inet_ntop(AF_INET, &((const struct sockaddr_in *)(const void *)s)->sin_addr, text, sizeof(text));
    else
        (void)inet_ntop(AF_INET6, &((const struct sockaddr_in6 *)(const void *)s)->sin6_addr, text, sizeof(text));
    return arena_str(a, str_c(text));
}

static enum result tcp_connect(struct attempt *t, const struct sockaddr_storage *address)
{
    struct connection *c = t->c;
    struct stream *stream;
    socklen_t len = address->ss_family == AF_INET ? sizeof(struct sockaddr_in) : sizeof(struct sockaddr_in6);
    int error = 0;
    enum result r = stream_connect((const struct sockaddr *)address, len, NULL, deadline_in(CONNECT_MS), &stream, &error);

    if (r == RES_OK) {
        client_init(&c->client, stream, c->hostname, t->dialogue);
        c->open = true;
        return RES_OK;
    }
    if (r == RES_TIMEOUT || error == ETIMEDOUT)
        r = failed(t, PHASE_CONNECT, REASON_TIMEOUT, STR("the server did not accept the connection in time"));
    else if (error == ECONNREFUSED)
        r = failed(t, PHASE_CONNECT, REASON_REFUSED, STR("the server refused the connection"));
    else if (r == RES_CANCELLED)
        r = failed(t, PHASE_CONNECT, STR("temporary"), STR("this server is stopping"));
    else
        r = failed(t, PHASE_CONNECT, REASON_NO_ROUTE,
                   arena_printf(t->a, "could not connect: %s", error != 0 ? strerror(error) : "connection closed"));
    dialogue_add(t->dialogue, 'C', arena_printf(t->a, "(%.*s)", STR_ARG(t->why->text)), mono_ms());
    return r;
}

struct password_job {
    const char *path;
    char text[MAX_PASSWORD + 1];
    ssize_t len;
};

static void read_password_file(void *arg)
{
    struct password_job *job = arg;
    int fd = open(job->path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);

    job->len = -1;
    if (fd < 0)
        return;
    job->len = read(fd, job->text, sizeof(job->text));
    close(fd);
}

/* The file's first line. */
static enum result read_password(struct attempt *t, struct str *ret)
{
    struct password_job *job = arena_new(t->a, struct password_job);
    struct str text, line;

    job->path = arena_cstr(t->a, t->target->password_file);
    coroutine_work(read_password_file, job);
    if (job->len <= 0 || job->len > MAX_PASSWORD)
        return RES_INVALID;
    text = str_of(job->text, (size_t)job->len);
    line = str_sub(text, 0, str_chr(text, '\n'));
    if (line.len > 0 && line.p[line.len - 1] == '\r')
        line.len--;
    *ret = line;
    return line.len > 0 ? RES_OK : RES_INVALID;
}

static enum result sign_in(struct attempt *t)
{
    struct client *client = &t->c->client;
    struct str password;

    if (t->target->user.p == NULL)
        return RES_OK;
    if (!stream_is_tls(client->stream) && t->target->tls != RELAY_TLS_NONE &&
        !network_is_loopback(stream_peer(client->stream)))
        return failed(t, PHASE_AUTH, REASON_AUTH, STR("the server offers no TLS, so the password was not sent"));
    if (read_password(t, &password) != RES_OK) {
        log_error("relay-password-file", F_STR("file", t->target->password_file));
        return failed(t, PHASE_AUTH, REASON_AUTH, STR("the password file for this smart host could not be read"));
    }
    return client_auth(client, t->target->user, password, t->a, t->why) == RES_OK ? RES_OK : RES_CLOSED;
}

/* One address.  *retry_in_clear: the handshake failed, which says nothing about a connection without TLS. */
static enum result try_address(struct attempt *t, const struct target_host *host, const struct sockaddr_storage *address,
                               bool with_tls, bool *retry_in_clear)
{
    struct connection *c = t->c;
    enum result r;

    *retry_in_clear = false;
    c->host = arena_str(&c->arena, host->name);
    c->address = address_text(&c->arena, address);
    c->tls = STR_NULL;
    dialogue_add(t->dialogue, 'C', arena_printf(t->a, "(connecting to %.*s [%.*s]%s)", STR_ARG(c->host), STR_ARG(c->address),
                                                with_tls ? "" : " without TLS"), mono_ms());
    r = tcp_connect(t, address);
    if (r != RES_OK)
        return r;
    r = client_greet(&c->client, t->a, t->why);
    if (r != RES_OK)
        return r;
    if (with_tls && c->client.ehlo.starttls) {
        r = client_starttls(&c->client, t->tls, arena_cstr(t->a, host->name), t->a, t->why);
        *retry_in_clear = r == RES_DENIED;
        if (r != RES_OK)
            return RES_CLOSED;
        c->tls = arena_printf(&c->arena, "%.*s %.*s %s", STR_ARG(stream_tls_version(c->client.stream)),
                              STR_ARG(stream_tls_cipher(c->client.stream)),
                              stream_tls_verified(c->client.stream) ? "ca" : "none");
    }
    if (t->target->tls == RELAY_TLS_MUST && c->tls.p == NULL)
        return failed(t, PHASE_TLS, REASON_TLS, STR("TLS is demanded for this route and the server does not offer it"));
    return sign_in(t);
}

static void drop(struct connection *c)
{
    if (c->open)
        client_release(&c->client);
    c->open = false;
}

static enum result try_host(struct attempt *t, const struct target_host *host, unsigned *tries)
{
    enum result r = RES_CLOSED;

    for (size_t i = 0; i < host->naddresses && *tries < MAX_TRIES && !coroutine_cancelled(); i++) {
        bool clear;

        ++*tries;
        r = try_address(t, host, &host->addresses[i], t->target->tls != RELAY_TLS_NONE, &clear);
        if (r != RES_OK)
            drop(t->c);
        if (clear && t->target->tls == RELAY_TLS_MAY) {
            r = try_address(t, host, &host->addresses[i], false, &clear);
            if (r != RES_OK)
                drop(t->c);
        }
        if (r == RES_OK || t->why->phase == PHASE_AUTH) /* a wrong password is not tried at every address */
            break;
    }
    return r;
}

enum result connection_open(struct connection *c, const struct target *target, struct tls_context *tls,
                            struct dialogue *dialogue, struct arena *a, struct verdict *ret_why)
{
    struct attempt t = { .c = c, .target = target, .tls = tls, .dialogue = dialogue, .a = a, .why = ret_why };
    enum result r = RES_CLOSED;
    unsigned tries = 0;

    *c = (struct connection){ 0 };
    c->hostname = arena_str(&c->arena, settings_get()->hostname);
    c->session = random_id(&c->arena);
    (void)failed(&t, PHASE_CONNECT, REASON_NO_ROUTE, STR("there was no address to try"));
    for (size_t i = 0; i < target->nhosts && r != RES_OK && tries < MAX_TRIES && !coroutine_cancelled(); i++) {
        r = try_host(&t, &target->hosts[i], &tries);
        if (r != RES_OK && ret_why->phase == PHASE_AUTH)
            break;
    }
    return r;
}

void connection_close(struct connection *c)
{
    if (c->open)
        client_quit(&c->client);
    drop(c);
    arena_reset(&c->arena);
    *c = (struct connection){ 0 };
}
