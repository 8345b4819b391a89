/* api/import_check.h - lines of an import against what is there: who may, what is wrong, and what each would do.
 *
 * The same function checks a whole file before anything is done, and each line again when it is its turn. */
#pragma once
#include "api/account_change.h"
#include "store/import.h"

extern const char *const import_outcome_names[IMPORT_OUTCOMES]; /* as the enum */

struct import_item {
    unsigned line;
    struct json_object *body; /* the caller's */
    /* what import_check finds */
    struct json_object *errors;                /* as those of a request; NULL: the line is good.  The caller's */
    enum import_outcome outcome;               /* what it would do */
    struct account_change change;
    struct str *further;                       /* the further addresses that it names */
    size_t n_further;
    struct str *give, *withdraw;               /* of an account that is there */
    size_t n_give, n_withdraw;
};

/* For r->caller.  updates: accounts that are there are changed.  What it finds lives in r's arena and in the bodies.
 * RES_TEMPFAIL: database trouble. */
enum result import_check(struct request *r, struct import_item *v, size_t n, bool updates) SUSPENDS NODISCARD;
