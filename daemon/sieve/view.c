#include "sieve/view.h"

#include "mail/charset.h"
#include "mail/text.h"
#include "mail/transfer.h"

void view_init(struct sieve_view *v, struct arena *a, struct str message, size_t text_bytes)
{
    *v = (struct sieve_view){ .arena = a, .message = message, .text_left = text_bytes };
    v->body_at = header_size(message);
}

struct sieve_fields view_read_fields(struct sieve_view *v, struct str s)
{
    struct str header = str_sub(s, 0, header_size(s)), rest = str_sub(header, 0, HEADER_MAX_SCAN);
    struct sieve_fields out = { 0 };
    struct header_field f;
    size_t cap = 0, read = 0;

    while (out.n < HEADER_MAX_FIELDS && header_next(&rest, &f)) {
        if (out.n == cap) {
            struct sieve_field *more = arena_array(v->arena, struct sieve_field, cap == 0 ? 16 : cap * 2);

            if (cap > 0)
                memcpy(more, out.list, cap * sizeof(*more));
            out.list = more;
            cap = cap == 0 ? 16 : cap * 2;
        }
        out.list[out.n++] = (struct sieve_field){ .name = f.name, .value = f.value, .raw = f.raw };
        read += f.raw.len;
    }
    out.rest = str_from(header, read);
    return out;
}

static struct sieve_part *find_part(struct sieve_view *v, const struct mail_part *part)
{
    uint64_t hash = ((uint64_t)part->header_at + 1) * 0x9e3779b97f4a7c15u;
    struct sieve_part **bucket = &v->parts[(hash >> 32) % SIEVE_PART_BUCKETS], *p;

    for (p = *bucket; p != NULL; p = p->next) {
        if (p->part == part)
            return p;
    }
    p = arena_new(v->arena, struct sieve_part);
    *p = (struct sieve_part){ .part = part, .next = *bucket };
    *bucket = p;
    return p;
}

struct sieve_fields *view_part_fields(struct sieve_view *v, const struct mail_part *part)
{
    struct sieve_part *p = find_part(v, part);

    if (!p->have_fields)
        p->fields = view_read_fields(v, str_sub(v->message, part->header_at, part->body_at - part->header_at));
    p->have_fields = true;
    return &p->fields;
}

const struct mail_part *view_root(struct sieve_view *v)
{
    if (v->root == NULL)
        v->root = mail_parse(v->arena, v->message);
    return v->root;
}

struct str view_part_text(struct sieve_view *v, const struct mail_part *part)
{
    CLEANUP(arena_releasep) struct arena own = { 0 };
    struct sieve_part *p = find_part(v, part);
    struct str text = str_sub(v->message, part->body_at, part->end - part->body_at);

    if (p->text.p != NULL)
        return p->text;
    text = str_sub(text, 0, v->text_left); /* what is encoded is never shorter */
    text = transfer_decode(&own, text, part->encoding);
    if (str_eq(part->type, STR("text")))
        text = charset_to_utf8(&own, text, header_param(&own, part->params, part->nparams, STR("charset")));
    text = str_sub(text, 0, v->text_left);
    v->text_left -= text.len;
    p->text = arena_str(v->arena, text.p != NULL ? text : STR(""));
    return p->text;
}

const struct str *view_texts(struct sieve_view *v, size_t *ret_n)
{
    size_t cap = 0;

    if (!v->have_texts) {
        for (const struct mail_part *p = view_root(v); p != NULL; p = mail_part_next(p))
            cap++;
        v->texts = arena_array(v->arena, struct str, cap);
        for (const struct mail_part *p = view_root(v); p != NULL; p = mail_part_next(p)) {
            struct str text;

            if (p->kind != MAIL_LEAF || !str_eq(p->type, STR("text")))
                continue;
            text = view_part_text(v, p);
            v->texts[v->ntexts++] = str_eq(p->subtype, STR("html")) ? text_from_html(v->arena, text) : text;
        }
    }
    v->have_texts = true;
    *ret_n = v->ntexts;
    return v->texts;
}

/* Printable ASCII without encoded words needs no decoding; tabs stay as unfolding leaves them. */
static bool plain(struct str s)
{
    for (size_t i = 0; i < s.len; i++) {
        if ((s.p[i] < 32 && s.p[i] != '\t') || s.p[i] == 127 || (s.p[i] == '=' && i + 1 < s.len && s.p[i + 1] == '?'))
            return false;
    }
    return true;
}

struct str view_field_text(struct sieve_view *v, struct sieve_field *f)
{
    if (f->text.p != NULL)
        return f->text;
    f->text = header_unfold(v->arena, f->value);
    if (!plain(f->text))
        f->text = str_trim(header_decode(v->arena, f->value));
    if (f->text.p == NULL)
        f->text = STR("");
    return f->text;
}

void view_field_addresses(struct sieve_view *v, struct sieve_field *f)
{
    if (f->parsed)
        return;
    address_list(v->arena, f->value, &f->addresses, &f->naddresses);
    f->parsed = true;
}
