/* auth/keys.c: a key that was replaced still signs for the certificate that others show. */
#include "auth/keys.h"
#include "io/tls.h"
#include "tests/support/cmocka.h"

#include <openssl/ec.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>
#include <sys/mman.h>
#include <unistd.h>

struct pair {
    EVP_PKEY *key;
    X509 *cert;
    unsigned char name[TLS_KEY_NAME];
};

static struct pair pair_make(bool rsa)
{
    struct pair p = { .key = rsa ? EVP_RSA_gen(2048) : EVP_EC_gen("P-256"), .cert = X509_new() };

    assert_non_null(p.key);
    X509_gmtime_adj(X509_getm_notBefore(p.cert), 0);
    X509_gmtime_adj(X509_getm_notAfter(p.cert), 3600);
    X509_set_pubkey(p.cert, p.key);
    X509_sign(p.cert, p.key, EVP_sha256());
    assert_true(tls_key_name(p.cert, p.name));
    return p;
}

static void pair_free(struct pair *p)
{
    EVP_PKEY_free(p->key);
    X509_free(p->cert);
}

static struct str name_of(const struct pair *p)
{
    return str_of((const char *)p->name, sizeof(p->name));
}

/* A file that holds the certificate, or the key. */
static int pem_file(X509 *cert, EVP_PKEY *key)
{
    int fd = memfd_create("pem", MFD_CLOEXEC);
    FILE *f = fdopen(dup(fd), "w");

    assert_non_null(f);
    if (cert != NULL)
        assert_int_equal(PEM_write_X509(f, cert), 1);
    else
        assert_int_equal(PEM_write_PrivateKey(f, key, NULL, NULL, 0, NULL, NULL), 1);
    fclose(f);
    lseek(fd, 0, SEEK_SET);
    return fd;
}

static enum result load(const struct pair *cert, const struct pair *key)
{
    return keys_load(pem_file(cert->cert, NULL), pem_file(NULL, key->key));
}

/* Does the key of that name sign, and is it p's key? */
static enum result signs(const struct pair *p, bool rsa)
{
    CLEANUP(arena_releasep) struct arena a = { 0 };
    size_t len = rsa ? 256 : 32;
    struct str signature, digest = str_of(memset(arena_alloc(&a, len), 1, len), len);
    EVP_PKEY_CTX *ctx;
    enum result r = keys_sign(name_of(p), rsa, digest, &a, &signature);

    if (r != RES_OK || rsa)
        return r;
    ctx = EVP_PKEY_CTX_new(p->key, NULL);
    assert_int_equal(EVP_PKEY_verify_init(ctx), 1);
    assert_int_equal(EVP_PKEY_verify(ctx, (const unsigned char *)signature.p, signature.len, (const unsigned char *)digest.p,
                                     digest.len), 1);
    EVP_PKEY_CTX_free(ctx);
    return r;
}

static void replaced(void **state)
{
    struct pair one = pair_make(false), two = pair_make(true), three = pair_make(false);

    (void)state;
    assert_int_equal(signs(&one, false), RES_CONFLICT);
    assert_int_equal(load(&one, &one), RES_OK);
    assert_int_equal(signs(&one, false), RES_OK);
    assert_int_equal(signs(&one, true), RES_CONFLICT);
    assert_int_equal(load(&two, &two), RES_OK);
    assert_int_equal(signs(&one, false), RES_OK);
    assert_int_equal(signs(&two, true), RES_OK);
    assert_int_equal(load(&two, &two), RES_OK); /* the same again: the one before stays */
    assert_int_equal(signs(&one, false), RES_OK);
    assert_int_equal(load(&three, &three), RES_OK);
    assert_int_equal(signs(&one, false), RES_CONFLICT);
    assert_int_equal(signs(&two, true), RES_OK);
    assert_int_equal(signs(&three, false), RES_OK);
    pair_free(&one);
    pair_free(&two);
    pair_free(&three);
}

static void does_not_fit(void **state)
{
    struct pair one = pair_make(false), two = pair_make(false);
    struct str before;

    (void)state;
    assert_int_equal(load(&one, &one), RES_OK);
    before = keys_certificate();
    assert_int_equal(load(&two, &one), RES_INVALID);
    assert_true(str_eq(keys_certificate(), before));
    assert_int_equal(signs(&one, false), RES_OK);
    assert_int_equal(signs(&two, false), RES_CONFLICT);
    pair_free(&one);
    pair_free(&two);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(replaced), cmocka_unit_test(does_not_fit) };

    return cmocka_run_group_tests_name("keys", tests, NULL, NULL);
}
