#include "sieve/reply.h"

#include "mail/address.h"
#include "mail/charset.h"
#include "mail/date.h"
#include "mail/header.h"
#include "mail/transfer.h"

#define MAX_REFERENCES ((size_t)2000) /* bytes */

/* Text of others as one line of valid UTF-8. */
static struct str one_line(struct arena *a, struct str s)
{
    char *p;

    s = utf8_clean(a, s);
    p = arena_cstr(a, s);
    for (size_t i = 0; i < s.len; i++) {
        if ((unsigned char)p[i] < 32 || p[i] == 127)
            p[i] = ' ';
    }
    return str_of(p, s.len);
}

static void add_field(struct strbuf *out, struct str name, struct str value)
{
    strbuf_add(out, name);
    strbuf_adds(out, ": ");
    strbuf_add(out, value);
    strbuf_adds(out, "\r\n");
}

/* "Name <a@b>" as the script wrote it (it was checked), the name encoded; STR_NULL: the recipient's address alone. */
static void add_from(struct arena *a, struct strbuf *out, struct str from, struct str own)
{
    struct mail_address *list;
    struct str address;
    size_t n;

    address_list(a, one_line(a, from.p != NULL ? from : own), &list, &n);
    if (n == 0 || list[0].local.p == NULL || list[0].domain.p == NULL) {
        add_field(out, STR("From"), one_line(a, own));
        return;
    }
    address = address_write_mailbox(a, list[0].local, list[0].domain);
    if (from.p != NULL && list[0].name.len > 0)
        address = arena_printf(a, "%.*s <%.*s>", STR_ARG(header_encode_phrase(a, header_decode(a, list[0].name))),
                               STR_ARG(address));
    add_field(out, STR("From"), address);
}

/* In-Reply-To and References to the message that is answered (RFC 5230, 5.8). */
static void add_references(struct arena *a, struct strbuf *out, struct str message)
{
    struct header_field f;
    struct str header = header_block(message), id, refs = STR("");

    if (!header_find(header, STR("Message-ID"), &f))
        return;
    id = one_line(a, header_unfold(a, f.value));
    if (id.len == 0 || id.len > 900 || id.p[0] != '<')
        return;
    if (header_find(header, STR("References"), &f) || header_find(header, STR("In-Reply-To"), &f))
        refs = one_line(a, header_unfold(a, f.value));
    add_field(out, STR("In-Reply-To"), id);
    strbuf_adds(out, "References:");
    if (refs.len <= MAX_REFERENCES) {
        struct str one;

        while (str_word(&refs, &one))
            strbuf_addf(out, " %.*s\r\n", STR_ARG(one));
    }
    strbuf_addf(out, " %.*s\r\n", STR_ARG(id));
}

static struct str with_crlf(struct arena *a, struct str s)
{
    char *p = arena_alloc(a, s.len * 2 + 1);
    size_t n = 0;

    for (size_t i = 0; i < s.len; i++) {
        if (s.p[i] == '\n' && (i == 0 || s.p[i - 1] != '\r'))
            p[n++] = '\r';
        p[n++] = s.p[i];
    }
    return str_of(p, n);
}

static void add_text(struct arena *a, struct strbuf *out, struct str text)
{
    strbuf_adds(out, "MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n"
                     "Content-Transfer-Encoding: quoted-printable\r\n\r\n");
    strbuf_add(out, transfer_qp_encode(a, with_crlf(a, utf8_clean(a, text))));
    if (out->len > 0 && out->p[out->len - 1] != '\n')
        strbuf_adds(out, "\r\n");
}

/* The script's own MIME entity: its Content- fields and its body; other fields are left out (RFC 5230, 4.4). */
static void add_entity(struct arena *a, struct strbuf *out, struct str entity)
{
    struct str rest = entity = with_crlf(a, entity);
    struct header_field f;

    strbuf_adds(out, "MIME-Version: 1.0\r\n");
    while (header_next(&rest, &f)) {
        if (str_istarts(f.name, STR("Content-")))
            strbuf_add(out, f.raw);
    }
    if (out->len > 0 && out->p[out->len - 1] != '\n')
        strbuf_adds(out, "\r\n");
    strbuf_adds(out, "\r\n");
    strbuf_add(out, str_from(entity, header_size(entity)));
}

/* What both have: From, To, Subject, Date, Message-ID. */
static void add_head(struct arena *a, const struct sieve_reply *r, struct str from, const struct str *to, size_t nto,
                     struct str subject, struct strbuf *out)
{
    add_from(a, out, from, r->env->to);
    strbuf_adds(out, "To:");
    for (size_t i = 0; i < nto; i++)
        strbuf_addf(out, "%s <%.*s>", i > 0 ? ",\r\n" : "", STR_ARG(one_line(a, to[i])));
    strbuf_adds(out, "\r\n");
    add_field(out, STR("Subject"), header_encode(a, STR("Subject"), one_line(a, subject)));
    add_field(out, STR("Date"), date_print(a, r->env->now_us, r->env->zone_minutes));
    strbuf_addf(out, "Message-ID: <%.*s>\r\n", STR_ARG(r->message_id));
}

static void write_vacation(struct arena *a, const struct sieve_reply *r, struct strbuf *out)
{
    const struct sieve_vacation *v = &r->action->vacation;

    add_head(a, r, v->from, &v->to, 1, v->subject, out);
    add_references(a, out, r->env->message);
    strbuf_adds(out, "Auto-Submitted: auto-replied (vacation)\r\nX-Auto-Response-Suppress: All\r\n");
    if (v->mime)
        add_entity(a, out, v->text);
    else
        add_text(a, out, v->text);
}

static void write_notification(struct arena *a, const struct sieve_reply *r, struct strbuf *out)
{
    const struct sieve_notify *n = &r->action->notify;

    add_head(a, r, n->from, n->to, n->nto, n->subject, out);
    strbuf_adds(out, "Auto-Submitted: auto-notified");
    if (r->owner.len > 0)
        strbuf_addf(out, "; owner-email=\"%.*s\"", STR_ARG(one_line(a, r->owner)));
    strbuf_addf(out, "\r\nImportance: %s\r\n", n->importance == '1' ? "High" : n->importance == '3' ? "Low" : "Normal");
    strbuf_add(out, n->headers);
    add_text(a, out, n->text);
}

enum result sieve_reply_write(const struct sieve_reply *reply, struct strbuf *out)
{
    CLEANUP(arena_releasep) struct arena a = { 0 };

    if (reply->action->kind == SIEVE_VACATION)
        write_vacation(&a, reply, out);
    else
        write_notification(&a, reply, out);
    return out->overflow ? RES_LIMIT : RES_OK;
}
