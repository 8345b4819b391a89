#include "filter/env.h"
#include "base/encode.h"
#include "config/settings.h"
#include "mail/date.h"
#include "store/queue.h"

#define MAX_ENVELOPE 7
#define MAX_STEPS UINT64_C(20000000) /* about 0.1 s: the process does nothing else meanwhile */

struct sieve_limits filter_limits(void)
{
    struct sieve_limits limits = sieve_default_limits;

    limits.steps = MAX_STEPS;
    return limits;
}

/* NOTIFY of RCPT, as words (RFC 3461, 4.1). */
static struct str notify_words(struct arena *a, unsigned notify)
{
    if ((notify & QUEUE_NOTIFY_NEVER) != 0)
        return STR("NEVER");
    return str_from(arena_printf(a, "%s%s%s", (notify & QUEUE_NOTIFY_SUCCESS) != 0 ? ",SUCCESS" : "",
                                 (notify & QUEUE_NOTIFY_FAILURE) != 0 ? ",FAILURE" : "",
                                 (notify & QUEUE_NOTIFY_DELAY) != 0 ? ",DELAY" : ""), 1);
}

/* What MAIL and RCPT said beside the addresses (RFC 6009, 2 and 3); returns how many there are, at most MAX_ENVELOPE. */
static size_t fill_envelope(const struct filter_message *m, const struct filter_recipient *to, struct arena *a,
                            struct sieve_item *v)
{
    size_t n = 0;

    if (to->notify != 0)
        v[n++] = (struct sieve_item){ STR("notify"), notify_words(a, to->notify) };
    if (to->orcpt.p != NULL)
        v[n++] = (struct sieve_item){ STR("orcpt"), to->orcpt };
    if (m->envid.p != NULL)
        v[n++] = (struct sieve_item){ STR("envid"), m->envid };
    if (m->ret != 0)
        v[n++] = (struct sieve_item){ STR("ret"), m->ret == 'F' ? STR("FULL") : STR("HDRS") };
    if (m->by.at_us != 0) {
        v[n++] = (struct sieve_item){ STR("bytimeabsolute"), date_print_iso(a, m->by.at_us, 0) };
        v[n++] = (struct sieve_item){ STR("bymode"), m->by.give_back ? STR("R") : STR("N") };
    }
    if (m->by.trace)
        v[n++] = (struct sieve_item){ STR("bytrace"), STR("T") };
    return n;
}

void filter_env_fill(const struct filter_message *m, const struct filter_recipient *to,
                     const struct filter_account *account, const struct filter_event *event, struct arena *a,
                     struct sieve_env *ret)
{
    static const struct filter_event none = { .cause = STR(""), .user = STR(""), .mailbox = STR(""), .changed = STR("") };
    const struct filter_event *e = event != NULL ? event : &none; /* empty at delivery (RFC 6785, 4.2) */
    struct sieve_item *items = arena_array(a, struct sieve_item, 13), *envelope = arena_array(a, struct sieve_item, MAX_ENVELOPE);
    size_t n = 0;
    struct str host = arena_str(a, settings_get()->hostname);
    size_t dot = str_chr(host, '.');

    items[n++] = (struct sieve_item){ STR("host"), host };
    items[n++] = (struct sieve_item){ STR("domain"), dot == SIZE_MAX ? host : str_from(host, dot + 1) };
    items[n++] = (struct sieve_item){ STR("location"), event != NULL ? STR("MS") : STR("MDA") };
    items[n++] = (struct sieve_item){ STR("name"), STR("Correio") };
    items[n++] = (struct sieve_item){ STR("phase"), event != NULL ? STR("post") : STR("during") };
    items[n++] = (struct sieve_item){ STR("version"), STR(CORREIO_VERSION) };
    items[n++] = (struct sieve_item){ STR("imap.user"), e->user };
    items[n++] = (struct sieve_item){ STR("imap.email"), e->user };
    items[n++] = (struct sieve_item){ STR("imap.cause"), e->cause };
    items[n++] = (struct sieve_item){ STR("imap.mailbox"), e->mailbox };
    items[n++] = (struct sieve_item){ STR("imap.changedflags"), e->changed };
    if (m->client_ip.p != NULL)
        items[n++] = (struct sieve_item){ STR("remote-ip"), m->client_ip };
    if (m->helo.p != NULL)
        items[n++] = (struct sieve_item){ STR("remote-host"), m->helo };
    *ret = (struct sieve_env){
        .message = m->message, .from = m->reverse_path, .to = to->address, .auth = m->auth,
        .envelope = envelope, .nenvelope = fill_envelope(m, to, a, envelope), .now_us = wall_us(),
        .own_addresses = account->addresses, .nown_addresses = account->n_addresses,
        .separators = account->separator, .items = items, .nitems = n, .spam_percent = -1,
        .imap = event != NULL, .flags = e->flags, .nflags = e->n_flags, .ops = &filter_ops,
    };
}
