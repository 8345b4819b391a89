/* smtp/parse.h - the grammar of SMTP commands: bytes in, values out (RFC 5321, 4.1.2 and the extensions' parameters). */
#pragma once
#include "base/arena.h"
#include "base/result.h"
#include "base/str.h"
#include "mail/deliver_by.h"

/* "VERB args" (RFC 5321, 2.4): the verb in upper case, the rest without the blank.  RES_INVALID: no verb, or a control
 * character. */
enum result smtp_parse_command(struct str line, struct arena *a, struct str *ret_verb, struct str *ret_args) NODISCARD;

struct smtp_path {
    bool null;        /* "<>" */
    struct str local; /* unquoted */
    struct str domain; /* lower case; empty only for "<postmaster>" */
    struct str text;   /* the Mailbox, quoted where necessary; empty when null */
};

struct smtp_mail_params {
    bool has_size, eight_bit, binary, smtputf8; /* eight_bit, binary: BODY (RFC 6152, 2; RFC 3030, 3) */
    uint64_t size;     /* RFC 1870, 6.1 */
    char ret;          /* 'F', 'H'; 0: not given (RFC 3461, 4.3) */
    struct str envid;  /* xtext as given; STR_NULL: none (RFC 3461, 4.4) */
    struct deliver_by by; /* BY (RFC 2852, 4) */
};

/* "FROM:<path> [params]"; now_us: what BY counts from.  RES_INVALID: syntax.  RES_DENIED: a parameter that we do not know
 * (555, RFC 5321, 4.1.1.11).  RES_LIMIT: a part of the address is too long.  RES_CONFLICT: a non-ASCII address without
 * SMTPUTF8 (RFC 6531, 3.5). */
enum result smtp_parse_mail(struct str args, int64_t now_us, struct arena *a, struct smtp_path *ret_path,
                            struct smtp_mail_params *ret_params) NODISCARD;

struct smtp_rcpt_params {
    unsigned notify;  /* enum queue_notify: 1 never, 2 success, 4 failure, 8 delay; 0: not given */
    struct str orcpt; /* "type;xtext" as given; STR_NULL: none */
};
/* "TO:<path> [params]"; results as above. */
enum result smtp_parse_rcpt(struct str args, bool smtputf8, struct arena *a, struct smtp_path *ret_path,
                            struct smtp_rcpt_params *ret_params) NODISCARD;

/* "size [LAST]" of BDAT (RFC 3030, 2).  RES_INVALID: syntax.  A number over 63 bits is INT64_MAX: it never ends. */
enum result smtp_parse_bdat(struct str args, uint64_t *ret_size, bool *ret_last) NODISCARD;

/* The argument of EHLO, HELO or LHLO: a domain or an address literal; anything printable is taken, since too many
 * clients say nonsense (RFC 5321, 4.1.4: must not refuse for a failed verification). */
bool smtp_helo_ok(struct str args);
