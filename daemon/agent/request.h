/* agent/request.h - what the mda asks of correio-deliver: the envelope and the target of one delivery, on descriptor 3,
 * and what it answers, on descriptor 1; what a program makes of the message goes to descriptor 4.
 *
 * The request is "name\0value\0"...; names may repeat.  The answer is lines: ">address" for each address to which the
 * message goes on, and last one of "+" (delivered), "~4.x.x text" (later) and "-5.x.x text" (never). */
#pragma once
#include "base/arena.h"
#include "base/result.h"
#include "base/str.h"
#include "base/strbuf.h"
#include "route/delivery.h"

#define REQUEST_MAX ((size_t)256 * 1024)
#define ANSWER_MAX ((size_t)32 * 1024)

struct request {
    enum delivery_kind kind;  /* maildir, mbox or pipe */
    struct str path;          /* maildir, mbox */
    struct str words[COMMAND_MAX_WORDS]; /* pipe */
    size_t n_words;
    struct str folder;        /* STR_NULL: the inbox */
    struct str flags;         /* letters of a Maildir's info: "FS" */
    struct str user;          /* Unix user */
    struct str sender, recipient, original, local, extension, domain, host;
    uint64_t size, time_ms;   /* of the message as it stands on descriptor 0; limit of the delivery */
    uint64_t output_max;      /* pipe: what the program writes goes to descriptor 4, so many bytes; 0: it is only listened to */
    bool forward;             /* the user's .forward counts */
};

void request_write(const struct request *r, struct strbuf *out);
/* RES_INVALID: no request. */
enum result request_read(struct str text, struct arena *a, struct request *ret) NODISCARD;

struct answer {
    enum { ANSWER_DONE, ANSWER_LATER, ANSWER_NEVER } kind;
    struct str status; /* "4.2.1" */
    struct str text;   /* one line, not trusted: it may be what a program said */
    struct str *addresses;
    size_t n_addresses;
};
/* RES_INVALID: it is cut, or no answer. */
enum result answer_read(struct str text, struct arena *a, struct answer *ret) NODISCARD;
void answer_write(const struct answer *answer, struct strbuf *out);
