#include "mail/mdn.h"
#include "mail/charset.h"
#include "mail/date.h"
#include "mail/dsn_text.h"
#include "mail/header.h"
#include "mail/transfer.h"

static struct str say(const struct mdn *m, const char *en, const char *pt)
{
    return str_c(m->language == DSN_PT_BR ? pt : en);
}

static struct str one_line(struct arena *a, struct str s)
{
    return dsn_clean_reply(a, s, true, ' ');
}

static void add_boundary(const struct mdn *m, struct strbuf *out, const char *end)
{
    strbuf_addf(out, "\r\n--%.*s%s\r\n", STR_ARG(m->boundary), end);
}

static void add_header(const struct mdn *m, struct arena *a, struct strbuf *out)
{
    struct str subject = say(m, "Your message was refused", "Sua mensagem foi recusada");

    strbuf_addf(out, "Date: %.*s\r\nFrom: <%.*s>\r\nTo: <%.*s>\r\n", STR_ARG(date_print(a, m->now_us, 0)),
                STR_ARG(one_line(a, m->from)), STR_ARG(one_line(a, m->to)));
    strbuf_addf(out, "Subject: %.*s\r\nMessage-ID: <%.*s>\r\n", STR_ARG(header_encode(a, STR("Subject"), subject)),
                STR_ARG(m->message_id));
    strbuf_adds(out, "Auto-Submitted: auto-replied\r\nMIME-Version: 1.0\r\n");
    strbuf_addf(out, "Content-Type: multipart/report; report-type=disposition-notification;\r\n\tboundary=\"%.*s\"\r\n",
                STR_ARG(m->boundary));
}

static void add_text(const struct mdn *m, struct arena *a, struct strbuf *out)
{
    struct str intro = say(m, "Your message was refused by the recipient's mail filtering program.\nThe reason given:\n\n",
                           "Sua mensagem foi recusada pelo filtro de mensagens do destinatário.\nO motivo informado:\n\n");
    struct str text = arena_printf(a, "%.*s%.*s\n", STR_ARG(intro), STR_ARG(dsn_clean_reply(a, m->reason, true, '\n')));

    add_boundary(m, out, "");
    strbuf_addf(out,
                "Content-Type: text/plain; charset=utf-8\r\nContent-Language: %s\r\n"
                "Content-Transfer-Encoding: quoted-printable\r\n\r\n",
                m->language == DSN_PT_BR ? "pt-BR" : "en");
    strbuf_add(out, transfer_qp_encode(a, text));
}

/* RFC 8098, 3.1. */
static void add_disposition(const struct mdn *m, struct arena *a, struct strbuf *out)
{
    struct header_field id;

    add_boundary(m, out, "");
    strbuf_addf(out, "Content-Type: message/disposition-notification\r\n\r\nReporting-UA: %.*s; Correio\r\n",
                STR_ARG(m->reporting_ua));
    if (m->orcpt.len > 0)
        strbuf_addf(out, "Original-Recipient: %.*s\r\n", STR_ARG(one_line(a, m->orcpt)));
    strbuf_addf(out, "Final-Recipient: rfc822;%.*s\r\n", STR_ARG(one_line(a, m->from)));
    if (header_find(header_block(m->original), STR("Message-ID"), &id) && id.value.len < 900)
        strbuf_addf(out, "Original-Message-ID: %.*s\r\n", STR_ARG(one_line(a, header_unfold(a, id.value))));
    strbuf_adds(out, "Disposition: automatic-action/MDN-sent-automatically; deleted\r\n");
}

enum result mdn_build(const struct mdn *m, struct strbuf *out)
{
    CLEANUP(arena_releasep) struct arena a = { 0 };
    struct str header = str_sub(m->original, 0, MIN(header_size(m->original), (size_t)64 * 1024));

    add_header(m, &a, out);
    add_text(m, &a, out);
    add_disposition(m, &a, out);
    add_boundary(m, out, "");
    strbuf_adds(out, "Content-Type: text/rfc822-headers\r\n");
    if (!str_is_ascii(header))
        strbuf_adds(out, "Content-Transfer-Encoding: 8bit\r\n");
    strbuf_adds(out, "\r\n");
    strbuf_add(out, header);
    add_boundary(m, out, "--");
    return out->overflow ? RES_LIMIT : RES_OK;
}
