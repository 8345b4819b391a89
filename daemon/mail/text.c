#include "mail/text.h"
#include "mail/charset.h"
#include "mail/message.h"
#include "mail/transfer.h"

#include <assert.h>
#include <stdlib.h>
#include <unicase.h>
#include <uninorm.h>

#define RAW_MAX ((size_t)1024 * 1024) /* encoded bytes that are looked at in one part */

struct str text_casefold(struct arena *a, struct str s)
{
    struct str clean, folded;
    uint8_t *out;
    size_t n;

    if (str_is_ascii(s) && memchr(s.p != NULL ? s.p : "", '\0', s.len) == NULL)
        return arena_lower(a, s);
    clean = utf8_clean(a, s);
    out = u8_casefold((const uint8_t *)clean.p, clean.len, NULL, UNINORM_NFC, NULL, &n);
    assert(out != NULL); /* fails only on bad UTF-8 and without memory */
    folded = arena_str(a, str_of((const char *)out, n));
    free(out);
    return folded;
}

/* Adds text on lines of its own until TEXT_MAX is reached. */
static void add_text(struct strbuf *out, struct str text)
{
    text = utf8_cut_bytes(text, TEXT_MAX - MIN(out->len, TEXT_MAX));
    if (text.len == 0)
        return;
    strbuf_add(out, text);
    if (out->len < TEXT_MAX && text.p[text.len - 1] != '\n')
        strbuf_addc(out, '\n');
}

static void add_header(struct strbuf *out, struct str header)
{
    struct header_field f;

    for (size_t n = 0; n < HEADER_MAX_FIELDS && out->len < TEXT_MAX && header_next(&header, &f); n++) {
        CLEANUP(arena_releasep) struct arena own = { 0 };

        if (f.name.len == 0)
            continue;
        add_text(out, arena_printf(&own, "%.*s: %.*s", STR_ARG(f.name), STR_ARG(header_decode(&own, f.value))));
    }
}

static void add_part(struct strbuf *out, struct str message, const struct mail_part *part)
{
    CLEANUP(arena_releasep) struct arena own = { 0 };
    struct str text = str_sub(message, part->body_at, MIN(part->end - part->body_at, RAW_MAX));
    struct str charset = header_param(&own, part->params, part->nparams, STR("charset"));

    text = transfer_decode(&own, text, part->encoding);
    text = charset_to_utf8(&own, text, charset);
    if (str_eq(part->subtype, STR("html")))
        text = text_from_html(&own, text);
    add_text(out, text);
}

struct str text_of_body(struct arena *a, struct str message)
{
    CLEANUP(arena_releasep) struct arena scratch = { 0 };
    CLEANUP(strbuf_release) struct strbuf out = { 0 };
    struct mail_part *part = mail_parse(&scratch, message);

    for (; part != NULL && out.len < TEXT_MAX; part = mail_part_next(part)) {
        if (part->parent != NULL && part->parent->kind == MAIL_MESSAGE)
            add_header(&out, header_block(str_sub(message, part->header_at, part->body_at - part->header_at)));
        if (part->kind == MAIL_LEAF && str_eq(part->type, STR("text")))
            add_part(&out, message, part);
    }
    return arena_str(a, utf8_cut_bytes(text_casefold(&scratch, strbuf_str(&out)), TEXT_MAX));
}

struct str text_of_header(struct arena *a, struct str message)
{
    CLEANUP(arena_releasep) struct arena scratch = { 0 };
    CLEANUP(strbuf_release) struct strbuf out = { 0 };

    add_header(&out, header_block(message));
    return arena_str(a, utf8_cut_bytes(text_casefold(&scratch, strbuf_str(&out)), TEXT_MAX));
}
