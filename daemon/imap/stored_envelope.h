/* imap/stored_envelope.h - reading the ENVELOPE that is stored as FETCH sends it (RFC 3501, 7.4.2). */
#pragma once
#include "base/arena.h"
#include "base/result.h"
#include "base/str.h"

struct stored_envelope {
    struct str date, subject, in_reply_to, message_id; /* STR_NULL: NIL */
    struct str from, sender, reply_to, to, cc, bcc;    /* for stored_envelope_address */
};
/* Views of the text, or in the arena where a quoted string had escapes.  RES_INVALID: it is none. */
enum result stored_envelope_read(struct arena *a, struct str text, struct stored_envelope *ret) NODISCARD;

struct stored_address {
    struct str name, route, mailbox, host; /* STR_NULL: NIL */
};
/* Takes the next address of a list; false at its end. */
bool stored_envelope_address(struct arena *a, struct str *list, struct stored_address *ret);
