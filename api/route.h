/* api/route.h - the table of all paths under /api/v1 and beside it. */
#pragma once
#include "api/caller.h"
#include "base/str.h"

struct request;
typedef void route_handler(struct request *r) SUSPENDS;

struct route {
    const char *method; /* GET stands for HEAD, too */
    const char *path;   /* "/api/v1/accounts/{}/password": {} is one segment */
    enum scope scope;
    route_handler *run;
};

/* The route for the request's method and path, with its placeholders in r->params.  NULL: there is none; *ret_allowed
 * then lists the methods of that path, "" when the path is unknown.  Neither answers. */
const struct route *route_find(struct request *r, struct str *ret_allowed);
/* How many bytes of a body the request's method and path take: REQUEST_MAX_BODY, or for files ROUTE_MAX_FILE. */
#define ROUTE_MAX_FILE ((size_t)8 << 20)
size_t route_body_max(const struct request *r);
/* For tests and metrics: all of them. */
extern const struct route routes[];
extern const size_t routes_count;
