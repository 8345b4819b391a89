#include "mail/bodystructure.h"
#include "mail/envelope.h"

/* "("name" "value" ...)", NIL without parameters.  A text without charset is US-ASCII (RFC 2045, 5.2). */
static void put_params(struct imap_writer *w, const struct header_param *params, size_t n, bool text)
{
    bool charset = !text, any = false;

    for (size_t i = 0; i < n; i++) {
        strbuf_addc(&w->out, any ? ' ' : '(');
        imap_put_string(w, params[i].name);
        strbuf_addc(&w->out, ' ');
        imap_put_string(w, params[i].value);
        charset = charset || str_eq(params[i].name, STR("charset")) || str_starts(params[i].name, STR("charset*"));
        any = true;
    }
    if (!charset) {
        strbuf_addc(&w->out, any ? ' ' : '(');
        strbuf_adds(&w->out, "\"charset\" \"us-ascii\"");
        any = true;
    }
    strbuf_add(&w->out, any ? STR(")") : STR("NIL"));
}

static struct str trimmed(struct str value)
{
    return value.p == NULL ? value : str_trim(value);
}

static void put_disposition(struct imap_writer *w, struct str value, struct arena *scratch)
{
    struct header_param *params;
    struct str word = STR("");
    size_t n = 0;

    if (value.p != NULL)
        header_params(scratch, value, &word, &params, &n);
    if (word.len == 0) {
        strbuf_adds(&w->out, "NIL");
        return;
    }
    strbuf_addc(&w->out, '(');
    imap_put_string(w, word);
    strbuf_addc(&w->out, ' ');
    put_params(w, params, n, false);
    strbuf_addc(&w->out, ')');
}

/* Content-Language (RFC 3282): tags with commas between. */
static void put_languages(struct imap_writer *w, struct str value, struct arena *scratch)
{
    struct str rest = header_unfold(scratch, value), tag;
    bool any = false;

    for (int i = 0; i < HEADER_MAX_PARAMS && str_split(&rest, ',', &tag); i++) {
        tag = str_trim(tag);
        if (tag.len == 0)
            continue;
        strbuf_addc(&w->out, any ? ' ' : '(');
        imap_put_string(w, tag);
        any = true;
    }
    strbuf_add(&w->out, any ? STR(")") : STR("NIL"));
}

/* " disposition language location)": how the extension data of every part ends. */
static void put_extension_end(struct imap_writer *w, const struct mail_part *part, struct arena *scratch)
{
    strbuf_addc(&w->out, ' ');
    put_disposition(w, part->disposition, scratch);
    strbuf_addc(&w->out, ' ');
    put_languages(w, part->language, scratch);
    strbuf_addc(&w->out, ' ');
    imap_put_nstring(w, trimmed(part->location));
    strbuf_addc(&w->out, ')');
}

static void put_encoding(struct imap_writer *w, const struct mail_part *part, struct arena *scratch)
{
    struct header_param *params;
    struct str word = mail_encoding_name(part->encoding);
    size_t n;

    if (part->encoding == MAIL_ENCODING_OTHER)
        header_params(scratch, part->transfer_encoding, &word, &params, &n);
    imap_put_token(w, word.len > 0 ? word : STR("7bit"));
}

static void put_single(struct imap_writer *w, struct str message, const struct mail_part *part, struct arena *scratch)
{
    bool text = str_eq(part->type, STR("text"));

    strbuf_addc(&w->out, '(');
    imap_put_token(w, part->type);
    strbuf_addc(&w->out, ' ');
    imap_put_token(w, part->subtype);
    strbuf_addc(&w->out, ' ');
    put_params(w, part->params, part->nparams, text);
    strbuf_addc(&w->out, ' ');
    imap_put_nstring(w, trimmed(part->content_id));
    strbuf_addc(&w->out, ' ');
    imap_put_nstring(w, trimmed(part->description));
    strbuf_addc(&w->out, ' ');
    put_encoding(w, part, scratch);
    strbuf_addf(&w->out, " %zu", part->end - part->body_at);
    if (part->kind == MAIL_MESSAGE) {
        const struct mail_part *inner = part->children;
        CLEANUP(arena_releasep) struct arena own = { 0 };
        struct envelope e;

        strbuf_addc(&w->out, ' ');
        envelope_read(&own, header_block(str_sub(message, inner->header_at, inner->body_at - inner->header_at)), &e);
        envelope_write(w, &e, &own);
        arena_reset(&own);
        strbuf_addc(&w->out, ' ');
        bodystructure_write(w, message, inner, scratch); /* as deep as MAIL_MAX_DEPTH */
    }
    if (text || part->kind == MAIL_MESSAGE)
        strbuf_addf(&w->out, " %zu", part->lines);
    strbuf_addc(&w->out, ' ');
    imap_put_nstring(w, trimmed(part->md5));
    put_extension_end(w, part, scratch);
}

void bodystructure_write(struct imap_writer *w, struct str message, const struct mail_part *part, struct arena *scratch)
{
    if (part->kind != MAIL_MULTIPART) {
        put_single(w, message, part, scratch);
        return;
    }
    strbuf_addc(&w->out, '(');
    for (const struct mail_part *child = part->children; child != NULL; child = child->next)
        bodystructure_write(w, message, child, scratch);
    strbuf_addc(&w->out, ' ');
    imap_put_token(w, part->subtype);
    strbuf_addc(&w->out, ' ');
    put_params(w, part->params, part->nparams, false);
    put_extension_end(w, part, scratch);
}
