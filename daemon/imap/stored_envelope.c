#include "imap/stored_envelope.h"

static bool take(struct str *s, char c)
{
    if (s->len == 0 || s->p[0] != c)
        return false;
    *s = str_from(*s, 1);
    return true;
}

static bool read_quoted(struct arena *a, struct str *s, struct str *ret)
{
    size_t end = 1, escapes = 0, n = 0;
    char *out;

    while (end < s->len && s->p[end] != '"') {
        if (s->p[end] == '\\') {
            escapes++;
            end++;
        }
        end++;
    }
    if (end >= s->len)
        return false;
    *ret = str_sub(*s, 1, end - 1);
    *s = str_from(*s, end + 1);
    if (escapes == 0)
        return true;
    out = arena_alloc(a, ret->len);
    for (size_t i = 0; i < ret->len; i++) {
        if (ret->p[i] == '\\')
            i++;
        out[n++] = ret->p[i];
    }
    *ret = str_of(out, n);
    return true;
}

static bool read_literal(struct str *s, struct str *ret)
{
    size_t close = str_chr(*s, '}');
    uint64_t n;

    if (close == SIZE_MAX || !str_u64(str_sub(*s, 1, close - 1), UINT32_MAX, &n) || s->len - close < 3 ||
        n > s->len - close - 3)
        return false;
    *ret = str_sub(*s, close + 3, n);
    *s = str_from(*s, close + 3 + n);
    return true;
}

static bool read_nstring(struct arena *a, struct str *s, struct str *ret)
{
    if (s->len > 0 && s->p[0] == '"')
        return read_quoted(a, s, ret);
    if (s->len > 0 && s->p[0] == '{')
        return read_literal(s, ret);
    *ret = STR_NULL;
    if (!str_starts(*s, STR("NIL")))
        return false;
    *s = str_from(*s, 3);
    return true;
}

bool stored_envelope_address(struct arena *a, struct str *list, struct stored_address *ret)
{
    return take(list, '(') && read_nstring(a, list, &ret->name) && take(list, ' ') &&
           read_nstring(a, list, &ret->route) && take(list, ' ') && read_nstring(a, list, &ret->mailbox) &&
           take(list, ' ') && read_nstring(a, list, &ret->host) && take(list, ')');
}

/* NIL, or a parenthesis full of addresses: what is inside. */
static bool read_list(struct arena *a, struct str *s, struct str *ret)
{
    struct stored_address address;
    struct str inside;

    if (str_starts(*s, STR("NIL")))
        return read_nstring(a, s, ret);
    if (!take(s, '('))
        return false;
    inside = *s;
    while (s->len > 0 && s->p[0] == '(') {
        if (!stored_envelope_address(a, s, &address))
            return false;
    }
    *ret = str_of(inside.p, inside.len - s->len);
    return take(s, ')');
}

enum result stored_envelope_read(struct arena *a, struct str text, struct stored_envelope *ret)
{
    struct stored_envelope e = { 0 };
    struct str *const lists[] = { &e.from, &e.sender, &e.reply_to, &e.to, &e.cc, &e.bcc };

    if (!take(&text, '(') || !read_nstring(a, &text, &e.date) || !take(&text, ' ') ||
        !read_nstring(a, &text, &e.subject) || !take(&text, ' '))
        return RES_INVALID;
    for (size_t i = 0; i < ARRAY_LEN(lists); i++) {
        if (!read_list(a, &text, lists[i]) || !take(&text, ' '))
            return RES_INVALID;
    }
    if (!read_nstring(a, &text, &e.in_reply_to) || !take(&text, ' ') || !read_nstring(a, &text, &e.message_id) ||
        !take(&text, ')') || text.len > 0)
        return RES_INVALID;
    *ret = e;
    return RES_OK;
}
