#include "auth/totp.h"
#include "base/encode.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>

void totp_code(struct str key, int64_t step, char ret_code[TOTP_DIGITS])
{
    unsigned char counter[8], mac[20];
    unsigned n = sizeof(mac);
    const unsigned char *at;
    uint32_t number;

    for (int i = 7; i >= 0; i--, step >>= 8)
        counter[i] = (unsigned char)step;
    HMAC(EVP_sha1(), key.p, (int)key.len, counter, sizeof(counter), mac, &n);
    at = mac + (mac[19] & 15); /* RFC 4226, 5.3: dynamic truncation */
    number = (uint32_t)(at[0] & 127) << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
    for (int i = TOTP_DIGITS - 1; i >= 0; i--, number /= 10)
        ret_code[i] = (char)('0' + number % 10);
}

bool totp_match(struct str key, struct str code, int64_t now_s, int64_t *ret_step)
{
    for (int64_t step = now_s / TOTP_STEP_S; step >= now_s / TOTP_STEP_S - 1; step--) {
        char right[TOTP_DIGITS];

        totp_code(key, step, right);
        if (bytes_equal_secret(code, str_of(right, sizeof(right)))) {
            *ret_step = step;
            return true;
        }
    }
    return false;
}
