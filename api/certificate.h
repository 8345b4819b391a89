/* api/certificate.h - what is to be said about the certificate that the listeners show. */
#pragma once
#include "base/result.h"
#include "io/tls.h"

#include <stdint.h>

/* RES_NOTFOUND: there is none.  *ret_until: the end of its time, in microseconds since 1970. */
enum result certificate_about(struct tls_context *tls, int64_t *ret_until, bool *ret_self_signed) NODISCARD;
