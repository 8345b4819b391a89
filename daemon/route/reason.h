/* route/reason.h - words for why a message waits or ended that no reply tells: what queue and trace are grouped and
 * explained by.  They and those for replies are the ids of mail/advice.h, and part of the REST API (Reason in
 * api/openapi.yaml). */
#pragma once
#include "mail/advice.h"

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
