/* config/config.h - what is read once at start: the configuration file and the environment.
 *
 * The file is CORREIO_CONFIG, else $CORREIO_HOME/correio.conf, else, when CORREIO_HOME is not set either (a package's
 * installation), /etc/correio/correio.conf.
 *
 * One INI file; every key is also CORREIO_SECTION_KEY, which wins.  Unknown keys and bad values are errors with file
 * and line.  What the administrator changes while the server runs is in config/settings.h; a key of that name in the
 * file or the environment fixes it. */
#pragma once
#include "base/arena.h"
#include "base/result.h"
#include "base/str.h"

/* Listeners in the order of the endpoints file. */
enum listener {
    LISTEN_SMTP, LISTEN_SUBMISSION, LISTEN_SMTPS, LISTEN_LMTP, LISTEN_LOCAL, LISTEN_POP3, LISTEN_POP3S, LISTEN_IMAP, LISTEN_IMAPS,
    LISTEN_SIEVE, LISTEN_HTTP, LISTEN_HTTPS, LISTENERS
};
const char *listener_name(enum listener l); /* "smtp", "submission", "smtps", ... */

struct config {
    struct str home;                /* CORREIO_HOME, absolute; default: /var/lib/correio */
    struct str admin;               /* directory of api.sock: home/admin, or /run/correio when CORREIO_HOME is not set */
    struct str file;                /* the file that was read; STR_NULL when there is none */
    struct str listen[LISTENERS];   /* "127.0.0.1:2525,[::1]:2525" or "off"; LISTEN_LOCAL: paths of sockets, a relative one
                                       below home */
    struct str database_url;        /* STR_NULL: the embedded cluster under home */
    struct str database_password_file; /* of its owner; STR_NULL: the URL is enough */
    unsigned dns_port;              /* where a zone's own name servers listen: 53, or a test's */
    struct str dns_servers;         /* "127.0.0.1:5353,..."; STR_NULL: the system's */
    struct str certificate, key;    /* PEM files; STR_NULL: self-signed ones under home */
    struct str web, sql, libexec;   /* directories of the installed files */
    struct str node;                /* name of this node in leases and logs; default: the host's name */
    unsigned smtp_processes, access_processes, relay_processes;
    unsigned mda_processes;         /* 0: nothing is delivered outside PostgreSQL */
    unsigned relay_port;            /* where MX hosts listen: 25, or a test's */
    struct str log_format;          /* "logfmt" or "json" */
    struct str log_level;           /* "debug", "info", "warn", "error" */
    struct str postgres_memory;     /* shared_buffers of the embedded cluster; STR_NULL: a quarter of the machine's */
    struct str admin_link;          /* "log" or "off" */
    struct str admin_address, admin_password_file; /* the first administrator; STR_NULL: made by hand */
    struct str trusted_proxies;     /* networks whose X-Forwarded headers count, for api */
};

/* RES_OK, or RES_INVALID with one line a mistake in *ret_errors ("file:line: what"). */
enum result config_load(struct arena *a, struct config *ret_config, struct str *ret_errors) NODISCARD;

/* One key of the file, for manuals.  fallback NULL: help says what holds without it. */
struct config_key {
    const char *section, *name, *fallback, *help;
};
/* The i-th key, if there is one; how many there are. */
size_t config_keys(size_t i, struct config_key *ret);

/* The environment variable's or file's value for a runtime setting ("queue.expire"), if it is fixed there: RES_OK, with
 * *ret_source "environment" or "file".  RES_NOTFOUND: it may be changed at run time. */
enum result config_fixed_setting(const struct config *config, struct str key, struct arena *a, struct str *ret_value,
                                 struct str *ret_source);
