/* api/record.h - preconditions of writes, and what is written down about them. */
#pragma once
#include "api/request.h"
#include "store/audit.h"

#define VERSION_ANY INT64_C(-1)
#define VERSION_NONE INT64_C(-2) /* no version is this one */

/* The version that If-Match names; VERSION_ANY when the field is not there.  False: it is required; answered (428). */
bool match_version(struct request *r, bool required, int64_t *ret_version);
/* If-None-Match: *: only to create. */
bool match_create_only(const struct request *r);

/* What the caller is about to do, for store/: who, from where, what.  before and after are taken over (NULL: none); the
 * caller leaves secrets out. */
const struct audit *record(struct request *r, const char *action, struct str object, struct json_object *before,
                           struct json_object *after);
