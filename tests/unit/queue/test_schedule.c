#include "tests/support/cmocka.h"

#include "base/macros.h"
#include "queue/schedule.h"
#include "store/queue.h"

#define HOUR 3600
#define DAY (24 * HOUR)

static const int64_t retries[] = { 60, 300, 900, HOUR, 4 * HOUR };
static const struct schedule_policy policy = { retries, ARRAY_LEN(retries), 4 * HOUR };

static void test_delay(void **state)
{
    (void)state;
    for (int attempt = 1; attempt <= 8; attempt++) {
        int64_t plain = retries[MIN((size_t)attempt, ARRAY_LEN(retries)) - 1], least = INT64_MAX, most = 0;

        for (uint64_t seed = 0; seed < 1000; seed++) {
            int64_t d = schedule_delay(&policy, attempt, seed);

            assert_in_range(d, plain - plain / 16, plain + plain / 16);
            assert_int_equal(d, schedule_delay(&policy, attempt, seed));
            least = MIN(least, d);
            most = MAX(most, d);
        }
        assert_true(most - least > plain / 16); /* it does spread */
    }
    assert_int_equal(schedule_delay(&(struct schedule_policy){ (int64_t[]){ 0 }, 1, 0 }, 1, 7), 1);
}

static const struct notice_case {
    const char *name;
    enum schedule_event event;
    unsigned notify;
    bool null_sender, told, bounce;
    int64_t age;
    int next, notice;
} notice_cases[] = {
    { "claim", JOB_CLAIMED, 0, false, false, false, 0, SCHEDULE_TRY, NOTICE_NONE },
    { "claim, long expired", JOB_CLAIMED, 0, false, false, false, 30 * DAY, SCHEDULE_TRY, NOTICE_NONE },
    { "bounce", JOB_CLAIMED, 0, false, false, true, 0, SCHEDULE_FAIL, NOTICE_FAILED },
    { "bounce, never", JOB_CLAIMED, QUEUE_NOTIFY_NEVER, false, false, true, 0, SCHEDULE_FAIL, NOTICE_NONE },
    { "bounce of a bounce", JOB_CLAIMED, 0, true, false, true, 0, SCHEDULE_FAIL, NOTICE_NONE },
    { "relayed", JOB_RELAYED, QUEUE_NOTIFY_SUCCESS, false, false, false, 0, SCHEDULE_DONE, NOTICE_NONE },
    { "relayed blind", JOB_RELAYED_BLIND, QUEUE_NOTIFY_SUCCESS, false, false, false, 0, SCHEDULE_DONE, NOTICE_RELAYED },
    { "relayed blind, not asked", JOB_RELAYED_BLIND, 0, false, false, false, 0, SCHEDULE_DONE, NOTICE_NONE },
    { "relayed blind, null", JOB_RELAYED_BLIND, QUEUE_NOTIFY_SUCCESS, true, false, false, 0, SCHEDULE_DONE, NOTICE_NONE },
    { "delivered", JOB_DELIVERED, QUEUE_NOTIFY_SUCCESS | QUEUE_NOTIFY_FAILURE, false, false, false, 0, SCHEDULE_DONE,
      NOTICE_DELIVERED },
    { "deferred early", JOB_DEFERRED, 0, false, false, false, HOUR, SCHEDULE_AGAIN, NOTICE_NONE },
    { "deferred late", JOB_DEFERRED, 0, false, false, false, 4 * HOUR, SCHEDULE_AGAIN, NOTICE_DELAYED },
    { "deferred late, told", JOB_DEFERRED, 0, false, true, false, 5 * HOUR, SCHEDULE_AGAIN, NOTICE_NONE },
    { "deferred late, failure only", JOB_DEFERRED, QUEUE_NOTIFY_FAILURE, false, false, false, 5 * HOUR, SCHEDULE_AGAIN,
      NOTICE_NONE },
    { "deferred late, delay", JOB_DEFERRED, QUEUE_NOTIFY_DELAY, false, false, false, 5 * HOUR, SCHEDULE_AGAIN, NOTICE_DELAYED },
    { "deferred late, never", JOB_DEFERRED, QUEUE_NOTIFY_NEVER, false, false, false, 5 * HOUR, SCHEDULE_AGAIN, NOTICE_NONE },
    { "deferred late, null", JOB_DEFERRED, 0, true, false, false, 5 * HOUR, SCHEDULE_AGAIN, NOTICE_NONE },
    { "deferred at the end", JOB_DEFERRED, 0, false, false, false, 5 * DAY, SCHEDULE_EXPIRE, NOTICE_FAILED },
    { "end, delay only", JOB_DEFERRED, QUEUE_NOTIFY_DELAY, false, false, false, 5 * DAY, SCHEDULE_EXPIRE, NOTICE_NONE },
    { "failed", JOB_FAILED, 0, false, false, false, 0, SCHEDULE_FAIL, NOTICE_FAILED },
    { "failed, success only", JOB_FAILED, QUEUE_NOTIFY_SUCCESS, false, false, false, 0, SCHEDULE_FAIL, NOTICE_NONE },
    { "failed, never", JOB_FAILED, QUEUE_NOTIFY_NEVER, false, false, false, 0, SCHEDULE_FAIL, NOTICE_NONE },
    { "failed, null", JOB_FAILED, QUEUE_NOTIFY_FAILURE, true, false, false, 0, SCHEDULE_FAIL, NOTICE_NONE },
};

static void test_notices(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(notice_cases); i++) {
        const struct notice_case *c = &notice_cases[i];
        struct schedule_job job = { .received_at = 1000, .expires_at = 1000 + 5 * DAY, .attempts = 3, .delay_told = c->told,
                                    .null_sender = c->null_sender, .bounce = c->bounce, .notify = c->notify, .seed = i };
        struct schedule_actions got = schedule(&policy, &job, c->event, 1000 + c->age);

        if ((int)got.next != c->next || (int)got.notice != c->notice)
            fail_msg("%s: next %d, notice %d", c->name, (int)got.next, (int)got.notice);
    }
}

static void test_last_try_at_the_end(void **state)
{
    struct schedule_job job = { .received_at = 0, .expires_at = 1000, .attempts = 9, .seed = 1 };

    (void)state;
    assert_int_equal(schedule(&policy, &job, JOB_DEFERRED, 999).retry_s, 1);
    assert_int_equal(schedule(&policy, &job, JOB_DEFERRED, 999).next, SCHEDULE_AGAIN);
    assert_int_equal(schedule(&policy, &job, JOB_DEFERRED, 1000).next, SCHEDULE_EXPIRE);
}

/* RFC 2852, 4.1.2 to 4.1.4.  give_back, late_at, tell_relayed; the job came at 0 and expires at 600. */
static void test_deliver_by(void **state)
{
    static const struct {
        const char *name;
        struct schedule_job job;
        enum schedule_event event;
        int64_t now, retry_s; /* retry_s 0: whatever */
        int next, notice;
    } cases[] = {
        { "return, in time", { .give_back = true }, JOB_CLAIMED, 599, 0, SCHEDULE_TRY, NOTICE_NONE },
        { "return, too late", { .give_back = true }, JOB_CLAIMED, 600, 0, SCHEDULE_EXPIRE, NOTICE_FAILED },
        { "return, too late, never", { .give_back = true, .notify = QUEUE_NOTIFY_NEVER }, JOB_CLAIMED, 600, 0, SCHEDULE_EXPIRE, NOTICE_NONE },
        { "return, too late, null", { .give_back = true, .null_sender = true }, JOB_CLAIMED, 600, 0, SCHEDULE_EXPIRE, NOTICE_NONE },
        { "return, deferred", { .give_back = true }, JOB_DEFERRED, 590, 10, SCHEDULE_AGAIN, NOTICE_NONE },
        { "notify, before", { .late_at = 70 }, JOB_DEFERRED, 60, 10, SCHEDULE_AGAIN, NOTICE_NONE },
        { "notify, then", { .late_at = 70 }, JOB_DEFERRED, 70, 0, SCHEDULE_AGAIN, NOTICE_DELAYED },
        { "notify, told", { .late_at = 70, .delay_told = true }, JOB_DEFERRED, 70, 0, SCHEDULE_AGAIN, NOTICE_NONE },
        { "notify, failures only", { .late_at = 70, .notify = QUEUE_NOTIFY_FAILURE }, JOB_DEFERRED, 70, 0, SCHEDULE_AGAIN, NOTICE_NONE },
        { "relayed, told", { .tell_relayed = true }, JOB_RELAYED, 1, 0, SCHEDULE_DONE, NOTICE_RELAYED },
        { "relayed blind, told", { .tell_relayed = true }, JOB_RELAYED_BLIND, 1, 0, SCHEDULE_DONE, NOTICE_RELAYED },
        { "relayed, never", { .tell_relayed = true, .notify = QUEUE_NOTIFY_NEVER }, JOB_RELAYED, 1, 0, SCHEDULE_DONE, NOTICE_NONE },
        { "relayed, null", { .tell_relayed = true, .null_sender = true }, JOB_RELAYED, 1, 0, SCHEDULE_DONE, NOTICE_NONE },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct schedule_job job = cases[i].job;
        struct schedule_actions got;

        job.expires_at = 600;
        job.attempts = 3;
        got = schedule(&policy, &job, cases[i].event, cases[i].now);
        if ((int)got.next != cases[i].next || (int)got.notice != cases[i].notice ||
            (cases[i].retry_s != 0 && got.retry_s != cases[i].retry_s))
            fail_msg("%s: next %d, notice %d, retry %lld", cases[i].name, (int)got.next, (int)got.notice, (long long)got.retry_s);
    }
}

static void test_times(void **state)
{
    static const int64_t retry[] = { 60, 300 };
    const struct schedule_policy two = { retry, 2, 0 };
    int64_t v[10];

    (void)state;
    assert_int_equal(schedule_times(&two, 1000, v, 10), 6);
    assert_true(v[0] == 0 && v[1] == 60 && v[2] == 360 && v[3] == 660 && v[4] == 960 && v[5] == 1000);
    assert_int_equal(schedule_times(&two, 60, v, 1), 2);
    assert_int_equal(schedule_times(&two, 0, v, 10), 1);
    assert_int_equal(schedule_times(&two, 60 * 86400, v, 10), 17282); /* the most retries settle nothing beyond `max` */
}

static uint64_t random_state = 42;

static uint64_t random_next(void)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return random_state;
}

/* One job from acceptance to its end; the number of its attempts. */
static long simulate(void)
{
    static const unsigned notifies[] = { 0, QUEUE_NOTIFY_NEVER, QUEUE_NOTIFY_SUCCESS, QUEUE_NOTIFY_FAILURE, QUEUE_NOTIFY_DELAY,
                                         QUEUE_NOTIFY_SUCCESS | QUEUE_NOTIFY_FAILURE | QUEUE_NOTIFY_DELAY };
    struct schedule_job job = { .received_at = (int64_t)(random_next() % DAY), .seed = random_next(),
                                .null_sender = random_next() % 10 == 0,
                                .notify = notifies[random_next() % ARRAY_LEN(notifies)] };
    int64_t now = job.received_at;
    int failure_notices = 0, delay_notices = 0;

    job.expires_at = job.received_at + 5 * DAY;
    for (;;) {
        uint64_t luck = random_next() % 1000;
        enum schedule_event event = luck < 5 ? JOB_RELAYED_BLIND : luck < 8 ? JOB_FAILED : JOB_DEFERRED;
        struct schedule_actions got;

        assert_int_equal(schedule(&policy, &job, JOB_CLAIMED, now).next, SCHEDULE_TRY);
        job.attempts++;
        now += (int64_t)(random_next() % 30); /* how long the attempt takes */
        got = schedule(&policy, &job, event, now);
        failure_notices += got.notice == NOTICE_FAILED;
        if (got.notice == NOTICE_DELAYED) {
            delay_notices++;
            job.delay_told = true;
        }
        if (got.next != SCHEDULE_AGAIN) {
            assert_int_equal(got.next, event == JOB_RELAYED_BLIND ? SCHEDULE_DONE
                                       : event == JOB_FAILED      ? SCHEDULE_FAIL
                                                                  : SCHEDULE_EXPIRE);
            break;
        }
        assert_in_range(got.retry_s, 1, 4 * HOUR + 4 * HOUR / 16);
        now += got.retry_s;
        assert_true(now <= job.expires_at);
    }
    assert_true(now <= job.expires_at + 30);
    assert_true(delay_notices <= 1 && failure_notices <= 1);
    if (job.null_sender || job.notify == QUEUE_NOTIFY_NEVER)
        assert_int_equal(delay_notices + failure_notices, 0);
    return job.attempts;
}

static void test_million(void **state)
{
    long attempts = 0, jobs = 0;

    (void)state;
    for (; attempts < 1000000; jobs++)
        attempts += simulate();
    assert_in_range(attempts / jobs, 20, 40); /* 5 days: about 4 quick ones and one each 4 hours */
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_delay), cmocka_unit_test(test_notices),
                                        cmocka_unit_test(test_last_try_at_the_end), cmocka_unit_test(test_deliver_by), cmocka_unit_test(test_times), cmocka_unit_test(test_million) };

    return cmocka_run_group_tests_name("schedule", tests, NULL, NULL);
}
