/* route/forward.c - .forward. */
#include "route/forward.h"

#include "base/strbuf.h"
#include "route/delivery.h"

#define MAX_ENTRY 2000

struct reader {
    struct str text;
    size_t at;
    unsigned line;
    struct strbuf entry;
};

static bool at_end(const struct reader *r)
{
    return r->at == r->text.len;
}

static void skip_between(struct reader *r)
{
    for (; !at_end(r); r->at++) {
        char c = r->text.p[r->at];

        if (c == '#') {
            size_t n = str_chr(str_from(r->text, r->at), '\n');

            r->at = n == SIZE_MAX ? r->text.len - 1 : r->at + n - 1;
        } else if (c == '\n') {
            r->line++;
        } else if (c != ' ' && c != '\t' && c != '\r' && c != ',') {
            return;
        }
    }
}

/* The entry that begins here, without its quotes.  false: a quote stays open, or it is too long. */
static bool take_entry(struct reader *r)
{
    bool quoted = false;

    strbuf_reset(&r->entry);
    for (; !at_end(r); r->at++) {
        char c = r->text.p[r->at];

        if (c == '\n' || (c == ',' && !quoted))
            break;
        if (c == '"') {
            quoted = !quoted;
        } else if (c == '\\' && quoted && r->at + 1 < r->text.len && r->text.p[r->at + 1] != '\n') {
            (void)strbuf_addc(&r->entry, r->text.p[++r->at]);
        } else {
            (void)strbuf_addc(&r->entry, c);
        }
    }
    return !quoted && !r->entry.overflow;
}

static bool is_text(struct str s)
{
    for (size_t i = 0; i < s.len; i++) {
        if ((unsigned char)s.p[i] < ' ' && s.p[i] != '\t')
            return false;
    }
    return str_is_utf8(s);
}

static bool is_pipe(struct str command)
{
    CLEANUP(arena_releasep) struct arena a = { 0 };
    struct str *words;
    size_t n;

    return command_words(command, &a, &words, &n) == RES_OK;
}

static bool is_address(struct str s)
{
    return s.len > 0 && s.len <= 320 && s.p[0] != ':' && s.p[0] != '-' && str_chr(s, ' ') == SIZE_MAX &&
           str_chr(s, '\t') == SIZE_MAX && str_chr(s, '<') == SIZE_MAX && str_chr(s, '|') == SIZE_MAX;
}

static bool classify(struct str s, struct str user, struct forward_entry *ret)
{
    struct delivery_target file;
    struct str error;

    if (!is_text(s))
        return false;
    if (s.p[0] == '|') {
        *ret = (struct forward_entry){ FORWARD_PIPE, str_trim(str_from(s, 1)) };
        return is_pipe(ret->text);
    }
    if (s.p[0] == '/') {
        CLEANUP(strbuf_release) struct strbuf target = { 0 };

        *ret = (struct forward_entry){ FORWARD_FILE, s };
        (void)strbuf_adds(&target, "mbox:");
        (void)strbuf_add(&target, s);
        return delivery_parse(strbuf_str(&target), &file, &error) == RES_OK;
    }
    if (s.len > 2 && s.p[0] == '<' && s.p[s.len - 1] == '>')
        s = str_sub(s, 1, s.len - 2);
    if (s.p[0] == '\\')
        s = str_from(s, 1);
    *ret = (struct forward_entry){ str_eq(s, user) ? FORWARD_SELF : FORWARD_ADDRESS, s };
    return is_address(s);
}

static bool is_known(const struct forward_entry *v, size_t n, const struct forward_entry *e)
{
    for (size_t i = 0; i < n; i++) {
        if (v[i].kind == e->kind && str_eq(v[i].text, e->text))
            return true;
    }
    return false;
}

static enum result parse(struct reader *r, struct str user, struct arena *a, struct forward_entry *v, size_t *ret_n)
{
    size_t n = 0;

    for (;;) {
        struct forward_entry e;
        struct str s;

        skip_between(r);
        if (at_end(r))
            break;
        if (!take_entry(r))
            return RES_INVALID;
        s = str_trim(strbuf_str(&r->entry));
        if (s.len == 0)
            continue;
        if (!classify(s, user, &e))
            return RES_INVALID;
        if (is_known(v, n, &e))
            continue;
        if (n == FORWARD_MAX_ENTRIES)
            return RES_INVALID;
        e.text = arena_str(a, e.text);
        v[n++] = e;
    }
    *ret_n = n;
    return RES_OK;
}

enum result forward_parse(struct str text, struct str user, struct arena *a, struct forward_entry **ret_v,
                          size_t *ret_n, unsigned *ret_line)
{
    struct reader reader = { .text = text, .line = 1, .entry = { .max = MAX_ENTRY } };
    struct forward_entry *v = arena_array(a, struct forward_entry, FORWARD_MAX_ENTRIES);
    enum result r = parse(&reader, user, a, v, ret_n);

    strbuf_release(&reader.entry);
    *ret_v = v;
    *ret_line = reader.line;
    return r;
}
