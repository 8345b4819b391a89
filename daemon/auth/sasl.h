/* auth/sasl.h - the server's side of SASL PLAIN (RFC 4616) and LOGIN, the parts that are only bytes. */
#pragma once
#include "base/arena.h"
#include "base/result.h"
#include "base/str.h"

/* Decodes base64 and splits "authzid NUL authcid NUL password".  RES_INVALID: malformed.  RES_DENIED: an authzid that is
 * not the authcid (nobody acts for somebody else here). */
enum result sasl_plain(struct arena *a, struct str response, struct str *ret_user, struct str *ret_password) NODISCARD;
