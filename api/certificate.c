#include "api/certificate.h"

#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <time.h>

enum result certificate_about(struct tls_context *tls, int64_t *ret_until, bool *ret_self_signed)
{
    SSL *ssl = tls != NULL ? tls_session_new(tls) : NULL;
    X509 *x509 = ssl != NULL ? SSL_get_certificate(ssl) : NULL;
    struct tm tm;
    enum result r = RES_NOTFOUND;

    if (x509 != NULL && ASN1_TIME_to_tm(X509_get0_notAfter(x509), &tm) == 1) {
        *ret_until = (int64_t)timegm(&tm) * 1000000;
        *ret_self_signed = X509_NAME_cmp(X509_get_subject_name(x509), X509_get_issuer_name(x509)) == 0;
        r = RES_OK;
    }
    SSL_free(ssl);
    return r;
}
