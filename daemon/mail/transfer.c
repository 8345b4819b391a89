#include "mail/transfer.h"
#include "base/encode.h"

#define LINE_MAX_ENCODED ((size_t)76)

static int base64_value(char c)
{
    if (c >= 'A' && c <= 'Z')
        return c - 'A';
    if (c >= 'a' && c <= 'z')
        return c - 'a' + 26;
    if (c >= '0' && c <= '9')
        return c - '0' + 52;
    return c == '+' ? 62 : c == '/' ? 63 : -1;
}

struct str transfer_base64_decode(struct arena *a, struct str s)
{
    char *p = arena_alloc(a, s.len / 4 * 3 + 4);
    size_t n = 0;
    uint32_t bits = 0;
    unsigned have = 0; /* characters of the open group */

    for (size_t i = 0; i < s.len; i++) {
        int v = base64_value(s.p[i]);

        if (v < 0 && s.p[i] != '=')
            continue;
        if (v >= 0) {
            bits = bits << 6 | (uint32_t)v;
            have++;
        }
        if (have == 4 || (v < 0 && have > 0)) {
            bits <<= 6 * (4 - have);
            for (unsigned k = 0; k + 1 < have; k++)
                p[n++] = (char)(bits >> (16 - 8 * k));
            bits = have = 0;
        }
    }
    if (have > 1) {
        bits <<= 6 * (4 - have);
        for (unsigned k = 0; k + 1 < have; k++)
            p[n++] = (char)(bits >> (16 - 8 * k));
    }
    return str_of(p, n);
}

static int hex_value(char c)
{
    if (ascii_digit(c))
        return c - '0';
    c = ascii_lower(c);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Bytes from `at` on that are blanks up to a line end (included) or the end of s; 0 when there is something else. */
static size_t blank_line_end(struct str s, size_t at)
{
    size_t i = at;

    while (i < s.len && (s.p[i] == ' ' || s.p[i] == '\t' || s.p[i] == '\r'))
        i++;
    if (i == s.len)
        return i - at;
    return s.p[i] == '\n' ? i + 1 - at : 0;
}

struct str transfer_qp_decode(struct arena *a, struct str s)
{
    char *p = arena_alloc(a, s.len + 1);
    size_t n = 0, solid = 0; /* solid: output that trailing blanks may not take back */

    for (size_t i = 0; i < s.len; i++) {
        char c = s.p[i];

        if (c == '\n') {
            bool crlf = n > solid && p[n - 1] == '\r';

            n -= crlf;
            while (n > solid && (p[n - 1] == ' ' || p[n - 1] == '\t'))
                n--;
            if (crlf)
                p[n++] = '\r';
            p[n++] = '\n';
            solid = n;
        } else if (c == '=' && i + 2 < s.len && hex_value(s.p[i + 1]) >= 0 && hex_value(s.p[i + 2]) >= 0) {
            p[n++] = (char)(hex_value(s.p[i + 1]) << 4 | hex_value(s.p[i + 2]));
            solid = n;
            i += 2;
        } else if (c == '=' && (i + 1 == s.len || blank_line_end(s, i + 1) > 0)) {
            i += blank_line_end(s, i + 1); /* soft line break */
            solid = n;
        } else {
            p[n++] = c;
        }
    }
    return str_of(p, n);
}

struct str transfer_decode(struct arena *a, struct str s, enum mail_encoding encoding)
{
    switch (encoding) {
    case MAIL_BASE64:
        return transfer_base64_decode(a, s);
    case MAIL_QP:
        return transfer_qp_decode(a, s);
    default:
        return s;
    }
}

struct str transfer_base64_encode(struct arena *a, struct str s)
{
    struct str flat = base64_encode(a, s);
    char *p = arena_alloc(a, flat.len + (flat.len / LINE_MAX_ENCODED + 1) * 2 + 1);
    size_t n = 0;

    for (size_t i = 0; i < flat.len; i += LINE_MAX_ENCODED) {
        size_t len = MIN(LINE_MAX_ENCODED, flat.len - i);

        memcpy(p + n, flat.p + i, len);
        n += len;
        p[n++] = '\r';
        p[n++] = '\n';
    }
    return str_of(p, n);
}

struct str transfer_qp_encode(struct arena *a, struct str s)
{
    static const char hex[] = "0123456789ABCDEF";
    char *p = arena_alloc(a, s.len * 5 + 8); /* at worst "=XX" each, and "=CRLF" after 25 of them */
    size_t n = 0, column = 0;

    for (size_t i = 0; i < s.len; i++) {
        unsigned char c = (unsigned char)s.p[i];
        bool last = i + 1 == s.len || s.p[i + 1] == '\n' || s.p[i + 1] == '\r';
        bool plain = c >= 33 && c <= 126 && c != '=';

        if (c == '\n' || (c == '\r' && i + 1 < s.len && s.p[i + 1] == '\n')) {
            if (c == '\r')
                i++;
            p[n++] = '\r';
            p[n++] = '\n';
            column = 0;
            continue;
        }
        if ((c == ' ' || c == '\t') && !last)
            plain = true;
        if (column + (plain ? 1 : 3) > LINE_MAX_ENCODED - 1) {
            p[n++] = '=';
            p[n++] = '\r';
            p[n++] = '\n';
            column = 0;
        }
        if (plain) {
            p[n++] = (char)c;
            column++;
        } else {
            p[n++] = '=';
            p[n++] = hex[c >> 4];
            p[n++] = hex[c & 15];
            column += 3;
        }
    }
    return str_of(p, n);
}
