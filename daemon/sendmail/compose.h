/* sendmail/compose.h - what correio-sendmail does to the header of a message before it hands it in.
 *
 * Pure.  Lines may end in LF or CR LF. */
#pragma once
#include "base/arena.h"
#include "base/result.h"
#include "base/str.h"

#define COMPOSE_MAX_RECIPIENTS 10000

/* `name`: "user" becomes user@host; an address stays.  RES_INVALID: neither. */
enum result sendmail_qualify(struct str name, struct str host, struct arena *a, struct str *ret) NODISCARD;

/* The addresses of To, Cc and Bcc (and their Resent- forms when there is one), each once, qualified.  RES_INVALID:
 * *ret_bad is none. */
enum result sendmail_recipients(struct str header, struct str host, struct arena *a, struct str **ret_v, size_t *ret_n,
                                struct str *ret_bad) NODISCARD;

/* The header as it is sent: without Bcc, with a From when it has none, or one without domain ("root (Cron Daemon)").
 * `name`: the display name, may be empty.  It ends behind its last field, without the empty line. */
struct str sendmail_header(struct str header, struct str address, struct str name, struct arena *a);

/* Where the header ends and whether the body is behind an empty line: a message that begins without a field has none.
 * A first line "From ..." of mbox is left out. */
void sendmail_split(struct str message, struct str *ret_header, struct str *ret_body);
