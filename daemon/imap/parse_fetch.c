/* FETCH attributes (RFC 3501, 6.4.5) and the CHANGEDSINCE modifier (RFC 7162, 3.1.4.1). */
#include "base/strbuf.h"
#include "imap/parse_internal.h"

#include <inttypes.h>

/* "1.2.3" in front of a section's text. */
static bool parse_part(struct cursor *c, struct str *ret)
{
    const char *from = c->p;
    uint64_t n;

    for (;;) {
        if (!parse_number(c, UINT32_MAX, &n) || n == 0)
            return parse_fail(c, "Bad part number");
        *ret = str_of(from, (size_t)(c->p - from));
        if (!peek_char(c, '.') || c->p + 1 == c->end || !ascii_digit(c->p[1]))
            return true;
        c->p++;
    }
}

static bool parse_fields(struct cursor *c, struct imap_section *s)
{
    s->fields = arena_array(c->a, struct str, IMAP_MAX_FIELDS);
    s->has_fields = true;
    if (!parse_sp(c) || !parse_char(c, '('))
        return parse_fail(c, "Header list expected");
    do {
        if (s->nfields == IMAP_MAX_FIELDS)
            return parse_fail(c, "Too many header fields");
        if (!parse_astring(c, &s->fields[s->nfields]))
            return false;
        s->nfields++;
    } while (parse_char(c, ' '));
    return parse_char(c, ')') || parse_fail(c, "Header list without end");
}

/* What stands between "BODY[" and "]". */
static bool parse_section(struct cursor *c, struct imap_section *s)
{
    s->section = MAIL_SECTION_ALL;
    s->part = STR("");
    if (peek_char(c, ']'))
        return true;
    if (c->p < c->end && ascii_digit(*c->p)) {
        if (!parse_part(c, &s->part))
            return false;
        if (!parse_char(c, '.'))
            return true;
    }
    if (take_word(c, "HEADER.FIELDS.NOT")) {
        s->section = MAIL_SECTION_HEADER;
        s->except = true;
        return parse_fields(c, s);
    }
    if (take_word(c, "HEADER.FIELDS")) {
        s->section = MAIL_SECTION_HEADER;
        return parse_fields(c, s);
    }
    if (take_word(c, "HEADER"))
        s->section = MAIL_SECTION_HEADER;
    else if (take_word(c, "TEXT"))
        s->section = MAIL_SECTION_TEXT;
    else if (s->part.len > 0 && take_word(c, "MIME"))
        s->section = MAIL_SECTION_MIME;
    else
        return parse_fail(c, "Bad section");
    return true;
}

static bool parse_partial(struct cursor *c, struct imap_section *s)
{
    uint64_t offset, count;

    if (!parse_number(c, UINT32_MAX, &offset) || !parse_char(c, '.') || !parse_number(c, UINT32_MAX, &count) ||
        count == 0 || !parse_char(c, '>'))
        return parse_fail(c, "Bad partial");
    s->partial = true;
    s->offset = (uint32_t)offset;
    s->count = (uint32_t)count;
    return true;
}

static struct str upper(struct arena *a, struct str s)
{
    char *p = arena_cstr(a, s);

    for (size_t i = 0; i < s.len; i++)
        p[i] = ascii_upper(p[i]);
    return str_of(p, s.len);
}

static bool is_plain(struct str name)
{
    for (size_t i = 0; i < name.len; i++) {
        if (!ascii_alnum(name.p[i]) && strchr("-_.", name.p[i]) == NULL)
            return false;
    }
    return name.len > 0;
}

/* The name of the answer's item: a field name that is no plain atom comes back quoted. */
static struct str section_label(struct arena *a, const struct imap_section *s, struct str spec)
{
    struct strbuf b = { 0 };
    struct str label;

    (void)strbuf_adds(&b, "BODY[");
    if (s->has_fields) {
        (void)strbuf_addf(&b, "%.*s%sHEADER.FIELDS%s (", STR_ARG(s->part), s->part.len > 0 ? "." : "",
                          s->except ? ".NOT" : "");
        for (size_t i = 0; i < s->nfields; i++)
            (void)strbuf_addf(&b, "%s%s%.*s%s", i > 0 ? " " : "", is_plain(s->fields[i]) ? "" : "\"",
                              STR_ARG(s->fields[i]), is_plain(s->fields[i]) ? "" : "\"");
        (void)strbuf_addc(&b, ')');
    } else {
        (void)strbuf_add(&b, upper(a, spec));
    }
    (void)strbuf_addc(&b, ']');
    if (s->partial)
        (void)strbuf_addf(&b, "<%" PRIu32 ">", s->offset);
    label = arena_str(a, strbuf_str(&b));
    strbuf_release(&b);
    return label;
}

static bool new_section(struct cursor *c, struct imap_fetch *f, struct imap_section **ret)
{
    if (f->n == IMAP_MAX_SECTIONS)
        return parse_fail(c, "Too many body sections");
    if (f->sections == NULL)
        f->sections = arena_array(c->a, struct imap_section, IMAP_MAX_SECTIONS);
    *ret = &f->sections[f->n++];
    return true;
}

/* Behind "BODY" or "BODY.PEEK", at the "[". */
static bool parse_body_item(struct cursor *c, struct imap_fetch *f, bool peek)
{
    struct imap_section *s;
    const char *from;
    struct str spec;

    if (!new_section(c, f, &s) || !parse_char(c, '['))
        return parse_fail(c, "Section expected");
    from = c->p;
    if (!parse_section(c, s))
        return false;
    spec = str_of(from, (size_t)(c->p - from));
    if (!parse_char(c, ']'))
        return parse_fail(c, "Section without end");
    for (size_t i = 0; i < s->nfields; i++) {
        if (str_chr(s->fields[i], '"') != SIZE_MAX || str_chr(s->fields[i], '\\') != SIZE_MAX ||
            str_chr(s->fields[i], '\r') != SIZE_MAX || str_chr(s->fields[i], '\n') != SIZE_MAX)
            return parse_fail(c, "Bad header field name");
    }
    if (parse_char(c, '<') && !parse_partial(c, s))
        return false;
    s->label = section_label(c->a, s, spec);
    f->sets_seen = f->sets_seen || !peek;
    return true;
}

/* RFC822, RFC822.HEADER, RFC822.TEXT: older names of sections. */
static bool old_section(struct cursor *c, struct imap_fetch *f, enum mail_section section, const char *label, bool seen)
{
    struct imap_section *s;

    if (!new_section(c, f, &s))
        return false;
    *s = (struct imap_section){ .label = str_c(label), .part = STR(""), .section = section };
    f->sets_seen = f->sets_seen || seen;
    return true;
}

static bool parse_item(struct cursor *c, struct imap_fetch *f)
{
    static const struct {
        const char *name;
        unsigned items;
    } simple[] = { { "UID", FETCH_UID },
                   { "FLAGS", FETCH_FLAGS },
                   { "INTERNALDATE", FETCH_INTERNALDATE },
                   { "RFC822.SIZE", FETCH_SIZE },
                   { "ENVELOPE", FETCH_ENVELOPE },
                   { "BODYSTRUCTURE", FETCH_BODYSTRUCTURE },
                   { "MODSEQ", FETCH_MODSEQ },
                   { "EMAILID", FETCH_EMAILID },
                   { "THREADID", FETCH_THREADID } };

    for (size_t i = 0; i < ARRAY_LEN(simple); i++) {
        if (take_word(c, simple[i].name)) {
            f->items |= simple[i].items;
            return true;
        }
    }
    if (take_word(c, "RFC822"))
        return old_section(c, f, MAIL_SECTION_ALL, "RFC822", true);
    if (take_word(c, "RFC822.HEADER"))
        return old_section(c, f, MAIL_SECTION_HEADER, "RFC822.HEADER", false);
    if (take_word(c, "RFC822.TEXT"))
        return old_section(c, f, MAIL_SECTION_TEXT, "RFC822.TEXT", true);
    if (take_word(c, "BODY.PEEK"))
        return parse_body_item(c, f, true);
    if (take_word(c, "BODY")) {
        if (peek_char(c, '['))
            return parse_body_item(c, f, false);
        f->items |= FETCH_BODY;
        return true;
    }
    return parse_fail(c, "No such FETCH item");
}

static bool parse_modifiers(struct cursor *c, struct imap_fetch *f)
{
    uint64_t modseq;

    if (!parse_char(c, '('))
        return parse_fail(c, "FETCH modifier expected");
    if (!take_word(c, "CHANGEDSINCE"))
        return parse_fail(c, "No such FETCH modifier");
    if (!parse_sp(c) || !parse_number(c, INT64_MAX, &modseq) || !parse_char(c, ')'))
        return parse_fail(c, "Bad CHANGEDSINCE");
    f->changed_since_given = true;
    f->changed_since = (int64_t)modseq;
    f->items |= FETCH_MODSEQ;
    return true;
}

bool parse_fetch_items(struct cursor *c, struct imap_fetch *f)
{
    const unsigned fast = FETCH_FLAGS | FETCH_INTERNALDATE | FETCH_SIZE;

    if (take_word(c, "ALL")) {
        f->items |= fast | FETCH_ENVELOPE;
    } else if (take_word(c, "FAST")) {
        f->items |= fast;
    } else if (take_word(c, "FULL")) {
        f->items |= fast | FETCH_ENVELOPE | FETCH_BODY;
    } else if (parse_char(c, '(')) {
        do {
            if (!parse_item(c, f))
                return false;
        } while (parse_char(c, ' '));
        if (!parse_char(c, ')'))
            return parse_fail(c, "FETCH items without end");
    } else if (!parse_item(c, f)) {
        return false;
    }
    return !parse_char(c, ' ') || parse_modifiers(c, f);
}
