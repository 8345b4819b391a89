/* auth/client.h - what the other processes ask of auth, over ipc.  All functions suspend.
 *
 * auth alone reads hashes and holds the TLS key. */
#pragma once
#include "base/arena.h"
#include "base/result.h"
#include "base/str.h"
#include "io/coroutine.h"

struct auth_client;
struct tls_context;

/* socket_path is copied. */
struct auth_client *auth_client_new(const char *socket_path);

struct auth_request {
    struct str user, password; /* as the client gave them */
    const char *protocol;      /* "imap", "pop3", "submission", "http" */
    struct str ip;
};
struct auth_identity {
    int64_t account_id;
    struct str address;  /* the account's own */
    struct str token;    /* for struct principal */
    int role;            /* account.role */
    bool frozen;         /* may read, may not send */
    struct str language; /* STR_NULL: none set */
};
/* RES_OK; RES_DENIED: wrong user or password, or suspended (the same words for all); RES_LIMIT: too many attempts, try
 * later; RES_TEMPFAIL.  The identity lives in a. */
enum result auth_password(struct auth_client *c, const struct auth_request *req, struct arena *a,
                          struct auth_identity *ret) SUSPENDS NODISCARD;

/* A TLS context for servers with auth's certificate; its key operations are asked of auth.  The caller holds one
 * reference.  Called at start and again at a reload. */
enum result auth_tls_server(struct auth_client *c, struct tls_context **ret_ctx) SUSPENDS NODISCARD;
