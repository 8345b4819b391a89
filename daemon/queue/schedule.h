/* queue/schedule.h - what becomes of a job after something happened to it: when to try again, when to give up, whom to
 * tell.
 *
 * A pure function (state, event, now) -> actions, so that a million retries can be simulated.  Times are seconds since
 * 1970 by PostgreSQL's clock.
 *
 *   claimed -> try                           (or fail at once when an administrator wants a bounce, or when its sender
 *                                            wanted it back by now: BY=...;R, RFC 2852, 4.1.2)
 *   try -> relayed | delivered               done; a notice when success was asked for
 *   try -> deferred                          again after the schedule's delay, at the latest at the end of its time,
 *                                            where it is tried a last time and then fails; one notice of delay between
 *   try -> failed                            done; a notice of failure
 *
 * Who is told follows RFC 3461: NOTIFY decides, without it failures and delays are told; the null reverse-path is never
 * answered (RFC 5321, 4.5.5). */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct schedule_policy {
    const int64_t *retry_s; /* the delay after attempt i + 1; the last repeats */
    size_t retries;         /* at least 1 */
    int64_t delay_notice_s; /* after acceptance; 0: no notices of delay */
};

struct schedule_job {
    int64_t received_at, expires_at;
    int attempts;         /* the one that has just ended included */
    bool delay_told;
    bool null_sender;
    bool bounce;          /* an administrator wants it to fail now */
    bool give_back;       /* after expires_at it must not be delivered (by-mode R) */
    int64_t late_at;      /* when its sender wants to be told of a delay (by-mode N), instead of the policy's; 0: he did not say */
    bool tell_relayed;    /* its sender wants to know that it went on (RFC 2852, 4.1.4), whatever DSN says */
    unsigned notify;      /* enum queue_notify of store/queue.h */
    uint64_t seed;        /* spreads the retries; the same job always gets the same delays */
};

enum schedule_event {
    JOB_CLAIMED,       /* a relay has it: shall it be tried? */
    JOB_RELAYED,       /* another server took it, which knows the DSN extension and so answers for the rest */
    JOB_RELAYED_BLIND, /* another server took it, which does not know DSN (RFC 3461, 5.2.2) */
    JOB_DELIVERED,     /* into a mailbox here */
    JOB_DEFERRED,      /* 4xx, no connection, no DNS answer */
    JOB_FAILED,        /* 5xx */
};

struct schedule_actions {
    enum { SCHEDULE_TRY, SCHEDULE_DONE, SCHEDULE_AGAIN, SCHEDULE_FAIL, SCHEDULE_EXPIRE } next;
    int64_t retry_s; /* with SCHEDULE_AGAIN: from now */
    enum { NOTICE_NONE, NOTICE_FAILED, NOTICE_DELAYED, NOTICE_DELIVERED, NOTICE_RELAYED } notice;
};

struct schedule_actions schedule(const struct schedule_policy *policy, const struct schedule_job *job,
                                 enum schedule_event event, int64_t now);

/* The delay after attempt number `attempts` (from 1), spread by up to a sixteenth either way. */
int64_t schedule_delay(const struct schedule_policy *policy, int attempts, uint64_t seed);

/* When a job that is always deferred at once is tried, in seconds after acceptance and without the spread: attempt i + 1 at
 * v[i], the first `max` of them.  Returns how many there are in all; the last one is at expire_s. */
size_t schedule_times(const struct schedule_policy *policy, int64_t expire_s, int64_t *v, size_t max);
