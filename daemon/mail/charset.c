#include "mail/charset.h"
#include "base/strbuf.h"

#include <errno.h>
#include <iconv.h>

#define REPLACEMENT "\xef\xbf\xbd" /* U+FFFD */

enum { CHARSET_UNKNOWN, CHARSET_UTF8, CHARSET_WINDOWS_1252, CHARSET_ICONV };

static const struct charset {
    const char *name; /* lower case */
    const char *iconv;
} charsets[] = {
    { "iso-8859-2", "ISO-8859-2" },
    { "iso-8859-3", "ISO-8859-3" },
    { "iso-8859-4", "ISO-8859-4" },
    { "iso-8859-5", "ISO-8859-5" },
    { "iso-8859-6", "ISO-8859-6" },
    { "iso-8859-7", "ISO-8859-7" },
    { "iso-8859-8", "ISO-8859-8" },
    { "iso-8859-8-i", "ISO-8859-8" },
    { "iso-8859-9", "ISO-8859-9" },
    { "iso-8859-10", "ISO-8859-10" },
    { "iso-8859-11", "ISO-8859-11" },
    { "iso-8859-13", "ISO-8859-13" },
    { "iso-8859-14", "ISO-8859-14" },
    { "iso-8859-15", "ISO-8859-15" },
    { "iso-8859-16", "ISO-8859-16" },
    { "latin2", "ISO-8859-2" },
    { "latin-9", "ISO-8859-15" },
    { "latin9", "ISO-8859-15" },
    { "windows-1250", "CP1250" },
    { "windows-1251", "CP1251" },
    { "windows-1253", "CP1253" },
    { "windows-1254", "CP1254" },
    { "windows-1255", "CP1255" },
    { "windows-1256", "CP1256" },
    { "windows-1257", "CP1257" },
    { "windows-1258", "CP1258" },
    { "cp1250", "CP1250" },
    { "cp1251", "CP1251" },
    { "cp437", "CP437" },
    { "ibm437", "CP437" },
    { "cp850", "CP850" },
    { "ibm850", "CP850" },
    { "cp852", "CP852" },
    { "ibm852", "CP852" },
    { "cp866", "CP866" },
    { "ibm866", "CP866" },
    { "koi8-r", "KOI8-R" },
    { "koi8-u", "KOI8-U" },
    { "macintosh", "MACINTOSH" },
    { "tis-620", "TIS-620" },
    { "windows-874", "CP874" },
    { "viscii", "VISCII" },
    { "gb2312", "GB18030" },
    { "gbk", "GB18030" },
    { "gb18030", "GB18030" },
    { "cp936", "GB18030" },
    { "big5", "BIG5" },
    { "big5-hkscs", "BIG5-HKSCS" },
    { "shift_jis", "CP932" },
    { "shift-jis", "CP932" },
    { "sjis", "CP932" },
    { "x-sjis", "CP932" },
    { "windows-31j", "CP932" },
    { "cp932", "CP932" },
    { "euc-jp", "EUC-JP" },
    { "iso-2022-jp", "ISO-2022-JP" },
    { "euc-kr", "CP949" },
    { "ks_c_5601-1987", "CP949" },
    { "cp949", "CP949" },
    { "iso-2022-kr", "ISO-2022-KR" },
    { "utf-7", "UTF-7" },
    { "utf-16", "UTF-16" },
    { "utf-16le", "UTF-16LE" },
    { "utf-16be", "UTF-16BE" },
    { "utf-32", "UTF-32" },
    { "utf-32le", "UTF-32LE" },
    { "utf-32be", "UTF-32BE" },
};

/* 0x80 to 0x9f of Windows-1252; the rest is ISO-8859-1. */
static const uint16_t windows_1252[32] = {
    0x20ac, 0xfffd, 0x201a, 0x0192, 0x201e, 0x2026, 0x2020, 0x2021, 0x02c6, 0x2030, 0x0160,
    0x2039, 0x0152, 0xfffd, 0x017d, 0xfffd, 0xfffd, 0x2018, 0x2019, 0x201c, 0x201d, 0x2022,
    0x2013, 0x2014, 0x02dc, 0x2122, 0x0161, 0x203a, 0x0153, 0xfffd, 0x017e, 0x0178,
};

size_t utf8_put(char *p, uint32_t c)
{
    if (c < 0x80) {
        p[0] = (char)c;
        return 1;
    }
    if (c < 0x800) {
        p[0] = (char)(0xc0 | c >> 6);
        p[1] = (char)(0x80 | (c & 0x3f));
        return 2;
    }
    if (c < 0x10000) {
        p[0] = (char)(0xe0 | c >> 12);
        p[1] = (char)(0x80 | (c >> 6 & 0x3f));
        p[2] = (char)(0x80 | (c & 0x3f));
        return 3;
    }
    p[0] = (char)(0xf0 | c >> 18);
    p[1] = (char)(0x80 | (c >> 12 & 0x3f));
    p[2] = (char)(0x80 | (c >> 6 & 0x3f));
    p[3] = (char)(0x80 | (c & 0x3f));
    return 4;
}

/* Length of the well-formed character at the start of s; 0 when there is none, or it is NUL. */
static size_t utf8_char(struct str s)
{
    unsigned char c = (unsigned char)s.p[0];
    size_t len = c < 0x80 ? 1 : c < 0xe0 ? 2 : c < 0xf0 ? 3 : 4;

    return s.len >= len && str_is_utf8(str_of(s.p, len)) ? len : 0;
}

struct str utf8_clean(struct arena *a, struct str s)
{
    size_t n = 0, len;
    char *p;

    if (str_is_utf8(s))
        return s;
    for (size_t i = 0; i < s.len; i += MAX(len, (size_t)1)) {
        len = utf8_char(str_from(s, i));
        n += len != 0 ? len : 3;
    }
    p = arena_alloc(a, n + 1);
    n = 0;
    for (size_t i = 0; i < s.len; i += MAX(len, (size_t)1)) {
        len = utf8_char(str_from(s, i));
        memcpy(p + n, len != 0 ? s.p + i : REPLACEMENT, len != 0 ? len : 3);
        n += len != 0 ? len : 3;
    }
    return str_of(p, n);
}

struct str utf8_cut_bytes(struct str s, size_t n)
{
    if (s.len <= n)
        return s;
    while (n > 0 && ((unsigned char)s.p[n] & 0xc0) == 0x80)
        n--;
    return str_of(s.p, n);
}

struct str utf8_cut_chars(struct str s, size_t n)
{
    if (s.len <= n)
        return s;
    for (size_t i = 0; i < s.len; i++) {
        if (((unsigned char)s.p[i] & 0xc0) == 0x80)
            continue;
        if (n-- == 0)
            return str_of(s.p, i);
    }
    return s;
}

static struct str from_windows_1252(struct arena *a, struct str s)
{
    char *p = arena_alloc(a, s.len * 3 + 1);
    size_t n = 0;

    for (size_t i = 0; i < s.len; i++) {
        unsigned char c = (unsigned char)s.p[i];

        n += utf8_put(p + n, c == 0 ? 0xfffd : c >= 0x80 && c < 0xa0 ? windows_1252[c - 0x80] : c);
    }
    return str_of(p, n);
}

/* Converts what it can; what it cannot becomes U+FFFD, a byte at a time. */
static struct str from_iconv(struct arena *a, struct str s, iconv_t cd)
{
    CLEANUP(strbuf_release) struct strbuf out = { 0 };
    char *in = (char *)(uintptr_t)s.p;
    size_t left = s.len;

    while (left > 0) {
        size_t want = left * 2 + 16, room = want, done;
        char *to = strbuf_room(&out, want);

        done = iconv(cd, &in, &left, &to, &room);
        out.len += want - room;
        if (done != (size_t)-1 || errno == E2BIG)
            continue;
        strbuf_adds(&out, REPLACEMENT);
        if (errno == EINVAL) /* the last character is incomplete */
            break;
        in++;
        left--;
    }
    return utf8_clean(a, arena_str(a, strbuf_str(&out)));
}

static int charset_kind(struct str name, const char **ret_iconv)
{
    static const struct str utf8[] = { { "utf-8", 5 }, { "utf8", 4 }, { "us-ascii", 8 }, { "ascii", 5 }, { "", 0 } };
    static const struct str latin1[] = { { "iso-8859-1", 10 }, { "windows-1252", 12 }, { "latin1", 6 },
                                         { "cp1252", 6 },      { "iso8859-1", 9 },     { "iso_8859-1", 10 } };

    for (size_t i = 0; i < ARRAY_LEN(utf8); i++) {
        if (str_ieq(name, utf8[i]))
            return CHARSET_UTF8;
    }
    for (size_t i = 0; i < ARRAY_LEN(latin1); i++) {
        if (str_ieq(name, latin1[i]))
            return CHARSET_WINDOWS_1252;
    }
    for (size_t i = 0; i < ARRAY_LEN(charsets); i++) {
        if (str_ieq(name, str_c(charsets[i].name))) {
            *ret_iconv = charsets[i].iconv;
            return CHARSET_ICONV;
        }
    }
    return CHARSET_UNKNOWN;
}

struct str charset_to_utf8(struct arena *a, struct str s, struct str charset)
{
    const char *name = NULL;
    struct str out;
    iconv_t cd;

    switch (charset_kind(str_trim(charset), &name)) {
    case CHARSET_UTF8:
        return utf8_clean(a, s);
    case CHARSET_WINDOWS_1252:
        return str_is_utf8(s) && str_is_ascii(s) ? s : from_windows_1252(a, s);
    case CHARSET_ICONV:
        cd = iconv_open("UTF-8", name);
        if (cd == (iconv_t)-1) /* this libc lacks the converter */
            break;
        out = from_iconv(a, s, cd);
        iconv_close(cd);
        return out;
    default:
        break;
    }
    return str_is_utf8(s) ? s : from_windows_1252(a, s);
}
