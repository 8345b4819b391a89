/* store/delivery.h - where the mailbox of an address lives (route/delivery.h), for the mda. */
#pragma once
#include "base/arena.h"
#include "base/result.h"
#include "db/db.h"
#include "store/queue.h"

struct mailbox_place {
    struct str target;         /* "store", "maildir:/home/%u/Maildir" ... */
    bool of_domain;            /* the domain's, in which %u and %d stand for local and domain */
    struct str unix_user;      /* STR_NULL: none is named; "%u" as in target */
    struct str local, domain;  /* of the account's own address */
    struct str extension;      /* behind the separator of sub-addresses; empty: none */
};
/* local: unquoted; domain: lower case.  RES_NOTFOUND: no account has the address. */
enum result mailbox_place_find(struct db *db, struct str local, struct str domain, struct arena *a,
                               struct mailbox_place *ret) SUSPENDS NODISCARD;

/* Gives a job to those who serve another destination (the mailbox has moved); nothing when the lease is lost. */
enum result queue_move(struct db *db, const struct queue_job *job, struct str lease, struct str destination)
    SUSPENDS NODISCARD;
