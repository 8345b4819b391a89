/* route/reason.c - replies as words. */
#include "route/reason.h"

#include "base/macros.h"

struct str attempt_phase_name(enum attempt_phase phase)
{
    static const struct str names[PHASES] = {
        [PHASE_DNS] = STR("dns"),   [PHASE_CONNECT] = STR("connect"), [PHASE_TLS] = STR("tls"),
        [PHASE_GREETING] = STR("greeting"), [PHASE_EHLO] = STR("ehlo"), [PHASE_AUTH] = STR("auth"),
        [PHASE_MAIL] = STR("mail"), [PHASE_RCPT] = STR("rcpt"),       [PHASE_DATA] = STR("data"),
        [PHASE_BODY] = STR("body"),
    };

    return names[phase];
}

/* The part of an enhanced code behind its class: "7.1" of "4.7.1" (RFC 3463, 2).  `classes`: first digits of codes for
 * which the line counts. */
static const struct by_enhanced {
    struct str detail;
    const char *classes;
    struct str reason;
} by_enhanced[] = {
    { STR("1.1"), "5", STR("unknown-recipient") },
    { STR("1.3"), "5", STR("unknown-recipient") },
    { STR("1.6"), "5", STR("unknown-recipient") },
    { STR("1.10"), "45", STR("null-mx") },
    { STR("2.1"), "5", STR("unknown-recipient") },
    { STR("2.2"), "45", STR("mailbox-full") },
    { STR("2.3"), "45", STR("too-large") },
    { STR("3.3"), "45", STR("not-supported") },
    { STR("3.4"), "45", STR("too-large") },
    { STR("4.5"), "45", STR("slow-down") },
    { STR("4.6"), "45", STR("loop") },
    { STR("5.3"), "45", STR("slow-down") },
    { STR("6.1"), "45", STR("not-supported") },
    { STR("6.3"), "45", STR("not-supported") },
    { STR("6.7"), "45", STR("not-supported") },
    { STR("6.9"), "45", STR("not-supported") },
    { STR("7.8"), "45", STR("auth-failed") },
    { STR("7.9"), "45", STR("auth-failed") },
    { STR("7.28"), "45", STR("slow-down") },
};

/* What is in the text of a reply. */
static const struct by_text {
    struct str part;
    const char *classes;
    struct str reason;
} by_text[] = {
    { STR("greylist"), "4", STR("greylisted") },
    { STR("graylist"), "4", STR("greylisted") },
    { STR("grey-list"), "4", STR("greylisted") },
    { STR("too many connections"), "4", STR("slow-down") },
    { STR("too many messages"), "4", STR("slow-down") },
    { STR("too many recipients"), "4", STR("slow-down") },
    { STR("rate limit"), "4", STR("slow-down") },
    { STR("throttl"), "4", STR("slow-down") },
    { STR("over quota"), "45", STR("mailbox-full") },
    { STR("mailbox full"), "45", STR("mailbox-full") },
    { STR("mailbox is full"), "45", STR("mailbox-full") },
    { STR("user unknown"), "5", STR("unknown-recipient") },
    { STR("unknown user"), "5", STR("unknown-recipient") },
    { STR("no such user"), "5", STR("unknown-recipient") },
    { STR("does not exist"), "5", STR("unknown-recipient") },
    { STR("blocked"), "45", STR("policy") },
    { STR("blacklist"), "45", STR("policy") },
    { STR("blocklist"), "45", STR("policy") },
    { STR("spam"), "45", STR("policy") },
};

struct str reason_of_reply(enum attempt_phase phase, int code, struct str enhanced, struct str text)
{
    struct str detail = str_from(enhanced, 2);
    char class = (char)('0' + code / 100);

    if (phase == PHASE_AUTH || code == 530 || code == 535 || code == 538)
        return REASON_AUTH;
    for (size_t i = 0; i < ARRAY_LEN(by_enhanced); i++) {
        if (str_eq(by_enhanced[i].detail, detail) && strchr(by_enhanced[i].classes, class) != NULL)
            return by_enhanced[i].reason;
    }
    for (size_t i = 0; i < ARRAY_LEN(by_text); i++) {
        if (str_ifind(text, by_text[i].part) != SIZE_MAX && strchr(by_text[i].classes, class) != NULL)
            return by_text[i].reason;
    }
    if (str_starts(detail, STR("7.")))
        return STR("policy");
    if (code == 552)
        return phase == PHASE_RCPT ? STR("mailbox-full") : STR("too-large");
    if (code == 556)
        return REASON_NULL_MX;
    if (code == 555 || code == 504)
        return REASON_NOT_SUPPORTED;
    return class == '5' ? STR("permanent") : STR("temporary");
}
