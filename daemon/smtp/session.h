/* smtp/session.h - one SMTP session: its state, its commands, its replies.
 *
 * What is reset between commands: c->arena.  Between mail transactions (RSET, EHLO, after DATA): everything in tx.
 * By STARTTLS: everything but the counters (RFC 3207, 4.2). */
#pragma once
#include "base/arena.h"
#include "deliver/deliver.h"
#include "smtp/parse.h"
#include "smtp/smtp.h"

enum next { NEXT_COMMAND, NEXT_CLOSE };

/* States of a session; a verb names those in which it is legal. */
enum { ST_NEW = 1, ST_GREETED = 2, ST_MAIL = 4, ST_RCPT = 8, ST_ANY = 15 };

struct smtp_rcpt {
    struct str address;  /* the Mailbox as given */
    struct str orcpt;
    unsigned notify;
    struct str domain;   /* of a remote recipient: its destination */
    int64_t account_id, mailbox_id; /* of a local one; 0: remote */
};

struct smtp_tx {
    struct arena arena;
    struct smtp_path from;
    struct smtp_mail_params params;
    struct smtp_rcpt *rcpts;
    size_t n_rcpts, cap_rcpts;
    size_t n_given; /* RCPT commands that were accepted; an alias makes several of one */
    size_t n_local;
};

struct smtp_session {
    struct service *service;
    struct stream *stream;
    enum listener listener;
    struct str id;            /* in log lines and Received */
    struct arena arena;       /* of the session */
    struct arena cmd_arena;
    unsigned state;
    bool esmtp, flush;
    struct str helo;
    struct auth_identity identity; /* account_id 0: nobody signed in */
    struct smtp_tx tx;
    unsigned errors, failed_auths;
};

struct cmd {
    struct smtp_session *s;
    struct arena *arena;
    struct str verb, args;
};

/* Queues one reply line: code, enhanced code (RFC 2034), text.  221 and 421 give NEXT_CLOSE, all else NEXT_COMMAND.
 * 4xx and 5xx count as errors. */
enum next smtp_reply(struct smtp_session *s, int code, const char *enhanced, const char *fmt, ...) PRINTF_LIKE(4, 5);
/* For results that are nobody's fault but ours: 451 4.3.0, logged by whoever failed. */
enum next smtp_reply_tempfail(struct smtp_session *s);

void smtp_tx_reset(struct smtp_session *s);
bool smtp_is_submission(const struct smtp_session *s);

/* smtp/policy.c: RCPT's decision.  Adds the recipients, or replies; *ret_next is what to do then. */
bool smtp_policy_sender(struct cmd *c, const struct smtp_path *from, enum next *ret_next) SUSPENDS;
enum next smtp_policy_recipient(struct cmd *c, const struct smtp_path *to, const struct smtp_rcpt_params *params) SUSPENDS;
/* Whether AUTH may be offered, and whether it may be used, now. */
bool smtp_auth_offered(const struct smtp_session *s);
bool smtp_auth_needs_tls(const struct smtp_session *s);

/* smtp/auth.c, smtp/data_command.c */
enum next smtp_auth(struct cmd *c) SUSPENDS;
enum next smtp_data(struct cmd *c) SUSPENDS;
