/* relay/client_internal.h - what client.c and client_send.c share. */
#pragma once
#include "relay/client.h"

/* RFC 5321, 4.5.3.2 */
#define CLIENT_COMMAND_MS (5 * 60 * 1000) /* greeting, EHLO, MAIL, RCPT */
#define CLIENT_DATA_MS (2 * 60 * 1000)    /* the answer to DATA */
#define CLIENT_BLOCK_MS (3 * 60 * 1000)   /* each piece of the body */
#define CLIENT_DOT_MS (10 * 60 * 1000)    /* the answer to the end */
#define CLIENT_HANDSHAKE_MS (60 * 1000)
#define CLIENT_QUIT_MS 2000

/* Queues a command line. */
void client_say(struct client *c, struct str line);
/* Flushes, and reads one reply.  RES_CLOSED: *ret tells. */
enum result client_read(struct client *c, enum attempt_phase phase, int64_t limit_ms, struct arena *a,
                        struct reply *ret_reply, struct verdict *ret) SUSPENDS NODISCARD;
/* The connection is of no use any more: *ret tells why.  RES_CLOSED always. */
enum result client_lost(struct client *c, enum attempt_phase phase, enum result why, struct verdict *ret);
/* What a reply means. */
void client_judge(struct client *c, enum attempt_phase phase, const struct reply *reply, struct verdict *ret);
