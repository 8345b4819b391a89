/* queue/schedule.c - retries, expiry, and who is told. */
#include "queue/schedule.h"

#include "store/queue.h"

/* A well-mixed number from a seed (the finalizer of splitmix64). */
static uint64_t mix(uint64_t x)
{
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
    x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
    return x ^ (x >> 31);
}

int64_t schedule_delay(const struct schedule_policy *policy, int attempts, uint64_t seed)
{
    size_t i = attempts < 1 ? 0 : MIN((size_t)attempts - 1, policy->retries - 1);
    int64_t delay = MAX(policy->retry_s[i], 1);
    int64_t spread = delay / 16;

    if (spread > 0)
        delay += (int64_t)(mix(seed + (uint64_t)attempts) % (uint64_t)(2 * spread + 1)) - spread;
    return delay;
}

static bool wants_failure(const struct schedule_job *job)
{
    return !job->null_sender && (job->notify == 0 || (job->notify & QUEUE_NOTIFY_FAILURE) != 0);
}

static bool wants_delay(const struct schedule_job *job)
{
    return !job->null_sender && !job->delay_told && (job->notify == 0 || (job->notify & QUEUE_NOTIFY_DELAY) != 0);
}

static bool wants_success(const struct schedule_job *job)
{
    return !job->null_sender && (job->notify & QUEUE_NOTIFY_SUCCESS) != 0;
}

/* Unless he wants nothing at all (RFC 2852, 4.1.4). */
static bool wants_relayed(const struct schedule_job *job)
{
    return job->tell_relayed && !job->null_sender && (job->notify & QUEUE_NOTIFY_NEVER) == 0;
}

static bool is_delayed(const struct schedule_policy *policy, const struct schedule_job *job, int64_t now)
{
    if (job->late_at != 0)
        return now >= job->late_at;
    return policy->delay_notice_s > 0 && now - job->received_at >= policy->delay_notice_s;
}

static struct schedule_actions deferred(const struct schedule_policy *policy, const struct schedule_job *job, int64_t now)
{
    struct schedule_actions actions = { .next = SCHEDULE_AGAIN };

    if (now >= job->expires_at) {
        actions.next = SCHEDULE_EXPIRE;
        actions.notice = wants_failure(job) ? NOTICE_FAILED : NOTICE_NONE;
        return actions;
    }
    actions.retry_s = MIN(schedule_delay(policy, job->attempts, job->seed), job->expires_at - now);
    if (job->late_at > now)
        actions.retry_s = MIN(actions.retry_s, job->late_at - now);
    if (is_delayed(policy, job, now) && wants_delay(job))
        actions.notice = NOTICE_DELAYED;
    return actions;
}

struct schedule_actions schedule(const struct schedule_policy *policy, const struct schedule_job *job,
                                 enum schedule_event event, int64_t now)
{
    struct schedule_actions actions = { .next = SCHEDULE_DONE };

    switch (event) {
    case JOB_CLAIMED:
        actions.next = job->bounce                                 ? SCHEDULE_FAIL
                       : job->give_back && now >= job->expires_at ? SCHEDULE_EXPIRE
                                                                  : SCHEDULE_TRY;
        if (actions.next != SCHEDULE_TRY && wants_failure(job))
            actions.notice = NOTICE_FAILED;
        break;
    case JOB_RELAYED:
        actions.notice = wants_relayed(job) ? NOTICE_RELAYED : NOTICE_NONE;
        break;
    case JOB_RELAYED_BLIND:
        actions.notice = wants_success(job) || wants_relayed(job) ? NOTICE_RELAYED : NOTICE_NONE;
        break;
    case JOB_DELIVERED:
        actions.notice = wants_success(job) ? NOTICE_DELIVERED : NOTICE_NONE;
        break;
    case JOB_DEFERRED:
        return deferred(policy, job, now);
    case JOB_FAILED:
        actions.next = SCHEDULE_FAIL;
        actions.notice = wants_failure(job) ? NOTICE_FAILED : NOTICE_NONE;
        break;
    }
    return actions;
}

size_t schedule_times(const struct schedule_policy *policy, int64_t expire_s, int64_t *v, size_t max)
{
    int64_t at = 0;
    size_t n = 0;

    for (;;) {
        if (n < max)
            v[n] = at;
        n++;
        if (at >= expire_s)
            return n;
        at = MIN(at + MAX(policy->retry_s[MIN(n - 1, policy->retries - 1)], 1), expire_s);
    }
}
