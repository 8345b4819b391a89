/* The lenient reader of address lists.  It first finds where an address's words end, then copies them out: a run of
 * words is a display name before "<", a local-part before "@", a group name before ":".  Every byte is looked at a
 * bounded number of times. */
#include "mail/address.h"
#include "mail/header.h"

static bool blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* Moves over the comment at s.p[at] (RFC 5322, 3.2.2), to the end of s if it is not closed. */
static size_t skip_comment(struct str s, size_t at)
{
    size_t depth = 0;

    for (; at < s.len; at++) {
        if (s.p[at] == '\\')
            at++;
        else if (s.p[at] == '(')
            depth++;
        else if (s.p[at] == ')' && --depth == 0)
            return at + 1;
    }
    return s.len;
}

static size_t skip_quoted(struct str s, size_t at)
{
    for (at++; at < s.len && s.p[at] != '"'; at++) {
        if (s.p[at] == '\\')
            at++;
    }
    return MIN(at + 1, s.len);
}

/* Moves over blanks and comments; *comment, if not NULL, becomes the inside of the last one. */
static size_t skip_cfws(struct str s, size_t at, struct str *comment)
{
    while (at < s.len && (blank(s.p[at]) || s.p[at] == '(')) {
        size_t from = at;

        if (s.p[at] != '(') {
            at++;
            continue;
        }
        at = skip_comment(s, at);
        if (comment != NULL)
            *comment = str_trim(str_sub(s, from + 1, at - from - (s.p[at - 1] == ')' ? 2 : 1)));
    }
    return at;
}

/* Index of the first of `stops` (ASCII specials) that stands outside quotes and comments. */
static size_t find_stop(struct str s, size_t at, const char *stops, struct str *comment)
{
    while (at < s.len) {
        if (s.p[at] == '"')
            at = skip_quoted(s, at);
        else if (s.p[at] == '(')
            at = skip_cfws(s, at, comment);
        else if (s.p[at] != '\0' && strchr(stops, s.p[at]) != NULL)
            return at;
        else
            at++;
    }
    return s.len;
}

/* The words of `raw` without quotes and comments.  In a phrase blanks between words count as one, in a local-part or
 * domain they vanish (RFC 5322, 4.4). */
static struct str words(struct arena *a, struct str raw, bool phrase)
{
    char *p = arena_alloc(a, raw.len + 1);
    size_t n = 0;
    bool gap = false;

    for (size_t i = 0; i < raw.len;) {
        if (blank(raw.p[i]) || raw.p[i] == '(') {
            i = skip_cfws(raw, i, NULL);
            gap = phrase && n > 0;
            continue;
        }
        if (gap)
            p[n++] = ' ';
        gap = false;
        if (raw.p[i] != '"') {
            p[n++] = raw.p[i++];
            continue;
        }
        for (i++; i < raw.len && raw.p[i] != '"'; i++) {
            if (raw.p[i] == '\\' && i + 1 < raw.len)
                i++;
            p[n++] = raw.p[i];
        }
        i++;
    }
    return str_of(p, n);
}

/* The inside of a comment without quoted pairs. */
static struct str comment_text(struct arena *a, struct str comment)
{
    char *p = arena_alloc(a, comment.len + 1);
    size_t n = 0;

    for (size_t i = 0; i < comment.len; i++) {
        if (comment.p[i] == '\\' && i + 1 < comment.len)
            i++;
        p[n++] = comment.p[i];
    }
    return str_of(p, n);
}

/* The domain at r->at, up to something that cannot belong to it. */
static struct str read_domain(struct address_reader *r, struct str *comment)
{
    struct str s = r->s;
    size_t from = r->at, end = from;

    for (;;) {
        size_t at = skip_cfws(s, end, comment), start = at;

        if (at < s.len && s.p[at] == '[') {
            while (at < s.len && s.p[at] != ']')
                at++;
            at = MIN(at + 1, s.len);
        } else {
            while (at < s.len && !blank(s.p[at]) && (s.p[at] == '\0' || strchr("()<>@,;:\"[].", s.p[at]) == NULL))
                at++;
        }
        if (at > start)
            end = at;
        at = skip_cfws(s, at, comment);
        if (at >= s.len || s.p[at] != '.')
            break;
        end = at + 1;
    }
    r->at = end;
    return words(r->arena, str_sub(s, from, end - from), false);
}

/* What stands between "<" (r->at is behind it) and ">": [route ":"] local "@" domain. */
static void read_angle(struct address_reader *r, struct mail_address *ret, struct str *comment)
{
    struct str s = r->s;
    size_t at = skip_cfws(s, r->at, comment), end;

    if (at < s.len && s.p[at] == '@') {
        end = find_stop(s, at, ":>", NULL);
        if (end < s.len && s.p[end] == ':') {
            ret->route = words(r->arena, str_sub(s, at, end - at), false);
            at = end + 1;
        }
    }
    end = find_stop(s, at, "@>", NULL);
    ret->local = words(r->arena, str_sub(s, at, end - at), false);
    r->at = end;
    if (end < s.len && s.p[end] == '@') {
        r->at = end + 1;
        ret->domain = read_domain(r, comment);
    }
    r->at = find_stop(s, r->at, ">,;<", comment); /* a comma: the ">" was forgotten */
    if (r->at < s.len && s.p[r->at] == '>')
        r->at++;
}

/* One address from r->at on, whose words end at `stop`. */
static void read_mailbox(struct address_reader *r, size_t stop, struct str comment, struct mail_address *ret)
{
    struct str s = r->s, raw = str_sub(s, r->at, stop - r->at);

    if (stop < s.len && s.p[stop] == '@') {
        ret->local = words(r->arena, raw, false);
        r->at = stop + 1;
        ret->domain = read_domain(r, &comment);
        stop = find_stop(s, r->at, ",;<", &comment);
        raw = str_trim(str_of(raw.p, (size_t)(s.p + stop - raw.p))); /* a@b <a@b>: the display name is an address */
    } else if (stop == s.len || s.p[stop] != '<') {
        ret->local = words(r->arena, raw, true);
    }
    r->at = stop;
    if (stop < s.len && s.p[stop] == '<') {
        ret->name = words(r->arena, raw, true);
        ret->domain = STR_NULL;
        r->at = stop + 1;
        read_angle(r, ret, &comment);
        r->at = find_stop(s, r->at, ",;<", &comment);
    }
    if (ret->name.len == 0)
        ret->name = comment.len > 0 ? comment_text(r->arena, comment) : STR_NULL;
}

void address_reader_init(struct address_reader *r, struct arena *a, struct str value)
{
    *r = (struct address_reader){ .arena = a, .s = header_unfold(a, value) };
}

bool address_next(struct address_reader *r, struct mail_address *ret_address)
{
    struct str comment = STR_NULL, s = r->s;

    while (r->count < ADDRESS_MAX_LIST) {
        size_t stop;

        *ret_address = (struct mail_address){ .kind = ADDRESS_MAILBOX };
        r->at = skip_cfws(s, r->at, NULL);
        while (r->at < s.len && (s.p[r->at] == ',' || s.p[r->at] == '>'))
            r->at = skip_cfws(s, r->at + 1, NULL);
        if (r->at >= s.len || s.p[r->at] == ';') {
            r->at = MIN(r->at + 1, s.len);
            if (r->in_group) {
                r->in_group = false;
                ret_address->kind = ADDRESS_GROUP_END;
                r->count++;
                return true;
            }
            if (r->at >= s.len)
                return false;
            continue;
        }
        stop = find_stop(s, r->at, "<@,;:>", &comment);
        r->count++;
        if (stop >= s.len || s.p[stop] != ':') {
            read_mailbox(r, stop, comment, ret_address);
            return true;
        }
        if (r->in_group) { /* groups do not nest: what stood before the colon is dropped */
            r->at = stop + 1;
            continue;
        }
        r->in_group = true;
        ret_address->kind = ADDRESS_GROUP;
        ret_address->name = words(r->arena, str_sub(s, r->at, stop - r->at), true);
        r->at = stop + 1;
        return true;
    }
    return false;
}

void address_list(struct arena *a, struct str value, struct mail_address **ret_list, size_t *ret_n)
{
    struct mail_address *list = NULL, one;
    struct address_reader r;
    size_t n = 0, cap = 0;

    address_reader_init(&r, a, value);
    while (address_next(&r, &one)) {
        if (n == cap) {
            struct mail_address *more = arena_array(a, struct mail_address, cap == 0 ? 4 : cap * 2);

            if (n > 0)
                memcpy(more, list, n * sizeof(*more));
            list = more;
            cap = cap == 0 ? 4 : cap * 2;
        }
        list[n++] = one;
    }
    *ret_list = list;
    *ret_n = n;
}
