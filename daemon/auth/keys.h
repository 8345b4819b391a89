/* auth/keys.h - the TLS certificate and its private key, in auth only. */
#pragma once
#include "base/arena.h"
#include "base/result.h"
#include "base/str.h"

/* Reads PEM from two open files and, when they fit each other, uses them from now on.  Closes both.  RES_INVALID: not
 * used, the ones before stay (logged). */
enum result keys_load(int certificate_fd, int key_fd);
/* Loads dir/certificate.pem and dir/key.pem; makes a self-signed P-256 pair for `hostname` when there are none.
 * RES_TEMPFAIL: neither possible (logged). */
enum result keys_load_own(struct str dir, struct str hostname, struct arena *a);

/* The present chain as PEM; STR_NULL when none is loaded. */
struct str keys_certificate(void);
/* tls_sign_fn's work, with the key of that name: the present one, or the one before it, whose certificate other
 * processes show until they have asked for the new one.  RES_CONFLICT: it is neither. */
enum result keys_sign(struct str name, bool rsa, struct str digest, struct arena *a, struct str *ret_signature);
