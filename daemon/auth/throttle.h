/* auth/throttle.h - failed sign-ins by (account, network): after a few, the next try must wait, longer each time, at
 * most a minute.  Never a permanent lock.  A fixed table: a flood of names overwrites, it does not grow. */
#pragma once
#include "base/str.h"

/* Milliseconds that this user from this address still has to wait; 0: go on. */
int64_t throttle_wait_ms(struct str user, struct str ip, int64_t now_ms);
void throttle_failed(struct str user, struct str ip, int64_t now_ms);
void throttle_succeeded(struct str user, struct str ip);
