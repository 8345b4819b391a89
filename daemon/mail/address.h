/* mail/address.h - addresses: what stands in header fields (lenient), and envelope mailboxes (strict).
 *
 * The lenient reader takes RFC 5322 lists with groups, routes, comments, obsolete forms and UTF-8 (RFC 6532) and never
 * fails: it serves ENVELOPE, sort keys and filters, never routing. */
#pragma once
#include "base/arena.h"
#include "base/result.h"
#include "base/str.h"

#define ADDRESS_MAX_LIST   10000 /* addresses of one list that are read; the rest is ignored */
#define ADDRESS_MAX_LOCAL  64    /* octets (RFC 5321, 4.5.3.1) */
#define ADDRESS_MAX_DOMAIN 255

enum mail_address_kind { ADDRESS_MAILBOX, ADDRESS_GROUP, ADDRESS_GROUP_END };

struct mail_address {
    enum mail_address_kind kind;
    struct str name;   /* display name or group name, quotes removed, not decoded (header_decode() does); or STR_NULL */
    struct str route;  /* obsolete source route "@a,@b"; STR_NULL: none */
    struct str local;  /* quotes removed; may be empty */
    struct str domain; /* without blanks and comments, case as written; STR_NULL: there was no "@" */
};

/* Reads a list one by one (RFC 5322, 3.4 and 4.4).  Each group ends with an ADDRESS_GROUP_END. */
struct address_reader {
    struct arena *arena;
    struct str s; /* the value on one line */
    size_t at;
    size_t count;
    bool in_group;
};

void address_reader_init(struct address_reader *r, struct arena *a, struct str value);
/* False: that was all, or ADDRESS_MAX_LIST. */
bool address_next(struct address_reader *r, struct mail_address *ret_address);

/* All addresses of a field's value, in order. */
void address_list(struct arena *a, struct str value, struct mail_address **ret_list, size_t *ret_n);

/* One envelope Mailbox, without angle brackets (RFC 5321, 4.1.2; with smtputf8 also RFC 6531, 3.3).
 * *ret_local: unquoted, never empty.  *ret_domain: lower case (U-labels: casefolded, NFC), or an address literal with
 * its brackets.  RES_INVALID: no Mailbox.  RES_LIMIT: local-part over 64 or domain over 255 octets. */
enum result address_parse_mailbox(struct str text, bool smtputf8, struct arena *a, struct str *ret_local,
                                  struct str *ret_domain) NODISCARD;

/* A local-part as it is stored and looked up: without case, and composed (NFC), so that two ways to write it are one. */
struct str address_fold_local(struct arena *a, struct str local);
/* local@domain, the local-part quoted when it is no dot-string: the inverse of the above.  With an empty domain the
 * local-part alone. */
struct str address_write_mailbox(struct arena *a, struct str local, struct str domain);

/* A host name (RFC 5321, 4.1.2 Domain), with utf8 also U-labels; and an address literal "[...]". */
bool address_is_domain(struct str s, bool utf8);
bool address_is_literal(struct str s);
