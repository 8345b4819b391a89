/* mail/transfer.h - content transfer encodings (RFC 2045, 6), lenient, on whole buffers.  Nothing fails. */
#pragma once
#include "base/arena.h"
#include "base/str.h"
#include "mail/message.h"

/* Bytes outside the alphabet are skipped, an incomplete last group gives its whole bytes, padding in the middle
 * starts anew. */
struct str transfer_base64_decode(struct arena *a, struct str s);
/* Soft line breaks and blanks at line ends go; a "=" that begins no escape stays. */
struct str transfer_qp_decode(struct arena *a, struct str s);
/* By encoding; the identity for 7bit, 8bit, binary and unknown ones (then it is a view of s). */
struct str transfer_decode(struct arena *a, struct str s, enum mail_encoding encoding);

/* Base64 in lines of 76 characters, each ended by CR LF. */
struct str transfer_base64_encode(struct arena *a, struct str s);
/* Text lines as quoted-printable, lines end in CR LF. */
struct str transfer_qp_encode(struct arena *a, struct str s);
