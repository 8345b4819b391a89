/* sieve/reply.h - the messages that vacation and notify send, complete.  Pure: times and ids are given.
 *
 * Whatever the script and the message say, no line of theirs becomes a header field of its own. */
#pragma once
#include "base/strbuf.h"
#include "sieve/run.h"

struct sieve_reply {
    const struct sieve_action *action; /* SIEVE_VACATION or SIEVE_NOTIFY */
    const struct sieve_env *env;       /* of the run: the message, the recipient, the time */
    struct str message_id;             /* of the answer, without angle brackets */
    struct str owner; /* the account's address, for Auto-Submitted of a notification (RFC 5436, 2.7.1) */
};

/* Appends the message, CR LF lines.  It goes out with the null reverse-path: to action->vacation.to (RFC 5230, 5), or
 * to each of action->notify.to (RFC 5436, 2.7).  RES_LIMIT: out's maximum; nothing is to be sent then. */
enum result sieve_reply_write(const struct sieve_reply *reply, struct strbuf *out) NODISCARD;
