/* api/filters.h - whose filters a path means, and a script as an answer; shared by /filters... and .../test. */
#pragma once
#include "api/request.h"
#include "store/script.h"

/* /accounts/{}/filters..., /me/filters...: a person's; /domains/{}/filters..., /filters...: an administrator's. */
struct filter_path {
    struct script_owner owner;
    struct str name; /* STR_NULL: the path names no script */
    struct str whom; /* for the record: an address, a domain, "" for the server */
};

/* The words for enum script_place: "personal", "before", "after", "global", "imap". */
extern const char *const filter_places[];
#define FILTER_PLACES 5

/* False: there is no such account, domain or place, or the caller must not touch it; answered. */
bool filter_path_take(struct request *r, struct filter_path *ret) SUSPENDS;
/* Notes what the compiler says of the script that stands at `place` in the body, if it does not compile. */
void filter_check_text(struct request *r, struct str place, struct str text) SUSPENDS;
