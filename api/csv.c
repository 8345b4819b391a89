#include "api/csv.h"

static bool is_end(char c)
{
    return c == '\n' || c == '\r';
}

void csv_begin(struct csv *c, struct str text)
{
    struct str head;
    size_t end = 0;

    if (str_starts(text, STR("\xef\xbb\xbf")))
        text = str_from(text, 3);
    *c = (struct csv){ .text = text, .line = 1, .separator = ',' };
    while (end < text.len && !is_end(text.p[end]))
        end++;
    head = str_sub(text, 0, end);
    if (str_chr(head, ',') == SIZE_MAX)
        c->separator = str_chr(head, ';') != SIZE_MAX ? ';' : str_chr(head, '\t') != SIZE_MAX ? '\t' : ',';
}

/* Whether ' may stand before this text as a mark. */
static bool is_guarded(struct str s)
{
    size_t i = 0;

    while (i < s.len && s.p[i] == '\'')
        i++;
    return i < s.len && (s.p[i] == '=' || s.p[i] == '+' || s.p[i] == '-' || s.p[i] == '@' || s.p[i] == '\t' || s.p[i] == '\r');
}

static struct str unguard(struct str cell)
{
    return cell.len > 0 && cell.p[0] == '\'' && is_guarded(cell) ? str_from(cell, 1) : cell;
}

/* Over the end of a line at c->at. */
static void pass_end(struct csv *c)
{
    if (c->text.p[c->at] == '\r' && c->at + 1 < c->text.len && c->text.p[c->at + 1] == '\n')
        c->at++;
    c->at++;
    c->line++;
}

/* A quoted cell; c->at is behind its first quote and gets behind its last.  False: there is no last one. */
static bool take_quoted(struct csv *c, struct arena *a, struct str *ret)
{
    size_t from = c->at;
    bool doubled = false;
    char *copy;
    size_t n = 0;

    for (;;) {
        if (c->at == c->text.len)
            return false;
        if (is_end(c->text.p[c->at])) {
            pass_end(c);
        } else if (c->text.p[c->at] != '"') {
            c->at++;
        } else if (c->at + 1 < c->text.len && c->text.p[c->at + 1] == '"') {
            doubled = true;
            c->at += 2;
        } else {
            break;
        }
    }
    *ret = str_sub(c->text, from, c->at - from);
    c->at++;
    if (!doubled)
        return true;
    copy = arena_alloc(a, ret->len);
    for (size_t i = 0; i < ret->len; i++) {
        copy[n++] = ret->p[i];
        i += ret->p[i] == '"';
    }
    *ret = str_of(copy, n);
    return true;
}

static void fail(struct csv_record *record, unsigned line, const char *why)
{
    if (record->why == NULL) {
        record->why = why;
        record->line = line;
    }
}

/* One cell; c->at is then at a separator, at the end of the line or of the text. */
static void take_cell(struct csv *c, struct arena *a, struct csv_record *record)
{
    bool quoted = c->at < c->text.len && c->text.p[c->at] == '"';
    unsigned line = c->line;
    struct str cell = STR("");
    size_t from;

    if (quoted) {
        c->at++;
        if (!take_quoted(c, a, &cell)) {
            fail(record, line, "A quote is opened here and never closed.");
            return;
        }
    }
    from = c->at;
    while (c->at < c->text.len && !is_end(c->text.p[c->at]) && c->text.p[c->at] != c->separator)
        c->at++;
    if (!quoted)
        cell = str_sub(c->text, from, c->at - from);
    else if (c->at > from)
        fail(record, c->line, "Text stands behind a closing quote.");
    if (!quoted && str_chr(cell, '"') != SIZE_MAX)
        fail(record, c->line, "A quote stands inside a cell: put the cell in quotes, and double the quotes in it.");
    if (record->n == CSV_MAX_CELLS)
        fail(record, c->line, "It has more cells than a file of this kind can have.");
    else
        record->cells[record->n++] = unguard(cell);
}

enum result csv_next(struct csv *c, struct arena *a, struct csv_record *ret)
{
    size_t from;
    struct str all;

    while (c->at < c->text.len && is_end(c->text.p[c->at]))
        pass_end(c);
    if (c->at == c->text.len)
        return RES_NOTFOUND;
    ret->n = 0;
    ret->why = NULL;
    ret->line = c->line;
    from = c->at;
    for (;;) {
        take_cell(c, a, ret);
        if (c->at == c->text.len || is_end(c->text.p[c->at]))
            break;
        c->at++;
    }
    all = str_sub(c->text, from, c->at - from);
    if (c->at < c->text.len)
        pass_end(c);
    if (all.len > CSV_MAX_RECORD)
        fail(ret, ret->line, "It is too long.");
    else if (!str_is_utf8(all))
        fail(ret, ret->line, "It is not UTF-8, or holds a NUL.");
    return ret->why == NULL ? RES_OK : RES_INVALID;
}

void csv_add(struct strbuf *b, struct str cell, bool first)
{
    bool guard = is_guarded(cell), quote = false;

    for (size_t i = 0; i < cell.len && !quote; i++)
        quote = cell.p[i] == '"' || cell.p[i] == ',' || cell.p[i] == ';' || cell.p[i] == '\t' || is_end(cell.p[i]);
    if (!first)
        (void)strbuf_addc(b, ',');
    if (quote)
        (void)strbuf_addc(b, '"');
    if (guard)
        (void)strbuf_addc(b, '\'');
    for (size_t i = 0; i < cell.len; i++) {
        if (cell.p[i] == '"')
            (void)strbuf_addc(b, '"');
        (void)strbuf_addc(b, cell.p[i]);
    }
    if (quote)
        (void)strbuf_addc(b, '"');
}

void csv_end(struct strbuf *b)
{
    (void)strbuf_adds(b, "\r\n");
}
