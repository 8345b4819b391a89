#include "api/metrics.h"
#include "base/macros.h"
#include "config/config.h"
#include "store/queue.h"

#include <assert.h>

#define STATUSES 600
#define MAX_ROUTES 256

/* By route (the last one: none) and class of status; a status has few values, its class five. */
static uint64_t counts[MAX_ROUTES + 1][6];

void metrics_count(const struct route *route, int status)
{
    size_t at = route != NULL ? (size_t)(route - routes) : MAX_ROUTES;

    assert(routes_count <= MAX_ROUTES);
    if (status >= 0 && status < STATUSES && at <= MAX_ROUTES)
        counts[at][status / 100]++;
}

_Static_assert(LISTENERS <= COUNTERS_LISTENERS, "a listener has no counter");
#define MAX_SOURCES 128

static const struct counters *sources[MAX_SOURCES];
static size_t n_sources;

void metrics_source(const struct counters *source)
{
    if (n_sources < MAX_SOURCES)
        sources[n_sources++] = source;
}

/* ---- the counters of all processes ---- */

/* The sum over the processes of the 64-bit counter at this offset. */
static unsigned long long sum_at(size_t offset)
{
    unsigned long long sum = 0;

    for (size_t i = 0; i < n_sources; i++)
        sum += *(const volatile uint64_t *)((const char *)sources[i] + offset);
    return sum;
}
#define SUM(member) sum_at(offsetof(struct counters, member))

void metrics_mail(uint64_t ret[COUNTERS_MAIL])
{
    for (int i = 0; i < COUNTERS_MAIL; i++)
        ret[i] = SUM(mail[i]);
}

static void head(struct strbuf *out, const char *name, const char *type, const char *help)
{
    strbuf_addf(out, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

static void write_connections(struct strbuf *out)
{
    head(out, "correio_connections", "gauge", "Sessions that are open, by listener.");
    for (int l = 0; l < LISTEN_HTTP; l++)
        strbuf_addf(out, "correio_connections{listener=\"%s\"} %llu\n", listener_name((enum listener)l), SUM(open[l]));
    head(out, "correio_connections_total", "counter", "Connections that were accepted, by listener.");
    for (int l = 0; l < LISTEN_HTTP; l++)
        strbuf_addf(out, "correio_connections_total{listener=\"%s\"} %llu\n", listener_name((enum listener)l),
                    SUM(connections[l]));
}

static void write_replies(struct strbuf *out)
{
    head(out, "correio_smtp_replies_total", "counter", "Replies to SMTP and LMTP clients, by listener and class of code.");
    for (int l = 0; l <= LISTEN_LMTP; l++) {
        for (int c = 2; c < 6; c++)
            strbuf_addf(out, "correio_smtp_replies_total{listener=\"%s\",code=\"%dxx\"} %llu\n", listener_name((enum listener)l), c,
                        SUM(smtp_replies[l][c]));
    }
}

static void write_sign_ins(struct strbuf *out)
{
    static const char *const protocols[COUNTERS_PROTOCOLS] = {
        [COUNTERS_SUBMISSION] = "submission", [COUNTERS_IMAP] = "imap", [COUNTERS_POP3] = "pop3", [COUNTERS_HTTP] = "http", [COUNTERS_OTHER] = "other" };
    static const char *const results[COUNTERS_SIGN_INS] = {
        [COUNTERS_OK] = "ok", [COUNTERS_DENIED] = "denied", [COUNTERS_LIMITED] = "limited", [COUNTERS_TROUBLE] = "trouble" };

    head(out, "correio_auth_total", "counter", "Attempts to sign in, by protocol and result.");
    for (int p = 0; p < COUNTERS_PROTOCOLS; p++) {
        for (int r = 0; r < COUNTERS_SIGN_INS; r++)
            strbuf_addf(out, "correio_auth_total{protocol=\"%s\",result=\"%s\"} %llu\n", protocols[p], results[r], SUM(sign_ins[p][r]));
    }
}

static void write_attempts(struct strbuf *out)
{
    static const struct { enum queue_fate fate; const char *name; } fates[] = {
        { QUEUE_RELAYED, "relayed" }, { QUEUE_DELIVERED, "delivered" }, { QUEUE_AGAIN, "deferred" }, { QUEUE_BOUNCED, "bounced" }, { QUEUE_EXPIRED, "expired" } };

    head(out, "correio_delivery_attempts_total", "counter", "Ends of attempts to deliver a queued recipient.");
    for (size_t i = 0; i < ARRAY_LEN(fates); i++)
        strbuf_addf(out, "correio_delivery_attempts_total{result=\"%s\"} %llu\n", fates[i].name, SUM(attempts[fates[i].fate]));
}

static void write_mail(struct strbuf *out)
{
    static const char *const results[COUNTERS_MAIL] = { [COUNTERS_ACCEPTED] = "accepted", [COUNTERS_DELIVERED] = "delivered",
                                                        [COUNTERS_DEFERRED] = "deferred", [COUNTERS_REFUSED] = "refused" };

    head(out, "correio_mail_total", "counter", "Messages accepted, recipients served, attempts deferred, refusals.");
    for (int i = 0; i < COUNTERS_MAIL; i++)
        strbuf_addf(out, "correio_mail_total{result=\"%s\"} %llu\n", results[i], SUM(mail[i]));
}

static void write_commits(struct strbuf *out)
{
    unsigned long long n = 0;

    head(out, "correio_commit_seconds", "histogram", "Time of a transaction that accepts messages.");
    for (size_t i = 0; i < COUNTERS_BUCKETS; i++) {
        n += SUM(commits[i]);
        strbuf_addf(out, "correio_commit_seconds_bucket{le=\"%g\"} %llu\n", counters_bucket_ms[i] / 1000.0, n);
    }
    n += SUM(commits[COUNTERS_BUCKETS]);
    strbuf_addf(out, "correio_commit_seconds_bucket{le=\"+Inf\"} %llu\n", n);
    strbuf_addf(out, "correio_commit_seconds_sum %.6f\ncorreio_commit_seconds_count %llu\n", (double)SUM(commit_us) / 1e6, n);
    head(out, "correio_commit_messages_total", "counter", "Messages in those transactions.");
    strbuf_addf(out, "correio_commit_messages_total %llu\n", SUM(commit_messages));
}

void metrics_write(struct strbuf *out)
{
    write_connections(out);
    write_replies(out);
    write_sign_ins(out);
    write_attempts(out);
    write_mail(out);
    write_commits(out);
    strbuf_adds(out, "# HELP correio_http_requests_total Answers of this process by route and class of status.\n"
                     "# TYPE correio_http_requests_total counter\n");
    for (size_t i = 0; i <= MAX_ROUTES; i++) {
        for (unsigned c = 1; c < 6; c++) {
            if (counts[i][c] > 0)
                strbuf_addf(out, "correio_http_requests_total{route=\"%s\",method=\"%s\",status=\"%uxx\"} %llu\n",
                            i < MAX_ROUTES ? routes[i].path : "other", i < MAX_ROUTES ? routes[i].method : "any", c,
                            (unsigned long long)counts[i][c]);
        }
    }
}
