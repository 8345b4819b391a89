/* store/figures.h - figures of the whole server for the overview and the metrics.
 *
 * SUSPENDS: all.  RES_TEMPFAIL: database trouble, already logged. */
#pragma once
#include "base/arena.h"
#include "base/result.h"
#include "base/str.h"
#include "db/db.h"

struct figures {
    struct str database_version;       /* "15.14" */
    bool has_account;                  /* besides the one that the first start makes on localhost */
    struct str first_domain;           /* whose mail stays here, an active one if there is any; STR_NULL: none besides localhost */
    bool first_domain_right;           /* its DNS, when it was looked at last */
    bool has_mail;                     /* a message has come into a mailbox, ever */
    int64_t domains, accounts;
};
enum result figures_get(struct db *db, struct arena *a, struct figures *ret) SUSPENDS NODISCARD;

#define FIGURES_MINUTES 60
/* What happened in each of the last whole minutes, the latest one last. */
struct figures_hour {
    int64_t until_us; /* the end of the last minute */
    int64_t deferred[FIGURES_MINUTES]; /* attempts that ended so */
    int64_t bounced[FIGURES_MINUTES];  /* recipients: bounced and expired */
};
enum result figures_hour(struct db *db, struct figures_hour *ret) SUSPENDS NODISCARD;
