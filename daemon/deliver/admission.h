/* deliver/admission.h - who may send, and to whom: what MAIL and RCPT decide (docs/protocols.md).
 *
 * Port 25 takes mail for our domains and relay domains; anywhere only from signed-in clients and smtp.relay_networks.
 * smtp asks before it answers, the API asks for its explanation.  Everything returned lives in the arena given or is
 * static.  SUSPENDS: all.  RES_TEMPFAIL: database trouble, already logged. */
#pragma once
#include "db/db.h"
#include "mail/received.h"
#include "route/expand.h"

struct admission_path {
    struct str text;          /* "joe@example.net"; empty: the null reverse-path */
    struct str local, domain; /* unquoted; lower case, empty for "postmaster" alone */
};

struct admission {
    struct db *db;
    int64_t account_id; /* who signed in; 0: nobody */
    struct str account; /* its address */
    bool frozen;        /* it may not send */
    bool any_sender;    /* it may name any sender ... */
    bool any_from;      /* ... and any From */
    bool submission;    /* the port is for those who signed in */
    bool trusted;       /* the sender is known, not only claimed */
    bool relays;        /* mail for other domains is taken */
    bool one_answer;    /* LMTP: a full member refuses the whole list, as the client comes again */
    struct admission_path sender;
    uint64_t size;      /* that was announced; 0: none */
    bool others;        /* the message has further recipients */
    route_look_up *look_up;
    bool (*domain_has_room)(void *data, int64_t domain_id, uint64_t size);
    void *data;
};

/* What is answered. */
struct admission_refusal {
    int code;
    const char *enhanced;
    struct str text;
    struct str reason; /* an id of mail/advice.h */
};

/* MAIL.  RES_DENIED: *ret. */
enum result admission_sender(const struct admission *q, struct arena *a, struct admission_refusal *ret) SUSPENDS NODISCARD;
/* RCPT, of what the sender may send.  ret_route->steps tell how the address was followed, whatever the result.  RES_DENIED: *ret. */
enum result admission_recipient(const struct admission *q, const struct admission_path *to, struct arena *a,
                                struct route_result *ret_route, struct admission_refusal *ret) SUSPENDS NODISCARD;
/* The refusal of an address that stands for more recipients than one message may have. */
void admission_too_many(const struct admission *q, const struct admission_path *to, struct arena *a, struct admission_refusal *ret);
/* Has this final recipient no room for the announced size? */
bool admission_is_full(const struct admission *q, const struct route_recipient *r);

/* The header of a message by somebody who signed in: is there one From, and may he be all of it (RFC 6409, 8)?
 * RES_DENIED: *ret. */
enum result admission_header(const struct admission *q, const struct header_check *h, struct arena *a,
                             struct admission_refusal *ret) SUSPENDS NODISCARD;
