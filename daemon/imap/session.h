/* imap/session.h - what the files of this folder share: the session, its answers, and the handlers of commands. */
#pragma once
#include "auth/presence.h"
#include "base/arena.h"
#include "base/strbuf.h"
#include "imap/parse.h"
#include "imap/view.h"
#include "io/spool.h"
#include "store/keyword.h"
#include "store/notify.h"
#include "store/principal.h"

enum imap_state { ST_GREETED = 1, ST_AUTHENTICATED = 2, ST_SELECTED = 4, ST_ANY = 7 };
enum next { NEXT_COMMAND, NEXT_CLOSE };

#define LINE_MAX_GREETED ((size_t)8 << 10)  /* bytes of a command with its literals, before sign-in */
#define LINE_MAX_SIGNED  ((size_t)64 << 10) /* and after it; the message of APPEND is apart */
#define AUTOLOGOUT_MS    (30 * 60 * 1000)   /* RFC 3501, 5.4 */
#define GREETED_MS       (3 * 60 * 1000)    /* to sign in */
#define GREETED_READ_MS  (60 * 1000)        /* for each wait inside a command: before sign-in, */
#define SIGNED_READ_MS   (5 * 60 * 1000)    /* and after it */
#define LOOK_MS          (60 * 1000)        /* IDLE looks by itself */
#define RETRY_MS         (5 * 1000)         /* and so soon again when the database was away */
#define BAD_MAX          20                 /* commands without sense, then BYE */
#define FAILED_MAX       5                  /* wrong passwords, then BYE */

struct imap_session {
    struct service *service;
    struct db *db;
    struct stream *stream;
    struct str id; /* for the log */
    enum imap_state state;
    int64_t started_ms;
    unsigned bad, failed;
    bool condstore; /* MODSEQ belongs into every FETCH answer (RFC 7162, 3.1) */
    struct principal who;
    struct str address;
    struct presence presence;
    struct arena account;      /* id, who, address: as long as the session */
    struct arena keyword_mem;  /* keywords */
    struct keyword *keywords;  /* of the account, ascending by id; may be behind the database */
    size_t nkeywords;
    struct view *view;         /* ST_SELECTED */
    struct notify_watch watch; /* of the view's mailbox */
    int64_t *seen;             /* UIDs that are \Seen and not written yet: seen.h */
    size_t nseen;
    int64_t seen_by;           /* when they have to be */

    struct arena arena;         /* the command's */
    struct imap_command *cmd;   /* what is being answered */
    struct spool body;          /* the message of an APPEND, while has_body */
    bool has_body;
};

/* ---- respond.c: answers ---- */

/* Ends the command: first tells what happened in the mailbox (when something did), then "tag OK text".  The text may
 * begin with a response code in brackets.  NEXT_CLOSE when the mailbox is gone. */
enum next imap_ok(struct imap_session *s, const char *fmt, ...) SUSPENDS PRINTF_LIKE(2, 3);
enum next imap_no(struct imap_session *s, const char *fmt, ...) SUSPENDS PRINTF_LIKE(2, 3);
enum next imap_bad(struct imap_session *s, const char *why) SUSPENDS;
/* NO with the response code (RFC 5530) for what the store said. */
enum next imap_no_result(struct imap_session *s, enum result r) SUSPENDS;

struct str quoted_string(struct arena *a, struct str s); /* quoted string or literal */
struct str wire_mailbox(struct arena *a, struct str name);
void add_number(struct strbuf *b, uint64_t n);
/* "(\Seen $Work)" of a message, without session flag \Recent when `permanent`. */
void add_flags(const struct imap_session *s, struct strbuf *b, const struct view_entry *e);
/* "* FLAGS" and "* OK [PERMANENTFLAGS": at SELECT and when keywords were added. */
void write_flag_list(struct imap_session *s) SUSPENDS;
/* The items of an unasked "* n FETCH": FLAGS, and MODSEQ and UID for those who are aware of CONDSTORE. */
void write_flags_fetch(struct imap_session *s, struct strbuf *b, size_t index, bool flags, bool uid) SUSPENDS;
/* UIDs or sequence numbers, ascending, as a sequence set. */
struct str number_set(struct arena *a, const int64_t *v, size_t n);
struct str capabilities(struct imap_session *s);

/* ---- view_sync.c: news of the selected mailbox ---- */

/* Looks whether there is news (always, or with `if_told` only when somebody said so), and tells the client what it may
 * be told now.  RES_NOTFOUND: the mailbox is gone.  RES_TEMPFAIL: nothing new was learnt. */
enum result session_sync(struct imap_session *s, bool if_told) SUSPENDS;
/* Was there told of something that the view does not have? */
bool session_has_news(const struct imap_session *s);
/* This session changed the mailbox, whose MODSEQ went from `before` to `modseq` (0: nothing changed), and put the change
 * into the view.  True: the view is up to date.  False: others changed something, too; the next look reads it. */
bool session_changed(struct imap_session *s, int64_t before, int64_t modseq);
/* Reads the account's keywords again when the view holds numbers that have no name yet; tells the client. */
enum result session_know_keywords(struct imap_session *s) SUSPENDS NODISCARD;
/* The numbers of keywords, made when they do not exist and `make` is set; others are left out.
 * RES_LIMIT: too many keywords. */
enum result session_keyword_ids(struct imap_session *s, const struct imap_flags *flags, bool make, int32_t **ret_ids,
                                size_t *ret_n) SUSPENDS NODISCARD;
/* Forgets the selected mailbox; leaves \Recent as this session told it. */
void session_unselect(struct imap_session *s) SUSPENDS;
/* The first command that shows that the client knows CONDSTORE (RFC 7162, 3.1). */
void session_enable_condstore(struct imap_session *s) SUSPENDS;

/* ---- read.c: commands and their literals ---- */

/* Reads one command into `text`; the message of an APPEND goes to s->body and *ret_body_at is where the text announces
 * it.  RES_LIMIT: it was too large and has been answered; other errors end the session. */
enum result read_command(struct imap_session *s, struct strbuf *text, size_t *ret_body_at) SUSPENDS NODISCARD;


/* ---- one handler a command ---- */
typedef enum next imap_handler(struct imap_session *s, struct imap_command *cmd);
imap_handler cmd_capability, cmd_noop, cmd_logout, cmd_id, cmd_starttls, cmd_authenticate, cmd_login, cmd_enable,
    cmd_select, cmd_create, cmd_delete, cmd_rename, cmd_subscribe, cmd_unsubscribe, cmd_list, cmd_lsub, cmd_namespace,
    cmd_status, cmd_append, cmd_idle, cmd_close, cmd_unselect, cmd_expunge, cmd_search, cmd_fetch, cmd_store, cmd_copy,
    cmd_getquota, cmd_getquotaroot, cmd_getmetadata, cmd_setmetadata;
