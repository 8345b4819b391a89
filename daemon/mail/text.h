/* mail/text.h - what a message says, for searching: decoded, casefolded UTF-8.
 *
 * Casefolded: Unicode full case folding and NFC (libunistring), so "STRASSE" finds "straße" and composed finds
 * decomposed, while signs that only look alike stay apart (no compatibility mapping).  Needle and text must pass
 * through the same function; stored text does not depend on the locale. */
#pragma once
#include "base/arena.h"
#include "base/str.h"

#define TEXT_MAX ((size_t)256 * 1024) /* bytes that are kept of a message */

/* Casefolded; bad UTF-8 and NUL become U+FFFD first. */
struct str text_casefold(struct arena *a, struct str s);

/* SEARCH BODY: all text parts in order, transfer encoding, charset and HTML tags removed, and the header fields of
 * messages inside; casefolded; at most TEXT_MAX bytes. */
struct str text_of_body(struct arena *a, struct str message);
/* What SEARCH TEXT adds: the header fields of the message itself, decoded, one a line; casefolded. */
struct str text_of_header(struct arena *a, struct str message);

/* HTML without tags, comments, <script> and <style>; the common entities and numbers are decoded.  UTF-8. */
struct str text_from_html(struct arena *a, struct str html);
