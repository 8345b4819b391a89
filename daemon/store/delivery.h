/* store/delivery.h - where the mailbox of an account lives (route/delivery.h), for the mda. */
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
/* local: of the address that was asked for, unquoted.  RES_NOTFOUND: there is no such account. */
enum result mailbox_place_find(struct db *db, int64_t account_id, struct str local, struct arena *a,
                               struct mailbox_place *ret) SUSPENDS NODISCARD;

/* The account of a Unix user: the one whose delivery_user he is, by itself or else by its domain's "%u".  A user of
 * several accounts ("vmail") is none of them. */
struct unix_account {
    int64_t id;
    struct str address;
    bool frozen; /* may not send */
};
/* RES_NOTFOUND: none. */
enum result unix_account_find(struct db *db, struct str unix_user, struct arena *a, struct unix_account *ret)
    SUSPENDS NODISCARD;

/* Gives a job to those who serve another destination (the mailbox has moved); nothing when the lease is lost. */
enum result queue_move(struct db *db, const struct queue_job *job, struct str lease, struct str destination)
    SUSPENDS NODISCARD;
