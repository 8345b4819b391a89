#include "auth/keys.h"
#include "base/log.h"
#include "base/strbuf.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/rsa.h>
#include <openssl/x509v3.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define MAX_PEM 60000 /* the chain travels in one ipc frame */
#define SELF_SIGNED_DAYS 825

static EVP_PKEY *current_key;
static struct strbuf current_pem = { .max = MAX_PEM };

static enum result read_all(int fd, struct strbuf *out)
{
    for (;;) {
        char *room = strbuf_room(out, 4096);
        ssize_t n;

        if (room == NULL)
            return RES_LIMIT;
        n = read(fd, room, 4096);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return RES_TEMPFAIL;
        if (n == 0) {
            room[0] = '\0';
            return RES_OK;
        }
        out->len += (size_t)n;
    }
}

static bool fits(struct str pem, EVP_PKEY *key)
{
    BIO *bio = BIO_new_mem_buf(pem.p, (int)pem.len);
    X509 *cert = PEM_read_bio_X509(bio, NULL, NULL, NULL);
    bool ok = cert != NULL && X509_check_private_key(cert, key) == 1;

    X509_free(cert);
    BIO_free(bio);
    ERR_clear_error();
    return ok;
}

static int no_passphrase(char *buf, int size, int rw, void *arg)
{
    (void)buf;
    (void)size;
    (void)rw;
    (void)arg;
    return 0; /* an encrypted key is refused, not asked for on a terminal */
}

enum result keys_load(int certificate_fd, int key_fd)
{
    struct strbuf pem = { .max = MAX_PEM }, key_pem = { .max = MAX_PEM };
    EVP_PKEY *key = NULL;
    enum result r = RES_INVALID;

    if (read_all(certificate_fd, &pem) == RES_OK && read_all(key_fd, &key_pem) == RES_OK) {
        BIO *bio = BIO_new_mem_buf(key_pem.p, (int)key_pem.len);

        key = PEM_read_bio_PrivateKey(bio, NULL, no_passphrase, NULL);
        BIO_free(bio);
    }
    if (key != NULL && fits(strbuf_str(&pem), key)) {
        EVP_PKEY_free(current_key);
        current_key = key;
        strbuf_release(&current_pem);
        current_pem = pem;
        r = RES_OK;
    } else {
        log_error("tls-key-refused", F_C("why", key == NULL ? "not a PEM key" : "the certificate is for another key"));
        EVP_PKEY_free(key);
        strbuf_release(&pem);
    }
    if (key_pem.p != NULL)
        explicit_bzero(key_pem.p, key_pem.cap);
    strbuf_release(&key_pem);
    close(certificate_fd);
    close(key_fd);
    ERR_clear_error();
    return r;
}

/* ---- a pair of our own ---- */

static bool add_extension(X509 *cert, int nid, const char *value)
{
    X509_EXTENSION *e = X509V3_EXT_conf_nid(NULL, NULL, nid, value);
    bool ok = e != NULL && X509_add_ext(cert, e, -1) == 1;

    X509_EXTENSION_free(e);
    return ok;
}

static X509 *self_signed(EVP_PKEY *key, const char *hostname, struct arena *a)
{
    X509 *cert = X509_new();
    X509_NAME *name = X509_get_subject_name(cert);
    struct str san = arena_printf(a, "DNS:%s,DNS:localhost,IP:127.0.0.1,IP:::1", hostname);
    unsigned char serial[16];
    BIGNUM *number;

    if (RAND_bytes(serial, sizeof(serial)) != 1)
        abort();
    serial[0] &= 0x7f;
    X509_set_version(cert, X509_VERSION_3);
    number = BN_bin2bn(serial, sizeof(serial), NULL);
    BN_to_ASN1_INTEGER(number, X509_get_serialNumber(cert));
    BN_free(number);
    X509_gmtime_adj(X509_getm_notBefore(cert), -3600);
    X509_gmtime_adj(X509_getm_notAfter(cert), (long)SELF_SIGNED_DAYS * 86400);
    X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8, (const unsigned char *)hostname, -1, -1, 0);
    X509_set_issuer_name(cert, name);
    X509_set_pubkey(cert, key);
    if (!add_extension(cert, NID_subject_alt_name, san.p) || !add_extension(cert, NID_basic_constraints, "CA:FALSE") ||
        X509_sign(cert, key, EVP_sha256()) == 0) {
        X509_free(cert);
        return NULL;
    }
    return cert;
}

/* Writes through a temporary name: a crash leaves no half file. */
static bool write_pem(const char *path, mode_t mode, X509 *cert, EVP_PKEY *key, struct arena *a)
{
    struct str tmp = arena_printf(a, "%s.new", path);
    int fd = open(tmp.p, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode);
    FILE *f = fd < 0 ? NULL : fdopen(fd, "w");
    bool ok;

    if (f == NULL)
        return false;
    ok = cert != NULL ? PEM_write_X509(f, cert) == 1 : PEM_write_PrivateKey(f, key, NULL, NULL, 0, NULL, NULL) == 1;
    ok = fflush(f) == 0 && fsync(fd) == 0 && ok;
    fclose(f);
    return ok && rename(tmp.p, path) == 0;
}

static enum result make_own(const char *certificate, const char *key_path, struct str hostname, struct arena *a)
{
    EVP_PKEY *key = EVP_EC_gen("P-256");
    X509 *cert = key == NULL ? NULL : self_signed(key, arena_cstr(a, hostname), a);
    bool ok = cert != NULL && write_pem(key_path, 0600, NULL, key, a) && write_pem(certificate, 0644, cert, NULL, a);

    if (!ok)
        log_error("tls-self-signed-failed", F_C("path", certificate), F_C("error", strerror(errno)));
    else
        log_info("tls-self-signed", F_STR("hostname", hostname), F_C("path", certificate));
    X509_free(cert);
    EVP_PKEY_free(key);
    return ok ? RES_OK : RES_TEMPFAIL;
}

enum result keys_load_own(struct str dir, struct str hostname, struct arena *a)
{
    struct str certificate = arena_printf(a, "%.*s/certificate.pem", STR_ARG(dir));
    struct str key = arena_printf(a, "%.*s/key.pem", STR_ARG(dir));
    int fd, key_fd;

    if (access(certificate.p, F_OK) != 0 && make_own(certificate.p, key.p, hostname, a) != RES_OK)
        return RES_TEMPFAIL;
    fd = open(certificate.p, O_RDONLY | O_CLOEXEC);
    key_fd = open(key.p, O_RDONLY | O_CLOEXEC);
    if (fd < 0 || key_fd < 0) {
        log_error("tls-key-unreadable", F_STR("dir", dir), F_C("error", strerror(errno)));
        return RES_TEMPFAIL;
    }
    return keys_load(fd, key_fd);
}

struct str keys_certificate(void)
{
    return current_pem.len == 0 ? STR_NULL : strbuf_str(&current_pem);
}

enum result keys_sign(bool rsa, struct str digest, struct arena *a, struct str *ret_signature)
{
    EVP_PKEY_CTX *ctx;
    unsigned char *sig;
    size_t n;
    enum result r = RES_INVALID;

    if (current_key == NULL)
        return RES_TEMPFAIL;
    if (rsa != (EVP_PKEY_get_base_id(current_key) == EVP_PKEY_RSA))
        return RES_CONFLICT; /* the key was replaced in the middle of a handshake */
    n = (size_t)EVP_PKEY_get_size(current_key);
    sig = arena_alloc(a, n);
    ctx = EVP_PKEY_CTX_new(current_key, NULL);
    if (ctx != NULL && EVP_PKEY_sign_init(ctx) == 1 &&
        (!rsa || EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_NO_PADDING) == 1) &&
        EVP_PKEY_sign(ctx, sig, &n, (const unsigned char *)digest.p, digest.len) == 1) {
        *ret_signature = str_of((char *)sig, n);
        r = RES_OK;
    }
    EVP_PKEY_CTX_free(ctx);
    ERR_clear_error();
    return r;
}
