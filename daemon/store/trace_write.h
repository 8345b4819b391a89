/* store/trace_write.h - traces of what never was in the queue: delivered at once, or refused while its client waited.
 *
 * Those of queued mail are written by the transactions that queue and finish it (store/queue.h). */
#pragma once
#include "base/result.h"
#include "base/str.h"
#include "db/db.h"
#include "store/queue_admin.h"
#include "store/trace.h"

struct trace_note_recipient {
    struct str address;
    int64_t account_id;         /* 0: not here */
    enum trace_outcome outcome; /* TRACE_DELIVERED or TRACE_REFUSED */
    int code;                   /* of the event: our reply */
    struct str enhanced, reply; /* "INBOX" of a delivery is in the reply, too */
    struct str mailbox, rule;   /* of a delivery: where, and the filter's rule that chose it; STR_NULL: none */
    struct str reason;          /* an id of mail/advice.h; STR_NULL: none */
};

struct trace_note { /* one message */
    int64_t id, at_us;
    enum trace_direction direction;
    struct str sender;
    int64_t account_id; /* who submitted; 0: nobody */
    struct str subject, message_id;
    int64_t size; /* -1: it did not come so far */
    struct str client, session, listener, tls;
    const struct trace_note_recipient *recipients; /* at least one */
    size_t n_recipients;
};

/* Adds all of them in one transaction, and tells those who watch by NOTIFY "traced", with the ids as "queue_changed" has
 * them.  RES_TEMPFAIL: none is there, or a commit is in doubt. */
enum result trace_write(struct db *db, const struct trace_note *v, size_t n) SUSPENDS NODISCARD;
