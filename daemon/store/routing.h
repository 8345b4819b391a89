/* store/routing.h - what the control plane knows of an address: all that smtp and relay read to route. */
#pragma once
#include "base/arena.h"
#include "base/result.h"
#include "base/str.h"
#include "db/db.h"

enum routing_kind {
    ROUTING_REMOTE,   /* its domain is none of ours */
    ROUTING_RELAY,    /* a relay domain: queue it for the domain */
    ROUTING_ACCOUNT,  /* a mailbox here */
    ROUTING_ALIAS,    /* members */
    ROUTING_UNKNOWN,  /* our domain, but nobody has this address */
    ROUTING_DISABLED, /* the domain is switched off */
};

struct routing {
    enum routing_kind kind;
    /* account */
    int64_t account_id, inbox_id; /* inbox_id 0: it has none, which is a fault */
    int account_state;            /* enum account_state of store/credential.h */
    int64_t quota_bytes, used_bytes, quota_messages, used_messages; /* a quota of -1: none */
    /* alias */
    struct str *members;
    size_t n_members;
};

/* local: unquoted, any case; domain: lower case.  An address that is not there as such is looked up without its
 * sub-address ("alice+lists"), then as the domain's catch-all. */
enum result routing_find(struct db *db, struct str local, struct str domain, struct arena *a, struct routing *ret)
    SUSPENDS NODISCARD;

/* May this account use `address` as sender: its own address (with a sub-address), one of its further addresses, or an
 * alias of which it is a member? */
enum result routing_may_send_as(struct db *db, int64_t account_id, struct str local, struct str domain, bool *ret_may)
    SUSPENDS NODISCARD;

/* The address of the first system administrator, who gets the mail for postmaster.  RES_NOTFOUND: there is none. */
enum result routing_postmaster(struct db *db, struct arena *a, struct str *ret_address) SUSPENDS NODISCARD;
