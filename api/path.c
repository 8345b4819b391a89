#include "api/path.h"
#include "api/names.h"
#include "api/problem.h"
#include "api/words.h"

/* Always false, for the caller to return. */
static bool refuse(struct request *r, bool to_create, const char *pointer, const char *what)
{
    if (to_create) {
        error_at(r, str_c(pointer), "syntax", "\"%.*s\" is not %s.", STR_ARG(word_clip(r->params[0], 100)), what);
        (void)errors_of_body(r);
    } else {
        problem(r, PROBLEM_NOT_FOUND, NULL);
    }
    return false;
}

bool path_address(struct request *r, bool to_create, struct str *ret_address)
{
    return name_address(r->params[0], &r->arena, ret_address) == RES_OK || refuse(r, to_create, "address", "an address");
}

bool path_domain(struct request *r, bool to_create, struct str *ret_name)
{
    return name_domain(r->params[0], &r->arena, ret_name) == RES_OK || refuse(r, to_create, "domain", "a domain name");
}
