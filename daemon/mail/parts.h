/* mail/parts.h - the part table: where each part of a stored message lies, read without the message.
 *
 * The table is a version byte and the parts in the order in which they stand: kind, transfer encoding, number of
 * children, offsets and lines as variable-length numbers (parts.c has the layout).  It comes back from the database,
 * so reading it checks everything. */
#pragma once
#include "base/arena.h"
#include "base/result.h"
#include "base/str.h"
#include "base/strbuf.h"
#include "mail/message.h"

enum mail_section {
    MAIL_SECTION_ALL,    /* BODY[] and BODY[n]: the message, or the part's body */
    MAIL_SECTION_HEADER, /* BODY[HEADER], BODY[n.HEADER] and HEADER.FIELDS: of the message, or of the one in part n */
    MAIL_SECTION_TEXT,   /* BODY[TEXT], BODY[n.TEXT]: its body */
    MAIL_SECTION_MIME,   /* BODY[n.MIME]: the part's own header */
};

struct mail_range {
    uint64_t at, len;
};

struct mail_part_info {
    enum mail_kind kind;
    enum mail_encoding encoding;
    struct mail_range header, body; /* offsets in the message */
    uint64_t lines;
};

/* The table of a parsed message. */
struct str mail_parts_build(struct arena *a, const struct mail_part *root);

/* The part with this number, e.g. "1.2.3"; "" is the message itself.  The body of a message that is no multipart is
 * part 1 (RFC 3501, 6.4.5).  RES_NOTFOUND: no such part.  RES_INVALID: the number or the table is malformed. */
enum result mail_parts_find(struct str table, struct str number, struct mail_part_info *ret_part) NODISCARD;

/* The bytes of a section.  RES_NOTFOUND: no such part, or .HEADER and .TEXT of what is no message/rfc822.
 * RES_INVALID: MIME without part number, or malformed as above. */
enum result mail_parts_range(struct str table, struct str number, enum mail_section section,
                             struct mail_range *ret_range) NODISCARD;

/* FETCH BODY out of a stored FETCH BODYSTRUCTURE: the same without extension data (RFC 3501, 7.4.2), appended to
 * `out`.  RES_INVALID: it is none that we wrote; RES_LIMIT: out's maximum.  `out` may then hold a piece of it. */
enum result imap_body_from_structure(struct str bodystructure, struct strbuf *out) NODISCARD;
