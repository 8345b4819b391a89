/* api/autodiscover.h - the request of Outlook's Autodiscover (MS-OXDSCLI, 2.2.3), of which the address alone is read.  Pure. */
#pragma once
#include "base/macros.h"
#include "base/result.h"
#include "base/str.h"

#define AUTODISCOVER_MAX ((size_t)64 << 10)

/* The text of Autodiscover/Request/EMailAddress, without blanks around it; it lies in `body`, and nobody has looked at its
 * form.  RES_LIMIT: body is longer than AUTODISCOVER_MAX.  RES_INVALID: it is no such document in UTF-8, or one with more
 * than elements and text: a DTD, an entity, a comment, CDATA. */
enum result autodiscover_address(struct str body, struct str *ret_address) NODISCARD;
