/* store/ids.h - ids of messages, taken from their sequence before the transaction that uses them. */
#pragma once
#include "base/result.h"
#include "db/db.h"

/* An email.id.  A process takes 64 at a time, each by its own nextval: an id whose sequence record was
 * not flushed before a crash would otherwise be given twice.  RES_TEMPFAIL: database trouble, already logged. */
enum result ids_take_email(struct db *db, int64_t *ret_id) SUSPENDS NODISCARD;
