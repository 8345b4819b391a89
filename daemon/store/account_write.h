/* store/account_write.h - what the transactions of the control plane share about accounts. */
#pragma once
#include "base/result.h"
#include "db/db.h"

/* Inside the caller's transaction, which holds the account's row: see account_delete. */
enum result account_remove(struct tx *tx, int64_t account_id, bool purge) SUSPENDS NODISCARD;
