/* config/settings.h - what the administrator changes while the server runs: one table of keys, and the current values.
 *
 * The values live in the database (store/setting.h loads them; every process follows within two seconds).  A value is
 * text in one canonical form: durations "15m", sizes "50 MiB", booleans "true", lists separated by blanks. */
#pragma once
#include "base/arena.h"
#include "base/result.h"
#include "base/str.h"
#include "route/delivery.h"
#include "route/network.h"
#include "route/relay_route.h"

#define SETTINGS_MAX_RETRIES 64

struct settings {
    struct str hostname;                            /* server.hostname: EHLO, greeting, Received, Message-ID, DSN */
    int64_t retry_s[SETTINGS_MAX_RETRIES];          /* queue.retry_schedule: delay after attempt i+1; the last repeats */
    size_t retries;
    int64_t expire_s, delay_notice_s;               /* queue.expire, queue.delay_notice */
    int64_t max_message_size, max_transaction_size; /* bytes */
    int64_t max_recipients;
    int64_t max_messages, max_recipient_domains;    /* smtp.max_messages, smtp.max_recipient_domains: of a session; 0: any number */
    struct network_list relay_networks;             /* smtp.relay_networks */
    bool auth_on_25;                                /* smtp.auth_on_25 */
    enum { SENDER_ANY, SENDER_ENVELOPE, SENDER_HEADER } sender_check; /* smtp.sender_check */
    enum { CLEARTEXT_NEVER, CLEARTEXT_LOOPBACK, CLEARTEXT_ALWAYS } cleartext; /* auth.cleartext: one word ... */
    struct network_list cleartext_networks;         /* ... and networks behind it */
    struct relay_route_list relay_routes;           /* relay.routes */
    bool app_passwords_with_totp;                   /* auth.app_passwords_with_totp */
    struct name_list unix_users;                    /* mda.users: as whom may be delivered */
    struct program_list programs;                   /* mda.programs */
    int64_t mda_time_s;                             /* mda.time_limit of one delivery */
    struct name_list trusted_users;                 /* smtp.trusted_users: Unix users who may name any sender */
    bool forward_files;                             /* mda.forward_files */
    bool quota_full_final;                          /* quota.full_reply: 552, not 452 */
    int64_t quota_grace;                            /* quota.grace: bytes */
    bool quota_apart;                               /* quota.apart */
    int64_t trace_keep_s, trace_keep_refused_s;     /* trace.keep, trace.keep_refused */
    int64_t recipients_per_hour, recipients_per_day; /* accounts.recipients_per_hour, _per_day: 0: no limit */
    bool notify_owner;                              /* accounts.notify_owner */
    int64_t keep_deleted_s;                         /* accounts.keep_deleted */
    struct str language;                            /* server.language of DSNs: "en", "pt-BR" */
    bool first_steps;                               /* server.first_steps: Overview lists them while any is left */
};

struct setting_def {
    const char *key, *default_value;
    const char *type;        /* for the page: "duration", "duration-list", "size", "integer", "boolean", "string", "networks", "routes", "choice" */
    const char *description; /* one English sentence */
    bool restart;            /* takes effect only at a restart */
};
extern const struct setting_def setting_defs[];
extern const size_t setting_defs_count;
const struct setting_def *setting_def_find(struct str key);

/* Checks value for key and gives its canonical form.  RES_NOTFOUND: no such key; RES_INVALID: *ret_error says what is
 * wrong with it, one English sentence. */
enum result setting_check(struct str key, struct str value, struct arena *a, struct str *ret_value, struct str *ret_error)
    NODISCARD;

/* Fills *ret from (key, value) pairs; keys that are absent have their default.  Everything lives in a.  A value that
 * setting_check would refuse is replaced by the default and logged. */
void settings_build(struct arena *a, const struct str *keys, const struct str *values, size_t n, struct settings *ret);

/* The current values of this process.  Keep no pointer into them across a suspend. */
const struct settings *settings_get(void);
/* Makes *s current; takes the arena in which it lives over. */
void settings_install(struct settings *s, struct arena *a);

/* May a password come without TLS from a client with this address? */
bool settings_cleartext_allowed(const struct settings *s, const struct sockaddr *peer);
