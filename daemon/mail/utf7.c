#include "mail/utf7.h"
#include "base/strbuf.h"
#include "mail/charset.h"

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+,";

static int digit(char c)
{
    const char *at = c == '\0' ? NULL : strchr(alphabet, c);

    return at == NULL ? -1 : (int)(at - alphabet);
}

static bool printable(unsigned char c)
{
    return c >= 0x20 && c <= 0x7e;
}

/* Decodes the digits between "&" and "-" to UTF-8 at *out. */
static bool decode_run(struct str digits, char **out)
{
    uint32_t bits = 0, high = 0;
    unsigned nbits = 0;

    for (size_t i = 0; i < digits.len; i++) {
        int d = digit(digits.p[i]);
        uint32_t unit;

        if (d < 0)
            return false;
        bits = bits << 6 | (uint32_t)d;
        nbits += 6;
        if (nbits < 16)
            continue;
        nbits -= 16;
        unit = bits >> nbits & 0xffff;
        bits &= (1u << nbits) - 1;
        if (high != 0) {
            if (unit < 0xdc00 || unit > 0xdfff)
                return false;
            *out += utf8_put(*out, 0x10000 + ((high - 0xd800) << 10) + (unit - 0xdc00));
            high = 0;
        } else if (unit >= 0xd800 && unit <= 0xdbff) {
            high = unit;
        } else if (unit == 0 || (unit >= 0xdc00 && unit <= 0xdfff)) {
            return false;
        } else {
            *out += utf8_put(*out, unit);
        }
    }
    return high == 0;
}

enum result utf7_decode(struct arena *a, struct str wire, struct str *ret_utf8)
{
    /* Eight digits are three code units, which can be nine bytes. */
    char *buf = arena_alloc(a, wire.len + wire.len / 8 + 8), *out = buf;
    struct str decoded;

    for (size_t i = 0; i < wire.len; i++) {
        struct str digits;
        size_t end;

        if (!printable((unsigned char)wire.p[i]))
            return RES_INVALID;
        if (wire.p[i] != '&') {
            *out++ = wire.p[i];
            continue;
        }
        end = str_chr(str_from(wire, i + 1), '-');
        if (end == SIZE_MAX)
            return RES_INVALID;
        digits = str_sub(wire, i + 1, end);
        if (digits.len == 0)
            *out++ = '&';
        else if (!decode_run(digits, &out))
            return RES_INVALID;
        i += end + 1;
    }
    decoded = str_of(buf, (size_t)(out - buf));
    if (!str_eq(utf7_encode(a, decoded), wire))
        return RES_INVALID; /* encoded ASCII, needless shifts, bits left over: there is one right form */
    *ret_utf8 = decoded;
    return RES_OK;
}

/* Takes one code point from *s. */
static uint32_t next_code_point(struct str *s)
{
    unsigned char c = (unsigned char)s->p[0];
    size_t more = c < 0x80 ? 0 : c < 0xe0 ? 1 : c < 0xf0 ? 2 : 3;
    uint32_t v = c < 0x80 ? c : c & (0x3fu >> more);

    more = MIN(more, s->len - 1);
    for (size_t i = 1; i <= more; i++)
        v = v << 6 | ((unsigned char)s->p[i] & 0x3f);
    *s = str_from(*s, more + 1);
    return v;
}

struct bit_writer {
    char *out;
    uint32_t bits;
    unsigned nbits;
};

static void put_unit(struct bit_writer *w, uint32_t unit)
{
    w->bits = w->bits << 16 | unit;
    w->nbits += 16;
    while (w->nbits >= 6) {
        w->nbits -= 6;
        *w->out++ = alphabet[w->bits >> w->nbits & 63];
    }
    w->bits &= (1u << w->nbits) - 1;
}

struct str utf7_encode(struct arena *a, struct str utf8)
{
    /* A run of one two-byte character takes 5 bytes, an "&" two. */
    char *buf = arena_alloc(a, utf8.len * 3 + 8);
    struct bit_writer w = { .out = buf };
    bool shifted = false;

    if (!str_is_utf8(utf8))
        return STR("");
    while (utf8.len > 0) {
        uint32_t c = next_code_point(&utf8);
        bool plain = c < 0x80 && printable((unsigned char)c);

        if (shifted && plain) {
            if (w.nbits > 0)
                *w.out++ = alphabet[w.bits << (6 - w.nbits) & 63];
            *w.out++ = '-';
            w.bits = 0;
            w.nbits = 0;
            shifted = false;
        }
        if (plain) {
            *w.out++ = (char)c;
            if (c == '&')
                *w.out++ = '-';
            continue;
        }
        if (!shifted)
            *w.out++ = '&';
        shifted = true;
        if (c >= 0x10000) {
            put_unit(&w, 0xd800 + ((c - 0x10000) >> 10));
            put_unit(&w, 0xdc00 + ((c - 0x10000) & 0x3ff));
        } else {
            put_unit(&w, c);
        }
    }
    if (shifted) {
        if (w.nbits > 0)
            *w.out++ = alphabet[w.bits << (6 - w.nbits) & 63];
        *w.out++ = '-';
    }
    return str_of(buf, (size_t)(w.out - buf));
}
