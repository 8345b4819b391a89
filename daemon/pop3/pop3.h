/* pop3/pop3.h - the POP3 server (RFC 1939; CAPA and response codes: RFC 2449; STLS: RFC 2595; SASL: RFC 5034; UTF8:
 * RFC 6856). */
#pragma once
#include "auth/service.h"

/* Once a process: renews the locks of its sessions. */
void pop3_init(struct service *service);
/* One connection, from greeting to QUIT. */
service_session pop3_session;
