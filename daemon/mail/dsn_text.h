/* mail/dsn_text.h - what a delivery status notification says to people.  Internal to mail/. */
#pragma once
#include "base/arena.h"
#include "mail/dsn.h"

/* Subject and display name of the sender, in the language of d, UTF-8. */
struct str dsn_subject(const struct dsn *d);
struct str dsn_sender_name(const struct dsn *d);

/* The text part, UTF-8, lines end in LF. */
void dsn_text(const struct dsn *d, struct strbuf *out);

/* A remote host's answer for showing: at most DSN_MAX_REPLY bytes, valid UTF-8 or (utf8 false) ASCII, its lines joined
 * by `line_end`, other controls as "?". */
struct str dsn_clean_reply(struct arena *a, struct str reply, bool utf8, char line_end);
