/* smtp/session.h - one SMTP or LMTP session: its state, its commands, its replies.
 *
 * What is reset between commands: c->arena.  Between mail transactions (RSET, EHLO, after DATA): everything in tx.
 * By STARTTLS: everything but the counters (RFC 3207, 4.2).
 *
 * LMTP (RFC 2033) is the same dialogue with another greeting, recipients here only, and one answer for each of them
 * behind the data: smtp_is_lmtp() says where the two differ. */
#pragma once
#include "base/arena.h"
#include "auth/presence.h"
#include "deliver/admission.h"
#include "deliver/compose.h"
#include "smtp/parse.h"
#include "smtp/smtp.h"
#include "store/sent.h"

#define SMTP_COMMAND_MS (5 * 60 * 1000) /* RFC 5321, 4.5.3.2.7 */

enum next { NEXT_COMMAND, NEXT_CLOSE };

/* States of a session; a verb names those in which it is legal.  ST_CHUNKS: behind a first BDAT.  ST_FAILED: behind one
 * that was refused: the transaction waits for its end (RFC 3030, 2). */
enum { ST_NEW = 1, ST_GREETED = 2, ST_MAIL = 4, ST_RCPT = 8, ST_CHUNKS = 16, ST_FAILED = 32, ST_ANY = 63 };

struct smtp_given { /* an RCPT that was accepted: an alias makes several recipients of one */
    struct str address;
    const size_t *rcpts; /* indices in tx.rcpts; others may have them, too */
    size_t n;
};

struct incoming;

struct smtp_tx {
    struct arena arena;
    struct smtp_path from;
    struct smtp_mail_params params;
    struct compose_recipient *rcpts; /* final ones, each once */
    size_t n_rcpts, cap_rcpts;
    struct smtp_given *given; /* in the order of the commands */
    size_t n_given, cap_given;
    size_t n_local, n_links;   /* n_links: indices of all `given` */
    struct incoming *incoming; /* ST_CHUNKS: what BDAT brought */
};

struct smtp_session {
    struct service *service;
    struct stream *stream;
    enum listener listener;
    struct str id;            /* in log lines and Received */
    struct arena arena;       /* of the session */
    struct arena cmd_arena;
    unsigned state;
    bool esmtp;
    struct str helo;
    struct auth_identity identity; /* account_id 0: nobody signed in */
    struct presence presence;      /* of one who signed in */
    struct str unix_user;          /* LISTEN_LOCAL: who the kernel says it is */
    bool trusted;                  /* LISTEN_LOCAL: may name any sender */
    struct sent_use sent;          /* of the identity, as of the last MAIL that asked */
    int64_t sent_until;            /* no need to ask before, when there is no limit */
    struct smtp_tx tx;
    unsigned errors, failed_auths;
    int64_t n_mail;      /* MAIL commands */
    struct str *domains; /* of recipients, each once; only when they are limited */
    size_t n_domains, cap_domains;
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
#define SMTP_TEMPFAIL_TEXT "Our storage does not answer; please try again later"

void smtp_tx_reset(struct smtp_session *s);
bool smtp_is_submission(const struct smtp_session *s);
bool smtp_is_lmtp(const struct smtp_session *s);
/* The client's address for people; STR_NULL: it came by a Unix socket. */
struct str smtp_client_ip(const struct smtp_session *s);

/* Begins the session anew with this name of the client (EHLO, HELO, LHLO). */
void smtp_greet(struct cmd *c, bool esmtp);
/* The lines behind the first of the answer to EHLO and LHLO, the last one included (RFC 5321, 4.1.1.1). */
void smtp_say_extensions(struct smtp_session *s);

/* smtp/limits.c: the line LIMITS of EHLO (RFC 9422, 4.1); whether one more MAIL, and a recipient of this domain, stay in
 * what it says. */
void smtp_say_limits(struct smtp_session *s);
bool smtp_limit_mail(struct smtp_session *s);
bool smtp_limit_domain(struct smtp_session *s, struct str domain);

/* Whether the session's account may send at this moment; true also when there is none. */
bool smtp_may_send(const struct smtp_session *s);
/* smtp/policy.c: RCPT's decision.  Adds the recipients, or replies; *ret_next is what to do then. */
bool smtp_policy_sender(struct cmd *c, const struct smtp_path *from, uint64_t size, enum next *ret_next) SUSPENDS;
/* The question for deliver/admission.h, as the session stands. */
struct admission smtp_admission(struct smtp_session *s, const struct smtp_path *from, uint64_t size);
/* What is known of a message that is refused. */
struct refused_message {
    int64_t id; /* 0: it has none yet */
    struct str from, subject, message_id;
    int64_t size;         /* -1: not known */
    const struct str *to; /* none: it did not come so far */
    size_t n;
};
void smtp_trace_refusal(struct cmd *c, const struct admission_refusal *r, const struct refused_message *m);
/* Says no, and has it traced.  to: empty when it is for the whole message. */
enum next smtp_refuse(struct cmd *c, const struct admission_refusal *r, struct str from, struct str to);
/* What mail for a full mailbox is answered: by the setting quota.full_reply. */
static inline int smtp_full_code(void)
{
    return settings_get()->quota_full_final ? 552 : 452;
}
static inline const char *smtp_full_status(void)
{
    return settings_get()->quota_full_final ? "5.2.2" : "4.2.2";
}
enum next smtp_policy_recipient(struct cmd *c, const struct smtp_path *to, const struct smtp_rcpt_params *params) SUSPENDS;
/* Whether AUTH may be offered, and whether it may be used, now. */
bool smtp_auth_offered(const struct smtp_session *s);
bool smtp_auth_needs_tls(const struct smtp_session *s);

/* smtp/lmtp.c: the answer to the end of the data: one, in LMTP one for each accepted RCPT (RFC 2033, 4.2), which may be
 * none.  It counts as one error at most. */
enum next smtp_reply_end(struct smtp_session *s, int code, const char *enhanced, const char *fmt, ...)
    PRINTF_LIKE(4, 5);
/* The same with a text of several lines (LF between them), as many as fit a reply. */
enum next smtp_reply_lines(struct smtp_session *s, int code, const char *enhanced, struct str text);
/* For a message that was delivered at least to some: each accepted RCPT gets the worst result of its recipients. */
enum next smtp_lmtp_results(struct smtp_session *s, struct str id);

/* smtp/local.c: the socket of correio-sendmail, whose client is known by its uid.  smtp_local_identify sets the session's
 * unix_user, trusted and identity: RES_DENIED, RES_TEMPFAIL: it cannot be served. */
bool smtp_is_local(const struct smtp_session *s);
enum result smtp_local_identify(struct smtp_session *s) SUSPENDS NODISCARD;
/* Who it is when it names no other sender: the account's address, else user@hostname. */
struct str smtp_local_address(const struct smtp_session *s, struct arena *a);
/* Its own user@hostname becomes its account's address.  False: *from is not its to use; it has been answered. */
bool smtp_local_sender(struct cmd *c, struct smtp_path *from, enum next *ret_next);
/* name@hostname, where the host's name is no domain of ours: the account of that Unix user; root and postmaster: who gets
 * the mail for postmaster. */
void smtp_local_recipient(struct cmd *c, struct smtp_path *to) SUSPENDS;

/* smtp/auth.c, smtp/data_command.c, smtp/chunks.c, smtp/lmtp.c */
enum next smtp_auth(struct cmd *c) SUSPENDS;
enum next smtp_data(struct cmd *c) SUSPENDS;
enum next smtp_bdat(struct cmd *c) SUSPENDS;
enum next smtp_lhlo(struct cmd *c);
