/* relay/warn.h - tells people that their mailbox is nearly full: at 80 and at 95 percent, once each time it fills up. */
#pragma once
#include "db/db.h"
#include "deliver/deliver.h"

/* Works off the accounts whose level changed (store/quota.h).  Database trouble is left for the next time. */
void warn_full_mailboxes(struct db *db, struct deliver *deliver, bool (*stop)(void *arg), void *arg) SUSPENDS;
