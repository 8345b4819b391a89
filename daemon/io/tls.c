/* OpenSSL contexts (io/tls.h).
 *
 * The remote key: an EVP_PKEY made from the certificate's public key whose EC_KEY or RSA object has our own method.
 * OpenSSL 3 treats such keys as foreign and calls the method for the handshake's signature; there the coroutine
 * suspends.  Per-thread library state must not be carried over the suspend: the error queue is empty before it and is
 * cleared after it (without that, interleaved handshakes fail: tests/unit/io/test_tls). */
#include "io/tls.h"
#include "base/log.h"
#include "base/macros.h"

#include <assert.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/ssl.h>
#include <stdlib.h>

#pragma GCC diagnostic ignored "-Wdeprecated-declarations" /* the method APIs: a provider would be the other way */

struct tls_context {
    SSL_CTX *ctx;
    unsigned refs;
    tls_sign_fn *sign;
    void *sign_arg;
    unsigned char key_name[TLS_KEY_NAME];
};

static int ec_index = -1, rsa_index = -1;
static EC_KEY_METHOD *ec_method;
static RSA_METHOD *rsa_method;

static int ask(struct tls_context *t, bool rsa, const unsigned char *digest, int len, unsigned char *sig, size_t cap,
               size_t *ret_len)
{
    enum result r;

    ERR_clear_error();
    r = t->sign(t->sign_arg, str_of((const char *)t->key_name, sizeof(t->key_name)), rsa,
                str_of((const char *)digest, (size_t)len), sig, cap, ret_len);
    ERR_clear_error();
    return r == RES_OK;
}

static int ec_sign(int type, const unsigned char *digest, int len, unsigned char *sig, unsigned int *sig_len,
                   const BIGNUM *kinv, const BIGNUM *r, EC_KEY *key)
{
    struct tls_context *t = EC_KEY_get_ex_data(key, ec_index);
    size_t n;

    (void)type;
    (void)kinv;
    (void)r;
    if (!ask(t, false, digest, len, sig, (size_t)ECDSA_size(key), &n))
        return 0;
    *sig_len = (unsigned)n;
    return 1;
}

static ECDSA_SIG *ec_sign_sig(const unsigned char *digest, int len, const BIGNUM *kinv, const BIGNUM *r, EC_KEY *key)
{
    unsigned char der[256];
    const unsigned char *p = der;
    unsigned n = 0;

    if ((size_t)ECDSA_size(key) > sizeof(der) || !ec_sign(0, digest, len, der, &n, kinv, r, key))
        return NULL;
    return d2i_ECDSA_SIG(NULL, &p, (long)n);
}

/* With RSA-PSS or PKCS#1 OpenSSL pads by itself and asks for the raw private operation. */
static int rsa_private(int len, const unsigned char *from, unsigned char *to, RSA *key, int padding)
{
    struct tls_context *t = RSA_get_ex_data(key, rsa_index);
    unsigned char padded[1024];
    size_t n, size = (size_t)RSA_size(key);

    if (size > sizeof(padded))
        return -1;
    if (padding == RSA_PKCS1_PADDING) {
        if (RSA_padding_add_PKCS1_type_1(padded, (int)size, from, len) != 1)
            return -1;
        from = padded;
        len = (int)size;
    } else if (padding != RSA_NO_PADDING) {
        return -1;
    }
    if (!ask(t, true, from, len, to, size, &n))
        return -1;
    return (int)n;
}

static void make_methods(void)
{
    int (*sign)(int, const unsigned char *, int, unsigned char *, unsigned int *, const BIGNUM *, const BIGNUM *,
                EC_KEY *);
    int (*setup)(EC_KEY *, BN_CTX *, BIGNUM **, BIGNUM **);
    ECDSA_SIG *(*sign_sig)(const unsigned char *, int, const BIGNUM *, const BIGNUM *, EC_KEY *);

    if (ec_method != NULL)
        return;
    ec_index = EC_KEY_get_ex_new_index(0, NULL, NULL, NULL, NULL);
    rsa_index = RSA_get_ex_new_index(0, NULL, NULL, NULL, NULL);
    ec_method = EC_KEY_METHOD_new(EC_KEY_OpenSSL());
    EC_KEY_METHOD_get_sign(ec_method, &sign, &setup, &sign_sig);
    EC_KEY_METHOD_set_sign(ec_method, ec_sign, setup, ec_sign_sig);
    rsa_method = RSA_meth_dup(RSA_PKCS1_OpenSSL());
    RSA_meth_set_priv_enc(rsa_method, rsa_private);
    RSA_meth_set_flags(rsa_method, RSA_METHOD_FLAG_NO_CHECK);
}

/* A key object for the certificate's public key whose private operations come to us. */
static EVP_PKEY *remote_key(struct tls_context *t, X509 *cert)
{
    EVP_PKEY *public = X509_get0_pubkey(cert), *key = EVP_PKEY_new();

    make_methods();
    if (public == NULL || key == NULL)
        goto failed;
    if (EVP_PKEY_get_base_id(public) == EVP_PKEY_EC) {
        EC_KEY *ec = EC_KEY_dup(EVP_PKEY_get0_EC_KEY(public));

        if (ec == NULL || EC_KEY_set_method(ec, ec_method) != 1 || EC_KEY_set_ex_data(ec, ec_index, t) != 1 ||
            EVP_PKEY_assign_EC_KEY(key, ec) != 1) {
            EC_KEY_free(ec);
            goto failed;
        }
        return key;
    }
    if (EVP_PKEY_get_base_id(public) == EVP_PKEY_RSA) {
        const RSA *from = EVP_PKEY_get0_RSA(public);
        RSA *rsa = RSA_new();
        const BIGNUM *n, *e;

        RSA_get0_key(from, &n, &e, NULL);
        if (rsa == NULL || RSA_set0_key(rsa, BN_dup(n), BN_dup(e), NULL) != 1 ||
            RSA_set_method(rsa, rsa_method) != 1 || RSA_set_ex_data(rsa, rsa_index, t) != 1 ||
            EVP_PKEY_assign_RSA(key, rsa) != 1) {
            RSA_free(rsa);
            goto failed;
        }
        return key;
    }
failed:
    EVP_PKEY_free(key);
    return NULL;
}

static bool use_chain(SSL_CTX *ctx, struct str pem, X509 **ret_leaf)
{
    BIO *bio = BIO_new_mem_buf(pem.p, (int)pem.len);
    X509 *leaf = PEM_read_bio_X509(bio, NULL, NULL, NULL), *more;
    bool ok = leaf != NULL && SSL_CTX_use_certificate(ctx, leaf) == 1;

    while (ok && (more = PEM_read_bio_X509(bio, NULL, NULL, NULL)) != NULL) {
        if (SSL_CTX_add0_chain_cert(ctx, more) != 1) {
            X509_free(more);
            ok = false;
        }
    }
    BIO_free(bio);
    *ret_leaf = leaf;
    ERR_clear_error();
    return ok;
}

static SSL_CTX *new_ctx(const SSL_METHOD *method)
{
    SSL_CTX *ctx = SSL_CTX_new(method);

    if (ctx == NULL)
        abort();
    SSL_CTX_set_min_proto_version(ctx, TLS1_2_VERSION);
    SSL_CTX_set_mode(ctx, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    SSL_CTX_set_options(ctx, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION | SSL_OP_CIPHER_SERVER_PREFERENCE |
                                 SSL_OP_IGNORE_UNEXPECTED_EOF);
    SSL_CTX_set_read_ahead(ctx, 0);
    return ctx;
}

bool tls_key_name(struct x509_st *cert, unsigned char ret_name[TLS_KEY_NAME])
{
    unsigned len = 0;

    return X509_pubkey_digest(cert, EVP_sha256(), ret_name, &len) == 1 && len == TLS_KEY_NAME;
}

enum result tls_server_new(struct str pem_chain, tls_sign_fn *sign, void *sign_arg, struct tls_context **ret_ctx)
{
    struct tls_context *t = calloc(1, sizeof(*t));
    X509 *leaf = NULL;
    EVP_PKEY *key = NULL;
    enum result r = RES_INVALID;

    if (t == NULL)
        abort();
    t->refs = 1;
    t->sign = sign;
    t->sign_arg = sign_arg;
    t->ctx = new_ctx(TLS_server_method());
    SSL_CTX_set_session_cache_mode(t->ctx, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_num_tickets(t->ctx, 1);
    if (use_chain(t->ctx, pem_chain, &leaf) && tls_key_name(leaf, t->key_name) && (key = remote_key(t, leaf)) != NULL &&
        SSL_CTX_use_PrivateKey(t->ctx, key) == 1)
        r = RES_OK;
    EVP_PKEY_free(key);
    X509_free(leaf);
    ERR_clear_error();
    if (r == RES_OK)
        *ret_ctx = t;
    else
        tls_unref(t);
    return r;
}

struct tls_context *tls_client_new(const char *extra_roots)
{
    struct tls_context *t = calloc(1, sizeof(*t));

    if (t == NULL)
        abort();
    t->refs = 1;
    t->ctx = new_ctx(TLS_client_method());
    SSL_CTX_set_default_verify_paths(t->ctx);
    if (extra_roots != NULL && SSL_CTX_load_verify_locations(t->ctx, extra_roots, NULL) != 1)
        log_warn("tls-roots", F_C("file", extra_roots));
    ERR_clear_error();
    return t;
}

struct tls_context *tls_ref(struct tls_context *ctx)
{
    ctx->refs++;
    return ctx;
}

void tls_unref(struct tls_context *ctx)
{
    if (ctx == NULL || --ctx->refs > 0)
        return;
    SSL_CTX_free(ctx->ctx);
    free(ctx);
}

struct ssl_st *tls_session_new(struct tls_context *ctx)
{
    return SSL_new(ctx->ctx);
}
