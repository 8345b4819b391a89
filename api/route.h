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
/* For tests and metrics: all of them. */
extern const struct route routes[];
extern const size_t routes_count;
