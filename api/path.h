/* api/path.h - the object that a request's path names. */
#pragma once
#include "api/request.h"

/* The address that is the path's first placeholder, in its stored form.  False: no address; answered with 404, or with
 * 422 when it is to be created. */
bool path_address(struct request *r, bool to_create, struct str *ret_address);
/* The same for a domain. */
bool path_domain(struct request *r, bool to_create, struct str *ret_name);
