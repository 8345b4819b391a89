/* account import and export */
#include "api/ctl/client.h"
#include "api/ctl/verbs.h"

#include <stdio.h>

#define FILE_MAX ((size_t)8 << 20)

static const struct column line_columns[] = {
    { "Line", "line", COLUMN_NUMBER }, { "Account", "address", COLUMN_TEXT }, { "Outcome", "outcome", COLUMN_TEXT },
    { "Why", "detail", COLUMN_TEXT },
};
#define REPORT_COLUMNS 3

static long long number_of(const struct json_object *o, const char *name)
{
    return (long long)js_get_int(js_get(o, name, NULL));
}

static void say_counts(const struct json_object *o)
{
    say(t("%lld created, %lld changed, %lld as they were, %lld not done."), number_of(o, "created"), number_of(o, "updated"),
        number_of(o, "unchanged"), number_of(o, "failed"));
}

/* What a dry run found. */
static enum outcome print_report(struct call *c, struct json_object *report)
{
    struct json_object *errors = js_get(report, "errors", NULL);

    if (c->json) {
        print_object(c, report, NULL, 0, "total");
    } else {
        print_rows(c, js_get(report, "data", NULL), line_columns, REPORT_COLUMNS, "address", true);
        for (size_t i = 0; i < js_len(errors); i++)
            client_say_error(c, js_at(errors, i));
        say_counts(report);
    }
    return js_len(errors) == 0 ? DONE : INVALID;
}

static enum outcome print_links(struct call *c, const char *path)
{
    static const struct column columns[] = {
        { "Account", "address", COLUMN_TEXT }, { "Link", "url", COLUMN_TEXT }, { "Until", "expires_at", COLUMN_TIME },
    };
    const char *where = arena_printf(&c->arena, "%s/links", path).p;
    struct json_object *after = js_int(0);
    bool first = true;
    enum outcome out = DONE;

    while (out == DONE && after != NULL) {
        struct json_object *body = js_object(), *page = NULL, *data;

        js_set(body, "after", after);
        after = NULL;
        out = client_call(c, "POST", where, body, "", &page);
        if (out != DONE)
            break;
        data = js_get(page, "data", NULL);
        if (js_len(data) > 0) {
            if (first && !c->json && !c->quiet)
                say("%s", t("One-time links, shown only here:"));
            print_rows(c, data, columns, ARRAY_LEN(columns), "url", first);
            first = false;
        }
        after = js_share(js_get(page, "next", NULL));
        js_free(page);
    }
    js_free(after);
    return out;
}

/* The lines of which something is to be said, if there are any. */
static enum outcome print_notes(struct call *c, const char *path)
{
    const char *lines = arena_printf(&c->arena, "%s/lines", path).p;
    struct json_object *page = NULL;
    enum outcome out = client_call(c, "GET", arena_printf(&c->arena, "%s?noted=true&limit=1", lines).p, NULL, "", &page);
    bool any = out == DONE && js_len(js_get(page, "data", NULL)) > 0;

    js_free(page);
    return any ? client_list(c, lines, "?noted=true", line_columns, ARRAY_LEN(line_columns), "address") : out;
}

/* What an import has done: counts, what failed, links. */
static enum outcome print_result(struct call *c, struct json_object *operation)
{
    struct json_object *counts = js_get(operation, "import", NULL);
    const char *path = arena_printf(&c->arena, "/api/v1/operations/%.*s", STR_ARG(js_get_str(js_get(operation, "id", NULL)))).p;
    long long failed = number_of(counts, "failed");
    bool cancelled = str_eq(js_get_str(js_get(operation, "state", NULL)), STR("cancelled"));
    enum outcome out;

    if (cancelled)
        say("%s", t("It was cancelled; the rest of the file is not done."));
    if (c->json)
        print_object(c, operation, NULL, 0, "id");
    else
        say_counts(counts);
    out = print_notes(c, path);
    if (out == DONE)
        out = print_links(c, path);
    if (out != DONE)
        return out;
    return failed > 0 || cancelled ? IN_PART : DONE;
}

enum outcome verb_account_import(struct call *c)
{
    const char *path = option(c, "update") != NULL ? "/api/v1/import?update=true" : "/api/v1/import";
    struct json_object *answer = NULL;
    struct str text, start;
    enum outcome out;

    if (!take_file(c, c->args[0], FILE_MAX, &text))
        return USAGE;
    start = str_trim(str_starts(text, STR("\xef\xbb\xbf")) ? str_from(text, 3) : text);
    out = client_upload(c, path, str_starts(start, STR("{")) ? "application/jsonl" : "text/csv", text, &answer);
    if (out == DONE && option(c, "dry-run") != NULL) {
        out = print_report(c, answer);
    } else if (out == DONE) {
        out = client_follow(c, &answer);
        if (out == DONE)
            out = print_result(c, answer);
    }
    js_free(answer);
    return out;
}

enum outcome verb_account_export(struct call *c)
{
    static const char *const lists[] = { "domain", "state", "role" };
    struct json_object *body = js_object();
    struct str text;
    enum outcome out;

    if (option(c, "format") != NULL)
        js_set(body, "format", js_str(str_c(option(c, "format"))));
    if (option(c, "q") != NULL)
        js_set(body, "q", js_str(str_c(option(c, "q"))));
    for (size_t i = 0; i < ARRAY_LEN(lists); i++) {
        if (option(c, lists[i]) != NULL)
            js_set(body, lists[i], list_of(option(c, lists[i])));
    }
    out = client_download(c, "/api/v1/export", body, &text);
    if (out == DONE && fwrite(text.p, 1, text.len, stdout) != text.len)
        return FAILED;
    return out;
}
