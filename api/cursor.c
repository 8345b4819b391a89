#include "api/cursor.h"
#include "base/encode.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdlib.h>

#define MAC_BYTES 16

static unsigned char key[32];

void cursor_init(void)
{
    random_bytes(key, sizeof(key));
}

static struct str join(struct arena *a, struct str x, struct str y)
{
    char *p = arena_alloc(a, x.len + y.len + 1);

    memcpy(p, x.p, x.len);
    memcpy(p + x.len, y.p, y.len);
    return str_of(p, x.len + y.len);
}

/* HMAC-SHA-256 over both, with the length of the first between them, cut to 16 bytes. */
static struct str mac(struct arena *a, struct str binding, struct str place)
{
    struct str text = join(a, arena_printf(a, "%zu:", binding.len), join(a, binding, place));
    unsigned char *out = arena_alloc(a, EVP_MAX_MD_SIZE);
    unsigned n = 0;

    if (HMAC(EVP_sha256(), key, sizeof(key), (const unsigned char *)text.p, text.len, out, &n) == NULL)
        abort();
    return str_of((char *)out, MAC_BYTES);
}

struct str cursor_seal(struct arena *a, struct str binding, struct str place)
{
    return base64url_encode(a, join(a, mac(a, binding, place), place));
}

/* Back from URL-safe base64: the alphabet of base64 with padding. */
static enum result decode(struct arena *a, struct str s, struct str *ret)
{
    size_t padded = (s.len + 3) / 4 * 4;
    char *p = arena_alloc(a, padded + 1);

    for (size_t i = 0; i < padded; i++)
        p[i] = i >= s.len ? '=' : s.p[i] == '-' ? '+' : s.p[i] == '_' ? '/' : s.p[i];
    return str_chr(s, '+') == SIZE_MAX && str_chr(s, '/') == SIZE_MAX ? base64_decode(a, str_of(p, padded), ret) : RES_INVALID;
}

enum result cursor_open(struct arena *a, struct str binding, struct str cursor, struct str *ret_place)
{
    struct str bytes, place;

    if (decode(a, cursor, &bytes) != RES_OK || bytes.len < MAC_BYTES)
        return RES_INVALID;
    place = str_from(bytes, MAC_BYTES);
    if (!bytes_equal_secret(str_sub(bytes, 0, MAC_BYTES), mac(a, binding, place)))
        return RES_INVALID;
    *ret_place = place;
    return RES_OK;
}
