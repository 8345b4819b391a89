#include "api/query.h"
#include "api/cursor.h"
#include "api/problem.h"
#include "api/words.h"
#include "base/encode.h"
#include "db/db.h"

#define MAX_VALUES 20

static size_t count(const struct request *r, struct str name)
{
    size_t n = 0;

    for (size_t i = 0; i < r->n_query; i++)
        n += str_eq(r->query[i].name, name);
    return n;
}

void query_begin(struct request *r, const char *const *singles, size_t n_singles, const char *const *repeated,
                 size_t n_repeated)
{
    const char **known = arena_array(&r->arena, const char *, n_singles + n_repeated + 1);

    for (size_t i = 0; i < n_singles; i++)
        known[i] = singles[i];
    for (size_t i = 0; i < n_repeated; i++)
        known[n_singles + i] = repeated[i];
    for (size_t i = 0; i < r->n_query; i++) {
        struct str name = word_clip(r->query[i].name, 60);

        if (word_find(r->query[i].name, known, n_singles + n_repeated) >= 0)
            continue;
        error_at(r, name, "unknown-field", "There is no parameter of this name.%.*s",
                 STR_ARG(word_hint(&r->arena, name, known, n_singles + n_repeated)));
    }
    for (size_t i = 0; i < n_singles; i++) {
        if (count(r, str_c(singles[i])) > 1)
            error_at(r, str_c(singles[i]), "duplicate", "It stands more than once.");
    }
}

static struct str raw(const struct request *r, const char *name)
{
    for (size_t i = 0; i < r->n_query; i++) {
        if (str_eq(r->query[i].name, str_c(name)))
            return r->query[i].value;
    }
    return STR_NULL;
}

static bool text_ok(struct request *r, const char *name, struct str value, size_t min, size_t max)
{
    if (word_length(value) < min)
        error_at(r, str_c(name), "too-short", "It must not be empty.");
    else if (word_length(value) > max)
        error_at(r, str_c(name), "too-long", "It is longer than %zu characters.", max);
    else if (word_has_control(value))
        error_at(r, str_c(name), "syntax", "It holds a control character.");
    else
        return true;
    return false;
}

struct str query_text(struct request *r, const char *name, size_t min, size_t max)
{
    struct str value = raw(r, name);

    return value.p != NULL && text_ok(r, name, value, min, max) ? value : STR_NULL;
}

int64_t query_int(struct request *r, const char *name, int64_t min, int64_t max, int64_t otherwise)
{
    struct str value = raw(r, name);
    uint64_t n;

    if (value.p == NULL)
        return otherwise;
    if (!str_u64(value, INT64_MAX, &n))
        error_at(r, str_c(name), "type", "It is not a whole number.");
    else if ((int64_t)n < min)
        error_at(r, str_c(name), "minimum", "It is less than %lld.", (long long)min);
    else if ((int64_t)n > max)
        error_at(r, str_c(name), "maximum", "It is more than %lld.", (long long)max);
    else
        return (int64_t)n;
    return otherwise;
}

bool query_bool(struct request *r, const char *name, bool otherwise)
{
    static const char *const words[] = { "false", "true" };

    return query_word(r, name, words, ARRAY_LEN(words), otherwise) != 0;
}

static int take_word(struct request *r, const char *name, struct str value, const char *const *words, size_t n)
{
    int at = word_find(value, words, n);
    struct str shown = word_clip(value, 60);

    if (at < 0)
        error_at(r, str_c(name), "enum", "\"%.*s\" is not one of its values.%.*s", STR_ARG(shown),
                 STR_ARG(word_hint(&r->arena, shown, words, n)));
    return at;
}

int query_word(struct request *r, const char *name, const char *const *words, size_t n, int otherwise)
{
    struct str value = raw(r, name);
    int at = value.p == NULL ? -1 : take_word(r, name, value, words, n);

    return at < 0 ? otherwise : at;
}

static size_t take_texts(struct request *r, const char *name, size_t max, struct str **ret_v)
{
    struct str *v = arena_array(&r->arena, struct str, MAX_VALUES);
    size_t n = 0;

    for (size_t i = 0; i < r->n_query; i++) {
        if (!str_eq(r->query[i].name, str_c(name)))
            continue;
        if (n == MAX_VALUES) {
            error_at(r, str_c(name), "too-long", "It stands more than %d times.", MAX_VALUES);
            break;
        }
        if (text_ok(r, name, r->query[i].value, 0, max))
            v[n++] = r->query[i].value;
    }
    *ret_v = v;
    return n;
}

size_t query_texts(struct request *r, const char *name, size_t max, const struct str **ret_v)
{
    struct str *v;
    size_t n = take_texts(r, name, max, &v);

    *ret_v = v;
    return n;
}

size_t query_lowered(struct request *r, const char *name, size_t max, const struct str **ret_v)
{
    struct str *v;
    size_t n = take_texts(r, name, max, &v);

    for (size_t i = 0; i < n; i++)
        v[i] = arena_lower(&r->arena, v[i]);
    *ret_v = v;
    return n;
}

unsigned query_words(struct request *r, const char *name, const char *const *words, size_t n)
{
    unsigned bits = 0;

    for (size_t i = 0; i < r->n_query; i++) {
        int at = str_eq(r->query[i].name, str_c(name)) ? take_word(r, name, r->query[i].value, words, n) : -1;

        if (at >= 0)
            bits |= 1u << at;
    }
    return bits;
}

int64_t query_time(struct request *r, const char *name)
{
    struct str value = raw(r, name);
    uint64_t seconds;
    int64_t us;

    if (value.p == NULL)
        return DB_NO_TIME;
    if (value.len > 1 && value.p[0] == '-' && str_duration(str_from(value, 1), &seconds) && seconds <= UINT64_C(36500) * 86400)
        return wall_us() - (int64_t)seconds * 1000000;
    if (time_parse(value, &us) == RES_OK)
        return us;
    error_at(r, str_c(name), "syntax", "It is neither a time such as 2026-11-23T13:50:02Z nor one ago such as -24h.");
    return DB_NO_TIME;
}

/* ---- lists ---- */

/* What a cursor is bound to: the path and all parameters but the page's own. */
static struct str binding(struct request *r)
{
    CLEANUP(strbuf_release) struct strbuf b = { .max = 65536 };

    strbuf_add(&b, r->path);
    for (size_t i = 0; i < r->n_query; i++) {
        struct str name = r->query[i].name;

        if (str_eq(name, STR("cursor")) || str_eq(name, STR("limit")) || str_eq(name, STR("count")))
            continue;
        strbuf_addf(&b, "%c%.*s%c", '\1', STR_ARG(name), '\2');
        strbuf_add(&b, r->query[i].value);
    }
    return arena_str(&r->arena, strbuf_str(&b));
}

bool query_page(struct request *r, const char *sort, bool with_count, struct list_page *ret)
{
    struct list_page page = { .limit = (size_t)query_int(r, "limit", 1, LIST_MAX_LIMIT, 50) };
    struct str cursor = query_text(r, "cursor", 1, 512);

    if (with_count)
        page.count = query_bool(r, "count", false);
    if (sort != NULL) {
        const char *const words[] = { sort, arena_printf(&r->arena, "-%s", sort).p };

        page.descending = query_word(r, "sort", words, ARRAY_LEN(words), 0) == 1;
    }
    if (cursor.p != NULL && cursor_open(&r->arena, binding(r), cursor, &page.after) != RES_OK) {
        problem(r, PROBLEM_INVALID_CURSOR, NULL);
        return false;
    }
    *ret = page;
    return true;
}

/* The same request with another cursor, percent-encoded. */
static struct str next_target(struct request *r, struct str cursor)
{
    CLEANUP(strbuf_release) struct strbuf b = { .max = 65536 };

    strbuf_addf(&b, "<%.*s?", STR_ARG(r->path));
    for (size_t i = 0; i < r->n_query; i++) {
        struct str parts[] = { r->query[i].name, r->query[i].value };

        if (str_eq(parts[0], STR("cursor")))
            continue;
        for (size_t p = 0; p < 2; p++) {
            for (size_t k = 0; k < parts[p].len; k++) {
                char c = parts[p].p[k];

                if (ascii_alnum(c) || c == '-' || c == '.' || c == '_' || c == '~')
                    strbuf_addc(&b, c);
                else
                    strbuf_addf(&b, "%%%02X", (unsigned)(unsigned char)c);
            }
            strbuf_addc(&b, p == 0 ? '=' : '&');
        }
    }
    strbuf_addf(&b, "cursor=%.*s>; rel=\"next\"", STR_ARG(cursor));
    return b.overflow ? STR_NULL : arena_str(&r->arena, strbuf_str(&b));
}

void reply_page(struct request *r, struct json_object *data, struct str last, int64_t n)
{
    struct json_object *body = js_object();
    struct str next = last.p == NULL ? STR_NULL : cursor_seal(&r->arena, binding(r), last);

    js_set(body, "data", data);
    js_set(body, "next", js_str(next));
    if (n >= 0) {
        struct json_object *about = js_object();

        js_set(about, "value", js_int(MIN(n, COUNT_AT_MOST)));
        js_set(about, "relation", js_str(n > COUNT_AT_MOST ? STR("at_least") : STR("exact")));
        js_set(body, "count", about);
    }
    if (next.p != NULL) {
        struct str link = next_target(r, next);

        if (link.p != NULL)
            reply_header(r, "Link", link);
    }
    reply_json(r, 200, body);
}
