/* route/expand.h - who gets mail for an address, and the steps that lead there.
 *
 * One function for all who ask: smtp at RCPT, relay for what waited, the API's expansion and explanation.  It decides;
 * what the store knows of an address comes by a callback.  Order: an exact account or alias, without the sub-address,
 * an alias with a pattern, the domain that this one is an alias of, the catch-all (store/routing.h finds it so).
 * Aliases and forwards may lead to others, ROUTE_MAX_DEPTH deep; a loop is cut where it closes; each final recipient is
 * there once. */
#pragma once
#include "base/arena.h"
#include "base/macros.h"
#include "base/result.h"
#include "base/str.h"

#define ROUTE_MAX_DEPTH   8
#define ROUTE_MAX_OPENED  100  /* aliases and forwards behind one address */
#define ROUTE_MAX_MEMBERS 1000 /* final recipients of one address */

/* What the store knows of an address. */
enum route_fact {
    FACT_REMOTE,   /* its domain is none of ours */
    FACT_RELAY,    /* a relay domain: queue it for the domain */
    FACT_ACCOUNT,  /* a mailbox of ours */
    FACT_ALIAS,    /* members; also a catch-all */
    FACT_UNKNOWN,  /* our domain, but nobody has this address */
    FACT_DISABLED, /* the domain is switched off */
};
enum route_match { MATCHED_EXACT, MATCHED_SUBADDRESS, MATCHED_PATTERN, MATCHED_DOMAIN_ALIAS, MATCHED_CATCH_ALL };
enum route_senders { SENDERS_ANYONE, SENDERS_DOMAIN, SENDERS_MEMBERS, SENDERS_LIST };

struct route_facts {
    enum route_fact kind;
    enum route_match match;
    struct str address; /* of the account or alias itself; for a catch-all the address asked for */
    /* account */
    int64_t account_id, inbox_id; /* inbox_id 0: it has none, which is a fault */
    bool elsewhere;               /* its mailbox is the mda's */
    bool filtered;                /* scripts run on its mail */
    struct str *forward;          /* where its mail is sent on to */
    size_t n_forward;
    bool forward_keep;
    int64_t domain_id;
    int64_t quota_bytes, used_bytes, quota_messages, used_messages; /* a quota of -1: none */
    /* alias */
    struct str *members; /* addresses, or "|" and the name of a program */
    size_t n_members;
    enum route_senders senders;
    struct str *allowed; /* SENDERS_LIST: addresses, or "@domain" */
    size_t n_allowed;
};

/* RES_OK; anything else ends the expansion as trouble.  local: unquoted; domain: lower case. */
typedef enum result route_look_up(void *data, struct str local, struct str domain, struct arena *a, struct route_facts *ret)
    SUSPENDS;

struct route_sender {
    struct str address; /* the reverse-path, or of a signed-in client its account's; empty: null */
    bool trusted;       /* signed in; else an address of ours as reverse-path proves nothing */
};

enum route_kind { ROUTE_MAILBOX, ROUTE_REMOTE, ROUTE_RELAY, ROUTE_PROGRAM };

struct route_recipient {
    enum route_kind kind;
    struct str address;      /* ROUTE_PROGRAM: of the alias */
    struct str domain;       /* ROUTE_REMOTE, ROUTE_RELAY: the destination */
    struct str via;          /* ROUTE_REMOTE, ROUTE_RELAY: our address that forwards to it; STR_NULL: it was given */
    struct str program;      /* ROUTE_PROGRAM */
    unsigned depth;          /* 0: the address asked for */
    struct route_facts facts; /* ROUTE_MAILBOX: of the account */
};

enum route_step_kind {
    STEP_ACCOUNT, STEP_SUBADDRESS, STEP_PATTERN, STEP_DOMAIN_ALIAS, STEP_CATCH_ALL, STEP_ALIAS, STEP_FORWARD, STEP_REMOTE,
    STEP_RELAY, STEP_PROGRAM, STEP_UNKNOWN, STEP_DISABLED, STEP_DENIED, STEP_LOOP, STEP_TOO_DEEP, STEP_BAD_ADDRESS
};
struct route_step {
    enum route_step_kind kind;
    unsigned depth;
    struct str address; /* that was looked at */
    struct str to;      /* what it led to; STR_NULL: nothing further */
};
/* "account", "sub-address", ...: for the API. */
const char *route_step_name(enum route_step_kind kind);

/* What became of the address.  The least good of those that lead nowhere is told only when none leads anywhere. */
enum route_verdict { ROUTE_FOUND, ROUTE_UNKNOWN, ROUTE_DISABLED, ROUTE_DENIED, ROUTE_LOOP, ROUTE_TOO_MANY, ROUTE_TROUBLE };

struct route_result {
    enum route_verdict verdict;
    struct route_recipient *recipients;
    size_t n_recipients;
    struct route_step *steps;
    size_t n_steps;
};

/* Everything in *ret lives in the arena. */
void route_expand(struct str address, const struct route_sender *sender, route_look_up *look_up, void *data, struct arena *a,
                  struct route_result *ret) SUSPENDS;

/* May this sender send to the alias? */
bool route_may_send_to(const struct route_facts *alias, const struct route_sender *sender);
