/* Lines, limits and TLS over a socketpair; two interleaved handshakes, one of which fails, with a key that is asked for. */
#include "tests/support/cmocka.h"

#include "io/stream.h"
#include "io/tls.h"

#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <stdlib.h>
#include <unistd.h>

static void pair(struct stream **a, struct stream **b)
{
    int fds[2];

    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
    *a = stream_new(fds[0]);
    *b = stream_new(fds[1]);
}

static void run(coroutine_fn *fn, void *arg)
{
    assert_non_null(coroutine_spawn("test", fn, arg));
    loop_run();
    assert_int_equal(coroutine_count(), 0);
}

static void lines(void *arg)
{
    struct stream *a, *b;
    struct str line;
    char longer[6000];

    (void)arg;
    pair(&a, &b);
    memset(longer, 'x', sizeof(longer));
    stream_puts(a, "EHLO a\r\nbare\nlf\rcr\r\n\r\n");
    stream_write(a, str_of(longer, sizeof(longer)));
    stream_puts(a, "\r\nafter\r\n");
    assert_int_equal(stream_flush(a), RES_OK);
    assert_int_equal(stream_read_line(b, 512, &line), RES_OK);
    assert_true(str_eq(line, STR("EHLO a")));
    assert_int_equal(stream_read_line(b, 512, &line), RES_OK);
    assert_true(str_eq(line, STR("bare\nlf\rcr")));
    assert_int_equal(stream_read_line(b, 512, &line), RES_OK);
    assert_int_equal(line.len, 0);
    assert_int_equal(stream_read_line(b, 512, &line), RES_LIMIT);
    assert_int_equal(stream_read_line(b, 512, &line), RES_OK);
    assert_true(str_eq(line, STR("after")));
    stream_set_timeout(b, 10);
    assert_int_equal(stream_read_line(b, 512, &line), RES_TIMEOUT);
    stream_free(a);
    stream_free(b);
}

static void test_lines(void **state)
{
    (void)state;
    run(lines, NULL);
}

static void exactly_at_the_limit(void *arg)
{
    struct stream *a, *b;
    struct str line;

    (void)arg;
    pair(&a, &b);
    stream_puts(a, "1234\r\n12345\r\n1234\r");
    assert_int_equal(stream_flush(a), RES_OK);
    assert_int_equal(stream_read_line(b, 4, &line), RES_OK);
    assert_int_equal(stream_read_line(b, 4, &line), RES_LIMIT);
    stream_puts(a, "\n");
    assert_int_equal(stream_flush(a), RES_OK);
    assert_int_equal(stream_read_line(b, 4, &line), RES_OK);
    assert_true(str_eq(line, STR("1234")));
    stream_free(a);
    assert_int_equal(stream_read_line(b, 4, &line), RES_CLOSED);
    assert_int_equal(stream_read_line(b, 4, &line), RES_CLOSED);
    stream_free(b);
}

static void test_limit(void **state)
{
    (void)state;
    run(exactly_at_the_limit, NULL);
}

/* ---- TLS ---- */

static EVP_PKEY *key;
static char *pem;
static int signatures;

static void make_certificate(bool rsa)
{
    X509 *cert = X509_new();
    BIO *bio = BIO_new(BIO_s_mem());
    char *p;
    long n;

    EVP_PKEY_free(key);
    key = rsa ? EVP_RSA_gen(2048) : EVP_EC_gen("P-256");
    assert_non_null(key);
    ASN1_INTEGER_set(X509_get_serialNumber(cert), 1);
    X509_gmtime_adj(X509_getm_notBefore(cert), 0);
    X509_gmtime_adj(X509_getm_notAfter(cert), 3600);
    X509_set_pubkey(cert, key);
    X509_NAME_add_entry_by_txt(X509_get_subject_name(cert), "CN", MBSTRING_ASC, (const unsigned char *)"t", -1, -1, 0);
    X509_set_issuer_name(cert, X509_get_subject_name(cert));
    X509_sign(cert, key, EVP_sha256());
    PEM_write_bio_X509(bio, cert);
    n = BIO_get_mem_data(bio, &p);
    free(pem);
    pem = strndup(p, (size_t)n);
    BIO_free(bio);
    X509_free(cert);
}

static enum result sign(void *arg, struct str name, bool rsa, struct str digest, unsigned char *sig, size_t cap,
                        size_t *ret_len)
{
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new(key, NULL);
    enum result r = RES_TEMPFAIL;

    (void)arg;
    assert_int_equal(name.len, TLS_KEY_NAME);
    coroutine_sleep(3); /* the other handshake runs meanwhile */
    *ret_len = cap;
    if (EVP_PKEY_sign_init(ctx) == 1 && (!rsa || EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_NO_PADDING) == 1) &&
        EVP_PKEY_sign(ctx, sig, ret_len, (const unsigned char *)digest.p, digest.len) == 1)
        r = RES_OK;
    EVP_PKEY_CTX_free(ctx);
    signatures++;
    return r;
}

struct end {
    struct stream *s;
    struct tls_context *ctx;
    bool server, garbage;
    enum result result;
};

static void one_end(void *arg)
{
    struct end *e = arg;
    struct str line;

    stream_set_timeout(e->s, 2000);
    if (e->garbage) {
        stream_puts(e->s, "this is no ClientHello, but long enough for a record header\r\n");
        e->result = stream_flush(e->s);
        (void)!stream_read_line(e->s, 100, &line);
    } else if (e->server) {
        e->result = stream_tls_accept(e->s, e->ctx);
        stream_puts(e->s, "hello over TLS\r\n");
        stream_flush(e->s);
    } else {
        e->result = stream_tls_connect(e->s, e->ctx, "t", false);
        if (e->result == RES_OK)
            e->result = stream_read_line(e->s, 100, &line);
        if (e->result == RES_OK && !str_eq(line, STR("hello over TLS")))
            e->result = RES_INVALID;
    }
    stream_free(e->s);
}

static void handshakes(bool rsa)
{
    struct tls_context *server, *client = tls_client_new(NULL);
    struct end ends[6] = { 0 };

    make_certificate(rsa);
    signatures = 0;
    assert_int_equal(tls_server_new(str_c(pem), sign, NULL, &server), RES_OK);
    for (size_t i = 0; i < 6; i += 2) {
        pair(&ends[i].s, &ends[i + 1].s);
        ends[i].server = true;
        ends[i].ctx = server;
        ends[i + 1].ctx = client;
        ends[i + 1].garbage = i == 2;
    }
    for (size_t i = 0; i < 6; i++)
        coroutine_spawn("end", one_end, &ends[i]);
    loop_run();
    for (size_t i = 0; i < 6; i++)
        assert_int_equal(ends[i].result, i == 2 ? RES_DENIED : RES_OK);
    assert_int_equal(signatures, 2);
    assert_int_equal(ERR_peek_error(), 0);
    tls_unref(server);
    tls_unref(client);
}

static void test_ec(void **state)
{
    (void)state;
    handshakes(false);
}

static void test_rsa(void **state)
{
    (void)state;
    handshakes(true);
    EVP_PKEY_free(key);
    free(pem);
}

static void test_bad_certificate(void **state)
{
    struct tls_context *ctx;

    (void)state;
    assert_int_equal(tls_server_new(STR("not a certificate"), sign, NULL, &ctx), RES_INVALID);
}

static void pipelined_before_handshake(void *arg)
{
    struct stream *a, *b;
    struct str line;

    pair(&a, &b);
    stream_puts(a, "STARTTLS\r\nEHLO injected\r\n");
    assert_int_equal(stream_flush(a), RES_OK);
    assert_int_equal(stream_read_line(b, 100, &line), RES_OK);
    assert_int_equal(stream_tls_accept(b, arg), RES_INVALID);
    assert_int_equal(stream_read_line(b, 100, &line), RES_INVALID);
    stream_free(a);
    stream_free(b);
}

static void test_injection(void **state)
{
    struct tls_context *ctx = tls_client_new(NULL);

    (void)state;
    run(pipelined_before_handshake, ctx);
    tls_unref(ctx);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_lines),           cmocka_unit_test(test_limit),     cmocka_unit_test(test_ec),
        cmocka_unit_test(test_rsa),             cmocka_unit_test(test_injection), cmocka_unit_test(test_bad_certificate),
    };

    return cmocka_run_group_tests_name("stream", tests, NULL, NULL);
}
