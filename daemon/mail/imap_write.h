/* mail/imap_write.h - writes the strings of ENVELOPE and BODYSTRUCTURE (RFC 3501, 4.3).  Internal to mail/.
 *
 * What a sender puts into a header would make the answer grow without bound, so text is paid from a budget; when it
 * does not suffice for a string, NIL or "" stands there instead and the structure stays whole. */
#pragma once
#include "base/str.h"
#include "base/strbuf.h"

struct imap_writer {
    struct strbuf out; /* the caller releases it */
    size_t budget;     /* bytes of text that may still be written */
};

/* Quoted when it is short and 7 bit, else a literal.  Line ends vanish (unfolding), NUL becomes "?". */
void imap_put_string(struct imap_writer *w, struct str s);
/* The same; STR_NULL is NIL. */
void imap_put_nstring(struct imap_writer *w, struct str s);
/* A word that the structure depends on (media type, encoding): always written, at most 127 bytes of it. */
void imap_put_token(struct imap_writer *w, struct str s);
