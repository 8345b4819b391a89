/* auth/service.h - what a process gives to each of its protocol sessions. */
#pragma once
#include "auth/client.h"
#include "config/config.h"
#include "config/settings.h"
#include "db/db.h"
#include "io/stream.h"
#include "io/tls.h"

struct deliver;

struct service {
    const struct config *config;
    struct db *db;
    struct auth_client *auth;
    struct tls_context *tls; /* replaced at a reload: a session takes its own tls_ref when it needs it */
    struct deliver *deliver; /* smtp, relay and access */
    const char *name;        /* of the process: "smtp-1" */
    int ports[LISTENERS];    /* api: of all processes; 0: nobody listens there */
};

/* A protocol's session: runs in a coroutine of its own, owns nothing of `service`; the stream is freed by the caller.
 * `listener` says which port it came by; for the implicit-TLS ports the handshake is already done. */
typedef void service_session(struct service *service, struct stream *s, enum listener listener);

/* Accepts on a listening socket and runs `session` for each connection, behind the handshake when `implicit_tls`. */
void service_listen(struct service *service, int fd, enum listener listener, bool implicit_tls, service_session *session);
/* Sessions that are open now. */
unsigned service_sessions(void);
/* Closes the listening sockets and cancels every session: each ends after what it is doing. */
void service_drain(void);
