/* auth/activity.h - remembers sign-ins by account: gathered in a table of fixed size, written every two seconds.
 *
 * When the table is full, networks of an account are counted together; what then finds no place is not remembered. */
#pragma once
#include "store/activity.h"

/* Once, at start. */
void activity_init(struct db *db);
/* Does not wait. */
void activity_note(int64_t account_id, enum activity_result result, struct str protocol, struct str ip);
