/* The way of a message to another server: as relay finds it, by the same functions. */
#include "api/explain.h"
#include "api/explain_delivery.h"
#include "base/encode.h"
#include "mail/date.h"
#include "queue/schedule.h"
#include "relay/connect.h"

#include <arpa/inet.h>

#define MAX_TIMES 64
#define PROBE_MS (60 * 1000)

static struct str address_text(struct arena *a, const struct sockaddr_storage *s)
{
    char text[INET6_ADDRSTRLEN] = "";
    const void *at = s->ss_family == AF_INET ? (const void *)&((const struct sockaddr_in *)(const void *)s)->sin_addr
                                             : (const void *)&((const struct sockaddr_in6 *)(const void *)s)->sin6_addr;

    (void)inet_ntop(s->ss_family, at, text, sizeof(text));
    return arena_str(a, str_c(text));
}

static void explain_hosts(struct explanation *e, struct str address, const struct target *t)
{
    static const char *const tls[] = { [RELAY_TLS_MAY] = "tls.may", [RELAY_TLS_MUST] = "tls.must", [RELAY_TLS_NONE] = "tls.none" };
    struct arena *a = &e->r->arena;

    for (size_t i = 0; i < t->nhosts; i++) {
        const struct target_host *h = &t->hosts[i];
        struct str addresses = STR("");

        for (size_t k = 0; k < h->naddresses; k++)
            addresses = arena_printf(a, "%.*s%s%.*s", STR_ARG(addresses), k > 0 ? ", " : "", STR_ARG(address_text(a, &h->addresses[k])));
        {
            const struct step_arg args[] = { { "host", h->name }, { "preference", arena_printf(a, "%u", h->preference) },
                                             { "addresses", addresses } };

            explain_step(e, "route", address, h->naddresses > 0 ? JUDGED_OK : JUDGED_UNKNOWN,
                         h->naddresses > 0 ? "route.host" : "route.host-unresolved", args, ARRAY_LEN(args), STR("/settings/relay"));
        }
    }
    explain_step(e, "tls", address, JUDGED_INFO, tls[t->tls], NULL, 0, STR("/settings/relay"));
}

/* When it would be tried, were nobody there. */
static void explain_times(struct explanation *e, struct str address)
{
    const struct settings *s = settings_get();
    const struct schedule_policy policy = { s->retry_s, s->retries, s->delay_notice_s };
    int64_t now = wall_us() / 1000000, at = now;
    struct schedule_job job = { .received_at = now, .expires_at = now + s->expire_s, .null_sender = e->q.sender.text.len == 0 };
    struct arena *a = &e->r->arena;
    struct str delays = STR("");

    for (int i = 0; i < MAX_TIMES; i++) {
        struct schedule_actions next;

        job.attempts = i + 1;
        next = schedule(&policy, &job, JOB_DEFERRED, at);
        if (next.next != SCHEDULE_AGAIN)
            break;
        at += next.retry_s;
        delays = arena_printf(a, "%.*s%s%lld", STR_ARG(delays), i > 0 ? ", " : "", (long long)((at - now + 30) / 60));
    }
    {
        const struct step_arg args[] = { { "delays", delays }, { "expires", date_print(a, job.expires_at * 1000000, 0) } };

        explain_step(e, "schedule", address, JUDGED_INFO, "schedule.times", args, ARRAY_LEN(args), STR("/settings/queue"));
    }
}

/* ---- probe ---- */

static void say_probe(struct explanation *e, struct str address, struct str host, const struct verdict *v)
{
    struct arena *a = &e->r->arena;
    struct str line = v->code == 0 ? v->text
                                   : arena_printf(a, "%d %.*s%s%.*s", v->code, STR_ARG(v->enhanced), v->enhanced.len > 0 ? " " : "",
                                                  STR_ARG(v->text));
    const struct step_arg args[] = { { "host", host }, { "text", line } };
    struct json_object *o = explain_step(e, "probe", address,
                                         v->kind == VERDICT_SENT    ? JUDGED_OK
                                         : v->kind == VERDICT_LATER ? JUDGED_WAITS
                                                                    : JUDGED_REFUSED,
                                         v->kind == VERDICT_SENT ? "probe.ok"
                                         : v->code == 0          ? "probe.none"
                                                                 : "probe.refused",
                                         args, ARRAY_LEN(args), STR_NULL);

    if (v->code > 0)
        js_set(o, "reply", reply_line_json(line));
    js_set(o, "explanation", explanation_json(a, v->reason, str_from(address, str_rchr(address, '@') + 1)));
}

/* Talks to the servers up to RCPT, then says QUIT. */
static void probe_it(struct explanation *e, struct str address, const struct target *target)
{
    CLEANUP(dialogue_release) struct dialogue dialogue = { 0 };
    struct tls_context *tls = tls_client_new(NULL);
    struct client_recipient recipient = { .address = address };
    struct client_message m = { .reverse_path = e->q.sender.text, .envid = STR_NULL, .size = (int64_t)e->size,
                                .smtputf8 = !str_is_ascii(address) || !str_is_ascii(e->q.sender.text) };
    struct connection c;

    dialogue_begin(&dialogue, mono_ms());
    if (connection_open(&c, target, tls, &dialogue, &e->r->arena, &recipient.verdict) == RES_OK)
        client_try(&c.client, &m, &recipient, 1, &e->r->arena);
    say_probe(e, address, arena_str(&e->r->arena, c.host), &recipient.verdict);
    connection_close(&c);
    tls_unref(tls);
}

enum result explain_route(struct explanation *e, struct str address, struct str domain, bool probe)
{
    struct target target;
    struct verdict why;
    enum result result = target_resolve(e->r->service, domain, &e->r->arena, &target, &why);

    if (result == RES_OK) {
        explain_hosts(e, address, &target);
        explain_times(e, address);
        if (probe)
            probe_it(e, address, &target);
        explain_recipient(e, address, "remote", "queued", STR_NULL);
        return RES_OK;
    }
    {
        const struct step_arg text = { "text", why.text };
        struct json_object *o = explain_step(e, "route", address, result == RES_INVALID ? JUDGED_REFUSED : JUDGED_WAITS, "route.failed", &text,
                                             1, STR("/settings/relay"));

        js_set(o, "explanation", explanation_json(&e->r->arena, why.reason, domain));
    }
    if (result != RES_INVALID)
        explain_times(e, address);
    explain_recipient(e, address, "remote", result == RES_INVALID ? "returned" : "queued", STR_NULL);
    return RES_OK;
}
