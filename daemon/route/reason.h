/* route/reason.h - why an attempt ended as it did, as one word: what queue and trace are grouped and explained by.
 *
 * Pure.  The words are part of the REST API (Reason in api/openapi.yaml). */
#pragma once
#include "base/str.h"

/* How far an attempt came. */
enum attempt_phase {
    PHASE_DNS, PHASE_CONNECT, PHASE_TLS, PHASE_GREETING, PHASE_EHLO, PHASE_AUTH, PHASE_MAIL, PHASE_RCPT, PHASE_DATA,
    PHASE_BODY, PHASES
};
struct str attempt_phase_name(enum attempt_phase phase); /* "dns", "connect", ... */

#define REASON_HELD STR("held")
#define REASON_SENDING STR("sending")
#define REASON_NOT_TRIED STR("not-tried")
#define REASON_REFUSED STR("connection-refused")
#define REASON_TIMEOUT STR("connection-timeout")
#define REASON_LOST STR("connection-lost")
#define REASON_NO_ROUTE STR("no-route")
#define REASON_DNS_FAILED STR("dns-failed")
#define REASON_NO_DOMAIN STR("dns-no-such-domain")
#define REASON_NULL_MX STR("null-mx")
#define REASON_TLS STR("tls-failed")
#define REASON_AUTH STR("auth-failed")
#define REASON_NOT_SUPPORTED STR("not-supported")
#define REASON_LOOP STR("loop")
#define REASON_EXPIRED STR("expired")
#define REASON_BOUNCED STR("bounced-by-admin")
#define REASON_REMOVED STR("removed-by-admin")

/* The reason for a reply with `code` (>= 400), enhanced code ("4.7.1"; STR_NULL: none) and text: by the enhanced code
 * where it says enough (RFC 3463), else by the code and by what large sites are known to write.  Never empty. */
struct str reason_of_reply(enum attempt_phase phase, int code, struct str enhanced, struct str text);
