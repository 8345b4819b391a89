/* mail/received.h - trace fields (RFC 5321, 4.4) and what submission checks in a header (RFC 6409, 8). */
#pragma once
#include "base/arena.h"
#include "base/result.h"
#include "base/str.h"
#include "base/strbuf.h"
#include "mail/address.h"

struct received {
    struct str helo;        /* as the client said it: untrusted, what is no domain or literal is shown cleaned */
    struct str client_name; /* verified name of the address; empty: "unknown" */
    struct str client_ip;   /* "192.0.2.1", "2001:db8::1"; empty: no network client (then helo alone is shown) */
    struct str by;          /* our host name */
    struct str protocol;    /* "ESMTPS", "LMTP", ... (RFC 3848, RFC 6531, 4.3) */
    struct str tls;         /* shown as a comment: "TLSv1.3 TLS_AES_256_GCM_SHA384"; empty: none */
    struct str id;          /* our id */
    struct str recipient;   /* Mailbox, only when there is just one (RFC 5321, 7.2); empty: none */
    int64_t at_us;          /* microseconds since 1970 UTC */
    int zone_minutes;       /* in which the time is shown */
};

/* Appends "Received: ...\r\n", folded.  RES_LIMIT: out's maximum. */
enum result received_write(const struct received *r, struct strbuf *out) NODISCARD;
/* Appends "Return-Path: <mailbox>\r\n"; empty: "<>". */
enum result return_path_write(struct str mailbox, struct strbuf *out) NODISCARD;

/* Bytes of the Return-Path field that the message, or its header, begins with; 0: it begins with another field. */
size_t return_path_len(struct str message);
/* Has the message been to this address?  A Delivered-To field says so (RFC 9228, 4). */
bool delivered_to_before(struct str message, struct str address);

/* Received fields in the header: more than a limit of the caller's is a loop (RFC 5321, 6.3). */
size_t received_count(struct str message);

#define HEADER_MAX_FROM 4 /* From fields whose addresses are read */

struct header_check {
    bool has_date, has_message_id, has_from, has_sender; /* the field is there and not empty */
    size_t from_fields;                                  /* RFC 5322, 3.6 wants exactly one */
    struct mail_address *from;                           /* mailboxes of all From fields, groups opened */
    size_t nfrom;
    struct mail_address *sender; /* the first mailbox of the first Sender; NULL: none */
    bool complete; /* false: not all was seen, for HEADER_MAX_SCAN, HEADER_MAX_FIELDS or HEADER_MAX_FROM */
};

void header_check(struct arena *a, struct str message, struct header_check *ret);
