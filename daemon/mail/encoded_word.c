/* Encoded words in header fields (RFC 2047), both ways. */
#include "base/encode.h"
#include "mail/charset.h"
#include "mail/header.h"
#include "mail/transfer.h"

#define CHARSET_NAME_MAX ((size_t)80)
#define LINE_WIDTH       ((size_t)76)
#define WORD_WIDTH       ((size_t)75)  /* RFC 2047, 2 */
#define WORD_HARD        ((size_t)900) /* RFC 5322, 2.1.1 allows lines of 998 */
#define WORD_START       "=?utf-8?q?"
#define WORD_END         "?="

struct word {
    struct str charset; /* without language (RFC 2231, 5) */
    char encoding;      /* 'b' or 'q' */
    struct str text;
    size_t len; /* of all of it */
};

/* An encoded word at s.p[at]?  More lenient than RFC 2047, 2: any length, blanks in the text. */
static bool read_encoded_word(struct str s, size_t at, struct word *ret)
{
    struct str rest = str_from(s, at);
    size_t charset_end, end;

    if (rest.len < 8 || rest.p[0] != '=' || rest.p[1] != '?')
        return false;
    charset_end = str_chr(str_sub(rest, 2, CHARSET_NAME_MAX), '?');
    if (charset_end == SIZE_MAX || charset_end == 0)
        return false;
    charset_end += 2;
    if (rest.len < charset_end + 5 || rest.p[charset_end + 2] != '?')
        return false;
    ret->encoding = ascii_lower(rest.p[charset_end + 1]);
    if (ret->encoding != 'b' && ret->encoding != 'q')
        return false;
    end = str_chr(str_from(rest, charset_end + 3), '?');
    if (end == SIZE_MAX || charset_end + 3 + end + 1 >= rest.len || rest.p[charset_end + 3 + end + 1] != '=')
        return false;
    ret->charset = str_sub(rest, 2, charset_end - 2);
    ret->charset = str_sub(ret->charset, 0, str_chr(ret->charset, '*'));
    ret->text = str_sub(rest, charset_end + 3, end);
    ret->len = charset_end + 3 + end + 2;
    return true;
}

static struct str word_bytes(struct arena *a, const struct word *w)
{
    char *p;

    if (w->encoding == 'b')
        return transfer_base64_decode(a, w->text);
    p = arena_alloc(a, w->text.len + 1);
    for (size_t i = 0; i < w->text.len; i++)
        p[i] = w->text.p[i] == '_' ? ' ' : w->text.p[i];
    return transfer_qp_decode(a, str_of(p, w->text.len));
}

/* Decodes the run of encoded words at s.p[*at], which blanks alone separate (they vanish, RFC 2047, 6.2).  Words of the
 * same charset are joined before the conversion: some programs cut between the bytes of a character. */
static void add_words(struct arena *a, struct str s, size_t *at, struct word *w, struct strbuf *out)
{
    CLEANUP(strbuf_release) struct strbuf bytes = { 0 };
    struct str charset = w->charset;

    for (;;) {
        size_t next = *at + w->len;

        strbuf_add(&bytes, word_bytes(a, w));
        *at = next;
        while (next < s.len && (s.p[next] == ' ' || s.p[next] == '\t'))
            next++;
        if (next >= s.len || !read_encoded_word(s, next, w))
            break;
        *at = next;
        if (!str_ieq(w->charset, charset)) {
            strbuf_add(out, charset_to_utf8(a, strbuf_str(&bytes), charset));
            strbuf_reset(&bytes);
            charset = w->charset;
        }
    }
    strbuf_add(out, charset_to_utf8(a, strbuf_str(&bytes), charset));
}

/* Controls become blanks, so that decoded text stays one line. */
static struct str without_controls(struct arena *a, struct str s)
{
    char *p = NULL;

    for (size_t i = 0; i < s.len; i++) {
        if ((unsigned char)s.p[i] >= 32 && s.p[i] != 127)
            continue;
        if (p == NULL) {
            p = arena_cstr(a, s);
            s.p = p;
        }
        p[i] = ' ';
    }
    return s;
}

struct str header_decode(struct arena *a, struct str value)
{
    CLEANUP(strbuf_release) struct strbuf out = { 0 };
    struct str s = header_unfold(a, value);
    size_t at = 0, from = 0;
    struct word w;

    if (str_find(s, STR("=?")) == SIZE_MAX)
        return without_controls(a, utf8_clean(a, s));
    while (at < s.len) {
        if (s.p[at] != '=' || !read_encoded_word(s, at, &w)) {
            at++;
            continue;
        }
        strbuf_add(&out, utf8_clean(a, str_sub(s, from, at - from)));
        add_words(a, s, &at, &w, &out);
        from = at;
    }
    strbuf_add(&out, utf8_clean(a, str_from(s, from)));
    return without_controls(a, arena_str(a, strbuf_str(&out)));
}

/* May stand as it is: printable ASCII, nothing that reads as an encoded word, no word too long for a line. */
static bool printable(struct str s)
{
    size_t word = 0;

    for (size_t i = 0; i < s.len; i++) {
        word = s.p[i] == ' ' ? 0 : word + 1;
        if (s.p[i] < 32 || s.p[i] > 126 || word > WORD_HARD)
            return false;
    }
    return str_find(s, STR("=?")) == SIZE_MAX;
}

/* Breaks before a blank run when the word behind it would pass the width; blanks are kept. */
static void add_folded(struct strbuf *out, struct str text, size_t column)
{
    size_t at = 0;

    while (at < text.len) {
        size_t end = at;

        while (end < text.len && text.p[end] == ' ')
            end++;
        while (end < text.len && text.p[end] != ' ')
            end++;
        if (at > 0 && column + (end - at) > LINE_WIDTH) {
            strbuf_adds(out, "\r\n");
            column = 0;
        }
        strbuf_add(out, str_sub(text, at, end - at));
        column += end - at;
        at = end;
    }
}

/* One character in the Q encoding that is safe in every place (RFC 2047, 5 (3)); its length is at most 12. */
static size_t q_char(char *p, struct str c)
{
    static const char hex[] = "0123456789ABCDEF";
    size_t n = 0;

    for (size_t i = 0; i < c.len; i++) {
        unsigned char b = (unsigned char)c.p[i];

        if (ascii_alnum(c.p[i]) || b == '!' || b == '*' || b == '+' || b == '-' || b == '/') {
            p[n++] = c.p[i];
        } else if (b == ' ') {
            p[n++] = '_';
        } else {
            p[n++] = '=';
            p[n++] = hex[b >> 4];
            p[n++] = hex[b & 15];
        }
    }
    return n;
}

/* Encoded words of whole characters, one a line. */
static void add_encoded(struct strbuf *out, struct str text, size_t column)
{
    size_t at = 0, used = 0; /* used: width of the open word, 0 when none is open */
    char q[12];

    if (column > LINE_WIDTH - 24) {
        strbuf_adds(out, "\r\n ");
        column = 1;
    }
    while (at < text.len) {
        size_t len = 1, n;

        while (at + len < text.len && ((unsigned char)text.p[at + len] & 0xc0) == 0x80)
            len++;
        n = q_char(q, str_sub(text, at, len));
        if (used > 0 && column + used + n + strlen(WORD_END) > WORD_WIDTH) {
            strbuf_adds(out, WORD_END "\r\n ");
            column = 1;
            used = 0;
        }
        if (used == 0) {
            strbuf_adds(out, WORD_START);
            used = strlen(WORD_START);
        }
        strbuf_add(out, str_of(q, n));
        used += n;
        at += len;
    }
    if (used > 0)
        strbuf_adds(out, WORD_END);
}

struct str header_encode(struct arena *a, struct str name, struct str text)
{
    CLEANUP(strbuf_release) struct strbuf out = { 0 };
    struct str s = str_trim(without_controls(a, utf8_clean(a, text)));

    if (printable(s))
        add_folded(&out, s, name.len + 2);
    else
        add_encoded(&out, s, name.len + 2);
    return arena_str(a, strbuf_str(&out));
}

struct str header_encode_phrase(struct arena *a, struct str text)
{
    CLEANUP(strbuf_release) struct strbuf out = { 0 };
    struct str s = str_trim(without_controls(a, utf8_clean(a, text)));
    bool atoms = s.len > 0;

    if (!printable(s) || s.len > WORD_HARD) {
        add_encoded(&out, s, 0);
        return arena_str(a, strbuf_str(&out));
    }
    for (size_t i = 0; i < s.len; i++) {
        if (s.p[i] == ' ' ? s.p[i - 1] == ' ' : strchr("()<>[]:;@\\,.\"", s.p[i]) != NULL)
            atoms = false;
    }
    if (atoms)
        return s;
    strbuf_addc(&out, '"');
    for (size_t i = 0; i < s.len; i++) {
        if (s.p[i] == '"' || s.p[i] == '\\')
            strbuf_addc(&out, '\\');
        strbuf_addc(&out, s.p[i]);
    }
    strbuf_addc(&out, '"');
    return arena_str(a, strbuf_str(&out));
}
