/* api/names.h - domains and addresses as people write them, in the form in which they are stored. */
#pragma once
#include "base/arena.h"
#include "base/result.h"
#include "base/str.h"

/* A domain, also with U-labels, as A-labels in lower case (IDNA 2008, non-transitional).  It has a dot, or is
 * "localhost".  RES_INVALID: no domain. */
enum result name_domain(struct str text, struct arena *a, struct str *ret_name) NODISCARD;
/* local@domain: local-part without case and in NFC, the domain as above.  RES_INVALID. */
enum result name_address(struct str text, struct arena *a, struct str *ret_address) NODISCARD;
/* The domain of such an address. */
struct str name_domain_of(struct str address);
