#include "mail/received.h"
#include "mail/charset.h"
#include "mail/date.h"
#include "mail/header.h"

#define LINE_WIDTH ((size_t)78)
#define HELO_MAX   ((size_t)255)

/* Text for a place where only what is harmless may stand: "?" for blanks, controls, what has a meaning there, and what
 * is not ASCII unless `utf8`. */
static struct str clean(struct arena *a, struct str s, bool utf8)
{
    struct str ok = utf8_clean(a, str_sub(s, 0, HELO_MAX));
    char *p = arena_alloc(a, ok.len + 1);

    for (size_t i = 0; i < ok.len; i++) {
        unsigned char c = (unsigned char)ok.p[i];

        p[i] = c <= 32 || strchr("()<>[]:;@\\,\"\x7f", c) != NULL || (c >= 0x80 && !utf8) ? '?' : ok.p[i];
    }
    return str_of(p, ok.len);
}

/* Adds a piece with a blank before it, on a new line if it would not fit. */
static void add(struct strbuf *out, size_t *column, struct str piece)
{
    if (*column + 1 + piece.len > LINE_WIDTH) {
        strbuf_adds(out, "\r\n\t");
        *column = 8;
    } else {
        strbuf_addc(out, ' ');
        *column += 1;
    }
    strbuf_add(out, piece);
    *column += piece.len;
}

enum result received_write(const struct received *r, struct strbuf *out)
{
    CLEANUP(arena_releasep) struct arena a = { 0 };
    bool utf8 = str_istarts(r->protocol, STR("UTF8")); /* U-labels only in these (RFC 6531, 3.7.3) */
    struct str from, helo = r->helo;
    size_t column = strlen("Received:");

    strbuf_adds(out, "Received:");
    if (helo.len == 0 || (!address_is_literal(helo) && !address_is_domain(helo, utf8)))
        helo = helo.len == 0 ? STR("unknown") : clean(&a, helo, utf8);
    from = arena_printf(&a, "from %.*s", STR_ARG(helo));
    if (r->client_ip.len > 0)
        from = arena_printf(&a, "%.*s (%.*s [%s%.*s])", STR_ARG(from),
                            STR_ARG(r->client_name.len > 0 ? clean(&a, r->client_name, utf8) : STR("unknown")),
                            str_chr(r->client_ip, ':') != SIZE_MAX ? "IPv6:" : "", STR_ARG(r->client_ip));
    add(out, &column, from);
    add(out, &column, arena_printf(&a, "by %.*s", STR_ARG(r->by)));
    add(out, &column, arena_printf(&a, "with %.*s", STR_ARG(r->protocol)));
    if (r->tls.len > 0)
        add(out, &column, arena_printf(&a, "(%.*s)", STR_ARG(r->tls)));
    add(out, &column, arena_printf(&a, "id %.*s", STR_ARG(r->id)));
    if (r->recipient.len > 0)
        add(out, &column, arena_printf(&a, "for <%.*s>", STR_ARG(r->recipient)));
    strbuf_addc(out, ';');
    column++;
    add(out, &column, date_print(&a, r->at_us, r->zone_minutes));
    return strbuf_adds(out, "\r\n");
}

enum result return_path_write(struct str mailbox, struct strbuf *out)
{
    strbuf_adds(out, "Return-Path: <");
    strbuf_add(out, mailbox);
    return strbuf_adds(out, ">\r\n");
}

size_t return_path_len(struct str message)
{
    struct str rest = message;
    struct header_field f;

    return header_next(&rest, &f) && str_ieq(f.name, STR("Return-Path")) ? message.len - rest.len : 0;
}

bool delivered_to_before(struct str message, struct str address)
{
    struct str rest = header_block(message);
    struct header_field f;

    while (header_find_next(&rest, STR("Delivered-To"), &f)) {
        if (str_ieq(str_trim(f.value), address))
            return true;
    }
    return false;
}

size_t received_count(struct str message)
{
    struct str rest = header_block(message);
    struct header_field f;
    size_t n = 0;

    while (header_find_next(&rest, STR("Received"), &f))
        n++;
    return n;
}

static void add_from(struct arena *a, struct str value, struct header_check *c)
{
    struct mail_address *list, *all;
    size_t n, have = c->nfrom;

    address_list(a, value, &list, &n);
    all = arena_array(a, struct mail_address, have + n);
    if (have > 0)
        memcpy(all, c->from, have * sizeof(*all));
    for (size_t i = 0; i < n; i++) {
        if (list[i].kind == ADDRESS_MAILBOX)
            all[have++] = list[i];
    }
    c->from = all;
    c->nfrom = have;
}

static void check_sender(struct arena *a, struct str value, struct header_check *c)
{
    struct mail_address one;
    struct address_reader r;

    c->has_sender = true;
    address_reader_init(&r, a, value);
    while (c->sender == NULL && address_next(&r, &one)) {
        if (one.kind != ADDRESS_MAILBOX)
            continue;
        c->sender = arena_new(a, struct mail_address);
        *c->sender = one;
    }
}

void header_check(struct arena *a, struct str message, struct header_check *ret)
{
    struct str rest = header_block(message);
    struct header_field f;
    size_t n = 0;

    *ret = (struct header_check){ .complete = rest.len < HEADER_MAX_SCAN || rest.len == message.len };
    while (header_next(&rest, &f)) {
        bool filled = str_trim(f.value).len > 0;

        if (n++ == HEADER_MAX_FIELDS) {
            ret->complete = false;
            return;
        }
        if (str_ieq(f.name, STR("Date")))
            ret->has_date = ret->has_date || filled;
        else if (str_ieq(f.name, STR("Message-ID")))
            ret->has_message_id = ret->has_message_id || filled;
        else if (str_ieq(f.name, STR("Sender")) && filled && !ret->has_sender)
            check_sender(a, f.value, ret);
        if (!str_ieq(f.name, STR("From")))
            continue;
        ret->has_from = ret->has_from || filled;
        if (ret->from_fields++ < HEADER_MAX_FROM)
            add_from(a, f.value, ret);
        else
            ret->complete = false;
    }
}
