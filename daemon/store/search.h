/* store/search.h - SEARCH TEXT and BODY: casefolded text of messages, made when it is first searched.
 *
 * A row of email_text is the body's text, U+0001, the header's text, so one column serves both keys: BODY wants the
 * needle before the mark.  Everything SUSPENDS; RES_TEMPFAIL is database trouble, already logged. */
#pragma once
#include "base/arena.h"
#include "base/result.h"
#include "base/str.h"
#include "db/db.h"
#include "store/message.h"
#include "store/principal.h"

/* Makes and stores the text of those of the messages (their UIDs, ascending) that have none.  Of a large message only
 * the first 4 MiB are looked at. */
enum result search_prepare(struct db *db, const struct principal *who, int64_t mailbox_id, const int64_t *uids,
                           size_t n) SUSPENDS NODISCARD;

/* The UIDs, ascending, whose text holds the needle (casefolded by text_casefold, not empty).  body_only: BODY, else
 * TEXT.  uids NULL: the whole mailbox. */
enum result search_text(struct db *db, const struct principal *who, int64_t mailbox_id, struct str needle,
                        bool body_only, const int64_t *uids, size_t n, struct arena *a, int64_t **ret_uids,
                        size_t *ret_n) SUSPENDS NODISCARD;
