/* A server's TLS context with a fresh key of the test's own. */
#pragma once
#include "base/macros.h"
#include "io/tls.h"
#include "tests/support/cmocka.h"

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

static EVP_PKEY *tls_server_key;

static inline enum result tls_server_sign(void *arg, struct str name, bool rsa, struct str digest, unsigned char *sig,
                                          size_t cap, size_t *ret_len)
{
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new(tls_server_key, NULL);
    bool ok;

    (void)arg;
    assert_int_equal(name.len, TLS_KEY_NAME);
    assert_false(rsa);
    *ret_len = cap;
    ok = EVP_PKEY_sign_init(ctx) == 1 &&
         EVP_PKEY_sign(ctx, sig, ret_len, (const unsigned char *)digest.p, digest.len) == 1;
    EVP_PKEY_CTX_free(ctx);
    return ok ? RES_OK : RES_TEMPFAIL;
}

/* The caller unrefs it, and frees the key with EVP_PKEY_free(tls_server_key). */
static inline struct tls_context *tls_server_make(void)
{
    struct tls_context *ctx;
    X509 *cert = X509_new();
    BIO *bio = BIO_new(BIO_s_mem());
    char *pem;
    long len;

    tls_server_key = EVP_EC_gen("P-256");
    assert_non_null(tls_server_key);
    ASN1_INTEGER_set(X509_get_serialNumber(cert), 1);
    X509_gmtime_adj(X509_getm_notBefore(cert), 0);
    X509_gmtime_adj(X509_getm_notAfter(cert), 3600);
    X509_set_pubkey(cert, tls_server_key);
    X509_NAME_add_entry_by_txt(X509_get_subject_name(cert), "CN", MBSTRING_ASC, (const unsigned char *)"far.test", -1, -1, 0);
    X509_set_issuer_name(cert, X509_get_subject_name(cert));
    X509_sign(cert, tls_server_key, EVP_sha256());
    PEM_write_bio_X509(bio, cert);
    len = BIO_get_mem_data(bio, &pem);
    assert_int_equal(tls_server_new(str_of(pem, (size_t)len), tls_server_sign, NULL, &ctx), RES_OK);
    BIO_free(bio);
    X509_free(cert);
    return ctx;
}
