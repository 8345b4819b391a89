/* api/account_change.h - what somebody asks of an account: its members checked, and done.  PUT, PATCH and the import share it. */
#pragma once
#include "api/request.h"

enum account_members {
    ACCOUNT_PUT,    /* all; read-only ones as they are */
    ACCOUNT_PATCH,  /* without the password */
    ACCOUNT_IMPORT, /* a line of a file: address, addresses and state, too, and no read-only one */
};

/* What a domain was given, kept over the lines of a file. */
struct limits_above {
    struct str domain; /* STR_NULL: of none yet */
    struct sent_limits limits;
};

struct account_change {
    struct account_write w; /* what the account shall be */
    bool there;             /* it is there, as `old` */
    struct account old;  /* when it is not there, its id alone, once it is made */
    struct str password; /* STR_NULL: none is given */
    struct limits_above *above; /* NULL: it is asked for each time */
};

#define ACCOUNT_CHANGE_DENIED "Only an administrator without limits may make or change administrators."
#define ACCOUNT_IS_DELETED "A deleted account has this address: restore it, or delete it with purge."

/* old NULL: it shall be made.  keep: what is not named stays as it is. */
void account_change_begin(struct account_change *c, struct str address, const struct account *old, bool keep);
/* Checks the body and takes its members over, as far as they concern the account's own row.  What is wrong is noted. */
void account_change_take(struct request *r, struct account_change *c, struct json_object *body, enum account_members which) SUSPENDS;
/* Whether the caller may change such accounts, and give such roles. */
bool account_change_allowed(const struct request *r, const struct account_change *c);
/* Whether it makes or unmakes an administrator: caller_fresh is asked. */
bool account_change_wants_proof(const struct account_change *c);
/* Whether something of the account's own row changes, besides the password. */
bool account_change_differs(const struct account_change *c);
/* Creates or updates the account; version: of account_update.  Recorded.  Results as account_create and account_update. */
enum result account_change_write(struct request *r, struct account_change *c, int64_t version) SUSPENDS NODISCARD;
/* Then sets the password that was given.  Recorded.  RES_TEMPFAIL: auth is busy, or the database in trouble. */
enum result account_change_password(struct request *r, const struct account_change *c) SUSPENDS NODISCARD;
