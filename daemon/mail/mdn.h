/* mail/mdn.h - the disposition notification of a message that a filter refused (RFC 5429, 2.2.1; RFC 8098).
 *
 * Pure: time, ids and boundary are given.  No line of what the script or the message says becomes a header field. */
#pragma once
#include "base/result.h"
#include "base/strbuf.h"
#include "mail/dsn.h"

struct mdn {
    enum dsn_language language;
    struct str reporting_ua; /* our host name */
    struct str from;         /* who refused: a Mailbox */
    struct str to;           /* the reverse-path of the message: a Mailbox, never empty */
    struct str orcpt;        /* as RCPT gave it; STR_NULL: none */
    struct str message_id;   /* of the notification, without angle brackets */
    struct str boundary;     /* must not occur in the message: give it random_id() */
    int64_t now_us;
    struct str reason;       /* the script's, UTF-8 */
    struct str original;     /* the message as it came */
};

/* Appends the message, CR LF lines.  The original's header goes with it.  RES_LIMIT: out's maximum; nothing is to be
 * sent then. */
enum result mdn_build(const struct mdn *m, struct strbuf *out) NODISCARD;
