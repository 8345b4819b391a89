/* The strict reader and the writer of envelope mailboxes (RFC 5321, 4.1.2; RFC 6531, 3.3). */
#include "mail/address.h"
#include "mail/text.h"

#include <arpa/inet.h>

#define LABEL_MAX ((size_t)63)

static bool atext(char c, bool utf8)
{
    if ((unsigned char)c >= 0x80)
        return utf8;
    return ascii_alnum(c) || (c != '\0' && strchr("!#$%&'*+-/=?^_`{|}~", c) != NULL);
}

static bool is_dot_string(struct str s, bool utf8)
{
    if (s.len == 0)
        return false;
    for (size_t i = 0; i < s.len; i++) {
        if (s.p[i] == '.' ? i == 0 || i + 1 == s.len || s.p[i - 1] == '.' : !atext(s.p[i], utf8))
            return false;
    }
    return true;
}

/* Quoted-string at the start of s: its length, 0 if it is none.  The inside goes to `to`, which has room for s. */
static size_t read_quoted(struct str s, bool utf8, char *to, size_t *ret_n)
{
    size_t n = 0;

    for (size_t i = 1; i < s.len; i++) {
        unsigned char c = (unsigned char)s.p[i];

        if (c == '"') {
            *ret_n = n;
            return i + 1;
        }
        if (c == '\\') {
            if (++i == s.len)
                return 0;
            c = (unsigned char)s.p[i];
            if (c >= 0x80) /* quoted-pairSMTP is ASCII */
                return 0;
        }
        if (c < 32 || c == 127 || (c >= 0x80 && !utf8))
            return 0;
        to[n++] = (char)c;
    }
    return 0;
}

static bool is_label(struct str s, bool utf8)
{
    if (s.len == 0 || s.len > LABEL_MAX || s.p[0] == '-' || s.p[s.len - 1] == '-')
        return false;
    for (size_t i = 0; i < s.len; i++) {
        if (!ascii_alnum(s.p[i]) && s.p[i] != '-' && !(utf8 && (unsigned char)s.p[i] >= 0x80))
            return false;
    }
    return true;
}

bool address_is_domain(struct str s, bool utf8)
{
    struct str label;

    if (s.len == 0 || s.len > ADDRESS_MAX_DOMAIN || s.p[s.len - 1] == '.' || (utf8 && !str_is_utf8(s)))
        return false;
    while (str_split(&s, '.', &label)) {
        if (!is_label(label, utf8))
            return false;
    }
    return true;
}

bool address_is_literal(struct str s)
{
    char text[INET6_ADDRSTRLEN + 1];
    unsigned char address[sizeof(struct in6_addr)];
    int family = AF_INET;

    if (s.len < 3 || s.p[0] != '[' || s.p[s.len - 1] != ']')
        return false;
    s = str_sub(s, 1, s.len - 2);
    if (str_istarts(s, STR("IPv6:"))) {
        family = AF_INET6;
        s = str_from(s, 5);
    }
    if (s.len == 0 || s.len >= sizeof(text) || memchr(s.p, '\0', s.len) != NULL)
        return false;
    memcpy(text, s.p, s.len);
    text[s.len] = '\0';
    return inet_pton(family, text, address) == 1;
}

struct str address_fold_local(struct arena *a, struct str local)
{
    return str_is_ascii(local) ? arena_lower(a, local) : text_casefold(a, local);
}

enum result address_parse_mailbox(struct str text, bool smtputf8, struct arena *a, struct str *ret_local,
                                  struct str *ret_domain)
{
    char *local = arena_alloc(a, MIN(text.len, (size_t)(2 * ADDRESS_MAX_LOCAL + 2)) + 1);
    size_t n = 0, end;
    struct str domain;

    if (text.len == 0 || (smtputf8 && !str_is_utf8(text)))
        return RES_INVALID;
    if (text.p[0] == '"') {
        struct str head = str_sub(text, 0, 2 * ADDRESS_MAX_LOCAL + 2);

        end = read_quoted(head, smtputf8, local, &n);
        if (end == 0 && head.len < text.len)
            return read_quoted(text, smtputf8, arena_alloc(a, text.len), &n) > 0 ? RES_LIMIT : RES_INVALID;
    } else {
        end = str_chr(text, '@');
        if (end == SIZE_MAX || !is_dot_string(str_of(text.p, end), smtputf8))
            return RES_INVALID;
        n = MIN(end, (size_t)ADDRESS_MAX_LOCAL + 1);
        memcpy(local, text.p, n);
    }
    if (end == 0 || n == 0 || end >= text.len || text.p[end] != '@')
        return RES_INVALID;
    domain = str_from(text, end + 1);
    if (n > ADDRESS_MAX_LOCAL || domain.len > ADDRESS_MAX_DOMAIN)
        return RES_LIMIT;
    if (!address_is_domain(domain, smtputf8) && !address_is_literal(domain))
        return RES_INVALID;
    *ret_local = str_of(local, n);
    *ret_domain = str_is_ascii(domain) ? arena_lower(a, domain) : text_casefold(a, domain);
    return RES_OK;
}

struct str address_write_mailbox(struct arena *a, struct str local, struct str domain)
{
    char *p = arena_alloc(a, local.len * 2 + domain.len + 4);
    size_t n = 0;

    if (is_dot_string(local, true)) {
        memcpy(p, local.p, local.len);
        n = local.len;
    } else {
        p[n++] = '"';
        for (size_t i = 0; i < local.len; i++) {
            if (local.p[i] == '"' || local.p[i] == '\\')
                p[n++] = '\\';
            p[n++] = local.p[i];
        }
        p[n++] = '"';
    }
    if (domain.len > 0) {
        p[n++] = '@';
        memcpy(p + n, domain.p, domain.len);
        n += domain.len;
    }
    return str_of(p, n);
}
