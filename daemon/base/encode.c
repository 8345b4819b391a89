#include "base/encode.h"
#include "base/strbuf.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>
#include <time.h>

static const char B64[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
static const char B64URL[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
static const char B32[] = "0123456789abcdefghjkmnpqrstvwxyz";

static struct str encode64(struct arena *a, struct str s, const char *alphabet, bool pad)
{
    char *out = arena_alloc(a, (s.len + 2) / 3 * 4 + 1);
    const unsigned char *p = (const unsigned char *)s.p;
    size_t n = 0;

    for (size_t i = 0; i < s.len; i += 3) {
        size_t left = s.len - i;
        uint32_t v = (uint32_t)p[i] << 16;

        if (left > 1)
            v |= (uint32_t)p[i + 1] << 8;
        if (left > 2)
            v |= p[i + 2];
        out[n++] = alphabet[v >> 18];
        out[n++] = alphabet[v >> 12 & 63];
        if (left > 1)
            out[n++] = alphabet[v >> 6 & 63];
        else if (pad)
            out[n++] = '=';
        if (left > 2)
            out[n++] = alphabet[v & 63];
        else if (pad)
            out[n++] = '=';
    }
    return str_of(out, n);
}

struct str base64_encode(struct arena *a, struct str s)
{
    return encode64(a, s, B64, true);
}

struct str base64url_encode(struct arena *a, struct str s)
{
    return encode64(a, s, B64URL, false);
}

static int value64(char c)
{
    if (c >= 'A' && c <= 'Z')
        return c - 'A';
    if (c >= 'a' && c <= 'z')
        return c - 'a' + 26;
    if (c >= '0' && c <= '9')
        return c - '0' + 52;
    if (c == '+')
        return 62;
    if (c == '/')
        return 63;
    return -1;
}

enum result base64_decode(struct arena *a, struct str s, struct str *ret_bytes)
{
    char *out;
    size_t n = 0, pad = 0;

    if (s.len % 4 != 0)
        return RES_INVALID;
    if (s.len > 0 && s.p[s.len - 1] == '=')
        pad = s.p[s.len - 2] == '=' ? 2 : 1;
    out = arena_alloc(a, s.len / 4 * 3 + 1);
    for (size_t i = 0; i < s.len; i += 4) {
        bool last = i + 4 == s.len;
        uint32_t v = 0;

        for (size_t k = 0; k < 4; k++) {
            int d = last && k >= 4 - pad ? 0 : value64(s.p[i + k]);

            if (d < 0)
                return RES_INVALID;
            v = v << 6 | (uint32_t)d;
        }
        out[n++] = (char)(v >> 16);
        if (!last || pad < 2)
            out[n++] = (char)(v >> 8);
        if (!last || pad < 1)
            out[n++] = (char)v;
    }
    *ret_bytes = str_of(out, n);
    return RES_OK;
}

struct str hex_encode(struct arena *a, struct str s)
{
    static const char digits[] = "0123456789abcdef";
    char *out = arena_alloc(a, s.len * 2 + 1);

    for (size_t i = 0; i < s.len; i++) {
        out[2 * i] = digits[(unsigned char)s.p[i] >> 4];
        out[2 * i + 1] = digits[(unsigned char)s.p[i] & 15];
    }
    return str_of(out, s.len * 2);
}

static int value16(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c = ascii_lower(c);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

enum result hex_decode(struct arena *a, struct str s, struct str *ret_bytes)
{
    char *out;

    if (s.len % 2 != 0)
        return RES_INVALID;
    out = arena_alloc(a, s.len / 2 + 1);
    for (size_t i = 0; i < s.len; i += 2) {
        int hi = value16(s.p[i]), lo = value16(s.p[i + 1]);

        if (hi < 0 || lo < 0)
            return RES_INVALID;
        out[i / 2] = (char)(hi << 4 | lo);
    }
    *ret_bytes = str_of(out, s.len / 2);
    return RES_OK;
}

struct str id_text(char out[ID_TEXT_MAX], char kind, int64_t id)
{
    size_t n = ID_TEXT_MAX;
    uint64_t v = (uint64_t)id;

    do {
        out[--n] = B32[v & 31];
        v >>= 5;
    } while (v != 0);
    out[--n] = kind;
    return str_of(out + n, ID_TEXT_MAX - n);
}

struct str id_encode(struct arena *a, char kind, int64_t id)
{
    char text[ID_TEXT_MAX];

    return arena_str(a, id_text(text, kind, id));
}

bool id_decode(char kind, struct str text, int64_t *ret_id)
{
    uint64_t v = 0;

    if (text.len < 2 || text.len > 14 || text.p[0] != kind || text.p[1] == '0')
        return false;
    for (size_t i = 1; i < text.len; i++) {
        const char *d = text.p[i] == '\0' ? NULL : strchr(B32, text.p[i]);

        if (d == NULL || v >> 58 != 0)
            return false;
        v = v << 5 | (uint64_t)(d - B32);
    }
    if (v > INT64_MAX)
        return false;
    *ret_id = (int64_t)v;
    return true;
}

void random_bytes(void *p, size_t n)
{
    char *at = p;

    while (n > 0) {
        ssize_t got = getrandom(at, n, 0);

        if (got < 0) {
            if (errno == EINTR)
                continue;
            perror("could not get random bytes");
            abort();
        }
        at += got;
        n -= (size_t)got;
    }
}

struct str random_id(struct arena *a)
{
    unsigned char bytes[10];
    char *out = arena_alloc(a, sizeof(bytes) + 1);

    random_bytes(bytes, sizeof(bytes));
    for (size_t i = 0; i < sizeof(bytes); i++)
        out[i] = B32[bytes[i] & 31];
    return str_of(out, sizeof(bytes));
}

int64_t mono_ms(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

int64_t wall_us(void)
{
    struct timespec t;

    clock_gettime(CLOCK_REALTIME, &t);
    return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

bool bytes_equal_secret(struct str a, struct str b)
{
    unsigned char d = 0;

    if (a.len != b.len)
        return false;
    for (size_t i = 0; i < a.len; i++)
        d |= (unsigned char)(a.p[i] ^ b.p[i]);
    return d == 0;
}

struct str base32_encode(struct arena *a, struct str s)
{
    static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
    char *text = arena_alloc(a, s.len * 8 / 5 + 1);
    size_t n = 0;
    unsigned bits = 0, have = 0;

    for (size_t i = 0; i < s.len; i++) {
        bits = (bits << 8 | (unsigned char)s.p[i]) & 0xfff;
        for (have += 8; have >= 5; have -= 5)
            text[n++] = alphabet[bits >> (have - 5) & 31];
    }
    if (have > 0)
        text[n++] = alphabet[bits << (5 - have) & 31];
    return str_of(text, n);
}

void json_add_string(struct strbuf *b, struct str s)
{
    bool utf8 = str_is_utf8(s);

    strbuf_addc(b, '"');
    for (size_t i = 0; i < s.len; i++) {
        unsigned char c = (unsigned char)s.p[i];

        if (c == '"' || c == '\\')
            strbuf_addf(b, "\\%c", c);
        else if (c == '\n')
            strbuf_adds(b, "\\n");
        else if (c == '\r')
            strbuf_adds(b, "\\r");
        else if (c < 0x20 || c == 0x7f || (c >= 0x80 && !utf8))
            strbuf_addf(b, "\\u%04x", c);
        else
            strbuf_addc(b, (char)c);
    }
    strbuf_addc(b, '"');
}
