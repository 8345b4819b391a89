/* mail/digest.h - what the store keeps of a message beside its bytes, computed once, at arrival.
 *
 * Every message has a digest.  Text is always valid UTF-8 without NUL (what is not becomes U+FFFD) and within the
 * limits below, so that no message is refused because of what its header says. */
#pragma once
#include "base/arena.h"
#include "base/str.h"

#define MAIL_NO_DATE INT64_MIN

#define MAIL_ID_MAX       255  /* bytes of a Message-ID; a longer one counts as absent */
#define MAIL_REFS_MAX     60   /* references kept: the first 30 and the last 30 */
#define MAIL_SORT_KEY_MAX 128  /* code points of base_subject and sort_* */
#define MAIL_SUBJECT_MAX  1000 /* bytes of subject */

struct mail_digest {
    size_t header_size;    /* bytes up to and including the empty line; all of it when there is none */
    int64_t sent_at_us;    /* Date in microseconds since 1970 UTC; MAIL_NO_DATE: none, or it cannot be read */
    struct str message_id; /* without the angle brackets; STR_NULL: none */
    struct str *refs;      /* References, then what In-Reply-To adds; without angle brackets, none twice */
    size_t nrefs;
    struct str subject;      /* decoded, for people; STR_NULL: none */
    struct str base_subject; /* RFC 5256, 2.1, casefolded as text_casefold() does; STR_NULL: no Subject */
    struct str sort_from, sort_to, sort_cc; /* local-part of the first address, casefolded; STR_NULL: none */
    struct str envelope, bodystructure;     /* what FETCH sends (RFC 3501, 7.4.2): quoted strings are 7 bit, the
                                             * rest is literals, NUL never occurs */
    struct str parts;                       /* the part table that mail/parts.h reads */
};

/* All of *ret lives in the arena; nothing in it points into the message. */
void mail_digest(struct arena *a, struct str message, struct mail_digest *ret);
