/* auth/totp.h - one-time codes by the clock (RFC 6238) over HMAC-SHA-1 (RFC 4226): six digits, steps of 30 seconds.  Pure. */
#pragma once
#include "base/str.h"

#include <stdint.h>

#define TOTP_KEY_BYTES 20 /* RFC 4226, 4: R6 */
#define TOTP_DIGITS 6
#define TOTP_STEP_S 30

/* The code of a step, without an end. */
void totp_code(struct str key, int64_t step, char ret_code[TOTP_DIGITS]);
/* Whether it is the code of the step of now_s (seconds since 1970) or of the one before (RFC 6238, 5.2), and of which. */
bool totp_match(struct str key, struct str code, int64_t now_s, int64_t *ret_step);
