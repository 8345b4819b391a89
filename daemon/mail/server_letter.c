#include "mail/server_letter.h"
#include "base/arena.h"
#include "base/macros.h"
#include "mail/date.h"
#include "mail/header.h"
#include "mail/transfer.h"

void server_letter_build(const struct server_letter *l, struct strbuf *out, size_t *ret_return_path_len)
{
    CLEANUP(arena_releasep) struct arena a = { 0 };
    struct str name = l->pt_br ? STR("Servidor de e-mail") : STR("Mail server");

    strbuf_adds(out, "Return-Path: <>\r\n");
    *ret_return_path_len = out->len;
    strbuf_addf(out, "Date: %.*s\r\n", STR_ARG(date_print(&a, l->now_us, 0)));
    strbuf_addf(out, "From: %.*s <MAILER-DAEMON@%.*s>\r\n", STR_ARG(header_encode_phrase(&a, name)), STR_ARG(l->hostname));
    strbuf_addf(out, "To: <%.*s>\r\n", STR_ARG(l->to));
    strbuf_addf(out, "Subject: %.*s\r\n", STR_ARG(header_encode(&a, STR("Subject"), l->subject)));
    strbuf_addf(out, "Message-ID: <%.*s>\r\n", STR_ARG(l->message_id));
    strbuf_adds(out, "Auto-Submitted: auto-generated\r\nMIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n");
    strbuf_addf(out, "Content-Language: %s\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n", l->pt_br ? "pt-BR" : "en");
    strbuf_add(out, transfer_qp_encode(&a, l->text));
}
