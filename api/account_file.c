#include "api/account_file.h"
#include "api/accounts.h"
#include "api/json_scan.h"
#include "api/limits.h"
#include "api/words.h"

/* The columns, in the order in which they are written; all but the password are. */
static const struct column {
    const char *name, *object, *member; /* object NULL: a member of the line's own object */
    enum { CELL_TEXT, CELL_NULLABLE, CELL_WORD, CELL_INT, CELL_BOOL, CELL_LIST, CELL_PASSWORD } kind;
} columns[] = {
    { "address", NULL, "address", CELL_TEXT },
    { "name", NULL, "name", CELL_TEXT },
    { "role", NULL, "role", CELL_WORD },
    { "state", NULL, "state", CELL_WORD },
    { "language", NULL, "language", CELL_NULLABLE },
    { "addresses", NULL, "addresses", CELL_LIST },
    { "quota", "quota", "limit", CELL_INT },
    { "quota_messages", "quota", "message_limit", CELL_INT },
    { "recipients_per_hour", "limits", "recipients_per_hour", CELL_INT },
    { "recipients_per_day", "limits", "recipients_per_day", CELL_INT },
    { "forward", NULL, "forward", CELL_LIST },
    { "forward_keep", NULL, "forward_keep", CELL_BOOL },
    { "delivery", NULL, "delivery", CELL_NULLABLE },
    { "delivery_user", NULL, "delivery_user", CELL_NULLABLE },
    { "password", NULL, "password", CELL_PASSWORD },
};
#define COLUMNS ARRAY_LEN(columns)
_Static_assert(COLUMNS <= CSV_MAX_CELLS, "a record holds all columns");

/* ---- reading ---- */

static enum result wrong(struct account_line *ret, unsigned number, const char *code, struct str detail)
{
    *ret = (struct account_line){ .number = number, .code = code, .detail = detail };
    return RES_INVALID;
}

static enum result take_column(struct account_file *f, struct str cell, struct arena *a, struct account_line *ret)
{
    struct str name = arena_lower(a, str_trim(cell)), shown = word_clip(name, 60);
    const char *names[COLUMNS];
    int at;

    for (size_t i = 0; i < COLUMNS; i++)
        names[i] = columns[i].name;
    at = word_find(name, names, COLUMNS);
    if (at < 0)
        return wrong(ret, f->line, "unknown-column",
                     arena_printf(a, "There is no column \"%.*s\".%.*s", STR_ARG(shown), STR_ARG(word_hint(a, shown, names, COLUMNS))));
    for (size_t i = 0; i < f->n_columns; i++) {
        if (f->columns[i] == (size_t)at)
            return wrong(ret, f->line, "duplicate", arena_printf(a, "The column \"%.*s\" stands there twice.", STR_ARG(shown)));
    }
    f->columns[f->n_columns++] = (size_t)at;
    return RES_OK;
}

static bool has_address(const struct account_file *f)
{
    for (size_t i = 0; i < f->n_columns; i++) {
        if (f->columns[i] == 0)
            return true;
    }
    return false;
}

enum result account_file_begin(struct account_file *f, enum account_format format, struct str text, struct arena *a,
                               struct account_line *ret)
{
    struct csv_record record;
    enum result r;

    *f = (struct account_file){ .format = format, .rest = str_starts(text, STR("\xef\xbb\xbf")) ? str_from(text, 3) : text };
    if (format == ACCOUNT_JSONL)
        return RES_OK;
    csv_begin(&f->csv, text);
    r = csv_next(&f->csv, a, &record);
    if (r == RES_NOTFOUND)
        return wrong(ret, 1, "empty", STR("The file is empty: its first line names the columns."));
    if (r != RES_OK)
        return wrong(ret, record.line, "syntax", str_c(record.why));
    f->line = record.line;
    for (size_t i = 0; i < record.n && r == RES_OK; i++)
        r = take_column(f, record.cells[i], a, ret);
    if (r == RES_OK && !has_address(f))
        return wrong(ret, f->line, "required", STR("The first line names the columns, and \"address\" is none of them."));
    return r;
}

/* The object that a column is a member of. */
static struct json_object *home_of(struct json_object *body, const struct column *c)
{
    struct json_object *home = c->object == NULL ? body : js_get(body, c->object, NULL);

    if (home == NULL) {
        home = js_object();
        js_set(body, c->object, home);
    }
    return home;
}

static struct json_object *list_of(struct str cell)
{
    struct json_object *list = js_array();
    struct str word;

    while (str_word(&cell, &word))
        js_push(list, js_str(word));
    return list;
}

/* What is no number or no truth stays text, and is found wrong later. */
static struct json_object *int_of(struct str cell)
{
    uint64_t n;

    return str_u64(cell, INT64_MAX, &n) ? js_int((int64_t)n) : js_str(cell);
}

static struct json_object *bool_of(struct str cell)
{
    static const char *const words[] = { "false", "no", "0", "true", "yes", "1" };
    int at;

    for (at = 0; at < (int)ARRAY_LEN(words); at++) {
        if (str_ieq(cell, str_c(words[at])))
            return js_bool(at >= 3);
    }
    return js_str(cell);
}

static void take_cell(struct json_object *body, const struct column *c, struct str cell)
{
    struct json_object *home = home_of(body, c);

    if (c->kind != CELL_PASSWORD) /* which may begin and end with blanks */
        cell = str_trim(cell);
    if (cell.len > 0)
        js_set(home, c->member, c->kind == CELL_INT ? int_of(cell) : c->kind == CELL_BOOL ? bool_of(cell) : c->kind == CELL_LIST
                                                                                         ? list_of(cell) : js_str(cell));
    else if (c->kind == CELL_TEXT)
        js_set(home, c->member, js_str(STR("")));
    else if (c->kind == CELL_LIST)
        js_set(home, c->member, js_array());
    else if (c->kind == CELL_INT || c->kind == CELL_NULLABLE)
        js_set(home, c->member, NULL);
}

static enum result next_record(struct account_file *f, struct arena *a, struct account_line *ret)
{
    struct csv_record record;
    enum result r = csv_next(&f->csv, a, &record);

    if (r == RES_NOTFOUND)
        return r;
    if (r != RES_OK)
        return wrong(ret, record.line, "syntax", str_c(record.why));
    if (record.n != f->n_columns)
        return wrong(ret, record.line, "cells",
                     arena_printf(a, "Its number of cells is %zu; the first line has %zu.", record.n, f->n_columns));
    *ret = (struct account_line){ .number = record.line, .body = js_object() };
    for (size_t i = 0; i < record.n; i++)
        take_cell(ret->body, &columns[f->columns[i]], record.cells[i]);
    return RES_OK;
}

static enum result next_object(struct account_file *f, struct arena *a, struct account_line *ret)
{
    struct json_object *body = NULL;
    struct str text, error;
    const char *why;
    size_t at;

    do {
        if (!str_split(&f->rest, '\n', &text))
            return RES_NOTFOUND;
        f->line++;
        text = str_trim(text);
    } while (text.len == 0);
    if (text.len > CSV_MAX_RECORD)
        return wrong(ret, f->line, "too-long", STR("It is too long."));
    if (!json_scan(text, &at, &why))
        return wrong(ret, f->line, "syntax", arena_printf(a, "It is not JSON: %s, at byte %zu.", why, at));
    if (js_parse(text, a, &body, &error) != RES_OK)
        return wrong(ret, f->line, "syntax", error);
    if (js_kind_of(body) != JS_OBJECT) {
        js_free(body);
        return wrong(ret, f->line, "type", STR("It is not an object."));
    }
    *ret = (struct account_line){ .number = f->line, .body = body };
    return RES_OK;
}

enum result account_file_next(struct account_file *f, struct arena *a, struct account_line *ret)
{
    return f->format == ACCOUNT_CSV ? next_record(f, a, ret) : next_object(f, a, ret);
}

struct str account_file_column(const struct account_file *f, struct str place)
{
    struct str first, second = STR_NULL;

    if (f->format != ACCOUNT_CSV || !str_starts(place, STR("/")))
        return STR_NULL;
    place = str_from(place, 1);
    if (!str_split(&place, '/', &first))
        return STR_NULL;
    (void)str_split(&place, '/', &second);
    for (size_t i = 0; i < f->n_columns; i++) {
        const struct column *c = &columns[f->columns[i]];

        if (c->object == NULL ? str_eq(first, str_c(c->member)) : str_eq(first, str_c(c->object)) && str_eq(second, str_c(c->member)))
            return str_c(c->name);
    }
    return STR_NULL;
}

/* ---- writing ---- */

static struct json_object *line_of(const struct account *account, const struct str *further, size_t n_further)
{
    struct json_object *o = js_object(), *quota = js_object();

    js_set(o, "address", js_str(account->address));
    js_set(o, "name", js_str(account->name));
    js_set(o, "role", js_str(str_c(account_role_names[account->role])));
    js_set(o, "state", js_str(str_c(account_state_names[account->state])));
    js_set(o, "language", js_str(account->language));
    js_set(o, "addresses", js_strs(further, n_further));
    js_set(quota, "limit", account->quota_bytes > 0 ? js_int(account->quota_bytes) : NULL);
    js_set(quota, "message_limit", account->quota_messages > 0 ? js_int(account->quota_messages) : NULL);
    js_set(o, "quota", quota);
    js_set(o, "limits", limits_json(&account->limits));
    js_set(o, "forward", js_strs(account->forward, account->n_forward));
    js_set(o, "forward_keep", js_bool(account->forward_keep));
    js_set(o, "delivery", js_str(account->delivery));
    js_set(o, "delivery_user", js_str(account->delivery_user));
    return o;
}

static struct str cell_of(struct json_object *line, const struct column *c, struct arena *a)
{
    CLEANUP(strbuf_release) struct strbuf b = { 0 };
    struct json_object *v = js_get(c->object == NULL ? line : js_get(line, c->object, NULL), c->member, NULL);

    switch (js_kind_of(v)) {
    case JS_STRING:
        return js_get_str(v);
    case JS_INT:
        return arena_printf(a, "%lld", (long long)js_get_int(v));
    case JS_BOOL:
        return js_get_bool(v) ? STR("true") : STR("false");
    case JS_ARRAY:
        for (size_t i = 0; i < js_len(v); i++)
            (void)strbuf_addf(&b, "%s%.*s", i > 0 ? " " : "", STR_ARG(js_get_str(js_at(v, i))));
        return arena_str(a, strbuf_str(&b));
    default:
        return STR("");
    }
}

void account_file_head(struct strbuf *b, enum account_format format)
{
    if (format != ACCOUNT_CSV)
        return;
    for (size_t i = 0; i < COLUMNS; i++) {
        if (columns[i].kind != CELL_PASSWORD)
            csv_add(b, str_c(columns[i].name), i == 0);
    }
    csv_end(b);
}

void account_file_add(struct strbuf *b, enum account_format format, const struct account *account, const struct str *further,
                      size_t n_further, struct arena *a)
{
    struct json_object *line = line_of(account, further, n_further);

    if (format == ACCOUNT_JSONL) {
        (void)strbuf_add(b, js_text(line, a));
        (void)strbuf_addc(b, '\n');
    } else {
        for (size_t i = 0; i < COLUMNS; i++) {
            if (columns[i].kind != CELL_PASSWORD)
                csv_add(b, cell_of(line, &columns[i], a), i == 0);
        }
        csv_end(b);
    }
    js_free(line);
}
