#include "supervisor/listeners.h"
#include "supervisor/home.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define BACKLOG 1024

static const char *kind_of(enum listener l)
{
    switch (l) {
    case LISTEN_SMTP:
    case LISTEN_SUBMISSION:
    case LISTEN_SMTPS:
    case LISTEN_LMTP:
    case LISTEN_LOCAL:
        return "smtp";
    case LISTEN_POP3:
    case LISTEN_POP3S:
    case LISTEN_IMAP:
    case LISTEN_IMAPS:
    case LISTEN_SIEVE:
        return "access";
    default:
        return "api";
    }
}

/* "127.0.0.1:2525", "[::1]:2525", "2525" (every address). */
static bool parse_address(struct str text, struct sockaddr_storage *ret, socklen_t *ret_len)
{
    size_t colon = str_rchr(text, ':');
    struct str host = colon == SIZE_MAX ? STR("") : str_sub(text, 0, colon);
    char buf[64];
    uint64_t port;

    memset(ret, 0, sizeof(*ret));
    if (!str_u64(colon == SIZE_MAX ? text : str_from(text, colon + 1), 65535, &port) || host.len >= sizeof(buf))
        return false;
    if (host.len > 1 && host.p[0] == '[' && host.p[host.len - 1] == ']')
        host = str_sub(host, 1, host.len - 2);
    memcpy(buf, host.p != NULL ? host.p : "", host.len);
    buf[host.len] = '\0';
    if (host.len == 0 || str_chr(host, ':') != SIZE_MAX || str_eq(host, STR("*"))) {
        struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)ret;

        in6->sin6_family = AF_INET6;
        in6->sin6_port = htons((uint16_t)port);
        *ret_len = sizeof(*in6);
        return host.len == 0 || str_eq(host, STR("*")) || inet_pton(AF_INET6, buf, &in6->sin6_addr) == 1;
    }
    struct sockaddr_in *in = (struct sockaddr_in *)ret;

    in->sin_family = AF_INET;
    in->sin_port = htons((uint16_t)port);
    *ret_len = sizeof(*in);
    return inet_pton(AF_INET, buf, &in->sin_addr) == 1;
}

static int port_in(const struct sockaddr_storage *a)
{
    return ntohs(a->ss_family == AF_INET6 ? ((const struct sockaddr_in6 *)a)->sin6_port
                                          : ((const struct sockaddr_in *)a)->sin_port);
}

static int port_of(int fd)
{
    struct sockaddr_storage own;
    socklen_t len = sizeof(own);

    return getsockname(fd, (struct sockaddr *)&own, &len) == 0 ? port_in(&own) : 0;
}

static int open_unix(const char *path, mode_t mode, const char *group);

/* A socket that somebody left behind may be replaced, nothing else. */
static bool is_free(const char *path)
{
    struct stat st;

    return lstat(path, &st) != 0 ? errno == ENOENT : S_ISSOCK(st.st_mode);
}

/* "/run/correio/lmtp" or "unix:/run/correio/lmtp": LMTP for whoever is in the group correio-admin; the local one for
 * everybody, since the kernel says who comes. */
static bool open_path(enum listener which, struct str path, struct listeners *l)
{
    const size_t max = sizeof(((struct sockaddr_un *)NULL)->sun_path);
    char *name = path.len < max ? strndup(path.p, path.len) : NULL; /* as long as the process */
    int fd = -1;

    if (name == NULL || name[0] != '/' || l->n == MAX_SOCKETS)
        fprintf(stderr, "correiod: [listen] %s: \"%.*s\" is no absolute path of less than %zu bytes\n",
                listener_name(which), STR_ARG(path), max);
    else if (!is_free(name))
        fprintf(stderr, "correiod: [listen] %s: %s is there and is no socket\n", listener_name(which), name);
    else
        fd = which == LISTEN_LOCAL ? open_unix(name, 0666, NULL) : open_unix(name, 0660, "correio-admin");
    if (fd < 0) {
        free(name);
        return false;
    }
    l->v[l->n++] = (struct listening){ .listener = which, .fd = fd, .path = name };
    return true;
}

/* A relative path is below the home. */
static bool open_local(const struct config *config, struct str text, struct listeners *l)
{
    char name[256];

    snprintf(name, sizeof(name), "%.*s", STR_ARG(text));
    return open_path(LISTEN_LOCAL, name[0] == '/' ? str_c(name) : str_c(home_path(config, name)), l);
}

static bool open_one(const struct config *config, enum listener which, struct str text, struct listeners *l)
{
    struct sockaddr_storage address;
    socklen_t len;
    int on = 1, fd;
    bool any;

    if (which == LISTEN_LOCAL)
        return open_local(config, text, l);
    if (which == LISTEN_LMTP && (str_starts(text, STR("/")) || str_starts(text, STR("unix:"))))
        return open_path(which, str_starts(text, STR("unix:")) ? str_from(text, 5) : text, l);
    if (!parse_address(text, &address, &len) || l->n == MAX_SOCKETS) {
        fprintf(stderr, "correiod: [listen] %s: \"%.*s\" is not address:port\n", listener_name(which), STR_ARG(text));
        return false;
    }
    if (which == LISTEN_LMTP && port_in(&address) == 25) { /* RFC 2033, 5 */
        fprintf(stderr, "correiod: [listen] lmtp: port 25 is for SMTP\n");
        return false;
    }
    fd = socket(address.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return false;
    (void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
    any = address.ss_family == AF_INET6 && IN6_IS_ADDR_UNSPECIFIED(&((struct sockaddr_in6 *)&address)->sin6_addr);
    on = any && str_chr(text, '[') == SIZE_MAX ? 0 : 1; /* a bare port serves IPv4, too */
    if (address.ss_family == AF_INET6)
        (void)setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on));
    if (bind(fd, (struct sockaddr *)&address, len) != 0 || listen(fd, BACKLOG) != 0) {
        fprintf(stderr, "correiod: [listen] %s: could not bind %.*s: %s\n", listener_name(which), STR_ARG(text),
                strerror(errno));
        close(fd);
        return false;
    }
    l->v[l->n++] = (struct listening){ .listener = which, .fd = fd, .port = port_of(fd) };
    return true;
}

/* Its name appears when it listens, with its final mode: nobody can come too early. */
static int open_unix(const char *path, mode_t mode, const char *group)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    mode_t old;
    bool ok;

    snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
    (void)unlink(path);
    old = umask(0777 & ~mode);
    home_group(group);
    ok = fd >= 0 && bind(fd, (struct sockaddr *)&address, sizeof(address)) == 0 && listen(fd, BACKLOG) == 0;
    home_group(NULL);
    umask(old);
    if (!ok) {
        fprintf(stderr, "correiod: could not listen on %s: %s\n", path, strerror(errno));
        return -1;
    }
    return fd;
}

bool listeners_open(const struct config *config, struct listeners *l)
{
    l->n = 0;
    for (int i = 0; i < LISTENERS; i++) {
        struct str rest = config->listen[i], one;

        while (str_split(&rest, ',', &one)) {
            one = str_trim(one);
            if (one.len > 0 && !str_eq(one, STR("off")) && !open_one(config, (enum listener)i, one, l))
                return false;
        }
    }
    /* auth asks the kernel who its peer is; the mode keeps nobody out. */
    l->auth_fd = open_unix(home_path(config, "run/auth.sock"), 0666, NULL);
    l->admin_fd = open_unix(home_admin_socket(config), 0660, "correio-admin");
    return l->auth_fd >= 0 && l->admin_fd >= 0;
}

void listeners_for_child(const struct listeners *l, const char *kind, char *out, size_t cap)
{
    size_t at = 0;

    out[0] = '\0';
    for (size_t i = 0; i < l->n; i++) {
        if (strcmp(kind_of(l->v[i].listener), kind) != 0)
            continue;
        (void)fcntl(l->v[i].fd, F_SETFD, 0);
        at += (size_t)snprintf(out + at, at < cap ? cap - at : 0, "%s%s:%d", at > 0 ? "," : "",
                               listener_name(l->v[i].listener), l->v[i].fd);
    }
}

int listeners_port(const struct listeners *l, enum listener which)
{
    for (size_t i = 0; i < l->n; i++) {
        if (l->v[i].listener == which && l->v[i].path == NULL)
            return l->v[i].port;
    }
    return 0;
}

void listeners_ports(const struct listeners *l, char *out, size_t cap)
{
    size_t at = 0;

    out[0] = '\0';
    for (int i = 0; i < LISTENERS; i++) {
        int port = listeners_port(l, (enum listener)i);

        if (port != 0)
            at += (size_t)snprintf(out + at, at < cap ? cap - at : 0, "%s%s:%d", at > 0 ? "," : "",
                                   listener_name((enum listener)i), port);
    }
}

const char *listeners_path(const struct listeners *l, enum listener which)
{
    for (size_t i = 0; i < l->n; i++) {
        if (l->v[i].listener == which && l->v[i].path != NULL)
            return l->v[i].path;
    }
    return NULL;
}

void listeners_unlink(const struct listeners *l)
{
    for (size_t i = 0; i < l->n; i++) {
        if (l->v[i].path != NULL)
            (void)unlink(l->v[i].path);
    }
}
