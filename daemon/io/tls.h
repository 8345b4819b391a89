/* io/tls.h - OpenSSL contexts for `stream`.
 *
 * A process that ends TLS does not hold the private key: it hands each handshake's signature to `sign`, which may
 * suspend the coroutine inside SSL_do_handshake. */
#pragma once
#include "base/macros.h"
#include "base/result.h"
#include "base/str.h"

#include <stdbool.h>
#include <stddef.h>

struct tls_context;
struct ssl_st;
struct x509_st;

/* Signs a digest that the peer of the handshake wants: for EC a DER ECDSA signature of `digest`; for RSA the raw
 * private-key operation on `digest`, which is already padded to the modulus' length.  `key` names the key of the
 * context's certificate (tls_key_name).  Writes at most cap bytes to sig.  RES_TEMPFAIL fails the handshake.  May suspend. */
typedef enum result tls_sign_fn(void *arg, struct str key, bool rsa, struct str digest, unsigned char *sig, size_t cap,
                                size_t *ret_len);

/* What a certificate's key is called between processes: the SHA-256 of its public part. */
#define TLS_KEY_NAME 32
bool tls_key_name(struct x509_st *cert, unsigned char ret_name[TLS_KEY_NAME]);

/* A server's context from a PEM chain (leaf first), TLS 1.2 and up.  RES_INVALID: not a usable certificate. */
enum result tls_server_new(struct str pem_chain, tls_sign_fn *sign, void *sign_arg, struct tls_context **ret_ctx) NODISCARD;
/* A client's context; verification uses the system's roots (and `extra_roots`, a PEM file, when not NULL). */
struct tls_context *tls_client_new(const char *extra_roots);

/* Contexts are counted: each stream holds one while it lives. */
struct tls_context *tls_ref(struct tls_context *ctx);
void tls_unref(struct tls_context *ctx);
struct ssl_st *tls_session_new(struct tls_context *ctx);
