/* Answers for people and for programs (call.h). */
#include "api/ctl/call.h"
#include "api/words.h"
#include "base/strbuf.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#define MAX_COLUMNS 12
#define MIN_WIDTH 10 /* of a column of words that gives way to a narrow screen */

struct json_object *at_path(struct json_object *object, const char *path)
{
    struct str rest = str_c(path), name;
    char copy[64];

    while (object != NULL && str_split(&rest, '.', &name)) {
        (void)snprintf(copy, sizeof(copy), "%.*s", STR_ARG(name));
        object = js_kind_of(object) == JS_OBJECT ? js_get(object, copy, NULL) : NULL;
    }
    return object;
}

static struct str size_text(struct arena *a, int64_t bytes)
{
    static const char *const units[] = { "B", "kB", "MB", "GB", "TB" };
    double v = (double)bytes;
    size_t i = 0;

    while (v >= 1000 && i + 1 < ARRAY_LEN(units)) {
        v /= 1000;
        i++;
    }
    return i == 0 ? arena_printf(a, "%lld B", (long long)bytes) : arena_printf(a, "%.1f %s", v, units[i]);
}

static struct str local_time(struct arena *a, struct str text)
{
    char out[32];
    struct tm tm;
    int64_t us;
    time_t s;

    if (time_parse(text, &us) != RES_OK)
        return text;
    s = us / 1000000;
    localtime_r(&s, &tm);
    strftime(out, sizeof(out), "%Y-%m-%d %H:%M:%S", &tm);
    return arena_str(a, str_c(out));
}

struct str harmless(struct arena *a, struct str s)
{
    CLEANUP(strbuf_release) struct strbuf b = { .max = 65536 };

    if (!word_has_control(s))
        return s;
    for (size_t i = 0; i < s.len; i++) {
        unsigned char c = (unsigned char)s.p[i];

        if (c < 0x20 || c == 0x7f || (c == 0xc2 && i + 1 < s.len && (unsigned char)s.p[i + 1] < 0xa0))
            strbuf_addc(&b, ' ');
        else
            strbuf_addc(&b, s.p[i]);
    }
    return arena_str(a, strbuf_str(&b));
}

/* The explanation's English sentence, or what the user's language calls its reason. */
static struct str reason_text(struct arena *a, struct json_object *v)
{
    struct str id = js_kind_of(v) == JS_OBJECT ? js_get_str(js_get(v, "id", NULL)) : js_get_str(v);
    const char *english = arena_cstr(a, id), *words = t(english);
    struct str text = js_kind_of(v) == JS_OBJECT ? js_get_str(js_get(v, "text", NULL)) : STR_NULL;

    return words == english && text.p != NULL ? text : str_c(words);
}

static struct str value_text(struct arena *a, struct json_object *v, const struct column *column)
{
    CLEANUP(strbuf_release) struct strbuf b = { .max = 65536 };

    if (column->kind == COLUMN_REASON && js_kind_of(v) != JS_NULL)
        return harmless(a, reason_text(a, v));
    switch (js_kind_of(v)) {
    case JS_NULL:
        return STR("-");
    case JS_STRING:
        if (js_get_str(v).len == 0)
            return STR("-");
        return harmless(a, column->kind == COLUMN_TIME ? local_time(a, js_get_str(v)) : js_get_str(v));
    case JS_INT:
        return column->kind == COLUMN_SIZE ? size_text(a, js_get_int(v)) : arena_printf(a, "%lld", (long long)js_get_int(v));
    case JS_BOOL:
        return str_c(t(js_get_bool(v) ? "yes" : "no"));
    case JS_ARRAY:
        for (size_t i = 0; i < js_len(v); i++) {
            if (js_kind_of(js_at(v, i)) != JS_STRING)
                return arena_printf(a, "%zu", js_len(v));
            strbuf_addf(&b, "%s%.*s", i > 0 ? ", " : "", STR_ARG(js_get_str(js_at(v, i))));
        }
        return harmless(a, arena_str(a, strbuf_str(&b)));
    default:
        return harmless(a, js_text(v, a));
    }
}

static size_t screen_width(void)
{
    struct winsize w;

    return isatty(STDOUT_FILENO) && ioctl(STDOUT_FILENO, TIOCGWINSZ, &w) == 0 && w.ws_col > 0 ? w.ws_col : SIZE_MAX;
}

/* At most `max` characters; what was longer ends with a mark. */
static struct str clipped(struct arena *a, struct str s, size_t max)
{
    if (word_length(s) <= max)
        return s;
    while (s.len > 0 && word_length(s) > max - 1)
        s = word_clip(s, s.len - 1);
    return arena_printf(a, "%.*s%s", STR_ARG(s), MB_CUR_MAX > 1 ? "\u2026" : "~");
}

/* Columns of words give way, the widest first, until the line fits.  False: it does not. */
static bool fit(size_t *widths, const struct column *columns, size_t n, size_t screen)
{
    size_t total = 2 * (n - 1);

    for (size_t i = 0; i < n; i++)
        total += widths[i];
    while (total > screen) {
        size_t widest = SIZE_MAX;

        for (size_t i = 1; i < n; i++) { /* the first one names the row */
            bool words = columns[i].kind == COLUMN_TEXT || columns[i].kind == COLUMN_REASON;

            if (words && widths[i] > MIN_WIDTH && (widest == SIZE_MAX || widths[i] >= widths[widest]))
                widest = i;
        }
        if (widest == SIZE_MAX)
            return false;
        widths[widest]--;
        total--;
    }
    return true;
}

static void print_line(struct arena *a, const struct str *cells, const size_t *widths, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        struct str cell = clipped(a, cells[i], widths[i]);
        size_t pad = i + 1 < n ? widths[i] + 2 - word_length(cell) : 0;

        printf("%.*s%*s", STR_ARG(cell), (int)pad, "");
    }
    fputc('\n', stdout);
}

static void print_field(struct str title, size_t width, struct str value)
{
    printf("%.*s:%*s %.*s\n", STR_ARG(title), (int)(width - word_length(title)), "", STR_ARG(value));
}

/* On a screen that is too narrow for a table: a row's values one below the other, what is not there left out. */
static void print_card(const struct str *titles, const struct str *cells, size_t n)
{
    size_t width = 0;

    for (size_t i = 0; i < n; i++)
        width = MAX(width, word_length(titles[i]));
    for (size_t i = 0; i < n; i++) {
        if (!str_eq(cells[i], STR("-")))
            print_field(titles[i], width, cells[i]);
    }
    fputc('\n', stdout);
}

static void print_table(struct call *c, struct json_object *rows, const struct column *columns, size_t n, bool first)
{
    static size_t widths[MAX_COLUMNS]; /* the first page sets them for all */
    static bool fits;
    size_t count = js_len(rows);
    struct str *cells = arena_array(&c->arena, struct str, (count + 1) * n);
    bool bold = isatty(STDOUT_FILENO) && getenv("NO_COLOR") == NULL;

    for (size_t k = 0; k < n; k++) {
        cells[k] = str_c(t(columns[k].title));
        for (size_t i = 0; i < count; i++)
            cells[(i + 1) * n + k] = value_text(&c->arena, at_path(js_at(rows, i), columns[k].path), &columns[k]);
        for (size_t i = 0; first && i <= count; i++)
            widths[k] = i == 0 ? word_length(cells[k]) : MAX(widths[k], word_length(cells[i * n + k]));
    }
    if (first) {
        fits = fit(widths, columns, n, screen_width());
        if (fits) {
            fputs(bold ? "\033[1m" : "", stdout);
            print_line(&c->arena, cells, widths, n);
            fputs(bold ? "\033[0m" : "", stdout);
        }
    }
    for (size_t i = 1; i <= count; i++) {
        if (fits)
            print_line(&c->arena, cells + i * n, widths, n);
        else
            print_card(cells, cells + i * n, n);
    }
}

static void print_id(struct json_object *object, const char *id)
{
    struct str s = js_get_str(at_path(object, id));

    printf("%.*s\n", STR_ARG(s));
}

static void print_json(struct call *c, struct json_object *object)
{
    struct str text = js_text(object, &c->arena);

    printf("%.*s\n", STR_ARG(text));
}

void print_rows(struct call *c, struct json_object *rows, const struct column *columns, size_t n, const char *id, bool first)
{
    if (js_kind_of(rows) != JS_ARRAY)
        return;
    if (!c->json && !c->quiet) {
        if (first && js_len(rows) == 0)
            say("%s", t("There is nothing."));
        else
            print_table(c, rows, columns, n, first);
        return;
    }
    for (size_t i = 0; i < js_len(rows); i++) {
        if (c->json)
            print_json(c, js_at(rows, i));
        else
            print_id(js_at(rows, i), id);
    }
}

struct str cell_text(struct call *c, struct json_object *row, const struct column *column)
{
    return value_text(&c->arena, at_path(row, column->path), column);
}

void print_row(struct call *c, struct json_object *row, const struct column *columns, size_t n, const char *id)
{
    if (c->json)
        print_json(c, row);
    else if (c->quiet)
        print_id(row, id);
    for (size_t i = 0; i < n && !c->json && !c->quiet; i++) {
        struct str cell = cell_text(c, row, &columns[i]);

        printf("%.*s%s", STR_ARG(cell), i + 1 < n ? "  " : "\n");
    }
    fflush(stdout);
}

void print_object(struct call *c, struct json_object *object, const struct column *columns, size_t n, const char *id)
{
    size_t width = 0;

    if (c->json) {
        print_json(c, object);
        return;
    }
    if (c->quiet) {
        print_id(object, id);
        return;
    }
    for (size_t i = 0; i < n; i++)
        width = MAX(width, word_length(str_c(t(columns[i].title))));
    for (size_t i = 0; i < n; i++)
        print_field(str_c(t(columns[i].title)), width, value_text(&c->arena, at_path(object, columns[i].path), &columns[i]));
}

void print_done(struct call *c, struct json_object *object, const char *id, const char *what)
{
    if (!c->json && !c->quiet)
        say("%s: %s", c->args[0], what);
    else if (object != NULL)
        print_object(c, object, NULL, 0, id);
}
