/* filter/filter.h - runs the filters of one recipient on a message, and says what is to be stored, sent and refused.
 *
 * The scripts: the server's and the domain's before, the account's active one, the domain's and the server's after.
 * Nothing is written here but mailboxes that a script wants to be made; the rest belongs into the transaction that
 * accepts the message (filter/compose.h).  A script that fails keeps the message, and its owner is told once. */
#pragma once
#include "filter/ops.h"
#include "mail/deliver_by.h"
#include "store/filter.h"

struct filter_message { /* what all recipients have in common */
    struct str message;      /* trace fields included, Return-Path first; lives as long as the outcome */
    struct str reverse_path; /* empty: the null reverse-path */
    struct str auth;         /* address of the signed-in account; STR_NULL: nobody */
    struct str client_ip, helo; /* STR_NULL: not known */
    struct str envid;        /* STR_NULL: none */
    char ret;                /* 'F', 'H', 0 */
    struct deliver_by by;
    unsigned body_flags;     /* enum queue_body */
};

struct filter_recipient {
    int64_t account_id, inbox_id;
    struct str address, orcpt;
    unsigned notify;
    bool elsewhere; /* its mailbox is not in PostgreSQL: what is stored goes through the queue to the mda */
    bool filtered;  /* there may be scripts: they are looked up.  Else the message is kept, and nothing is asked */
};

struct filter_content { /* a message in two pieces */
    struct str header, body;
};

struct filter_copy { /* to be stored */
    int64_t mailbox_id;  /* 0: elsewhere */
    struct str folder;   /* the mailbox's name */
    struct str rule;     /* what decided it: "main, line 3"; STR_NULL: no rule */
    int flags;           /* bits of message.flags */
    int32_t *keywords;
    size_t n_keywords;
    const struct filter_content *content; /* NULL: the message as it came */
    struct str program;  /* of mda.programs: what it makes of the message is stored; STR_NULL: none */
};

struct filter_sent { /* to be queued */
    struct filter_content content;
    struct str reverse_path;
    bool forwarded; /* the message itself goes on: its reverse-path is to be rewritten (SRS), its DSN options go along */
    struct str *to;
    size_t n_to;
    unsigned notify;    /* enum queue_notify */
    char ret;
    struct deliver_by by;
    struct str folder;  /* to a mailbox of our own, past its filters; STR_NULL: no */
    struct str program; /* to a program of mda.programs instead; STR_NULL: no */
    struct sieve_mark_row mark; /* it leaves only if this can be taken; key STR_NULL: always */
};

struct filter_outcome {
    bool filtered; /* there were scripts */
    bool kept;     /* of an event: the message stays as it is; else it is to be \Deleted */
    const struct filter_copy *flags; /* of an event: its flags and keywords from now on; NULL: as they are */
    struct filter_copy *copies;
    size_t n_copies;
    struct filter_sent *sent;
    size_t n_sent;
    struct sieve_mark_row *marks;
    size_t n_marks;
    enum { FILTER_TAKEN, FILTER_REJECT, FILTER_EREJECT } refusal;
    struct str reason; /* of the refusal, UTF-8 */
    struct str language; /* of the recipient */
};

/* All of *ret lives in the arena or is a view of m.  RES_TEMPFAIL: nothing is decided; try again later. */
enum result filter_run(struct db *db, const struct filter_message *m, const struct filter_recipient *to, struct arena *a,
                       struct filter_outcome *ret) SUSPENDS NODISCARD;

/* ---- imapsieve (RFC 6785) ---- */

struct filter_event {
    const struct script_ref *script;
    struct str cause;             /* "APPEND", "COPY", "FLAG" */
    struct str user;              /* who is signed in: the primary address */
    struct str mailbox;           /* the name of the message's */
    struct str changed;           /* FLAG: the names of the flags that changed, blanks between; else empty */
    const struct str *flags;      /* of the message, as they are now */
    size_t n_flags;
};

/* Runs the script on a message that is in a mailbox (to->inbox_id): nothing in *ret takes it out of there, and copies are
 * further ones.  What a failed script had decided is not in it.  As filter_run. */
enum result filter_run_event(struct db *db, const struct filter_message *m, const struct filter_recipient *to,
                             const struct filter_event *event, struct arena *a, struct filter_outcome *ret) SUSPENDS NODISCARD;
