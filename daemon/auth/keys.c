#include "auth/keys.h"
#include "base/log.h"
#include "base/strbuf.h"
#include "io/tls.h"

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

static struct named_key {
    EVP_PKEY *key;
    unsigned char name[TLS_KEY_NAME];
} current, previous;
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

/* Is the leaf of the chain this key's certificate?  Then the name of the key is told. */
static bool fits(struct str pem, EVP_PKEY *key, unsigned char ret_name[TLS_KEY_NAME])
{
    BIO *bio = BIO_new_mem_buf(pem.p, (int)pem.len);
    X509 *cert = PEM_read_bio_X509(bio, NULL, NULL, NULL);
    bool ok = cert != NULL && X509_check_private_key(cert, key) == 1 && tls_key_name(cert, ret_name);

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

/* The one before stays until the next change: handshakes with its certificate are under way. */
static void use_key(EVP_PKEY *key, const unsigned char name[TLS_KEY_NAME])
{
    if (current.key != NULL && memcmp(current.name, name, TLS_KEY_NAME) == 0) {
        EVP_PKEY_free(current.key);
    } else {
        EVP_PKEY_free(previous.key);
        previous = current;
    }
    current.key = key;
    memcpy(current.name, name, TLS_KEY_NAME);
}

enum result keys_load(int certificate_fd, int key_fd)
{
    struct strbuf pem = { .max = MAX_PEM }, key_pem = { .max = MAX_PEM };
    unsigned char name[TLS_KEY_NAME];
    EVP_PKEY *key = NULL;
    enum result r = RES_INVALID;

    if (read_all(certificate_fd, &pem) == RES_OK && read_all(key_fd, &key_pem) == RES_OK) {
        BIO *bio = BIO_new_mem_buf(key_pem.p, (int)key_pem.len);

        key = PEM_read_bio_PrivateKey(bio, NULL, no_passphrase, NULL);
        BIO_free(bio);
    }
    if (key != NULL && fits(strbuf_str(&pem), key, name)) {
        use_key(key, name);
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

static EVP_PKEY *find_key(struct str name)
{
    if (name.len != TLS_KEY_NAME)
        return NULL;
    return memcmp(name.p, current.name, TLS_KEY_NAME) == 0 ? current.key
           : memcmp(name.p, previous.name, TLS_KEY_NAME) == 0 ? previous.key
                                                               : NULL;
}

enum result keys_sign(struct str name, bool rsa, struct str digest, struct arena *a, struct str *ret_signature)
{
    EVP_PKEY *key = find_key(name);
    EVP_PKEY_CTX *ctx;
    unsigned char *sig;
    size_t n;
    enum result r = RES_INVALID;

    if (key == NULL || rsa != (EVP_PKEY_get_base_id(key) == EVP_PKEY_RSA))
        return RES_CONFLICT;
    n = (size_t)EVP_PKEY_get_size(key);
    sig = arena_alloc(a, n);
    ctx = EVP_PKEY_CTX_new(key, NULL);
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
