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

/* No value of the server's may move the cursor. */
static struct str harmless(struct arena *a, struct str s)
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

static struct str value_text(struct arena *a, struct json_object *v, const struct column *column)
{
    CLEANUP(strbuf_release) struct strbuf b = { .max = 65536 };

    switch (js_kind_of(v)) {
    case JS_NULL:
        return STR("-");
    case JS_STRING:
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

/* One line; the last column that begins on the screen is cut at its edge. */
static void print_line(const struct str *cells, const size_t *widths, size_t n, size_t screen)
{
    size_t at = 0;

    for (size_t i = 0; i < n && at < screen; i++) {
        size_t width = word_length(cells[i]);
        struct str cell = cells[i];

        while (at + width > screen) {
            cell = word_clip(cell, cell.len - 1);
            width = word_length(cell);
        }
        fwrite(cell.p, 1, cell.len, stdout);
        at += width;
        for (; i + 1 < n && width < widths[i] + 2 && at < screen; width++, at++)
            fputc(' ', stdout);
    }
    fputc('\n', stdout);
}

static void print_table(struct call *c, struct json_object *rows, const struct column *columns, size_t n, bool first)
{
    static size_t widths[MAX_COLUMNS]; /* the first page sets them for all */
    size_t count = js_len(rows), screen = screen_width();
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
        fputs(bold ? "\033[1m" : "", stdout);
        print_line(cells, widths, n, screen);
        fputs(bold ? "\033[0m" : "", stdout);
    }
    for (size_t i = 1; i <= count; i++)
        print_line(cells + i * n, widths, n, screen);
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
    for (size_t i = 0; i < n; i++) {
        struct str value = value_text(&c->arena, at_path(object, columns[i].path), &columns[i]);
        const char *title = t(columns[i].title);

        printf("%s:%*s %.*s\n", title, (int)(width - word_length(str_c(title))), "", STR_ARG(value));
    }
}
