/* mail/message.h - the MIME structure of a message as a tree of offsets over its bytes (RFC 2045, RFC 2046).
 *
 * Never fails: whatever comes is some tree.  Lines end in LF, with or without CR.  What cannot be split becomes a
 * leaf: a multipart without boundary or without parts is text/plain (RFC 2045, 5.2), what lies deeper than
 * MAIL_MAX_DEPTH is application/octet-stream, parts after MAIL_MAX_PARTS are left unsplit.  One pass, linear time;
 * the tree takes memory per part, not per byte, and points into the message, which must outlive it. */
#pragma once
#include "base/arena.h"
#include "base/str.h"
#include "mail/header.h"

#define MAIL_MAX_DEPTH 32   /* levels of parts, the message itself counted */
#define MAIL_MAX_PARTS 1000 /* parts of a message, nested ones counted */

enum mail_encoding { MAIL_7BIT, MAIL_8BIT, MAIL_BINARY, MAIL_BASE64, MAIL_QP, MAIL_ENCODING_OTHER };

enum mail_kind {
    MAIL_LEAF,
    MAIL_MULTIPART, /* children: its parts, at least one */
    MAIL_MESSAGE,   /* message/rfc822; children: exactly one, the root of the message inside */
};

struct mail_part {
    size_t header_at; /* offsets in the message: the header with its empty line is [header_at, body_at), */
    size_t body_at;   /* the body [body_at, end); for a part of a multipart without the line end of the delimiter */
    size_t end;
    size_t lines; /* line feeds in the body */
    enum mail_kind kind;
    enum mail_encoding encoding;
    struct str type, subtype;    /* lower case, never empty */
    struct header_param *params; /* of Content-Type, raw: read them by header_param() */
    size_t nparams;
    /* Raw values of the part's Content-* fields, views of the message, STR_NULL when absent. */
    struct str content_id, description, transfer_encoding, disposition, language, location, md5;
    struct mail_part *parent, *children, *last_child, *next;
    size_t nchildren;
};

/* The root of the tree; never NULL.  All of it lives in the arena. */
struct mail_part *mail_parse(struct arena *a, struct str message) __attribute__((returns_nonnull));

/* "7bit", "8bit", "binary", "base64", "quoted-printable"; MAIL_ENCODING_OTHER: STR_NULL. */
struct str mail_encoding_name(enum mail_encoding encoding);

/* The next part in the order in which they stand in the message, NULL after the last. */
struct mail_part *mail_part_next(const struct mail_part *part);
