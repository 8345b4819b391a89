/* managesieve/session.h - what the files of this folder share: the session, its answers, the handlers of commands. */
#pragma once
#include "auth/presence.h"
#include "managesieve/parse.h"
#include "store/script.h"

enum managesieve_state { ST_GREETED = 1, ST_SIGNED = 2, ST_ANY = 3 };
enum next { NEXT_COMMAND, NEXT_CLOSE };

#define LINE_MAX_BYTES   ((size_t)8 << 10) /* of a command without its script */
#define AUTOLOGOUT_MS    (30 * 60 * 1000)  /* RFC 5804, 1.2 */
#define GREETED_MS       (3 * 60 * 1000)   /* to sign in */
#define GREETED_READ_MS  (60 * 1000)       /* for each wait inside a command: before sign-in, */
#define SIGNED_READ_MS   (5 * 60 * 1000)   /* and after it */
#define BAD_MAX          20                /* commands without sense, then BYE */
#define FAILED_MAX       5                 /* wrong passwords, then BYE */

struct managesieve {
    struct service *service;
    struct stream *stream;
    struct str id; /* for the log */
    enum managesieve_state state;
    int64_t greeted_ms; /* when ST_GREETED began */
    unsigned bad, failed;
    struct script_owner owner; /* ST_SIGNED */
    struct str address;
    struct presence presence;
    struct arena session; /* id, address */
    struct arena arena;   /* the command's */
};

/* ---- respond.c: answers ---- */

/* "OK" with this text. */
enum next ms_ok(struct managesieve *s, const char *text) SUSPENDS;
/* "NO (CODE) text"; code NULL: none. */
enum next ms_no(struct managesieve *s, const char *code, const char *fmt, ...) SUSPENDS PRINTF_LIKE(3, 4);
/* The same for a command that makes no sense; too many of them end the session. */
enum next ms_bad(struct managesieve *s, const char *why) SUSPENDS;
/* "BYE (CODE) text"; always NEXT_CLOSE. */
enum next ms_bye(struct managesieve *s, const char *code, const char *text) SUSPENDS;
/* NO with the response code (RFC 5804, 1.3) for what the store said. */
enum next ms_no_result(struct managesieve *s, enum result r) SUSPENDS;
/* The capabilities (RFC 5804, 1.7) and OK with this text. */
enum next ms_capabilities(struct managesieve *s, const char *text) SUSPENDS;

/* ---- read.c: commands and their literals ---- */

/* Reads one command, or one answer to a challenge, into `text`; no more than max bytes.  RES_LIMIT: it was too large, has
 * been read to its end and answered; other errors end the session (RES_CLOSED: it has been told why). */
enum result ms_read_command(struct managesieve *s, struct strbuf *text, size_t max) SUSPENDS NODISCARD;

/* ---- one handler a command ---- */
typedef enum next managesieve_handler(struct managesieve *s, const struct managesieve_command *cmd);
managesieve_handler ms_authenticate, ms_starttls, ms_logout, ms_capability, ms_noop, ms_unauthenticate, ms_havespace,
    ms_putscript, ms_checkscript, ms_listscripts, ms_setactive, ms_getscript, ms_deletescript, ms_renamescript;
