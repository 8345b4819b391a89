/* api/listen.h - accepting: TCP, TLS over TCP, and the local administrator's socket. */
#pragma once
#include "auth/service.h"

enum listen_kind { LISTEN_PLAIN, LISTEN_TLS, LISTEN_ADMIN };
/* Accepts on fd until listen_drain. */
void listen_on(struct service *service, int fd, enum listen_kind kind);
void listen_drain(void);
/* May this uid use the administrator's socket?  It got through the file's permissions; users of Correio's own processes
 * are refused all the same (design: a process that was taken over must not find a way to more rights). */
bool listen_uid_allowed(uid_t uid);
/* Where people reach the page: "https://mail.example.org:8443", or "http://127.0.0.1:8080" when only loopback serves. */
struct str api_page_url(const struct service *service, struct arena *a);
/* The port that serves TLS; 0: none. */
unsigned listen_tls_port(void);
