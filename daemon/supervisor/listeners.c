#include "supervisor/listeners.h"
#include "supervisor/home.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <netinet/in.h>
#include <stdio.h>
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

static int port_of(int fd)
{
    struct sockaddr_storage own;
    socklen_t len = sizeof(own);

    if (getsockname(fd, (struct sockaddr *)&own, &len) != 0)
        return 0;
    return ntohs(own.ss_family == AF_INET6 ? ((struct sockaddr_in6 *)&own)->sin6_port
                                           : ((struct sockaddr_in *)&own)->sin_port);
}

static bool open_one(enum listener which, struct str text, struct listeners *l)
{
    struct sockaddr_storage address;
    socklen_t len;
    int on = 1, fd;
    bool any;

    if (!parse_address(text, &address, &len) || l->n == MAX_SOCKETS) {
        fprintf(stderr, "correiod: [listen] %s: \"%.*s\" is not address:port\n", listener_name(which), STR_ARG(text));
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
    const struct group *gr = group != NULL && geteuid() == 0 ? getgrnam(group) : NULL;
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    mode_t old;
    bool ok;

    snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
    (void)unlink(path);
    old = umask(0777 & ~mode);
    ok = fd >= 0 && bind(fd, (struct sockaddr *)&address, sizeof(address)) == 0 &&
         (gr == NULL || chown(path, 0, gr->gr_gid) == 0) && listen(fd, BACKLOG) == 0;
    umask(old);
    if (!ok) {
        fprintf(stderr, "correiod: could not listen on %s: %s\n", path, strerror(errno));
        return -1;
    }
    return fd;
}

bool listeners_open(const struct config *config, struct listeners *l)
{
    const struct group *admins = geteuid() == 0 ? getgrnam("correio-admin") : NULL;

    l->n = 0;
    for (int i = 0; i < LISTENERS; i++) {
        struct str rest = config->listen[i], one;

        while (str_split(&rest, ',', &one)) {
            one = str_trim(one);
            if (one.len > 0 && !str_eq(one, STR("off")) && !open_one((enum listener)i, one, l))
                return false;
        }
    }
    if (admins != NULL && chown(home_path(config, "admin"), 0, admins->gr_gid) != 0)
        return false;
    /* auth asks the kernel who its peer is; the mode keeps nobody out. */
    l->auth_fd = open_unix(home_path(config, "run/auth.sock"), 0666, NULL);
    l->admin_fd = open_unix(home_path(config, "admin/api.sock"), 0660, "correio-admin");
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
        if (l->v[i].listener == which)
            return l->v[i].port;
    }
    return 0;
}
