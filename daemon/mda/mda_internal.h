/* mda/mda_internal.h - what the parts of the mda share. */
#pragma once
#include "agent/request.h"
#include "mda/mda.h"
#include "queue/settle.h"
#include "relay/dialogue.h"

struct mda_worker {
    struct crew_worker crew; /* first */
    struct dialogue dialogue;
    struct str running_as;   /* the user of the delivery under way; STR_NULL: none */
};
extern const struct crew_kind mda_crew;

static inline struct service *mda_service(const struct mda_worker *w)
{
    return w->crew.crew->owner;
}

/* Where one job goes.  All in the batch's arena. */
struct place {
    struct delivery_target target;
    struct str user;                     /* Unix user; STR_NULL with lmtp */
    struct str local, domain, extension; /* of the account's own address, or of the recipient */
    struct str folder;
    bool is_program;
    bool changes; /* what the program makes of the message goes on to the mailbox */
};
/* RES_OK.  RES_NOTFOUND: it is no mailbox of the mda's by now.  RES_INVALID: *ret_why tells. */
enum result place_find(struct mda_worker *w, const struct queue_job *job, struct place *ret, struct verdict *ret_why)
    SUSPENDS NODISCARD;

/* The message of a job as it is delivered: with Return-Path, X-Original-To and Delivered-To (RFC 9228) in front (`bare`:
 * without), lines ended by LF, in a file without a name, to be read from its start; the caller closes it.
 * RES_TEMPFAIL: the database or the disk, logged. */
enum result letter_make(struct mda_worker *w, const struct queue_job *job, bool bare, int *ret_fd,
                        uint64_t *ret_size) SUSPENDS NODISCARD;
/* A file without a name; the caller closes it.  -1: logged. */
int letter_file(struct mda_worker *w);
/* The address of ORCPT (RFC 3461, 4.2) when it is another one than the recipient's; STR_NULL. */
struct str letter_original(const struct queue_job *job, struct arena *a);
/* Has the message been delivered to that address before (RFC 9228)? */
enum result letter_has_been_to(struct mda_worker *w, const struct queue_job *job, bool *ret) SUSPENDS NODISCARD;

/* Runs correio-deliver.  output: where a program writes what it makes of the message; -1: nowhere.  RES_OK; RES_TEMPFAIL: it could not be run, or gave no answer, logged.  RES_CANCELLED: a
 * shutdown ended it. */
enum result helper_run(struct mda_worker *w, const struct request *request, int message, int output,
                       struct answer *ret) SUSPENDS NODISCARD;

/* A new message for the queue that takes a job's place: its envelope and the time that it has left; then its content,
 * from the spool, and its id.  RES_LIMIT, RES_TEMPFAIL: of the spool, or the database. */
struct queue_new *requeue_begin(struct mda_worker *w, const struct queue_job *job, struct str reverse_path,
                                struct queue_new_recipient *recipients, size_t n);
struct spool;
enum result requeue_content(struct mda_worker *w, struct spool *spool, struct queue_new *q) SUSPENDS NODISCARD;

/* What a program made of the message (`output`, a file) goes to the mailbox of the job; where it failed, or gave no
 * message, the message as it came does. */
void change_deliver(struct mda_worker *w, const struct queue_job *job, const struct answer *answer, int output,
                    const struct settle_attempt *attempt) SUSPENDS;
/* The message as it came, past the program; `why` is logged. */
void change_keep(struct mda_worker *w, const struct queue_job *job, struct str why) SUSPENDS;

/* The message of a job as a new one for the queue, to where a .forward sends it.  RES_OK; RES_TEMPFAIL: the database,
 * logged; RES_INVALID: one of the addresses is none. */
enum result redirect_make(struct mda_worker *w, const struct queue_job *job, const struct str *addresses, size_t n,
                          struct queue_new **ret) SUSPENDS NODISCARD;

/* Jobs of one message to one LMTP server (RFC 2033), in one transaction.  Each gets its verdict; *t tells who answered.
 */
void lmtp_deliver(struct mda_worker *w, const struct delivery_target *target, const struct queue_job *jobs, size_t n,
                  struct verdict *verdicts, struct settle_attempt *t) SUSPENDS;
