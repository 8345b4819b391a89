#include "deliver/srs.h"
#include "base/encode.h"
#include "mail/address.h"

#include <openssl/hmac.h>
#include <string.h>

#define KEY_MAX 64
#define HASH_CHARS 6    /* of base 32: 30 bits, for an address that ends after three weeks */
#define DAYS 1024       /* the day's number goes around */
#define MAX_AGE_DAYS 21

static const char alphabet[] = "abcdefghijklmnopqrstuvwxyz234567";
static unsigned char key[KEY_MAX];
static size_t key_len;

void srs_set_key(struct str value)
{
    key_len = MIN(value.len, sizeof(key));
    memcpy(key, value.p, key_len);
}

/* Case may be lost on the way, so hash and day are in lower case, and what is hashed is, too. */
static struct str hash_of(struct arena *a, struct str text)
{
    struct str lower = arena_lower(a, text);
    unsigned char mac[EVP_MAX_MD_SIZE];
    unsigned len = 0;
    char *out = arena_alloc(a, HASH_CHARS + 1);

    HMAC(EVP_sha256(), key, (int)key_len, (const unsigned char *)lower.p, lower.len, mac, &len);
    for (size_t i = 0; i < HASH_CHARS; i++)
        out[i] = alphabet[mac[i] & 31];
    return str_of(out, HASH_CHARS);
}

static unsigned today(void)
{
    return (unsigned)(wall_us() / 1000000 / 86400 % DAYS);
}

static struct str day_print(struct arena *a, unsigned day)
{
    char *out = arena_alloc(a, 3);

    out[0] = alphabet[day >> 5 & 31];
    out[1] = alphabet[day & 31];
    return str_of(out, 2);
}

static bool day_is_recent(struct str text)
{
    const char *high, *low;
    unsigned day;

    if (text.len != 2 || (high = strchr(alphabet, ascii_lower(text.p[0]))) == NULL ||
        (low = strchr(alphabet, ascii_lower(text.p[1]))) == NULL || *high == '\0' || *low == '\0')
        return false;
    day = (unsigned)(high - alphabet) << 5 | (unsigned)(low - alphabet);
    return (today() + DAYS - day) % DAYS <= MAX_AGE_DAYS;
}

static bool is_srs(struct str local, char number)
{
    return local.len > 5 && str_istarts(local, STR("SRS")) && local.p[3] == number && strchr("=+-", local.p[4]) != NULL;
}

struct str srs_forward(struct arena *a, struct str reverse_path, struct str ours)
{
    struct str local, domain, rest, rewritten;

    if (reverse_path.len == 0 || key_len == 0 || address_parse_mailbox(reverse_path, true, a, &local, &domain) != RES_OK ||
        str_ieq(domain, ours) || address_is_literal(domain))
        return reverse_path;
    if (is_srs(local, '0')) { /* the first forwarder finds its own way back */
        rest = arena_printf(a, "%.*s=%c%.*s", STR_ARG(domain), local.p[4], STR_ARG(str_from(local, 5)));
        rewritten = arena_printf(a, "SRS1=%.*s=%.*s", STR_ARG(hash_of(a, rest)), STR_ARG(rest));
    } else if (is_srs(local, '1') && str_chr(str_from(local, 5), '=') != SIZE_MAX) {
        rest = str_from(local, 5 + str_chr(str_from(local, 5), '=') + 1);
        rewritten = arena_printf(a, "SRS1=%.*s=%.*s", STR_ARG(hash_of(a, rest)), STR_ARG(rest));
    } else {
        rest = arena_printf(a, "%.*s=%.*s=%.*s", STR_ARG(day_print(a, today())), STR_ARG(domain), STR_ARG(local));
        rewritten = arena_printf(a, "SRS0=%.*s=%.*s", STR_ARG(hash_of(a, rest)), STR_ARG(rest));
    }
    if (rewritten.len > ADDRESS_MAX_LOCAL) /* RFC 5321, 4.5.3.1.1; others would refuse it */
        return reverse_path;
    return address_write_mailbox(a, rewritten, ours);
}

enum result srs_reverse(struct arena *a, struct str local, struct str *ret_address)
{
    bool first = is_srs(local, '0');
    struct str rest, hash, day, domain;

    if ((!first && !is_srs(local, '1')) || key_len == 0)
        return RES_NOTFOUND;
    rest = str_from(local, 5);
    if (!str_split(&rest, '=', &hash) || !str_eq(arena_lower(a, hash), hash_of(a, rest)))
        return RES_INVALID;
    if (first && (!str_split(&rest, '=', &day) || !day_is_recent(day)))
        return RES_INVALID;
    if (!str_split(&rest, '=', &domain) || rest.len == 0)
        return RES_INVALID;
    *ret_address = first ? address_write_mailbox(a, rest, domain)
                         : address_write_mailbox(a, arena_printf(a, "SRS0%.*s", STR_ARG(rest)), domain);
    return RES_OK;
}
