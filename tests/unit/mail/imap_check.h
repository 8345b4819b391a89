/* tests/unit/mail/imap_check.h - is this an envelope, a BODY or a BODYSTRUCTURE by the grammar of RFC 3501, 9? */
#pragma once
#include "base/str.h"

struct imap_check {
    struct str s;
    size_t at;
};

static inline bool ic_char(struct imap_check *c, char want)
{
    if (c->at >= c->s.len || c->s.p[c->at] != want)
        return false;
    c->at++;
    return true;
}

static inline bool ic_nil(struct imap_check *c)
{
    if (!str_starts(str_from(c->s, c->at), STR("NIL")))
        return false;
    c->at += 3;
    return true;
}

static inline bool ic_number(struct imap_check *c, uint64_t *ret_value)
{
    size_t from = c->at;

    while (c->at < c->s.len && ascii_digit(c->s.p[c->at]))
        c->at++;
    return str_u64(str_sub(c->s, from, c->at - from), UINT32_MAX, ret_value);
}

static inline bool ic_string(struct imap_check *c)
{
    uint64_t n;

    if (ic_char(c, '"')) {
        for (; c->at < c->s.len && c->s.p[c->at] != '"'; c->at++) {
            unsigned char b = (unsigned char)c->s.p[c->at];

            if (b == '\0' || b == '\r' || b == '\n' || b >= 0x80)
                return false;
            if (b == '\\' && (++c->at >= c->s.len || (c->s.p[c->at] != '"' && c->s.p[c->at] != '\\')))
                return false;
        }
        return ic_char(c, '"');
    }
    if (!ic_char(c, '{') || !ic_number(c, &n) || !ic_char(c, '}') || !ic_char(c, '\r') || !ic_char(c, '\n') ||
        n > c->s.len - c->at || (n > 0 && memchr(c->s.p + c->at, '\0', n) != NULL))
        return false;
    c->at += n;
    return true;
}

static inline bool ic_nstring(struct imap_check *c)
{
    return ic_nil(c) || ic_string(c);
}

static inline bool ic_sp_nstrings(struct imap_check *c, int n)
{
    while (n-- > 0) {
        if (!ic_char(c, ' ') || !ic_nstring(c))
            return false;
    }
    return true;
}

static inline bool ic_addresses(struct imap_check *c)
{
    if (ic_nil(c))
        return true;
    if (!ic_char(c, '('))
        return false;
    do {
        if (!ic_char(c, '(') || !ic_nstring(c) || !ic_sp_nstrings(c, 3) || !ic_char(c, ')'))
            return false;
    } while (!ic_char(c, ')'));
    return true;
}

static inline bool ic_envelope(struct imap_check *c)
{
    if (!ic_char(c, '(') || !ic_nstring(c) || !ic_sp_nstrings(c, 1))
        return false;
    for (int i = 0; i < 6; i++) {
        if (!ic_char(c, ' ') || !ic_addresses(c))
            return false;
    }
    return ic_sp_nstrings(c, 2) && ic_char(c, ')');
}

static inline bool ic_params(struct imap_check *c)
{
    if (ic_nil(c))
        return true;
    if (!ic_char(c, '('))
        return false;
    do {
        if (!ic_string(c) || !ic_char(c, ' ') || !ic_string(c))
            return false;
    } while (ic_char(c, ' '));
    return ic_char(c, ')');
}

/* SP disposition SP language SP location ")" */
static inline bool ic_extension_end(struct imap_check *c)
{
    if (!ic_char(c, ' '))
        return false;
    if (!ic_nil(c) && !(ic_char(c, '(') && ic_string(c) && ic_char(c, ' ') && ic_params(c) && ic_char(c, ')')))
        return false;
    if (!ic_char(c, ' '))
        return false;
    if (ic_char(c, '(')) {
        do {
            if (!ic_string(c))
                return false;
        } while (ic_char(c, ' '));
        if (!ic_char(c, ')'))
            return false;
    } else if (!ic_nstring(c)) {
        return false;
    }
    return ic_sp_nstrings(c, 1) && ic_char(c, ')');
}

static inline bool ic_body(struct imap_check *c, bool extensions)
{
    size_t type_at;
    struct str type;
    uint64_t n;

    if (!ic_char(c, '('))
        return false;
    if (c->at < c->s.len && c->s.p[c->at] == '(') {
        while (c->at < c->s.len && c->s.p[c->at] == '(') {
            if (!ic_body(c, extensions))
                return false;
        }
        if (!ic_char(c, ' ') || !ic_string(c))
            return false;
        return extensions ? ic_char(c, ' ') && ic_params(c) && ic_extension_end(c) : ic_char(c, ')');
    }
    type_at = c->at;
    if (!ic_string(c) || !ic_char(c, ' ') || !ic_string(c))
        return false;
    type = str_sub(c->s, type_at, c->at - type_at);
    if (!ic_char(c, ' ') || !ic_params(c) || !ic_sp_nstrings(c, 2) || !ic_char(c, ' ') || !ic_string(c) ||
        !ic_char(c, ' ') || !ic_number(c, &n))
        return false;
    if (str_ieq(type, STR("\"message\" \"rfc822\"")) &&
        !(ic_char(c, ' ') && ic_envelope(c) && ic_char(c, ' ') && ic_body(c, extensions) && ic_char(c, ' ') &&
          ic_number(c, &n)))
        return false;
    if (str_istarts(type, STR("\"text\" ")) && !(ic_char(c, ' ') && ic_number(c, &n)))
        return false;
    return extensions ? ic_sp_nstrings(c, 1) && ic_extension_end(c) : ic_char(c, ')');
}

static inline bool imap_is_envelope(struct str s)
{
    struct imap_check c = { .s = s };

    return ic_envelope(&c) && c.at == s.len;
}

static inline bool imap_is_body(struct str s, bool extensions)
{
    struct imap_check c = { .s = s };

    return ic_body(&c, extensions) && c.at == s.len;
}
