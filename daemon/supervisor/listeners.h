/* supervisor/listeners.h - binds the listening sockets, which the supervisor keeps for processes that are restarted. */
#pragma once
#include "config/config.h"

#define MAX_SOCKETS 64

struct listening {
    enum listener listener;
    int fd, port;
};
struct listeners {
    struct listening v[MAX_SOCKETS];
    size_t n;
    int auth_fd;  /* home/run/auth.sock */
    int admin_fd; /* home/admin/api.sock */
};

/* False: what could not be bound is on standard error. */
bool listeners_open(const struct config *config, struct listeners *l);
/* "smtp:5,submission:6": those of a kind of process, whose close-on-exec flag is cleared (call it in the child). */
void listeners_for_child(const struct listeners *l, const char *kind, char *out, size_t cap);
/* The port of the first socket of a listener; 0: off. */
int listeners_port(const struct listeners *l, enum listener which);
