/* /import: a file of accounts is checked as a whole, and then done in the background (import_work.c). */
#include "api/account_file.h"
#include "api/accounts.h"
#include "api/handlers.h"
#include "api/import_check.h"
#include "api/import_work.h"
#include "api/operations.h"
#include "api/problem.h"
#include "api/query.h"
#include "api/record.h"

#include <stdlib.h>

#define LINES_MOST 10000
#define ERRORS_OF_LINE 5
#define AT_ONCE 200

/* A line as the rest of the request needs it; the texts are in the request's arena, the password is on its own. */
struct line {
    struct import_line store;
    enum import_outcome outcome;
    bool bad; /* it was good by itself */
    const struct str *further;
    size_t n_further;
    struct str password;
};

struct import {
    struct account_file file;
    bool updates, wants_proof;
    struct line *v;
    size_t n, cap, total, n_bad, n_passwords;
    size_t counts[IMPORT_OUTCOMES];
    struct json_object *errors;
    struct import_item items[AT_ONCE]; /* read, and not checked yet */
    size_t n_items;
};

/* ---- what is wrong ---- */

static void note(struct import *im, unsigned line, struct str address, struct str place, struct str code, struct str detail)
{
    struct json_object *e = js_object();
    struct str column = account_file_column(&im->file, place);

    js_set(e, "line", js_int(line));
    if (address.p != NULL)
        js_set(e, "address", js_str(address));
    js_set(e, "pointer", js_str(place.p != NULL ? place : STR("")));
    if (column.p != NULL)
        js_set(e, "cell", js_str(column));
    js_set(e, "code", js_str(code));
    js_set(e, "detail", js_str(detail));
    js_push(im->errors, e);
}

static void note_line(struct import *im, const struct account_line *line)
{
    im->n_bad++;
    note(im, line->number, STR_NULL, STR_NULL, str_c(line->code), line->detail);
}

/* The errors of a line that was checked: pointers into it; what the checks call a parameter is a member here. */
static void note_item(struct request *r, struct import *im, const struct import_item *item)
{
    im->n_bad++;
    for (size_t i = 0; i < MIN(js_len(item->errors), (size_t)ERRORS_OF_LINE); i++) {
        struct json_object *e = js_at(item->errors, i);
        struct str place = js_get_str(js_get(e, "pointer", NULL));

        if (place.p == NULL)
            place = arena_printf(&r->arena, "/%.*s", STR_ARG(js_get_str(js_get(e, "parameter", NULL))));
        note(im, item->line, item->change.w.address, place, js_get_str(js_get(e, "code", NULL)), js_get_str(js_get(e, "detail", NULL)));
    }
}

/* ---- reading and checking ---- */

static struct str take_password(struct import_item *item)
{
    struct str password = item->change.password;
    char *copy;

    if (password.p == NULL)
        return STR_NULL;
    copy = malloc(password.len + 1);
    if (copy == NULL)
        abort();
    memcpy(copy, password.p, password.len);
    js_remove(item->body, "password");
    return str_of(copy, password.len);
}

/* A good line is kept without its tree. */
static void keep(struct request *r, struct import *im, struct import_item *item)
{
    struct line *line;

    im->v = arena_grow(&r->arena, im->v, im->n, &im->cap, sizeof(*im->v));
    line = &im->v[im->n++];
    im->wants_proof = im->wants_proof || account_change_wants_proof(&item->change);
    im->counts[item->outcome]++;
    *line = (struct line){ .outcome = item->outcome, .further = item->further, .n_further = item->n_further };
    line->password = take_password(item);
    im->n_passwords += line->password.p != NULL;
    line->store = (struct import_line){ .line = item->line, .address = item->change.w.address, .body = js_text(item->body, &r->arena),
                                        .with_password = line->password.p != NULL };
}

/* Checks the lines that were read. */
static enum result check_items(struct request *r, struct import *im)
{
    enum result result = import_check(r, im->items, im->n_items, im->updates);

    for (size_t i = 0; i < im->n_items; i++) {
        struct import_item *item = &im->items[i];

        if (result == RES_OK && item->errors != NULL)
            note_item(r, im, item);
        else if (result == RES_OK)
            keep(r, im, item);
        js_free(item->errors);
        js_free(item->body);
    }
    im->n_items = 0;
    return result;
}

static enum result read_lines(struct request *r, struct import *im)
{
    struct account_line line;
    enum result got, result = RES_OK;

    while (result == RES_OK && (got = account_file_next(&im->file, &r->arena, &line)) != RES_NOTFOUND) {
        if (++im->total > LINES_MOST) {
            js_free(line.body);
            note(im, line.number, STR_NULL, STR_NULL, STR("too-many"),
                 arena_printf(&r->arena, "A file holds at most %d accounts: divide it.", LINES_MOST));
            im->n_bad++;
            break;
        }
        if (got != RES_OK) {
            note_line(im, &line);
            continue;
        }
        im->items[im->n_items++] = (struct import_item){ .line = line.number, .body = line.body };
        if (im->n_items == AT_ONCE)
            result = check_items(r, im);
    }
    return result == RES_OK ? check_items(r, im) : result;
}

/* An address in a file: of which line, and whether it is the account's own. */
struct mention {
    struct str address;
    size_t of;
    bool further;
};

static int by_mention(const void *x, const void *y)
{
    const struct mention *a = x, *b = y;
    int order = str_cmp(a->address, b->address);

    return order != 0 ? order : a->of < b->of ? -1 : a->of > b->of;
}

/* No two lines may have the same address; the later one is wrong. */
static void check_doubles(struct request *r, struct import *im)
{
    struct mention *v;
    size_t n = 0;

    for (size_t i = 0; i < im->n; i++)
        n += 1 + im->v[i].n_further;
    v = arena_array(&r->arena, struct mention, n + 1);
    n = 0;
    for (size_t i = 0; i < im->n; i++) {
        v[n++] = (struct mention){ im->v[i].store.address, i, false };
        for (size_t k = 0; k < im->v[i].n_further; k++)
            v[n++] = (struct mention){ im->v[i].further[k], i, true };
    }
    if (n > 1)
        qsort(v, n, sizeof(*v), by_mention);
    for (size_t i = 1, first = 0; i < n; i++) {
        struct line *line = &im->v[v[i].of];

        if (!str_eq(v[i].address, v[first].address)) {
            first = i;
            continue;
        }
        im->n_bad += !line->bad;
        im->counts[line->outcome] -= !line->bad;
        line->bad = true;
        note(im, line->store.line, line->store.address, v[i].further ? STR("/addresses") : STR("/address"), STR("duplicate"),
             arena_printf(&r->arena, "Line %u has the address \"%.*s\", too.", im->v[v[first].of].store.line, STR_ARG(v[i].address)));
    }
}

/* ---- answers ---- */

static struct json_object *report(const struct import *im)
{
    struct json_object *o = js_object(), *data = js_array();

    for (size_t i = 0; i < im->n; i++) {
        struct json_object *line;

        if (im->v[i].bad)
            continue;
        line = js_object();
        js_set(line, "line", js_int(im->v[i].store.line));
        js_set(line, "address", js_str(im->v[i].store.address));
        js_set(line, "outcome", js_str(str_c(import_outcome_names[im->v[i].outcome])));
        js_push(data, line);
    }
    js_set(o, "total", js_int((int64_t)im->total));
    for (enum import_outcome i = 0; i < IMPORT_FAILED; i++)
        js_set(o, import_outcome_names[i], js_int((int64_t)im->counts[i]));
    js_set(o, import_outcome_names[IMPORT_FAILED], js_int((int64_t)im->n_bad));
    js_set(o, "data", data);
    js_set(o, "errors", js_share(im->errors));
    return o;
}

/* What the record keeps: how much, and from where. */
static struct json_object *summary(const struct import *im)
{
    struct json_object *o = js_object();

    js_set(o, "lines", js_int((int64_t)im->n));
    js_set(o, "updates", js_bool(im->updates));
    for (enum import_outcome i = 0; i < IMPORT_FAILED; i++)
        js_set(o, import_outcome_names[i], js_int((int64_t)im->counts[i]));
    return o;
}

static void begin(struct request *r, struct import *im)
{
    struct import_line *v = arena_array(&r->arena, struct import_line, im->n);
    struct import_password *passwords = calloc(im->n_passwords + 1, sizeof(*passwords));
    size_t n = 0;
    int64_t id;
    enum result result;

    if (passwords == NULL)
        abort();
    for (size_t i = 0; i < im->n; i++) {
        v[i] = im->v[i].store;
        if (im->v[i].password.p == NULL)
            continue;
        passwords[n++] = (struct import_password){ im->v[i].store.line, im->v[i].password };
        im->v[i].password = STR_NULL;
    }
    result = imports_begin(r, im->updates, v, im->n, passwords, n, record(r, "account.import", STR_NULL, NULL, summary(im)), &id);
    if (result == RES_OK)
        operation_answer(r, id, 202);
    else if (result == RES_LIMIT)
        problem(r, PROBLEM_RATE_LIMITED, "%d imports of yours, or %d of all, are under way: try again when one is done.",
                IMPORTS_OF_ONE, IMPORTS_AT_ONCE);
    else
        problem_of_result(r, result);
}

static void answer(struct request *r, struct import *im, enum result result)
{
    if (result != RES_OK)
        problem_of_result(r, result);
    else if (im->wants_proof && !caller_fresh(r))
        return;
    else if (r->dry_run)
        reply_json(r, 200, report(im));
    else if (im->n_bad > 0)
        problem_with(r, PROBLEM_VALIDATION, "errors", js_share(im->errors));
    else
        begin(r, im);
}

static void forget(struct import *im)
{
    for (size_t i = 0; i < im->n; i++) {
        if (im->v[i].password.p == NULL)
            continue;
        explicit_bzero((char *)(uintptr_t)im->v[i].password.p, im->v[i].password.len);
        free((char *)(uintptr_t)im->v[i].password.p);
    }
    js_free(im->errors);
}

/* False: it is none that an import takes; answered. */
static bool take_format(struct request *r, enum account_format *ret)
{
    struct str type = request_header(r, STR("Content-Type"));

    type = str_trim(str_sub(type, 0, str_chr(type, ';')));
    *ret = str_ieq(type, STR("text/csv")) ? ACCOUNT_CSV : ACCOUNT_JSONL;
    if (request_header(r, STR("Content-Encoding")).p == NULL &&
        (*ret == ACCOUNT_CSV || str_ieq(type, STR("application/jsonl")) || str_ieq(type, STR("application/x-ndjson"))))
        return true;
    problem(r, PROBLEM_UNSUPPORTED_MEDIA_TYPE, "A file of accounts is text/csv or application/jsonl.");
    return false;
}

void import_post(struct request *r)
{
    static const char *const singles[] = { "update" };
    struct import *im = arena_new(&r->arena, struct import);
    struct account_line line;
    enum account_format format;
    enum result result = RES_OK;

    query_begin(r, singles, ARRAY_LEN(singles), NULL, 0);
    im->updates = query_bool(r, "update", false);
    if (errors_of_query(r) || !take_format(r, &format))
        return;
    im->errors = js_array();
    if (account_file_begin(&im->file, format, strbuf_str(&r->body), &r->arena, &line) != RES_OK)
        note_line(im, &line);
    else
        result = read_lines(r, im);
    if (result == RES_OK && im->total == 0 && im->n_bad == 0) {
        note(im, 1, STR_NULL, STR_NULL, STR("empty"), STR("The file holds no account."));
        im->n_bad++;
    }
    if (result == RES_OK)
        check_doubles(r, im);
    answer(r, im, result);
    forget(im);
}
