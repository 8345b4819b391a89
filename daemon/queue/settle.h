/* queue/settle.h - from verdicts to outcomes: asks the schedule, writes the notices, hands over to the finisher. */
#pragma once
#include "queue/crew.h"
#include "queue/verdict.h"

/* How an attempt went, for the record; STR_NULL: not known. */
struct settle_attempt {
    bool made;      /* false: the verdicts came without one */
    bool told_by;   /* the other server knows DELIVERBY */
    bool told_dsn;  /* the other server knows DSN and so answers for what comes after it (RFC 3461, 5.2.2) */
    struct str host, address, tls, session, dialogue;
    int milliseconds;
};

/* What comes of n jobs of one message: outcomes and notices, handed to the finisher.  Texts may end with the caller's
 * connection: they are copied. */
void settle_jobs(struct crew_worker *w, const struct queue_job *jobs, const struct verdict *verdicts, size_t n,
                 const struct settle_attempt *attempt) SUSPENDS;
/* Jobs that are not to be tried: an administrator wants them back, or their sender wanted them back by now.  False: they
 * are to be tried. */
bool settle_untried(struct crew_worker *w, const struct queue_job *jobs, size_t n) SUSPENDS;
/* One job whose message went on as `forwarded`, which is put into the queue by the transaction that ends the job. */
void settle_forwarded(struct crew_worker *w, const struct queue_job *job, const struct queue_new *forwarded,
                      const struct settle_attempt *attempt);
/* The notice that a job in a mailbox asked for (NOTIFY=SUCCESS), else NULL. */
struct queue_new *settle_delivered_notice(struct crew_worker *w, const struct queue_job *job) SUSPENDS;
