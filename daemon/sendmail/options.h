/* sendmail/options.h - the command line of sendmail(1), as programs have called it for decades. */
#pragma once
#include "base/arena.h"
#include "base/result.h"
#include "base/str.h"

enum sendmail_mode {
    SENDMAIL_SEND,    /* -bm: a message from standard input */
    SENDMAIL_SMTP,    /* -bs: SMTP on standard input and output */
    SENDMAIL_LIST,    /* -bp, mailq */
    SENDMAIL_RUN,     /* -q: try what waits */
    SENDMAIL_ALIASES, /* -bi, newaliases: nothing is to be done */
};
struct sendmail_options {
    enum sendmail_mode mode;
    bool from_header; /* -t: recipients from To, Cc and Bcc */
    bool ignore_dots; /* -i, -oi: a line with a dot does not end the message */
    struct str sender; /* -f, -r; "<>": null; STR_NULL: not given */
    struct str name;   /* -F; STR_NULL: not given */
    struct str notify, ret, envid; /* -N, -R, -V (RFC 3461); STR_NULL: not given */
    struct str *recipients;
    size_t n_recipients;
};
/* argv[0] may be mailq or newaliases.  RES_INVALID: *ret_error says what cannot be done, without a full stop. */
enum result sendmail_options(int argc, char **argv, struct arena *a, struct sendmail_options *ret,
                             struct str *ret_error) NODISCARD;
