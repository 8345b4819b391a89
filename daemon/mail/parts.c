/* The part table.  Version byte 1, then for each part, in the order of the message:
 *
 *   byte    kind | encoding << 4
 *   number  children
 *   number  start of the header, counted from the start of the part before it (the first: from 0)
 *   number  length of the header, its empty line included
 *   number  length of the body
 *   number  lines in the body
 *
 * Numbers are little-endian groups of 7 bits, the high bit set in all but the last. */
#include "mail/parts.h"

#define VERSION    1
#define NUMBER_MAX ((uint64_t)1 << 56)

struct reader {
    struct str rest;
    uint64_t at; /* start of the part before */
};

struct entry {
    struct mail_part_info info;
    uint64_t children;
};

static void put_number(struct strbuf *out, uint64_t v)
{
    while (v >= 0x80) {
        strbuf_addc(out, (char)(0x80 | (v & 0x7f)));
        v >>= 7;
    }
    strbuf_addc(out, (char)v);
}

struct str mail_parts_build(struct arena *a, const struct mail_part *root)
{
    CLEANUP(strbuf_release) struct strbuf out = { 0 };
    size_t before = 0;

    strbuf_addc(&out, VERSION);
    for (const struct mail_part *p = root; p != NULL; p = mail_part_next(p)) {
        strbuf_addc(&out, (char)((int)p->kind | (int)p->encoding << 4));
        put_number(&out, p->nchildren);
        put_number(&out, p->header_at - before);
        put_number(&out, p->body_at - p->header_at);
        put_number(&out, p->end - p->body_at);
        put_number(&out, p->lines);
        before = p->header_at;
    }
    return arena_str(a, strbuf_str(&out));
}

static bool get_number(struct reader *r, uint64_t *ret_value)
{
    uint64_t v = 0;

    for (unsigned shift = 0; shift < 56 && r->rest.len > 0; shift += 7) {
        unsigned char c = (unsigned char)r->rest.p[0];

        r->rest = str_from(r->rest, 1);
        v |= (uint64_t)(c & 0x7f) << shift;
        if ((c & 0x80) == 0) {
            *ret_value = v;
            return true;
        }
    }
    return false;
}

static bool get_entry(struct reader *r, struct entry *ret)
{
    uint64_t step, header, body;
    unsigned char c;

    if (r->rest.len == 0)
        return false;
    c = (unsigned char)r->rest.p[0];
    r->rest = str_from(r->rest, 1);
    if ((c & 15) > MAIL_MESSAGE || c >> 4 > MAIL_ENCODING_OTHER)
        return false;
    if (!get_number(r, &ret->children) || !get_number(r, &step) || !get_number(r, &header) || !get_number(r, &body) ||
        !get_number(r, &ret->info.lines))
        return false;
    ret->info.kind = (enum mail_kind)(c & 15);
    ret->info.encoding = (enum mail_encoding)(c >> 4);
    if ((ret->info.kind == MAIL_LEAF && ret->children != 0) || (ret->info.kind == MAIL_MESSAGE && ret->children != 1) ||
        ret->children > MAIL_MAX_PARTS || step > NUMBER_MAX - r->at)
        return false;
    r->at += step;
    ret->info.header = (struct mail_range){ r->at, header };
    ret->info.body = (struct mail_range){ r->at + header, body };
    return true;
}

/* Moves over the `n` next parts and all in them. */
static bool skip_parts(struct reader *r, uint64_t n)
{
    uint64_t left = n;
    struct entry e;

    while (left > 0) {
        if (!get_entry(r, &e))
            return false;
        left += e.children - 1;
    }
    return true;
}

/* Takes "12" from "12.3"; the numbers start at 1 and have no leading zero. */
static bool take_index(struct str *number, uint64_t *ret_index)
{
    size_t dot = str_chr(*number, '.');
    struct str piece = str_sub(*number, 0, dot);

    if (piece.len == 0 || piece.p[0] == '0' || !str_u64(piece, UINT32_MAX, ret_index))
        return false;
    *number = dot == SIZE_MAX ? STR("") : str_from(*number, dot + 1);
    return dot == SIZE_MAX || number->len > 0;
}

static bool open_table(struct str table, struct reader *ret_reader, struct entry *ret_root)
{
    *ret_reader = (struct reader){ .rest = str_from(table, 1) };
    return table.len > 1 && table.p[0] == VERSION && get_entry(ret_reader, ret_root);
}

/* Finds the part; r is then behind its entry, at its children. */
static enum result find(struct reader *r, struct str number, struct entry *e)
{
    bool root = true; /* e is the root of a message, whose body may be part 1 of itself */
    uint64_t index;

    while (number.len > 0) {
        if (!take_index(&number, &index))
            return RES_INVALID;
        if (e->info.kind == MAIL_MESSAGE && !root) { /* the numbers go on in the message inside */
            if (!get_entry(r, e))
                return RES_INVALID;
            root = true;
        }
        if (e->info.kind == MAIL_MULTIPART) {
            if (index > e->children)
                return RES_NOTFOUND;
            if (!skip_parts(r, index - 1) || !get_entry(r, e))
                return RES_INVALID;
        } else if (!root || index != 1) {
            return RES_NOTFOUND;
        }
        root = false;
    }
    return RES_OK;
}

enum result mail_parts_find(struct str table, struct str number, struct mail_part_info *ret_part)
{
    struct reader r;
    struct entry e;
    enum result result;

    if (!open_table(table, &r, &e))
        return RES_INVALID;
    result = find(&r, number, &e);
    if (result == RES_OK)
        *ret_part = e.info;
    return result;
}

enum result mail_parts_range(struct str table, struct str number, enum mail_section section,
                             struct mail_range *ret_range)
{
    struct reader r;
    struct entry e;
    enum result result;

    if (!open_table(table, &r, &e))
        return RES_INVALID;
    result = find(&r, number, &e);
    if (result != RES_OK)
        return result;
    switch (section) {
    case MAIL_SECTION_ALL:
        *ret_range = e.info.body;
        if (number.len == 0)
            *ret_range = (struct mail_range){ e.info.header.at, e.info.header.len + e.info.body.len };
        return RES_OK;
    case MAIL_SECTION_MIME:
        if (number.len == 0)
            return RES_INVALID;
        *ret_range = e.info.header;
        return RES_OK;
    case MAIL_SECTION_HEADER:
    case MAIL_SECTION_TEXT:
        break;
    }
    if (number.len > 0) {
        if (e.info.kind != MAIL_MESSAGE)
            return RES_NOTFOUND;
        if (!get_entry(&r, &e))
            return RES_INVALID;
    }
    *ret_range = section == MAIL_SECTION_HEADER ? e.info.header : e.info.body;
    return RES_OK;
}
