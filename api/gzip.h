/* api/gzip.h - the dashboard's files, compressed once at start (RFC 1952). */
#pragma once
#include "api/request.h"

/* bytes compressed, in the arena; STR_NULL when that saves nothing.  Blocks. */
struct str gzip_bytes(struct arena *a, struct str bytes);
/* Does the client take gzip (RFC 9110, 12.5.3)?  It must say so: silence is no. */
bool gzip_accepted(const struct request *r);
