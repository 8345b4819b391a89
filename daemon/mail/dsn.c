#include "mail/dsn.h"
#include "mail/charset.h"
#include "mail/date.h"
#include "mail/dsn_text.h"
#include "mail/header.h"
#include "mail/transfer.h"

#define LINE_WIDTH ((size_t)76)
#define LINE_HARD  ((size_t)900) /* RFC 5322, 2.1.1 allows 998 */

static int hex_upper(char c)
{
    return ascii_digit(c) ? c - '0' : c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* The inside of xtext (RFC 3461, 4), controls cleaned: it comes from a client. */
static struct str xtext_decode(struct arena *a, struct str s, bool utf8)
{
    char *p = arena_alloc(a, s.len + 1);
    size_t n = 0;

    for (size_t i = 0; i < s.len; i++) {
        if (s.p[i] == '+' && i + 2 < s.len && hex_upper(s.p[i + 1]) >= 0 && hex_upper(s.p[i + 2]) >= 0) {
            p[n++] = (char)(hex_upper(s.p[i + 1]) << 4 | hex_upper(s.p[i + 2]));
            i += 2;
        } else {
            p[n++] = s.p[i];
        }
    }
    return dsn_clean_reply(a, str_of(p, n), utf8, ' ');
}

/* Code point at s.p[*at] of valid UTF-8. */
static uint32_t next_char(struct str s, size_t *at)
{
    unsigned char c = (unsigned char)s.p[(*at)++];
    uint32_t v = c < 0x80 ? c : c < 0xe0 ? c & 0x1f : c < 0xf0 ? c & 0x0f : c & 0x07;

    while (c >= 0x80 && *at < s.len && ((unsigned char)s.p[*at] & 0xc0) == 0x80)
        v = v << 6 | ((unsigned char)s.p[(*at)++] & 0x3f);
    return v;
}

/* \x{HEX} of the unitext form to the characters themselves (RFC 6533, 3). */
static struct str unitext_decode(struct arena *a, struct str s, bool utf8)
{
    char *p = arena_alloc(a, s.len + 1);
    size_t n = 0;

    for (size_t at = 0; at < s.len;) {
        struct str inside = str_sub(s, at + 3, 7);
        size_t end = str_chr(inside, '}');
        uint32_t c = 0;

        for (size_t i = 0; end != SIZE_MAX && i < end; i++)
            c = hex_upper(inside.p[i]) < 0 ? UINT32_MAX >> 4 : c << 4 | (uint32_t)hex_upper(inside.p[i]);
        if (str_starts(str_from(s, at), STR("\\x{")) && end != SIZE_MAX && end >= 2 && c > 0 && c <= 0x10ffff) {
            n += utf8_put(p + n, c); /* at least 6 bytes become at most 4 */
            at += 3 + end + 1;
        } else {
            p[n++] = s.p[at++];
        }
    }
    return dsn_clean_reply(a, str_of(p, n), utf8, ' ');
}

/* An address of the type utf-8: as it is in a global report, else with \x{HEX} for what ASCII lacks (RFC 6533, 3). */
static struct str utf8_address(struct arena *a, struct str s, bool smtputf8)
{
    CLEANUP(strbuf_release) struct strbuf out = { 0 };

    strbuf_adds(&out, "utf-8;");
    if (smtputf8) {
        strbuf_add(&out, s);
        return arena_str(a, strbuf_str(&out));
    }
    for (size_t at = 0; at < s.len;) {
        uint32_t c = next_char(s, &at);

        if (c > 32 && c < 127 && c != '+' && c != '=' && c != '\\')
            strbuf_addc(&out, (char)c);
        else
            strbuf_addf(&out, "\\x{%02X}", c);
    }
    return arena_str(a, strbuf_str(&out));
}

/* ORCPT as the client gave it: type ";" address, in xtext or, for the type utf-8, in unitext. */
static struct str original_recipient(struct arena *a, struct str orcpt, bool smtputf8)
{
    size_t semicolon = str_chr(orcpt, ';');
    struct str type = str_sub(orcpt, 0, semicolon), address;

    if (semicolon == SIZE_MAX)
        return STR_NULL;
    address = str_from(orcpt, semicolon + 1);
    if (str_ieq(type, STR("utf-8")))
        return utf8_address(a, unitext_decode(a, address, true), smtputf8);
    return arena_printf(a, "%.*s;%.*s", STR_ARG(dsn_clean_reply(a, type, false, ' ')),
                        STR_ARG(xtext_decode(a, address, smtputf8)));
}

static struct str final_recipient(struct arena *a, struct str address, bool smtputf8)
{
    struct str s = dsn_clean_reply(a, address, true, ' ');

    return str_is_ascii(s) ? arena_printf(a, "rfc822;%.*s", STR_ARG(s)) : utf8_address(a, s, smtputf8);
}

/* "name: value", folded at blanks, and by force where there are none for too long. */
static void add_field(struct strbuf *out, const char *name, struct str value)
{
    size_t column = strlen(name) + 2, at = 0;

    strbuf_addf(out, "%s: ", name);
    while (at < value.len) {
        size_t end = at;

        while (end < value.len && (value.p[end] == ' ' || value.p[end] == '\t'))
            end++;
        while (end < value.len && value.p[end] != ' ' && value.p[end] != '\t' && end - at < LINE_HARD)
            end++;
        while (end < value.len && end > at + 1 && ((unsigned char)value.p[end] & 0xc0) == 0x80)
            end--;
        if (at > 0 && column + (end - at) > LINE_WIDTH) {
            strbuf_add(out, value.p[at] == ' ' || value.p[at] == '\t' ? STR("\r\n") : STR("\r\n "));
            column = 1;
        }
        strbuf_add(out, str_sub(value, at, end - at));
        column += end - at;
        at = end;
    }
    strbuf_adds(out, "\r\n");
}

/* RFC 3463, 2: class, subject, detail; else the class that the action means. */
static struct str status_of(const struct dsn_recipient *r)
{
    struct str rest = r->status, piece;
    unsigned n = 0;
    uint64_t v;

    while (str_split(&rest, '.', &piece)) {
        if (piece.len == 0 || piece.len > 3 || !str_u64(piece, 999, &v) || (n == 0 && v != 2 && v != 4 && v != 5))
            n = 3;
        n++;
    }
    if (n == 3 && !str_ends(r->status, STR(".")))
        return r->status;
    return r->action == DSN_FAILED ? STR("5.0.0") : r->action == DSN_DELAYED ? STR("4.0.0") : STR("2.0.0");
}

static void add_recipient(const struct dsn *d, const struct dsn_recipient *r, struct arena *a, struct strbuf *out)
{
    static const char *const actions[] = { "failed", "delayed", "delivered", "relayed", "expanded" };
    struct str original = original_recipient(a, r->orcpt, d->smtputf8);

    strbuf_adds(out, "\r\n");
    if (original.len > 0)
        add_field(out, "Original-Recipient", original);
    add_field(out, "Final-Recipient", final_recipient(a, r->address, d->smtputf8));
    add_field(out, "Action", str_c(actions[r->action]));
    add_field(out, "Status", status_of(r));
    if (r->remote_mta.len > 0) {
        add_field(out, "Remote-MTA",
                  arena_printf(a, "dns;%.*s", STR_ARG(dsn_clean_reply(a, r->remote_mta, d->smtputf8, ' '))));
        if (r->reply.len > 0)
            add_field(out, "Diagnostic-Code",
                      arena_printf(a, "smtp;%.*s", STR_ARG(dsn_clean_reply(a, r->reply, d->smtputf8, ' '))));
    }
    if (r->last_attempt_us != 0)
        add_field(out, "Last-Attempt-Date", date_print(a, r->last_attempt_us, 0));
    if (r->action == DSN_DELAYED && r->will_retry_until_us != 0)
        add_field(out, "Will-Retry-Until", date_print(a, r->will_retry_until_us, 0));
}

static void add_boundary(const struct dsn *d, struct strbuf *out, const char *end)
{
    strbuf_addf(out, "\r\n--%.*s%s\r\n", STR_ARG(d->boundary), end);
}

static void add_header(const struct dsn *d, struct arena *a, struct strbuf *out)
{
    struct str name = header_encode_phrase(a, dsn_sender_name(d));

    strbuf_addf(out, "Date: %.*s\r\n", STR_ARG(date_print(a, d->now_us, 0)));
    strbuf_addf(out, "From: %.*s <MAILER-DAEMON@%.*s>\r\n", STR_ARG(name), STR_ARG(d->reporting_mta));
    strbuf_addf(out, "To: <%.*s>\r\n", STR_ARG(d->to));
    strbuf_addf(out, "Subject: %.*s\r\n", STR_ARG(header_encode(a, STR("Subject"), dsn_subject(d))));
    strbuf_addf(out, "Message-ID: <%.*s>\r\n", STR_ARG(d->message_id));
    strbuf_adds(out, "Auto-Submitted: auto-replied\r\nMIME-Version: 1.0\r\n");
    strbuf_addf(out, "Content-Type: multipart/report; report-type=delivery-status;\r\n\tboundary=\"%.*s\"\r\n\r\n",
                STR_ARG(d->boundary));
    strbuf_adds(out, "This is a delivery report in MIME format (RFC 3464).\r\n");
}

static void add_text_part(const struct dsn *d, struct arena *a, struct strbuf *out)
{
    CLEANUP(strbuf_release) struct strbuf text = { 0 };

    add_boundary(d, out, "");
    strbuf_addf(out,
                "Content-Type: text/plain; charset=utf-8\r\nContent-Language: %s\r\n"
                "Content-Transfer-Encoding: quoted-printable\r\n\r\n",
                d->language == DSN_PT_BR ? "pt-BR" : "en");
    dsn_text(d, &text);
    strbuf_add(out, transfer_qp_encode(a, strbuf_str(&text)));
}

static void add_status_part(const struct dsn *d, struct arena *a, struct strbuf *out)
{
    add_boundary(d, out, "");
    strbuf_add(out, d->smtputf8 ? STR("Content-Type: message/global-delivery-status\r\n"
                                      "Content-Transfer-Encoding: 8bit\r\n\r\n")
                                : STR("Content-Type: message/delivery-status\r\n\r\n"));
    if (d->envid.len > 0)
        add_field(out, "Original-Envelope-Id", xtext_decode(a, d->envid, d->smtputf8));
    add_field(out, "Reporting-MTA", arena_printf(a, "dns;%.*s", STR_ARG(d->reporting_mta)));
    add_field(out, "Arrival-Date", date_print(a, d->arrival_us, 0));
    if (d->deliver_by_us != 0)
        add_field(out, "Deliver-By-Date", date_print(a, d->deliver_by_us, 0));
    for (size_t i = 0; i < d->nrecipients; i++)
        add_recipient(d, &d->recipients[i], a, out);
}

/* All of the message only when something failed (RFC 3461, 4.3). */
static void add_original(const struct dsn *d, struct strbuf *out)
{
    bool failed = false, full;
    struct str s;

    for (size_t i = 0; i < d->nrecipients; i++)
        failed = failed || d->recipients[i].action == DSN_FAILED;
    full = d->full && failed;
    s = full ? d->original : str_sub(d->original, 0, header_size(d->original));
    add_boundary(d, out, "");
    if (d->smtputf8)
        strbuf_add(out,
                   full ? STR("Content-Type: message/global\r\n") : STR("Content-Type: message/global-headers\r\n"));
    else
        strbuf_add(out, full ? STR("Content-Type: message/rfc822\r\n") : STR("Content-Type: text/rfc822-headers\r\n"));
    if (d->smtputf8 || !str_is_ascii(s))
        strbuf_adds(out, "Content-Transfer-Encoding: 8bit\r\n");
    strbuf_adds(out, "\r\n");
    strbuf_add(out, s);
    add_boundary(d, out, "--");
}

enum result dsn_build(const struct dsn *d, struct strbuf *out)
{
    CLEANUP(arena_releasep) struct arena a = { 0 };

    add_header(d, &a, out);
    add_text_part(d, &a, out);
    add_status_part(d, &a, out);
    add_original(d, out);
    return out->overflow ? RES_LIMIT : RES_OK;
}
