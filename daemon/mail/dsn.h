/* mail/dsn.h - delivery status notifications as complete messages (RFC 3464, RFC 6522, RFC 6533).
 *
 * Pure: times, ids and boundary are given.  What a remote host said is untrusted: it is cut to DSN_MAX_REPLY bytes,
 * its control characters and non-ASCII bytes are shown as "?" (with smtputf8: only the invalid ones), and it cannot
 * start a header field or a part. */
#pragma once
#include "base/result.h"
#include "base/str.h"
#include "base/strbuf.h"

#define DSN_MAX_REPLY 2000

enum dsn_action { DSN_FAILED, DSN_DELAYED, DSN_DELIVERED, DSN_RELAYED, DSN_EXPANDED };
enum dsn_language { DSN_EN, DSN_PT_BR };

struct dsn_recipient {
    enum dsn_action action;
    struct str address;          /* the final recipient, a Mailbox */
    struct str orcpt;            /* as RCPT gave it: "rfc822;xtext" (RFC 3461, 4.2); STR_NULL: none */
    struct str status;           /* enhanced code "5.1.1"; anything else is shown as 5.0.0, 4.0.0 or 2.0.0 */
    struct str remote_mta;       /* host name of who answered; STR_NULL: nobody did */
    struct str reply;            /* its exact answer, or with no remote_mta our own words; STR_NULL: none */
    struct str reason;           /* an id of mail/advice.h, for the words; STR_NULL: found by status and reply */
    int64_t last_attempt_us;     /* microseconds since 1970 UTC; 0: none */
    int64_t will_retry_until_us; /* only for DSN_DELAYED; 0: unknown */
};

struct dsn {
    enum dsn_language language;
    struct str reporting_mta; /* our host name */
    struct str to;            /* the reverse-path of the message: a Mailbox, never empty */
    struct str message_id;    /* of the notification, without angle brackets */
    struct str boundary;      /* must not occur in the message: give it random_id() */
    int64_t now_us, arrival_us;
    int64_t deliver_by_us; /* Deliver-By-Date (RFC 2852, 5); 0: none */
    struct str envid; /* as MAIL gave it, xtext (RFC 3461, 4.4); STR_NULL: none */
    const struct dsn_recipient *recipients;
    size_t nrecipients;
    struct str original; /* the message, or at least its header */
    bool full;           /* RET=FULL: all of `original` is returned, else its header */
    bool smtputf8;       /* the message was sent with SMTPUTF8: utf-8 forms (RFC 6533) are used */
};

/* Appends the message, CR LF lines, to `out`.  RES_LIMIT: out's maximum; nothing is to be sent then. */
enum result dsn_build(const struct dsn *d, struct strbuf *out) NODISCARD;
