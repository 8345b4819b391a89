/* supervisor/listeners.h - binds the listening sockets, which the supervisor keeps for processes that are restarted. */
#pragma once
#include "config/config.h"

#define MAX_SOCKETS 64

struct listening {
    enum listener listener;
    int fd, port;     /* port 0: a Unix socket */
    const char *path; /* of a Unix socket; NULL */
};
struct listeners {
    struct listening v[MAX_SOCKETS];
    size_t n;
    int auth_fd;  /* home/run/auth.sock */
    int admin_fd; /* home_admin_socket() */
};

/* False: what could not be bound is on standard error.  `lmtp` may be a Unix socket, too: "/path" or "unix:/path";
 * `local` is one. */
bool listeners_open(const struct config *config, struct listeners *l);
/* "smtp:5,submission:6": those of a kind of process, whose close-on-exec flag is cleared (call it in the child). */
void listeners_for_child(const struct listeners *l, const char *kind, char *out, size_t cap);
/* The port of the first TCP socket of a listener; 0: none. */
int listeners_port(const struct listeners *l, enum listener which);
/* "smtp:25,imap:143": every listener that has a TCP socket, and its port. */
void listeners_ports(const struct listeners *l, char *out, size_t cap);
/* The path of the first Unix socket of a listener; NULL: none. */
const char *listeners_path(const struct listeners *l, enum listener which);
/* Removes the names of Unix sockets that listeners_open made for `listen` keys. */
void listeners_unlink(const struct listeners *l);
