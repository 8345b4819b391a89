/* pop3/line.h - POP3's command lines and the dot-stuffing of multi-line replies: bytes in, bytes out. */
#pragma once
#include "base/arena.h"
#include "base/result.h"
#include "base/str.h"

#define POP3_MAX_ARGS 3

struct pop3_line {
    struct str verb; /* upper case */
    struct str args[POP3_MAX_ARGS];
    size_t n_args;
    struct str rest; /* everything behind the verb, for PASS: a password may hold blanks (RFC 1939, 7) */
};
/* RES_INVALID: empty, a control character, or too many arguments (never for PASS and USER). */
enum result pop3_parse(struct str line, struct arena *a, struct pop3_line *ret) NODISCARD;

/* Gives a message out, piece by piece, with each leading "." doubled (RFC 1939, 3); for TOP only the header, the blank
 * line and `body_lines` lines. */
struct pop3_stuffer {
    uint64_t body_lines; /* how many lines of the body are still wanted; UINT64_MAX: all */
    bool mid_line;       /* the last byte was no LF */
    bool in_body;
    bool last_cr;        /* the last byte was a CR */
    size_t line_len;     /* of the present line, so far */
    bool starts_cr;      /* its first byte is a CR */
    bool done;           /* TOP has all that it wants */
};
void pop3_stuffer_init(struct pop3_stuffer *st, uint64_t body_lines);
typedef void pop3_out(void *arg, struct str bytes);
void pop3_stuff(struct pop3_stuffer *st, struct str piece, pop3_out *out, void *arg);
/* What has to go before the final ".": CR LF when the message does not end a line. */
struct str pop3_stuffer_end(const struct pop3_stuffer *st);
