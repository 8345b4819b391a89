/* relay/reply.h - what an SMTP server answers, line by line (RFC 5321, 4.2.1; RFC 2034), and what its EHLO offers.
 *
 * Pure.  The server is not trusted: a reply has at most REPLY_MAX_LINES lines, and at most REPLY_MAX_TEXT bytes of its
 * text are kept.  The text is valid UTF-8 without control characters, lines joined by "\n". */
#pragma once
#include "base/arena.h"
#include "base/strbuf.h"

#define REPLY_MAX_LINE 2048 /* RFC 5321, 4.5.3.1.5 says 512; some servers say more */
#define REPLY_MAX_LINES 200
#define REPLY_MAX_TEXT 4000

struct reply {
    int code;            /* 200 to 599 */
    struct str enhanced; /* "2.1.5"; STR_NULL: none */
    struct str text;     /* of all lines, without codes and enhanced codes */
};

/* Collects the lines of one reply.  All zero is the start; release it in the end. */
struct reply_parser {
    int code, lines;
    char enhanced[16];
    struct strbuf text;
};
enum reply_step { REPLY_MORE, REPLY_DONE, REPLY_BAD };

/* The next line, without its line end.  REPLY_BAD: no SMTP reply, or too many lines: close the connection. */
enum reply_step reply_feed(struct reply_parser *p, struct str line);
/* After REPLY_DONE: the reply, in the arena; the parser begins anew. */
void reply_take(struct reply_parser *p, struct arena *a, struct reply *ret);
void reply_parser_release(struct reply_parser *p);

/* Appends text with everything that is not printable UTF-8 as "?". */
void reply_clean(struct strbuf *out, struct str text);

struct ehlo {
    bool starttls, pipelining, eightbitmime, smtputf8, dsn, deliverby, auth_plain, auth_login, has_size;
    uint64_t max_size; /* SIZE (RFC 1870, 4); 0: no limit told */
    uint64_t min_by_s; /* DELIVERBY (RFC 2852, 3): the shortest time for by-mode R; 0: none told */
};
/* The keywords behind the first line of an answer to EHLO (RFC 5321, 4.1.1.1).  Unknown ones are skipped. */
void ehlo_parse(struct str text, struct ehlo *ret);
