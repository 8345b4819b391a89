/* relay/client.h - one SMTP connection as its client (RFC 5321, RFC 2920, RFC 3207, RFC 4954, RFC 1870, RFC 6152,
 * RFC 6531, RFC 3461): the wire, no policy.
 *
 * The order: client_init, client_greet, maybe client_starttls and client_auth, any number of client_send while
 * `usable`, client_quit, client_release.  Time limits are those of RFC 5321, 4.5.3.2.  All but init and release suspend.
 * While it waits, a shutdown (coroutine_cancel) ends the wait, except between the last dot and its answer. */
#pragma once
#include "base/arena.h"
#include "io/stream.h"
#include "mail/deliver_by.h"
#include "relay/dialogue.h"
#include "relay/reply.h"
#include "queue/verdict.h"

struct tls_context;

struct client {
    struct stream *stream; /* owned */
    struct str hostname;   /* ours, for EHLO */
    struct dialogue *dialogue; /* where it is recorded; not owned */
    struct reply_parser parser;
    struct ehlo ehlo;
    bool lmtp;             /* it is LMTP (RFC 2033): LHLO, and an answer for each recipient at the end of the data */
    bool usable;           /* the next transaction may begin */
    bool begun;            /* a transaction may be open on the other side: RSET comes first */
    unsigned transactions; /* that were sent */
};

/* Takes the stream over; hostname and dialogue must outlive the client. */
void client_init(struct client *c, struct stream *stream, struct str hostname, struct dialogue *dialogue);
void client_release(struct client *c);

/* The greeting and EHLO, or HELO for old servers.  RES_OK; RES_CLOSED: *ret tells, texts in a. */
enum result client_greet(struct client *c, struct arena *a, struct verdict *ret) SUSPENDS NODISCARD;
/* STARTTLS, the handshake with the name `host`, not verified, and EHLO again.  RES_DENIED: the server refused or the
 * handshake failed: the connection is of no use any more, another one without TLS may be. */
enum result client_starttls(struct client *c, struct tls_context *ctx, const char *host, struct arena *a,
                            struct verdict *ret) SUSPENDS NODISCARD;
/* AUTH PLAIN or LOGIN, whichever is offered.  RES_DENIED: neither is, or the server said no. */
enum result client_auth(struct client *c, struct str user, struct str password, struct arena *a, struct verdict *ret)
    SUSPENDS NODISCARD;

struct client_recipient {
    struct str address;
    struct str orcpt;     /* STR_NULL: none */
    unsigned notify;      /* enum queue_notify of store/queue.h; 0: not given */
    struct verdict verdict; /* out */
};
struct client_message {
    struct str reverse_path, envid; /* envid STR_NULL: none */
    char ret;
    struct deliver_by by;
    int64_t by_left_s; /* what is left of `by`; not looked at over LMTP, which delivers */
    int64_t size;
    bool eightbit; /* holds bytes above 127: BODY=8BITMIME */
    bool smtputf8; /* SMTPUTF8 is needed */
    bool binary;   /* BODY=BINARYMIME is needed (RFC 3030, 3), which this client does not speak */
    /* The next piece of the body, empty at its end.  Anything but RES_OK drops the connection. */
    enum result (*next)(void *arg, struct str *ret_piece);
    void *arg;
};
/* One transaction.  Every recipient gets its verdict, texts in a.  What the server cannot take (size, 8-bit, UTF-8) is
 * refused here as if it had said so. */
void client_send(struct client *c, const struct client_message *m, struct client_recipient *v, size_t n, struct arena *a)
    SUSPENDS;

/* MAIL and RCPT of a transaction that ends there: what would the server say?  The same verdicts; m->next is not asked. */
void client_try(struct client *c, const struct client_message *m, struct client_recipient *v, size_t n, struct arena *a)
    SUSPENDS;

/* Says QUIT when that can be done, and waits a moment for the answer (RFC 5321, 4.1.1.10). */
void client_quit(struct client *c) SUSPENDS;
