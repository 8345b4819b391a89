/* relay/connect.h - a ready connection to one of a target's hosts: connected, greeted, under TLS and signed in as the
 * target wants it. */
#pragma once
#include "auth/service.h"
#include "relay/client.h"
#include "relay/target.h"

struct connection {
    struct arena arena; /* hostname, host, ...; as long as the connection */
    struct client client;
    struct str hostname; /* ours */
    struct str host, address, tls, session; /* for the record; tls: as queue_attempt.tls, or STR_NULL */
    bool open;
};

/* Tries host after host, address after address.  RES_OK: c->client is usable.  RES_CLOSED: *ret_why says how the last
 * try ended (never a permanent failure: another day may be better), texts in a; c->host and c->address tell where.
 * What was said goes to `dialogue`, which must outlive the connection. */
enum result connection_open(struct connection *c, const struct target *target, struct tls_context *tls,
                            struct dialogue *dialogue, struct arena *a, struct verdict *ret_why) SUSPENDS NODISCARD;
/* QUIT when that can be said.  Fine with one that is not open. */
void connection_close(struct connection *c) SUSPENDS;
