#include "sendmail/compose.h"

#include "base/strbuf.h"
#include "mail/address.h"
#include "mail/header.h"

enum result sendmail_qualify(struct str name, struct str host, struct arena *a, struct str *ret)
{
    struct str local, domain;

    if (str_rchr(name, '@') == SIZE_MAX)
        name = arena_printf(a, "%.*s@%.*s", STR_ARG(name), STR_ARG(host));
    if (address_parse_mailbox(name, true, a, &local, &domain) != RES_OK)
        return RES_INVALID;
    *ret = name;
    return RES_OK;
}

static bool is_there(const struct str *v, size_t n, struct str address)
{
    for (size_t i = 0; i < n; i++) {
        if (str_ieq(v[i], address))
            return true;
    }
    return false;
}

struct collecting {
    struct str host;
    struct arena *a;
    struct str *v;
    size_t n, cap;
};

static void push(struct collecting *c, struct str address)
{
    if (c->n == c->cap) {
        struct str *larger = arena_array(c->a, struct str, c->cap * 2 + 16);

        if (c->n > 0)
            memcpy(larger, c->v, c->n * sizeof(*larger));
        c->v = larger;
        c->cap = c->cap * 2 + 16;
    }
    c->v[c->n++] = address;
}

/* The addresses of one field. */
static enum result collect(struct collecting *c, struct str value, struct str *ret_bad)
{
    struct address_reader reader;
    struct mail_address one;

    address_reader_init(&reader, c->a, value);
    while (address_next(&reader, &one)) {
        struct str text;

        if (one.kind != ADDRESS_MAILBOX)
            continue;
        text = address_write_mailbox(c->a, one.local, one.domain.p != NULL ? one.domain : c->host);
        if (sendmail_qualify(text, c->host, c->a, &text) != RES_OK || c->n == COMPOSE_MAX_RECIPIENTS) {
            *ret_bad = text;
            return RES_INVALID;
        }
        if (!is_there(c->v, c->n, text))
            push(c, text);
    }
    return RES_OK;
}

enum result sendmail_recipients(struct str header, struct str host, struct arena *a, struct str **ret_v, size_t *ret_n,
                                struct str *ret_bad)
{
    static const char *const names[2][3] = { { "To", "Cc", "Bcc" }, { "Resent-To", "Resent-Cc", "Resent-Bcc" } };
    struct collecting c = { .host = host, .a = a };
    struct header_field f;
    bool resent = false;

    for (size_t i = 0; i < ARRAY_LEN(names[1]); i++)
        resent |= header_find(header, str_c(names[1][i]), &f);
    for (size_t i = 0; i < ARRAY_LEN(names[0]); i++) {
        struct str rest = header;

        while (header_find_next(&rest, str_c(names[resent][i]), &f)) {
            if (collect(&c, f.value, ret_bad) != RES_OK)
                return RES_INVALID;
        }
    }
    *ret_v = c.v;
    *ret_n = c.n;
    return RES_OK;
}

/* "root (Cron Daemon)": what stands in the comment; else as it is given. */
static struct str name_of(struct str from, struct str name)
{
    size_t open = str_chr(from, '('), end = str_rchr(from, ')');

    return name.len == 0 && open != SIZE_MAX && end != SIZE_MAX && end > open ? str_sub(from, open + 1, end - open - 1)
                                                                              : name;
}

static void write_from(struct strbuf *out, struct str address, struct str name)
{
    (void)strbuf_adds(out, "From: ");
    if (name.len > 0) {
        (void)strbuf_addc(out, '"');
        for (size_t i = 0; i < name.len; i++) {
            unsigned char c = (unsigned char)name.p[i];

            if (c == '"' || c == '\\')
                (void)strbuf_addc(out, '\\');
            (void)strbuf_addc(out, c < ' ' || c == 127 ? ' ' : (char)c);
        }
        (void)strbuf_adds(out, "\" ");
    }
    (void)strbuf_addf(out, "<%.*s>\n", STR_ARG(address));
}

struct str sendmail_header(struct str header, struct str address, struct str name, struct arena *a)
{
    CLEANUP(strbuf_release) struct strbuf out = { 0 };
    struct str rest = header;
    struct header_field f;
    bool has_from = false;

    while (header_next(&rest, &f)) {
        bool is_from = str_ieq(f.name, STR("From"));

        if (str_ieq(f.name, STR("Bcc")) || str_ieq(f.name, STR("Resent-Bcc")))
            continue;
        if (is_from && str_chr(f.value, '@') == SIZE_MAX) {
            if (!has_from)
                write_from(&out, address, name_of(f.value, name));
        } else {
            (void)strbuf_add(&out, f.raw);
            if (!str_ends(f.raw, STR("\n")))
                (void)strbuf_addc(&out, '\n');
        }
        has_from |= is_from;
    }
    if (!has_from)
        write_from(&out, address, name);
    return arena_str(a, strbuf_str(&out));
}

/* "Name:" at the start of a line (RFC 5322, 2.2), or the continuation of one. */
static bool is_field(struct str line)
{
    size_t colon = str_chr(line, ':');

    if (colon == SIZE_MAX || colon == 0)
        return false;
    for (size_t i = 0; i < colon; i++) {
        if ((unsigned char)line.p[i] <= ' ' || (unsigned char)line.p[i] >= 127)
            return false;
    }
    return true;
}

void sendmail_split(struct str message, struct str *ret_header, struct str *ret_body)
{
    size_t at = 0;

    if (str_starts(message, STR("From ")))
        message = str_from(message, MIN(str_chr(message, '\n'), message.len - 1) + 1);
    *ret_header = message;
    while (at < message.len) {
        struct str rest = str_from(message, at), line;
        size_t end = str_chr(rest, '\n');

        line = str_sub(rest, 0, end);
        if (line.len == 0 || (line.len == 1 && line.p[0] == '\r')) {
            *ret_header = str_sub(message, 0, at);
            *ret_body = str_from(message, at + line.len + (end != SIZE_MAX));
            return;
        }
        if (!is_field(line) && (at == 0 || (line.p[0] != ' ' && line.p[0] != '\t'))) {
            *ret_header = str_sub(message, 0, at);
            *ret_body = rest;
            return;
        }
        at += line.len + (end != SIZE_MAX);
    }
    *ret_body = STR("");
}
