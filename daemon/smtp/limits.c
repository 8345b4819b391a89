/* smtp/limits.c - how much of one session (RFC 9422): told by EHLO, and kept. */
#include "smtp/session.h"

void smtp_say_limits(struct smtp_session *s)
{
    const struct settings *set = settings_get();

    stream_printf(s->stream, "250-LIMITS RCPTMAX=%lld", (long long)set->max_recipients);
    if (set->max_messages > 0)
        stream_printf(s->stream, " MAILMAX=%lld", (long long)set->max_messages);
    if (set->max_recipient_domains > 0)
        stream_printf(s->stream, " RCPTDOMAINMAX=%lld", (long long)set->max_recipient_domains);
    stream_puts(s->stream, "\r\n");
}

bool smtp_limit_mail(struct smtp_session *s)
{
    int64_t most = settings_get()->max_messages;

    return most == 0 || s->n_mail++ < most;
}

bool smtp_limit_domain(struct smtp_session *s, struct str domain)
{
    size_t most = (size_t)settings_get()->max_recipient_domains;

    for (size_t i = 0; most > 0 && i < s->n_domains; i++) {
        if (str_ieq(s->domains[i], domain))
            return true;
    }
    if (most == 0 || s->n_domains >= most)
        return most == 0;
    s->domains = arena_grow(&s->arena, s->domains, s->n_domains, &s->cap_domains, sizeof(s->domains[0]));
    s->domains[s->n_domains++] = arena_str(&s->arena, domain);
    return true;
}
