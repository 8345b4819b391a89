/* base/counters.h - what a process counts for /metrics.
 *
 * Each process writes its own `counters`: memory that the supervisor has made, so that it outlives the process, and that
 * api reads.  One thread writes, so a plain addition will do; a reader may see some of them a moment earlier than others.
 * What a process wrote is trusted as a number only. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define COUNTERS_LISTENERS 16 /* by enum listener */
#define COUNTERS_BUCKETS 10

/* Upper ends of the histogram's buckets, in milliseconds; behind them there is one more without an end. */
extern const unsigned counters_bucket_ms[COUNTERS_BUCKETS];

enum counters_protocol { COUNTERS_SUBMISSION, COUNTERS_IMAP, COUNTERS_POP3, COUNTERS_HTTP, COUNTERS_OTHER, COUNTERS_PROTOCOLS };
enum counters_sign_in { COUNTERS_OK, COUNTERS_DENIED, COUNTERS_LIMITED, COUNTERS_TROUBLE, COUNTERS_SIGN_INS };
#define COUNTERS_FATES 8 /* by enum queue_fate */
/* What became of mail: messages that clients handed over; recipients who got theirs, here or at another server; attempts that ended with
 * "later"; refusals while the client waited. */
enum counters_mail { COUNTERS_ACCEPTED, COUNTERS_DELIVERED, COUNTERS_DEFERRED, COUNTERS_REFUSED, COUNTERS_MAIL };

struct counters {
    uint64_t connections[COUNTERS_LISTENERS];
    uint64_t open[COUNTERS_LISTENERS];          /* a gauge */
    uint64_t smtp_replies[COUNTERS_LISTENERS][6]; /* by the code's first digit */
    uint64_t sign_ins[COUNTERS_PROTOCOLS][COUNTERS_SIGN_INS];
    uint64_t attempts[COUNTERS_FATES];
    uint64_t commits[COUNTERS_BUCKETS + 1];     /* accepting transactions by their time */
    uint64_t commit_us, commit_messages;
    uint64_t mail[COUNTERS_MAIL];
    uint64_t mail_told[COUNTERS_MAIL];          /* api: of the sums over all processes, what the database knows (api/traffic.h) */
};

/* The process's own; before counters_attach, and without a supervisor, it is in its own memory. */
extern struct counters *counters;

/* Goes on counting in the supervisor's memory, behind fd, which is closed.  False: it is not of that size. */
bool counters_attach(int fd);
/* For api: another process's counters, to read only.  NULL: fd is not of that size. */
const struct counters *counters_map(int fd);
/* An accepting transaction of so many messages has taken so long. */
void counters_commit(uint64_t microseconds, size_t messages);
/* How much came since the last time, `told`, which becomes `now`.  A count that is lower than told began at 0 again. */
uint64_t counters_take(uint64_t *told, uint64_t now);
