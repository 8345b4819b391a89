/* api/client_setup.h - where a mail program finds an account, and that in the three forms in which programs ask.  Pure.
 *
 * Only what listens is named, TLS from the first byte before STARTTLS (RFC 8314, 3).  Every value is escaped. */
#pragma once
#include "base/arena.h"
#include "config/config.h"

struct client_setup {
    struct str host;
    const int *ports;  /* of each listener; 0: nobody listens */
    struct str domain;
    struct str address; /* not for autoconfig, whose reader puts it in */
    struct str name;    /* of the person, for the profile; may be empty */
};

struct client_server {
    enum listener listener;
    bool sends, tls; /* tls: from the first byte, else STARTTLS */
    struct str type; /* "IMAP", "POP3", "SMTP" */
    int port;
};
#define CLIENT_SERVERS 6
/* What listens, in the order in which it is offered: all forms say this.  The number of them. */
size_t client_setup_servers(const struct client_setup *s, struct client_server ret[CLIENT_SERVERS]);
/* Whether mail can be read, and whether it can be sent. */
bool client_setup_reads(const struct client_setup *s);
bool client_setup_sends(const struct client_setup *s);
/* Thunderbird's clientConfig, version 1.1. */
struct str client_setup_autoconfig(const struct client_setup *s, struct arena *a);
/* The answer of Autodiscover (MS-OXDSCLI, 2.2.4). */
struct str client_setup_autodiscover(const struct client_setup *s, struct arena *a);
/* A configuration profile for Apple's systems, without a password.  Needs a server to read from and one to send by.  The
 * same account has the same identifiers: a second one takes the first one's place. */
struct str client_setup_profile(const struct client_setup *s, struct arena *a);
