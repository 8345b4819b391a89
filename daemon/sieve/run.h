/* sieve/run.h - runs compiled scripts on a message and says what is to be done.  Nothing is done here.
 *
 * Several scripts make one run: an administrator's before, the user's, an administrator's after.  The next one runs
 * only while the message would be kept (by implicit or explicit keep), and its outcome takes that keep's place; what
 * else an earlier script decided stays.
 *
 * What the caller does with the result, all of it inside the transaction that accepts the message:
 *  - actions in their order, each with its own content; each mailbox gets the message at most once (keep and fileinto
 *    of the same mailbox are one copy, the flags joined), so compare the mailboxes once they are resolved.
 *  - No SIEVE_KEEP and no SIEVE_FILEINTO means: nothing is stored.  An empty list never happens by an error.
 *  - SIEVE_REJECT and SIEVE_EREJECT may stand behind copies that an earlier script made; those are stored all the same.
 *  - SIEVE_VACATION and SIEVE_NOTIFY: sieve/reply.h writes the message; it leaves with the null reverse-path, and for a
 *    vacation only if its mark could be taken.
 *  - SIEVE_REDIRECT: count Received fields and look for the own Delivered-To first; a loop is a keep instead.
 *  - `marks` are written when the message is accepted, and only then (RFC 7352, 3).
 *  - `failed`: log `error`, tell the owner once, and carry on: the actions already hold the keep that loses nothing.
 *    What the failed script itself had decided is not in them.
 *
 * Stack: at most about 100 KiB is used besides what the callbacks take. */
#pragma once
#include "sieve/compile.h"

enum sieve_action_kind {
    SIEVE_KEEP,     /* store in the mailbox that the message is for; `target` has the flags */
    SIEVE_FILEINTO, /* store in `target` */
    SIEVE_REDIRECT, /* send on to `address` (or `list`), envelope sender as in RFC 5228, 4.2 */
    SIEVE_DISCARD,  /* for logs and traces: a script said discard; does nothing by itself */
    SIEVE_REJECT,   /* refuse with `text`: 5xx when SMTP still can (ASCII text only), else an MDN (RFC 5429, 2.2) */
    SIEVE_EREJECT,  /* the same, a DSN instead of the MDN (RFC 5429, 2.1) */
    SIEVE_VACATION, /* answer the envelope sender, if the mark of `vacation` can be taken (RFC 5230) */
    SIEVE_PIPE,     /* give to the program with the name `address`, as a copy of its own (vnd.correio.pipe) */
    SIEVE_NOTIFY,   /* notify by `address`, a mailto URI already taken apart in `notify` (RFC 5436) */
};

/* Where to store.  The first that exists is meant: the mailbox with this id, the special-use one, the name.  If none
 * does: with `create` the name is made (and gets the special use), else the message goes where keep would put it. */
struct sieve_target {
    struct str mailbox;      /* UTF-8, "/" between levels; STR_NULL for keep */
    struct str mailbox_id;   /* RFC 9042; STR_NULL: none */
    struct str special_use;  /* "\Junk" (RFC 8579); STR_NULL: none */
    bool create;             /* RFC 5490, 3.2 */
    const struct str *flags; /* IMAP flags and keywords (RFC 5232), none twice, case as written */
    size_t nflags;
};

/* The message as the script had changed it: header, then body. */
struct sieve_content {
    struct str header; /* with its empty line */
    struct str body;
};

/* Options of redirect; STR_NULL: as the message came (RFC 6009, 4 and 5). */
struct sieve_dsn {
    struct str notify;  /* "NEVER" or words of "SUCCESS", "FAILURE", "DELAY", commas between */
    struct str ret;     /* "FULL" or "HDRS" */
    bool by;            /* BY was asked for: */
    int64_t by_seconds; /* from now; negative: in the past */
    struct str by_mode; /* "N" (notify) or "R" (return) */
    bool by_trace;
};

struct sieve_vacation {
    struct str mark_key; /* take it in sieve_mark (insert, or update if it has expired): only who gets it answers */
    uint64_t seconds;    /* how long it holds; 0: always answer and write no mark */
    struct str to;       /* the envelope sender */
    struct str subject;  /* UTF-8 */
    struct str from;     /* "Name <a@b>" as the script wrote it; STR_NULL: the recipient's own address */
    struct str text;     /* the reason; with `mime` a MIME entity with its header (RFC 5230, 4.4) */
    bool mime;
};

struct sieve_notify {
    const struct str *to; /* addresses, at least one */
    size_t nto;
    struct str from;    /* the script's :from; STR_NULL: the recipient's own address */
    struct str subject; /* UTF-8 */
    struct str text;    /* UTF-8 body */
    struct str headers; /* further fields of the URI, "Name: value\r\n" each, checked; may be empty */
    char importance;    /* '1' high, '2' normal, '3' low */
};

struct sieve_action {
    enum sieve_action_kind kind;
    bool implicit;         /* the keep that nothing cancelled, or that an error left */
    bool copy;             /* :copy was given (for traces; what it means has been done) */
    unsigned line, script; /* where it was decided: index in the scripts of the run; implicit keep: 0, 0 */
    struct sieve_target target;
    struct str address;   /* SIEVE_REDIRECT: an addr-spec; SIEVE_PIPE: the program; SIEVE_NOTIFY: the URI */
    struct str list;      /* SIEVE_REDIRECT :list: to each member of this external list instead (RFC 6134) */
    struct sieve_dsn dsn; /* SIEVE_REDIRECT */
    struct str text;      /* SIEVE_REJECT, SIEVE_EREJECT: the reason, UTF-8 */
    struct sieve_vacation vacation;
    struct sieve_notify notify;
    const struct sieve_target *fcc;      /* store a copy of what vacation or notify sends (RFC 8580); NULL: no */
    const struct sieve_content *content; /* NULL: the message as it came */
    struct str program;   /* SIEVE_KEEP, SIEVE_FILEINTO: what this program makes of it is stored; STR_NULL: none */
};

/* A duplicate test's memory (RFC 7352): written on acceptance.  `refresh`: also when it is there already. */
struct sieve_mark {
    struct str key;
    uint64_t seconds;
    bool refresh;
};

struct sieve_result {
    struct sieve_action *actions;
    size_t nactions;
    struct sieve_mark *marks;
    size_t nmarks;
    bool failed;
    struct sieve_error error; /* set when failed; text is a sentence for the owner */
    unsigned error_script;    /* index of the script in the run */
    struct str error_include; /* name of the included script in which it happened; STR_NULL: the script itself */
    uint64_t steps;           /* that were used */
};

struct sieve_trace {
    enum { SIEVE_TRACE_TEST, SIEVE_TRACE_COMMAND, SIEVE_TRACE_ACTION, SIEVE_TRACE_ERROR } kind;
    unsigned script, line, depth; /* depth: of includes */
    struct str name;              /* "header", "if", "fileinto" */
    bool result;                  /* of a test */
    struct str detail;            /* of an action: its mailbox, address or text; of an error: the sentence */
};

/* Questions to the caller.  All may be NULL: then nothing exists.  They change nothing; they may suspend.  RES_OK with
 * the answer, RES_NOTFOUND where it is named; anything else ends the run, and sieve_run() returns it. */
struct sieve_ops {
    enum result (*mailbox_exists)(void *data, struct str mailbox, bool *ret);
    /* In that mailbox, or with STR_NULL anywhere in the account (RFC 8579, 4.1). */
    enum result (*special_use_exists)(void *data, struct str mailbox, struct str use, bool *ret);
    enum result (*mailbox_id_exists)(void *data, struct str id, bool *ret);
    /* An annotation's value; mailbox STR_NULL: of the server.  RES_NOTFOUND: it has none (RFC 5490). */
    enum result (*metadata)(void *data, struct str mailbox, struct str name, struct arena *a, struct str *ret_value);
    /* Is a mark with this key of a duplicate test in force? */
    enum result (*seen)(void *data, struct str key, bool *ret);
    /* A script to include, compiled; it must live until the run ends.  RES_NOTFOUND: none of that name.
     * RES_INVALID: it does not compile. */
    enum result (*include)(void *data, bool global, struct str name, const struct sieve_script **ret);
    /* Is the value a member?  RES_NOTFOUND: no such list (RFC 6134). */
    enum result (*list_contains)(void *data, struct str list, struct str value, bool *ret);
    enum result (*list_exists)(void *data, struct str list, bool *ret);
    /* May scripts use the program of this name?  Does not suspend. */
    bool (*program_exists)(void *data, struct str name);
};

struct sieve_item {
    struct str name, value;
};

struct sieve_env {
    struct str message;

    /* Envelope (RFC 5228, 5.4).  from: "" for the null sender; auth: STR_NULL without SMTP AUTH. */
    struct str from, to, auth;
    /* envelope-dsn, envelope-deliverby (RFC 6009): "notify" as words with commas, "orcpt" as "rfc822;a@b" (decoded),
     * "ret", "envid", "bytimeabsolute", "bymode", "bytrace"; those that are absent are left out. */
    const struct sieve_item *envelope;
    size_t nenvelope;

    int64_t now_us;   /* microseconds since 1970 UTC */
    int zone_minutes; /* local zone, minutes east of UTC */

    /* Further addresses of the account, besides `to`: for vacation (RFC 5230, 4.5). */
    const struct str *own_addresses;
    size_t nown_addresses;
    struct str separators; /* of sub-addresses (RFC 5233); empty: "+" */

    /* environment (RFC 5183): "domain", "host", "location", "name", "phase", "remote-host", "remote-ip", "version", and
     * with imapsieve (RFC 6785, 4.2) "imap.user", "imap.email", "imap.cause", "imap.mailbox", "imap.changedflags"; a
     * name that is left out makes the test false. */
    const struct sieve_item *items;
    size_t nitems;

    bool imap;               /* a script of imapsieve: keep leaves the message as it is, flags are its new flags */
    const struct str *flags; /* imapsieve: the message's flags */
    size_t nflags;

    int spam_score;                                      /* 0: not tested; 1 (clean) to 10 (RFC 5235, 2) */
    int spam_percent;                                    /* -1: not tested */
    int virus_score;                                     /* 0: not tested; 1 (clean) to 5 */
    uint64_t vacation_min_seconds, vacation_max_seconds; /* 0, 0: one day and 30 days (RFC 5230, 4.1) */

    const struct sieve_ops *ops; /* may be NULL */
    /* What happens, step by step, for `filter test`; may be NULL. */
    void (*trace)(void *data, const struct sieve_trace *event);
    void *data; /* for ops and trace */
};

/* Runs n scripts, one after the other.  limits NULL: the default ones.  All of *ret lives in the arena or points into
 * env and the scripts.
 * RES_OK: *ret is set, also when a script failed.  Else: what a callback gave, nothing is decided. */
enum result sieve_run(const struct sieve_script *const *scripts, size_t n, const struct sieve_env *env,
                      const struct sieve_limits *limits, struct arena *a, struct sieve_result *ret) NODISCARD;
