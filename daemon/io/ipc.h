/* io/ipc.h - requests between Correio's own processes over a Unix socket: small frames, many in flight.
 *
 * Frame: u32 length of what follows, u32 request id, u16 type (request) or enum result (reply), payload; native byte
 * order.  A malformed or oversized frame closes that one connection. */
#pragma once
#include "base/arena.h"
#include "base/result.h"
#include "base/str.h"
#include "io/coroutine.h"

#include <sys/types.h>

#define IPC_MAX_PAYLOAD 65536

struct ipc;

/* Client: connects to `path` when first needed, and again after a failure.  `path` is copied. */
struct ipc *ipc_client_new(const char *path);
/* Sends a request and waits for its reply.  RES_TEMPFAIL: the other side is away or was too slow; else what the
 * handler returned, with its payload (in a) when it gave one. */
enum result ipc_call(struct ipc *ipc, unsigned type, struct str payload, int64_t deadline, struct arena *a,
                     struct str *ret_payload) SUSPENDS NODISCARD;

/* Server: every request runs `handler` in a coroutine of its own.  *ret_payload may be left alone. */
typedef enum result ipc_handler(void *arg, uid_t peer, unsigned type, struct str payload, struct arena *a,
                                struct str *ret_payload);
/* Serves the listening socket for the life of the process. */
void ipc_serve(int listen_fd, ipc_handler *handler, void *arg);

/* Payloads: fields one after another, each u32 length and bytes. */
struct strbuf;
void ipc_put(struct strbuf *b, struct str field);
void ipc_put_int(struct strbuf *b, int64_t value);
bool ipc_get(struct str *rest, struct str *ret_field);
bool ipc_get_int(struct str *rest, int64_t *ret_value);
